package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

const (
	purgeEvery = time.Minute
	purgeBatch = 5_000               // rows of a table removed in one transaction
	purgeTime  = 10 * time.Minute    // for the rows of one tenant at a time
	goneFor    = 30 * 24 * time.Hour // callback URLs of a deleted tenant answer that it is gone
)

// purger is how a database removes tenants. On PostgreSQL those are functions, since the program itself may not
// remove chats or audit entries; they look again whether the tenant is due.
type purger interface {
	// due lists the tenants whose time is up, and whether they were shut already.
	due(tx *gorm.DB) ([]dueTenant, error)
	// shut ends a tenant's members, desk, tokens and keys, so that nothing more comes and nothing can be read.
	shut(tx *gorm.DB, id hub.ID, goneUntil time.Time) (bool, error)
	// removeRows removes at most so many rows of each table of a tenant that was shut, and at last the tenant.
	removeRows(tx *gorm.DB, id hub.ID, limit int) (more bool, err error)
}

type dueTenant struct {
	ID    hub.ID
	Begun bool
}

// purge removes the tenants whose time is up: the first time they are only shut, and the next time, when whatever
// was on its way into them has arrived, their rows go. Any process may purge at any time.
func (s *Store) purge(ctx context.Context) {
	due, err := s.dialect.due(s.writer.WithContext(ctx))
	if err != nil {
		if ctx.Err() == nil { // else the store is being closed
			s.log.WarnContext(ctx, "tenants to delete are not looked for", "error", translate(err))
		}
		return
	}
	for _, t := range due {
		if err := s.purgeTenant(ctx, t); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "tenant is not deleted yet", "tenant", t.ID, "error", translate(err))
		}
	}
	if err := s.writer.WithContext(ctx).Where("until < ?", time.Now().UTC()).Delete(&goneDeskRow{}).Error; err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "old callback URLs are not forgotten", "error", translate(err))
	}
}

func (s *Store) purgeTenant(ctx context.Context, t dueTenant) error {
	ctx, cancel := context.WithTimeout(ctx, purgeTime)
	defer cancel()
	if !t.Begun {
		return transact(s.writer.WithContext(ctx), nil, "shut tenant", func(tx *gorm.DB) error {
			ours, err := s.dialect.shut(tx, t.ID, time.Now().UTC().Add(goneFor))
			if err == nil && ours {
				s.log.InfoContext(ctx, "tenant shut, its rows follow", "tenant", t.ID)
			}
			return err
		})
	}
	for more := true; more; {
		err := transact(s.writer.WithContext(ctx), nil, "remove rows of tenant", func(tx *gorm.DB) (err error) {
			more, err = s.dialect.removeRows(tx, t.ID, purgeBatch)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.log.InfoContext(ctx, "rows of tenant removed", "tenant", t.ID)
	return nil
}

type goneDeskRow struct {
	TokenHash []byte
	Until     time.Time
}

func (goneDeskRow) TableName() string { return "gone_desks" }

// whyNoDesk tells a callback URL that was from one that never was.
func (s *Store) whyNoDesk(ctx context.Context, tokenHash [32]byte) error {
	var gone []goneDeskRow
	err := s.reader.WithContext(ctx).Where("token_hash = ? and until > ?", tokenHash[:], time.Now().UTC()).Limit(1).Find(&gone).Error
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		return hub.ErrGone
	}
	return gorm.ErrRecordNotFound
}

func (postgresDialect) due(tx *gorm.DB) (due []dueTenant, err error) {
	return due, tx.Raw("select id, begun from due_tenants()").Scan(&due).Error
}

func (postgresDialect) shut(tx *gorm.DB, id hub.ID, goneUntil time.Time) (ours bool, err error) {
	return ours, tx.Raw("select begin_purge(?, ?)", id, goneUntil).Scan(&ours).Error
}

func (postgresDialect) removeRows(tx *gorm.DB, id hub.ID, limit int) (more bool, err error) {
	return more, tx.Raw("select purge_rows(?, ?)", id, limit).Scan(&more).Error
}

func (sqliteDialect) due(tx *gorm.DB) (due []dueTenant, err error) {
	return due, tx.Raw(`select t.id, not exists (select 1 from desks d where d.tenant_id = t.id) as begun
		from tenants t where t.delete_at <= ?`, time.Now().UTC()).Scan(&due).Error
}

func (sqliteDialect) shut(tx *gorm.DB, id hub.ID, goneUntil time.Time) (bool, error) {
	var users []hub.ID
	if err := tx.Raw("select user_id from members where tenant_id = ?", id).Scan(&users).Error; err != nil {
		return false, err
	}
	err := tx.Exec("insert or ignore into gone_desks (token_hash, until) select token_hash, ? from desks where tenant_id = ?", goneUntil, id).Error
	if err != nil {
		return false, err
	}
	for _, table := range []string{"tenant_keys", "desks", "work", "logins", "invitations", "api_tokens", "members"} {
		if err := tx.Exec("delete from "+table+" where tenant_id = ?", id).Error; err != nil {
			return false, fmt.Errorf("%s: %w", table, err)
		}
	}
	for _, user := range users {
		if err := forgetUser(tx, user); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (sqliteDialect) removeRows(tx *gorm.DB, id hub.ID, limit int) (bool, error) {
	for _, table := range []string{
		"work", "attempts", "outcomes", "chats", "imported_rows", "logins", "connections", "imports", "cards",
		"rejections", "invitations", "api_tokens", "audit", "audit_heads",
	} {
		removed := tx.Exec("delete from "+table+" where rowid in (select rowid from "+table+" where tenant_id = ? limit ?)", id, limit)
		if removed.Error != nil {
			return false, fmt.Errorf("%s: %w", table, removed.Error)
		}
		if removed.RowsAffected == int64(limit) {
			return true, nil
		}
	}
	for _, statement := range []string{
		"delete from members where tenant_id = ?", "delete from tenant_keys where tenant_id = ?", "delete from tenants where id = ?",
	} {
		if err := tx.Exec(statement, id).Error; err != nil {
			return false, err
		}
	}
	return false, nil
}
