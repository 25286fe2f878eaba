package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math/bits"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/flaw"
	"sidecard/internal/hub"
)

// dialect is what PostgreSQL and SQLite do differently outside the queue's verbs.
type dialect interface {
	// readOnly makes a transaction that sees one moment.
	readOnly() *sql.TxOptions
	// set tells the transaction whom it is for; row-level security goes by it.
	set(tx *gorm.DB, setting string, id hub.ID) error
	// lock keeps the rows that are read from being changed until the transaction ends.
	lock(tx *gorm.DB) *gorm.DB
	// lockFree is lock for the rows that nobody else keeps, and leaves the others out.
	lockFree(tx *gorm.DB) *gorm.DB
	// now is the database's clock.
	now(tx *gorm.DB) (time.Time, error)
	// insertRows inserts rows of one import.
	insertRows(tx *gorm.DB, rows []importedRow) error
	// waiting is a query for the ids of a tenant's unfinished chats, with the tenant's id as its two parameters.
	waiting() string
	// hasten makes the tenant's chats that wait for a later try ready, at most 1,000, and counts them.
	hasten(tx *gorm.DB, tenant hub.ID) (int, error)
	// amongIDs keeps the rows whose column is one of the ids, and amongTexts those whose column is one of the
	// texts, however many there are.
	amongIDs(list *gorm.DB, column string, ids []hub.ID) *gorm.DB
	amongTexts(list *gorm.DB, column string, values []string) *gorm.DB
	// deskByToken is a query for a desk of any tenant, with the token's hash as its parameter.
	deskByToken() string
	// staleImports is a query for tenant_id and id of imports of any tenant that no connection names and that
	// were not alive since the time that is its parameter.
	staleImports() string
	// tenantsAfter is a query for the ids of tenants after one, with a limit.
	tenantsAfter() string
	// dataKeysNotOf is a query for the number of all tenants' data keys that another master key wraps.
	dataKeysNotOf() string
	// tenantOfInvitation is a query for tenant_id of an invitation of any tenant, with the hash of its token as its
	// parameter.
	tenantOfInvitation() string
	purger
	forgetter
}

// The transaction's settings.
const (
	tenantSetting = "app.tenant_id"
	userSetting   = "app.user_id"
)

type postgresDialect struct{}

func (postgresDialect) readOnly() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (postgresDialect) set(tx *gorm.DB, setting string, id hub.ID) error {
	if flaw.On(flaw.NoTenantSetting) && setting == tenantSetting {
		return nil
	}
	return tx.Exec("select set_config(?, ?, true)", setting, id.String()).Error // true: for this transaction only
}

func (postgresDialect) now(tx *gorm.DB) (now time.Time, err error) {
	err = tx.Raw("select clock_timestamp()").Scan(&now).Error
	return now, err
}

func (postgresDialect) lock(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

func (postgresDialect) lockFree(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked})
}

func (postgresDialect) insertRows(tx *gorm.DB, rows []importedRow) error {
	idx, line, data := make(array[[]byte], len(rows)), make(array[int32], len(rows)), make(array[[]byte], len(rows))
	for i, r := range rows {
		idx[i], line[i], data[i] = r.Idx, int32(r.Line), r.Data
	}
	return tx.Exec(`insert into imported_rows (tenant_id, import_id, idx, line, data)
		select ?::uuid, ?::uuid, * from unnest(?::bytea[], ?::int[], ?::bytea[])`,
		rows[0].TenantID, rows[0].ImportID, idx, line, data).Error
}

// array is one parameter of an array type; gorm takes a plain slice for a list of parameters.
type array[T any] []T

// Value implements driver.Valuer.
func (a array[T]) Value() (driver.Value, error) { return []T(a), nil }

func (postgresDialect) waiting() string {
	return "select chat_id from work where tenant_id = ? union all select unnest(older) from work where tenant_id = ?"
}

func (postgresDialect) hasten(tx *gorm.DB, _ hub.ID) (n int, err error) {
	return n, tx.Raw("select hasten_work()").Scan(&n).Error
}

func (postgresDialect) amongIDs(list *gorm.DB, column string, ids []hub.ID) *gorm.DB {
	return list.Where(column+" = any(?::text[]::uuid[])", array[string](texts(ids)))
}

func (postgresDialect) amongTexts(list *gorm.DB, column string, values []string) *gorm.DB {
	return list.Where(column+" = any(?::text[])", array[string](values))
}

// The parameter is named because gorm takes a bare "(?)" for a list of bytes.
func (postgresDialect) deskByToken() string {
	return "select * from desk_by_token(_token_hash => ?)"
}

func (postgresDialect) tenantsAfter() string { return "select * from tenants_after(?, ?)" }

func (postgresDialect) dataKeysNotOf() string {
	return "select tenant_keys_not_of(_master_key_id => ?)"
}

func (postgresDialect) staleImports() string { return "select tenant_id, id from stale_imports(?)" }

func (postgresDialect) tenantOfInvitation() string {
	return "select tenant_of_invitation(_hash => ?) as tenant_id"
}

// sqliteDialect needs no locks: a transaction that writes is the only one.
type sqliteDialect struct{}

func (sqliteDialect) readOnly() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

func (sqliteDialect) set(*gorm.DB, string, hub.ID) error { return nil }

// now is this process's clock: there is no other process.
func (sqliteDialect) now(*gorm.DB) (time.Time, error) { return time.Now(), nil }

func (sqliteDialect) lock(tx *gorm.DB) *gorm.DB { return tx }

func (sqliteDialect) lockFree(tx *gorm.DB) *gorm.DB { return tx }

func (sqliteDialect) insertRows(tx *gorm.DB, rows []importedRow) error {
	for len(rows) > 0 {
		// Powers of two, since each number of rows is a prepared statement of its own.
		some := rows[:1<<(bits.Len(uint(len(rows)))-1)]
		if err := tx.Create(&some).Error; err != nil {
			return err
		}
		rows = rows[len(some):]
	}
	return nil
}

func (sqliteDialect) waiting() string {
	return "select chat_id from work where tenant_id = ? union all select j.value from work w, json_each(w.older) j where w.tenant_id = ?"
}

func (sqliteDialect) hasten(tx *gorm.DB, tenant hub.ID) (int, error) {
	done := tx.Exec(`update work set state = ?, due_at = null where rowid in (
		select rowid from work where tenant_id = ? and state = ? order by due_at limit ?)`, stateReady, tenant, stateLater, sweepLimit)
	return int(done.RowsAffected), done.Error
}

func (d sqliteDialect) amongIDs(list *gorm.DB, column string, ids []hub.ID) *gorm.DB {
	return d.amongTexts(list, column, texts(ids))
}

func (sqliteDialect) amongTexts(list *gorm.DB, column string, values []string) *gorm.DB {
	all, err := json.Marshal(values)
	if err != nil {
		panic(err) // texts: this cannot fail
	}
	return list.Where(column+" in (select value from json_each(?))", string(all))
}

func (sqliteDialect) deskByToken() string { return "select * from desks where token_hash = ?" }

func (sqliteDialect) staleImports() string {
	return `select i.tenant_id, i.id from imports i
		where i.alive_at < ? and not exists (select 1 from connections c where c.import_id = i.id) limit 100`
}

func (sqliteDialect) tenantsAfter() string {
	return "select id from tenants where id > ? order by id limit ?"
}

func (sqliteDialect) dataKeysNotOf() string {
	return "select count(*) from tenant_keys where master_key_id <> ?"
}

func (sqliteDialect) tenantOfInvitation() string {
	return "select tenant_id from invitations where hash = ?"
}
