package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/hub"
)

type sessionRow struct {
	ID             hub.ID
	UserID         hub.ID
	ActiveTenantID hub.ID
	CreatedAt      time.Time
	ExpiresAt      time.Time
	EndedAt        *time.Time
}

func (sessionRow) TableName() string { return "sessions" }

type refreshTokenRow struct {
	Hash      []byte
	SessionID hub.ID
	CreatedAt time.Time
	UsedAt    *time.Time
}

func (refreshTokenRow) TableName() string { return "refresh_tokens" }

// CreateSession implements hub.Accounts. It removes the user's sessions that are past their end.
func (s *Store) CreateSession(ctx context.Context, in hub.Session, refresh [32]byte) error {
	return transact(s.writer.WithContext(ctx), nil, "create session", func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ? and expires_at < ?", in.UserID, in.CreatedAt.UTC()).Delete(&sessionRow{}).Error; err != nil {
			return err
		}
		row := sessionRow{ID: in.ID, UserID: in.UserID, ActiveTenantID: in.TenantID, CreatedAt: in.CreatedAt.UTC(), ExpiresAt: in.ExpiresAt.UTC()}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Create(&refreshTokenRow{Hash: refresh[:], SessionID: in.ID, CreatedAt: in.CreatedAt.UTC()}).Error
	})
}

// RotateSession implements hub.Accounts.
func (s *Store) RotateSession(ctx context.Context, old, next [32]byte, now, expires time.Time) (hub.Session, error) {
	now, expires = now.UTC(), expires.UTC()
	var session sessionRow
	reused := false
	err := transact(s.writer.WithContext(ctx), nil, "rotate session", func(tx *gorm.DB) error {
		var token refreshTokenRow
		if err := tx.Where("hash = ?", old[:]).Take(&token).Error; err != nil {
			return err
		}
		// Whoever holds the session's row decides; the token is read again under that lock.
		live := "id = ? and ended_at is null and expires_at > ?"
		if err := s.dialect.lock(tx).Where(live, token.SessionID, now).Take(&session).Error; err != nil {
			return err
		}
		use := tx.Model(&refreshTokenRow{}).Where("hash = ? and used_at is null", old[:]).Update("used_at", now)
		if use.Error != nil {
			return use.Error
		}
		if reused = use.RowsAffected == 0; reused {
			return endSession(tx, session.ID, now)
		}
		session.ExpiresAt = expires
		if err := tx.Model(&sessionRow{}).Where("id = ?", session.ID).Update("expires_at", expires).Error; err != nil {
			return err
		}
		return tx.Create(&refreshTokenRow{Hash: next[:], SessionID: session.ID, CreatedAt: now}).Error
	})
	if err == nil && reused {
		err = hub.ErrReused
	}
	if err != nil {
		return hub.Session{}, err
	}
	return hub.Session{
		ID: session.ID, UserID: session.UserID, TenantID: session.ActiveTenantID,
		CreatedAt: session.CreatedAt.UTC(), ExpiresAt: session.ExpiresAt,
	}, nil
}

// EndSession implements hub.Accounts.
func (s *Store) EndSession(ctx context.Context, refresh [32]byte, now time.Time) error {
	return transact(s.writer.WithContext(ctx), nil, "end session", func(tx *gorm.DB) error {
		var token refreshTokenRow
		err := tx.Where("hash = ?", refresh[:]).Take(&token).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return endSession(tx, token.SessionID, now.UTC())
	})
}

func endSession(tx *gorm.DB, id hub.ID, now time.Time) error {
	return tx.Model(&sessionRow{}).Where("id = ? and ended_at is null", id).Update("ended_at", now).Error
}

type signingKeyRow struct {
	Number    int
	KeyID     string
	Sealed    []byte
	CreatedAt time.Time
}

func (signingKeyRow) TableName() string { return "signing_keys" }

// SigningKeys implements hub.Accounts.
func (s *Store) SigningKeys(ctx context.Context) ([]hub.SigningKey, error) {
	var rows []signingKeyRow
	if err := s.reader.WithContext(ctx).Order("number desc").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list signing keys: %w", translate(err))
	}
	keys := make([]hub.SigningKey, len(rows))
	for i, r := range rows {
		keys[i] = hub.SigningKey{KeyID: r.KeyID, Sealed: r.Sealed, CreatedAt: r.CreatedAt.UTC()}
	}
	return keys, nil
}

// AddFirstSigningKey implements hub.Accounts. Of several processes that start at once, the first to store
// number 1 wins.
func (s *Store) AddFirstSigningKey(ctx context.Context, k hub.SigningKey) error {
	row := signingKeyRow{Number: 1, KeyID: k.KeyID, Sealed: k.Sealed, CreatedAt: k.CreatedAt.UTC()}
	if err := s.writer.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("add signing key: %w", translate(err))
	}
	return nil
}
