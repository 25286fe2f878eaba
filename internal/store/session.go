package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type sessionRow struct {
	ID             hub.ID
	UserID         hub.ID
	ActiveTenantID hub.ID
	Client         string
	Address        string
	CreatedAt      time.Time
	UsedAt         *time.Time
	ExpiresAt      time.Time
	EndedAt        *time.Time
}

func (sessionRow) TableName() string { return "sessions" }

func (r sessionRow) session() hub.Session {
	s := hub.Session{
		ID: r.ID, UserID: r.UserID, TenantID: r.ActiveTenantID, Origin: hub.Origin{Address: r.Address, Client: r.Client},
		CreatedAt: r.CreatedAt.UTC(), UsedAt: timeOrZero(r.UsedAt), ExpiresAt: r.ExpiresAt.UTC(),
	}
	if s.UsedAt.IsZero() {
		s.UsedAt = s.CreatedAt
	}
	return s
}

type refreshTokenRow struct {
	Hash      []byte
	SessionID hub.ID
	Successor []byte
	CreatedAt time.Time
	UsedAt    *time.Time
}

func (refreshTokenRow) TableName() string { return "refresh_tokens" }

// usedTokensFor is how long a used refresh token is known, so that its second use can be told from nonsense.
const usedTokensFor = 7 * 24 * time.Hour

// CreateSession implements hub.Sessions.
func (s *Store) CreateSession(ctx context.Context, in hub.Session, refresh [32]byte) error {
	return transact(s.writer.WithContext(ctx), nil, "create session", func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ? and expires_at < ?", in.UserID, in.CreatedAt.UTC()).Delete(&sessionRow{}).Error; err != nil {
			return err
		}
		row := sessionRow{
			ID: in.ID, UserID: in.UserID, ActiveTenantID: in.TenantID, Client: in.Origin.Client, Address: in.Origin.Address,
			CreatedAt: in.CreatedAt.UTC(), UsedAt: timeOrNull(in.UsedAt), ExpiresAt: in.ExpiresAt.UTC(),
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Create(&refreshTokenRow{Hash: refresh[:], SessionID: in.ID, CreatedAt: in.CreatedAt.UTC()}).Error
	})
}

// RotateSession implements hub.Sessions.
func (s *Store) RotateSession(ctx context.Context, r hub.Exchange) (hub.Session, []byte, error) {
	now := r.Now.UTC()
	var session sessionRow
	var successor []byte
	reused := false
	err := transact(s.writer.WithContext(ctx), nil, "rotate session", func(tx *gorm.DB) error {
		var token refreshTokenRow
		if err := tx.Where("hash = ?", r.Old[:]).Take(&token).Error; err != nil {
			return err
		}
		// Whoever holds the session's row decides; the token is read again under that lock.
		live := "id = ? and ended_at is null and expires_at > ?"
		if err := s.dialect.lock(tx).Where(live, token.SessionID, now).Take(&session).Error; err != nil {
			return err
		}
		token = refreshTokenRow{}
		if err := tx.Where("hash = ?", r.Old[:]).Take(&token).Error; err != nil {
			return err
		}
		if token.UsedAt != nil {
			if now.Sub(*token.UsedAt) <= r.Grace && token.Successor != nil {
				successor = token.Successor
				return nil
			}
			reused = true
			return endSession(tx, session.ID, now)
		}
		session.ExpiresAt = now.Add(r.TTL)
		if last := session.CreatedAt.UTC().Add(r.Longest); session.ExpiresAt.After(last) {
			session.ExpiresAt = last
		}
		session.UsedAt = &now
		return rotate(tx, session, r, now)
	})
	if err == nil && reused {
		err = hub.ErrReused
	}
	if err != nil && !reused {
		return hub.Session{}, nil, err
	}
	return session.session(), successor, err
}

// rotate writes an exchange down, and forgets what is no use any more: older successors, and tokens used long ago.
func rotate(tx *gorm.DB, session sessionRow, r hub.Exchange, now time.Time) error {
	return errors.Join(
		tx.Model(&refreshTokenRow{}).Where("session_id = ? and successor is not null and used_at < ?", session.ID, now.Add(-r.Grace)).Update("successor", nil).Error,
		tx.Where("session_id = ? and used_at < ?", session.ID, now.Add(-usedTokensFor)).Delete(&refreshTokenRow{}).Error,
		tx.Model(&refreshTokenRow{}).Where("hash = ?", r.Old[:]).Updates(map[string]any{"used_at": now, "successor": r.Successor}).Error,
		tx.Model(&sessionRow{}).Where("id = ?", session.ID).Updates(map[string]any{"expires_at": session.ExpiresAt, "used_at": now}).Error,
		tx.Create(&refreshTokenRow{Hash: r.Next[:], SessionID: session.ID, CreatedAt: now}).Error,
	)
}

// EndSession implements hub.Sessions.
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

// Sessions implements hub.Sessions.
func (s *Store) Sessions(ctx context.Context, userID hub.ID, now time.Time) ([]hub.Session, error) {
	var rows []sessionRow
	err := s.reader.WithContext(ctx).Where("user_id = ? and ended_at is null and expires_at > ?", userID, now.UTC()).
		Order("used_at desc, id desc").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", translate(err))
	}
	list := make([]hub.Session, len(rows))
	for i, r := range rows {
		list[i] = r.session()
	}
	return list, nil
}

// EndSessionOf implements hub.Sessions.
func (s *Store) EndSessionOf(ctx context.Context, userID, session hub.ID, now time.Time) error {
	end := s.writer.WithContext(ctx).Model(&sessionRow{}).
		Where("user_id = ? and id = ? and ended_at is null and expires_at > ?", userID, session, now.UTC()).Update("ended_at", now.UTC())
	if end.Error != nil {
		return fmt.Errorf("end session: %w", translate(end.Error))
	}
	if end.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return nil
}

// EndSessionsOf implements hub.Sessions.
func (s *Store) EndSessionsOf(ctx context.Context, userID, but hub.ID, now time.Time) error {
	if err := endSessions(s.writer.WithContext(ctx), userID, but, now.UTC()); err != nil {
		return fmt.Errorf("end sessions: %w", translate(err))
	}
	return nil
}

func endSessions(tx *gorm.DB, userID, but hub.ID, now time.Time) error {
	return tx.Model(&sessionRow{}).Where("user_id = ? and id <> ? and ended_at is null", userID, but).Update("ended_at", now).Error
}

// SessionStanding implements hub.Standings.
func (t tenant) SessionStanding(ctx context.Context, session hub.ID, now time.Time) (hub.Standing, error) {
	var row struct {
		UserID       hub.ID
		Name, Email  string
		Role         string
		FactorNeeded bool
	}
	err := t.view(ctx, "read standing", func(tx *gorm.DB) error {
		return tx.Raw(`select u.id as user_id, u.name, u.email, m.role,
				t.second_factor_required and f.confirmed_at is null as factor_needed
			from sessions s
			join members m on m.tenant_id = s.active_tenant_id and m.user_id = s.user_id
			join users u on u.id = s.user_id
			join tenants t on t.id = s.active_tenant_id
			left join second_factors f on f.user_id = s.user_id
			where s.id = ? and s.active_tenant_id = ? and s.ended_at is null and s.expires_at > ?`,
			session, t.id, now.UTC()).Take(&row).Error
	})
	if row.Name == "" {
		row.Name = row.Email
	}
	return hub.Standing{UserID: row.UserID, Name: row.Name, Role: hub.Role(row.Role), FactorMissing: row.FactorNeeded}, err
}
