package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type tenantRow struct {
	ID        hub.ID
	Name      string
	IndexKey  []byte
	Revision  int64
	CreatedAt time.Time

	SecondFactorRequired bool
	DeleteAt             *time.Time
	Plan                 string
	RetentionDays        int
	Forgotten            hub.ID // chats up to this one are forgotten
}

func (tenantRow) TableName() string { return "tenants" }

func (r tenantRow) tenant() hub.Tenant {
	return hub.Tenant{
		ID: r.ID, Name: r.Name, IndexKey: r.IndexKey, CreatedAt: r.CreatedAt.UTC(),
		FactorRequired: r.SecondFactorRequired, DeleteAt: timeOrZero(r.DeleteAt), Plan: r.Plan, RetentionDays: r.RetentionDays,
	}
}

type userRow struct {
	ID           hub.ID
	Email        string
	Name         string
	PasswordHash string
	CreatedAt    time.Time
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() hub.User {
	return hub.User{ID: r.ID, Email: r.Email, Name: r.Name, PasswordHash: r.PasswordHash, CreatedAt: r.CreatedAt.UTC()}
}

type memberRow struct {
	TenantID  hub.ID
	UserID    hub.ID
	Role      string
	CreatedAt time.Time
}

func (memberRow) TableName() string { return "members" }

// UserByEmail implements hub.Accounts.
func (s *Store) UserByEmail(ctx context.Context, email string) (hub.User, error) {
	return s.findUser(ctx, "email = ?", email)
}

// User implements hub.Accounts.
func (s *Store) User(ctx context.Context, id hub.ID) (hub.User, error) {
	return s.findUser(ctx, "id = ?", id)
}

func (s *Store) findUser(ctx context.Context, condition string, value any) (hub.User, error) {
	var row userRow
	if err := s.reader.WithContext(ctx).Where(condition, value).Take(&row).Error; err != nil {
		return hub.User{}, fmt.Errorf("find user: %w", translate(err))
	}
	return row.user(), nil
}

// RenameUser implements hub.Accounts.
func (s *Store) RenameUser(ctx context.Context, id hub.ID, name string) error {
	if err := s.writer.WithContext(ctx).Model(&userRow{}).Where("id = ?", id).Update("name", name).Error; err != nil {
		return fmt.Errorf("rename user: %w", translate(err))
	}
	return nil
}

// SetPassword implements hub.Accounts.
func (s *Store) SetPassword(ctx context.Context, id hub.ID, passwordHash string, but hub.ID, now time.Time, m hub.SealedMail) error {
	return transact(s.writer.WithContext(ctx), nil, "set password", func(tx *gorm.DB) error {
		return s.setPassword(tx, id, passwordHash, but, now, m)
	})
}

// setPassword changes a password and ends what the old one opened: sessions, and links. A link to take another address
// may be one that a thief asked for with the old password.
func (s *Store) setPassword(tx *gorm.DB, id hub.ID, passwordHash string, but hub.ID, now time.Time, m hub.SealedMail) error {
	return cmp.Or(
		tx.Model(&userRow{}).Where("id = ?", id).Update("password_hash", passwordHash).Error,
		endSessions(tx, id, but, now.UTC()),
		tx.Where("user_id = ?", id).Delete(&linkRow{}).Error,
		s.insertMail(tx, m),
	)
}

// Memberships implements hub.Accounts.
func (s *Store) Memberships(ctx context.Context, userID hub.ID) ([]hub.Membership, error) {
	var rows []memberRow
	err := transact(s.reader.WithContext(ctx), s.dialect.readOnly(), "list memberships", func(tx *gorm.DB) error {
		if err := s.dialect.set(tx, userSetting, userID); err != nil {
			return err
		}
		return tx.Where("user_id = ?", userID).Order("created_at, tenant_id").Find(&rows).Error
	})
	list := make([]hub.Membership, len(rows))
	for i, r := range rows {
		list[i] = hub.Membership{TenantID: r.TenantID, UserID: r.UserID, Role: hub.Role(r.Role), CreatedAt: r.CreatedAt.UTC()}
	}
	return list, err
}

// Tenant implements hub.TenantStore.
func (t tenant) Tenant(ctx context.Context) (hub.Tenant, error) {
	var row tenantRow
	err := t.view(ctx, "read tenant", func(tx *gorm.DB) (err error) {
		row, err = t.row(tx)
		return err
	})
	return row.tenant(), err
}

// row reads the tenant's own row, which has no tenant_id.
func (t tenant) row(tx *gorm.DB) (tenantRow, error) {
	var row tenantRow
	err := tx.Raw("select * from tenants where id = ?", t.id).Take(&row).Error
	return row, err
}
