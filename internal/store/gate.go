package store

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/hub"
)

// tenant is the gate to one tenant's rows. Its transactions carry the tenant twice: as a condition of every
// query made from them, and as the setting that row-level security goes by.
type tenant struct {
	s  *Store
	id hub.ID
}

var _ hub.TenantStore = tenant{}

// Tenant implements hub.Store.
func (s *Store) Tenant(id hub.ID) hub.TenantStore { return tenant{s, id} }

// view runs fn in a transaction that reads one moment of the tenant's rows.
func (t tenant) view(ctx context.Context, what string, fn func(tx *gorm.DB) error) error {
	return t.run(t.s.reader.WithContext(ctx), t.s.dialect.readOnly(), what, fn)
}

// change runs fn in a transaction that may write the tenant's rows. The audit entry that the context carries is
// written in it: there is no change without its entry, and no entry without its change.
func (t tenant) change(ctx context.Context, what string, fn func(tx *gorm.DB) error) error {
	entry := hub.AuditIn(ctx)
	if entry == nil {
		return t.run(t.s.writer.WithContext(ctx), nil, what, fn)
	}
	err := t.run(t.s.writer.WithContext(ctx), nil, what, func(tx *gorm.DB) error {
		if err := fn(tx); err != nil {
			return err
		}
		return t.appendAudit(tx, entry)
	})
	if err == nil {
		entry.Written()
	}
	return err
}

func (t tenant) run(db *gorm.DB, options *sql.TxOptions, what string, fn func(tx *gorm.DB) error) error {
	return transact(db, options, what, func(tx *gorm.DB) error {
		if err := t.s.dialect.set(tx, tenantSetting, t.id); err != nil {
			return err
		}
		own := clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "tenant_id"}, Value: t.id}
		return fn(tx.Where(own).Session(&gorm.Session{}))
	})
}

// transact runs fn in a transaction and translates what goes wrong.
func transact(db *gorm.DB, options *sql.TxOptions, what string, fn func(tx *gorm.DB) error) error {
	if err := db.Transaction(fn, options); err != nil {
		return fmt.Errorf("%s: %w", what, translate(err))
	}
	return nil
}

// touch grows the tenant's revision, so that workers read its setup again.
func (t tenant) touch(tx *gorm.DB) error {
	return tx.Exec("update tenants set revision = revision + 1 where id = ?", t.id).Error
}
