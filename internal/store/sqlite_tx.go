package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sidecard/internal/hub"
)

// sqliteTx is one transaction of a verb.
type sqliteTx struct {
	verbs      sqliteVerbs
	ctx        context.Context
	tx         *sql.Tx
	now        time.Time
	unprepared []string
}

// statement finds a prepared statement; nil when there is none yet.
func (t *sqliteTx) statement(text string) *sql.Stmt {
	if s, ok := t.verbs.prepared.Load(text); ok {
		return t.tx.StmtContext(t.ctx, s.(*sql.Stmt))
	}
	if !slices.Contains(t.unprepared, text) {
		t.unprepared = append(t.unprepared, text)
	}
	return nil
}

// exec runs a statement and gives the number of rows it changed.
func (t *sqliteTx) exec(text string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if s := t.statement(text); s != nil {
		result, err = s.ExecContext(t.ctx, args...)
	} else {
		result, err = t.tx.ExecContext(t.ctx, text, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *sqliteTx) query(text string, args ...any) (*sql.Rows, error) {
	if s := t.statement(text); s != nil {
		return s.QueryContext(t.ctx, args...)
	}
	return t.tx.QueryContext(t.ctx, text, args...)
}

func (t *sqliteTx) row(text string, args []any, to ...any) error {
	if s := t.statement(text); s != nil {
		return s.QueryRowContext(t.ctx, args...).Scan(to...)
	}
	return t.tx.QueryRowContext(t.ctx, text, args...).Scan(to...)
}

// inTx runs fn in a transaction whose time is now. Statements that it was the first to use are prepared
// afterwards, since there is no second connection to prepare them on meanwhile.
func (v sqliteVerbs) inTx(ctx context.Context, fn func(*sqliteTx) error) error {
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // changes nothing after the commit
	t := &sqliteTx{verbs: v, ctx: ctx, tx: tx, now: sqliteNow()}
	if err := fn(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, text := range t.unprepared {
		if statement, err := v.db.PrepareContext(ctx, text); err == nil { // else another time
			if _, there := v.prepared.LoadOrStore(text, statement); there {
				_ = statement.Close()
			}
		}
	}
	return nil
}

// sqliteNow is the time as SQLite keeps it: UTC, in PostgreSQL's precision, without a monotonic part.
func sqliteNow() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// parseIDs reads work.older.
func parseIDs(text string) ([]hub.ID, error) {
	var ids []hub.ID
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		return nil, fmt.Errorf("work.older: %w", err)
	}
	return ids, nil
}

func formatIDs(ids []hub.ID) string {
	text, err := json.Marshal(ids)
	if err != nil {
		panic(err) // ids are texts: this cannot fail
	}
	return string(text)
}
