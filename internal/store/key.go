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

type signingKeyRow struct {
	Number    int
	KeyID     string
	Sealed    []byte
	CreatedAt time.Time
	SignsAt   *time.Time
	EndsAt    *time.Time
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func newSigningKeyRow(number int, k hub.SigningKey) signingKeyRow {
	return signingKeyRow{
		Number: number, KeyID: k.KeyID, Sealed: k.Sealed, CreatedAt: k.CreatedAt.UTC(),
		SignsAt: timeOrNull(k.SignsAt), EndsAt: timeOrNull(k.EndsAt),
	}
}

// SigningKeys implements hub.Accounts.
func (s *Store) SigningKeys(ctx context.Context) ([]hub.SigningKey, error) {
	var rows []signingKeyRow
	if err := s.reader.WithContext(ctx).Order("number desc").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list signing keys: %w", translate(err))
	}
	keys := make([]hub.SigningKey, len(rows))
	for i, r := range rows {
		keys[i] = hub.SigningKey{
			KeyID: r.KeyID, Sealed: r.Sealed, CreatedAt: r.CreatedAt.UTC(), SignsAt: timeOrZero(r.SignsAt), EndsAt: timeOrZero(r.EndsAt),
		}
	}
	return keys, nil
}

// AddFirstSigningKey implements hub.Accounts. Of several processes that start at once, the first to store
// number 1 wins.
func (s *Store) AddFirstSigningKey(ctx context.Context, k hub.SigningKey) error {
	row := newSigningKeyRow(1, k)
	if err := s.writer.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("add signing key: %w", translate(err))
	}
	return nil
}

// AddSigningKey implements hub.KeyStore. Two that add a key at once get one number, and one of them an error.
func (s *Store) AddSigningKey(ctx context.Context, k hub.SigningKey, ends time.Time) error {
	return transact(s.writer.WithContext(ctx), nil, "add signing key", func(tx *gorm.DB) error {
		var last int
		if err := tx.Raw("select coalesce(max(number), 0) from signing_keys").Scan(&last).Error; err != nil {
			return err
		}
		if err := tx.Model(&signingKeyRow{}).Where("ends_at is null or ends_at > ?", ends.UTC()).
			Update("ends_at", ends.UTC()).Error; err != nil {
			return err
		}
		row := newSigningKeyRow(last+1, k)
		return tx.Create(&row).Error
	})
}

type dataKeyRow struct {
	TenantID    hub.ID
	Version     uint32
	Wrapped     []byte
	MasterKeyID string
	CreatedAt   time.Time
}

func (dataKeyRow) TableName() string { return "tenant_keys" }

func newDataKeyRow(tenant hub.ID, k hub.DataKey) dataKeyRow {
	return dataKeyRow{TenantID: tenant, Version: k.Version, Wrapped: k.Wrapped, MasterKeyID: k.MasterKey, CreatedAt: k.CreatedAt.UTC()}
}

// DataKeys implements hub.TenantKeys.
func (t tenant) DataKeys(ctx context.Context) ([]hub.DataKey, error) {
	var rows []dataKeyRow
	err := t.view(ctx, "list data keys", func(tx *gorm.DB) error { return tx.Order("version").Find(&rows).Error })
	keys := make([]hub.DataKey, len(rows))
	for i, r := range rows {
		keys[i] = hub.DataKey{Version: r.Version, Wrapped: r.Wrapped, MasterKey: r.MasterKeyID, CreatedAt: r.CreatedAt.UTC()}
	}
	return keys, err
}

// AddDataKey implements hub.TenantKeys.
func (t tenant) AddDataKey(ctx context.Context, k hub.DataKey) error {
	return t.change(ctx, "add data key", func(tx *gorm.DB) error {
		row := newDataKeyRow(t.id, k)
		err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
		if errors.Is(err, gorm.ErrForeignKeyViolated) {
			return hub.ErrNotFound
		}
		return err
	})
}

// RewrapDataKey implements hub.TenantKeys.
func (t tenant) RewrapDataKey(ctx context.Context, was []byte, k hub.DataKey) error {
	return t.change(ctx, "rewrap data key", func(tx *gorm.DB) error {
		return tx.Model(&dataKeyRow{}).Where("version = ? and wrapped = ?", k.Version, was).
			Updates(map[string]any{"wrapped": k.Wrapped, "master_key_id": k.MasterKey}).Error
	})
}

// TenantsAfter implements hub.KeyStore.
func (s *Store) TenantsAfter(ctx context.Context, after hub.ID, limit int) ([]hub.ID, error) {
	var ids []hub.ID
	if err := s.reader.WithContext(ctx).Raw(s.dialect.tenantsAfter(), after, limit).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("list tenants: %w", translate(err))
	}
	return ids, nil
}

// DataKeysNotOf implements hub.KeyStore.
func (s *Store) DataKeysNotOf(ctx context.Context, masterKey string) (n int, err error) {
	if err := s.reader.WithContext(ctx).Raw(s.dialect.dataKeysNotOf(), masterKey).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("count data keys: %w", translate(err))
	}
	return n, nil
}
