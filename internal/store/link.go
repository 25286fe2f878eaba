package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type linkRow struct {
	Hash      []byte
	Kind      string
	Email     string
	UserID    *hub.ID
	Sealed    []byte
	CreatedAt time.Time
	Until     time.Time
}

func (linkRow) TableName() string { return "links" }

func (r linkRow) link() hub.Link {
	return hub.Link{
		Hash: [32]byte(r.Hash), Kind: hub.LinkKind(r.Kind), Email: r.Email, UserID: orZero(r.UserID),
		Sealed: r.Sealed, CreatedAt: r.CreatedAt.UTC(), Until: r.Until.UTC(),
	}
}

// linksKept is how many links of a kind an address has at a time: who asks again may follow any of them.
const linksKept = 3

// AddLink implements hub.Links.
func (s *Store) AddLink(ctx context.Context, l hub.Link, m hub.SealedMail) error {
	row := linkRow{
		Hash: l.Hash[:], Kind: string(l.Kind), Email: l.Email, Sealed: l.Sealed, CreatedAt: l.CreatedAt.UTC(), Until: l.Until.UTC(),
	}
	if l.UserID != (hub.ID{}) {
		row.UserID = &l.UserID
	}
	return transact(s.writer.WithContext(ctx), nil, "add link", func(tx *gorm.DB) error {
		if err := tx.Where("until <= ?", l.CreatedAt.UTC()).Delete(&linkRow{}).Error; err != nil {
			return err
		}
		older := tx.Model(&linkRow{}).Select("hash").Where("email = ? and kind = ?", l.Email, l.Kind).
			Order("created_at desc, hash").Offset(linksKept - 1).Limit(1000)
		if err := tx.Where("hash in (?)", older).Delete(&linkRow{}).Error; err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if m.ID == (hub.ID{}) {
			return nil
		}
		return s.insertMail(tx, m)
	})
}

// Link implements hub.Links.
func (s *Store) Link(ctx context.Context, hash [32]byte, kind hub.LinkKind, now time.Time) (hub.Link, error) {
	var row linkRow
	err := s.reader.WithContext(ctx).Where("hash = ? and kind = ? and until > ?", hash[:], kind, now.UTC()).Take(&row).Error
	if err != nil {
		return hub.Link{}, fmt.Errorf("find link: %w", translate(err))
	}
	return row.link(), nil
}

// takeLink removes a link and gives it. Of several that take it at once, one does.
func takeLink(tx *gorm.DB, hash [32]byte, kind hub.LinkKind, now time.Time) (linkRow, error) {
	tx = tx.Session(&gorm.Session{NewDB: true}) // links belong to no tenant
	var row linkRow
	where := "hash = ? and kind = ? and until > ?"
	if err := tx.Where(where, hash[:], kind, now.UTC()).Take(&row).Error; err != nil {
		return row, err
	}
	taken := tx.Where(where, hash[:], kind, now.UTC()).Delete(&linkRow{})
	if taken.Error == nil && taken.RowsAffected == 0 {
		return row, gorm.ErrRecordNotFound
	}
	return row, taken.Error
}

// SignUp implements hub.Links.
func (s *Store) SignUp(ctx context.Context, link [32]byte, t hub.Tenant, u hub.User, d hub.Desk) error {
	d.TenantID = t.ID
	return tenant{s, t.ID}.change(ctx, "sign up", func(tx *gorm.DB) error {
		if _, err := takeLink(tx, link, hub.LinkSignUp, t.CreatedAt); err != nil {
			return err
		}
		user := userRow{ID: u.ID, Email: u.Email, Name: u.Name, PasswordHash: u.PasswordHash, CreatedAt: u.CreatedAt.UTC()}
		err := tx.Create(&user).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return hub.ErrEmailTaken
		}
		if err != nil {
			return err
		}
		company := tenantRow{
			ID: t.ID, Name: t.Name, IndexKey: t.IndexKey, Revision: 1, CreatedAt: t.CreatedAt.UTC(),
			Plan: cmp.Or(t.Plan, hub.Unlimited), RetentionDays: cmp.Or(t.RetentionDays, hub.DefaultRetention),
		}
		if err := tx.Create(&company).Error; err != nil {
			return err
		}
		if t.DataKey.Version > 0 {
			key := newDataKeyRow(t.ID, t.DataKey)
			if err := tx.Create(&key).Error; err != nil {
				return err
			}
		}
		owner := memberRow{TenantID: t.ID, UserID: u.ID, Role: string(hub.RoleOwner), CreatedAt: t.CreatedAt.UTC()}
		if err := tx.Create(&owner).Error; err != nil {
			return err
		}
		desk := newDeskRow(d)
		return tx.Create(&desk).Error
	})
}

// ResetPassword implements hub.Links.
func (s *Store) ResetPassword(ctx context.Context, link [32]byte, passwordHash string, now time.Time, m hub.SealedMail) (hub.User, error) {
	var user userRow
	err := transact(s.writer.WithContext(ctx), nil, "reset password", func(tx *gorm.DB) error {
		taken, err := takeLink(tx, link, hub.LinkReset, now)
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", taken.UserID).Take(&user).Error; err != nil {
			return err
		}
		return s.setPassword(tx, user.ID, passwordHash, hub.ID{}, now, m)
	})
	return user.user(), err
}

// TakeEmail implements hub.Links.
func (s *Store) TakeEmail(ctx context.Context, link [32]byte, now time.Time, m hub.SealedMail) (hub.User, error) {
	var user userRow
	err := transact(s.writer.WithContext(ctx), nil, "change address", func(tx *gorm.DB) error {
		taken, err := takeLink(tx, link, hub.LinkEmail, now)
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", taken.UserID).Take(&user).Error; err != nil {
			return err
		}
		err = tx.Model(&userRow{}).Where("id = ?", user.ID).Update("email", taken.Email).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return hub.ErrEmailTaken
		}
		if err != nil {
			return err
		}
		// Links to the old address would give the account to whoever has that now.
		if err := tx.Where("user_id = ?", user.ID).Delete(&linkRow{}).Error; err != nil {
			return err
		}
		return s.insertMail(tx, m)
	})
	return user.user(), err
}
