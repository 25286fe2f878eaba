// Package sqlite opens a store in a SQLite file, for the program that is one process, and for tests. It is
// apart from package store so that SQLite is linked only where it is used.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	driver "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	moderncsqlite "modernc.org/sqlite"

	"sidecard/internal/store"
)

const readers = 4 // connections that read while one writes

// Open opens the database file at a path, which it creates and migrates as needed. No other process may
// use the file. A nil log means slog.Default().
func Open(ctx context.Context, path string, log *slog.Logger) (*store.Store, error) {
	write, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, "deferred", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s, err := store.OpenSQLite(ctx, dialector(write), dialector(read), log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close(), read.Close())
	}
	return s, nil
}

// dsn asks for a write-ahead log that is synced at each commit, so that what was accepted survives a crash
// of the machine, and for times as texts that compare as the times do.
func dsn(path, begin string, pragmas ...string) string {
	v := url.Values{"_txlock": {begin}, "_time_format": {"sqlite"}}
	v["_pragma"] = append([]string{"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)"}, pragmas...)
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

// translating is gorm's dialect for SQLite over a driver in pure Go, whose errors it does not know.
type translating struct{ driver.Dialector }

func dialector(db *sql.DB) gorm.Dialector { return translating{driver.Dialector{Conn: db}} }

// Translate implements gorm.ErrorTranslator, see sqlite.org/rescode.html.
func (translating) Translate(err error) error {
	e := (*moderncsqlite.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case 1555, 2067: // primary key, unique
		return fmt.Errorf("%w: %w", gorm.ErrDuplicatedKey, err)
	case 787: // foreign key
		return fmt.Errorf("%w: %w", gorm.ErrForeignKeyViolated, err)
	}
	return err
}
