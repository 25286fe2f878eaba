package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type mailRow struct {
	ID        hub.ID
	Sealed    []byte
	Kind      string
	DueAt     time.Time
	Tries     int
	BusyUntil *time.Time
	CreatedAt time.Time
}

func (mailRow) TableName() string { return "mails" }

// AddMail implements hub.Mails.
func (s *Store) AddMail(ctx context.Context, m hub.SealedMail) error {
	return transact(s.writer.WithContext(ctx), nil, "add mail", func(tx *gorm.DB) error { return s.insertMail(tx, m) })
}

// insertMail puts a mail into the outbox as part of a transaction, a tenant's or not.
func (s *Store) insertMail(tx *gorm.DB, m hub.SealedMail) error {
	now, err := s.dialect.now(tx)
	if err != nil {
		return err
	}
	row := mailRow{ID: m.ID, Sealed: m.Sealed, Kind: m.Kind, DueAt: now.UTC(), CreatedAt: now.UTC()}
	return tx.Create(&row).Error
}

// ClaimMails implements hub.Mails.
func (s *Store) ClaimMails(ctx context.Context, limit int, lease time.Duration) ([]hub.ClaimedMail, error) {
	var claimed []hub.ClaimedMail
	err := transact(s.writer.WithContext(ctx), nil, "claim mails", func(tx *gorm.DB) error {
		now, err := s.dialect.now(tx)
		if err != nil {
			return err
		}
		now = now.UTC()
		var rows []mailRow
		err = s.dialect.lockFree(tx).Where("due_at <= ? and (busy_until is null or busy_until <= ?)", now, now).
			Order("due_at, id").Limit(limit).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]hub.ID, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
			claimed = append(claimed, hub.ClaimedMail{
				SealedMail: hub.SealedMail{ID: r.ID, Kind: r.Kind, Sealed: r.Sealed}, Tries: r.Tries + 1, Age: now.Sub(r.CreatedAt),
			})
		}
		return s.dialect.amongIDs(tx.Model(&mailRow{}), "id", ids).
			Updates(map[string]any{"tries": gorm.Expr("tries + 1"), "busy_until": now.Add(lease)}).Error
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// MailSent implements hub.Mails.
func (s *Store) MailSent(ctx context.Context, id hub.ID) error {
	if err := s.writer.WithContext(ctx).Where("id = ?", id).Delete(&mailRow{}).Error; err != nil {
		return fmt.Errorf("remove mail: %w", translate(err))
	}
	return nil
}

// MailFailed implements hub.Mails.
func (s *Store) MailFailed(ctx context.Context, id hub.ID, try int, delay time.Duration) error {
	return transact(s.writer.WithContext(ctx), nil, "give mail back", func(tx *gorm.DB) error {
		now, err := s.dialect.now(tx)
		if err != nil {
			return err
		}
		return tx.Model(&mailRow{}).Where("id = ? and tries = ?", id, try).
			Updates(map[string]any{"busy_until": nil, "due_at": now.Add(delay).UTC()}).Error
	})
}
