package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// translate turns a database's error into one that the hub knows. What the hub's own callbacks returned,
// and errors that only a bug explains, stay as they are.
func translate(err error) error {
	known := (*hub.Error)(nil)
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows):
		return hub.ErrNotFound
	case isUnavailable(err):
		return fmt.Errorf("%w: %w", hub.ErrUnavailable, err)
	default:
		return err
	}
}

// isUnavailable reports whether the database was out of reach, overloaded or too slow, or gave up because of
// somebody else: the same statement may well pass a moment later.
func isUnavailable(err error) bool {
	for _, gone := range []error{
		context.DeadlineExceeded, context.Canceled, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, puddle.ErrClosedPool, errClosed, hub.ErrUnavailable,
	} {
		if errors.Is(err, gone) {
			return true
		}
	}
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return passing(e.Code)
	}
	if e := net.Error(nil); errors.As(err, &e) {
		return true
	}
	if e := (*pgconn.ConnectError)(nil); errors.As(err, &e) {
		return true
	}
	if e := (interface{ Code() int })(nil); errors.As(err, &e) { // SQLite's
		return passingSQLite(e.Code())
	}
	return pgconn.SafeToRetry(err)
}

// passing reports whether a PostgreSQL error is about the server's state rather than the statement: its class
// is connection exception, transaction rollback, insufficient resources, operator intervention or system error.
func passing(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "57", "58":
		return true
	}
	return code == "25006" // read_only_sql_transaction: connected to a standby during a failover
}

// passingSQLite is passing for SQLite's primary result codes, see sqlite.org/rescode.html.
func passingSQLite(code int) bool {
	switch code & 0xff {
	case 5, 6, 7, 9, 10, 13, 14: // busy, locked, no memory, interrupted, I/O error, disk full, cannot open
		return true
	}
	return false
}

// aboutOneItem reports whether a group may have failed because of one of its items.
func aboutOneItem(err error) bool { return !isUnavailable(err) }
