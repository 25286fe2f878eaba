package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/connectors"
)

// limits is the second statement of every transaction. They last as long as it does, so that they hold
// behind a pooler too, which hands the session to somebody else afterwards.
const limits = `select
	pg_catalog.set_config('statement_timeout', '3000', true),
	pg_catalog.set_config('lock_timeout', '500', true),
	pg_catalog.set_config('idle_in_transaction_session_timeout', '5000', true),
	pg_catalog.set_config('TimeZone', 'UTC', true),
	pg_catalog.set_config('DateStyle', 'ISO', true),
	pg_catalog.set_config('IntervalStyle', 'postgres', true),
	pg_catalog.set_config('bytea_output', 'hex', true),
	pg_catalog.set_config('extra_float_digits', '1', true),
	pg_catalog.set_config('search_path', 'pg_catalog', true)`

var (
	errTooLarge = errors.New("the rows are too large")
	errShape    = errors.New("a row has another shape than was asked for")
)

// take is handed the values of one row as text, nil for NULL. They are valid during the call.
type take func(row [][]byte) error

// reader runs one read-only query: on the pool, or on the one connection of a check.
type reader func(ctx context.Context, query string, args []any, each take) error

// read runs one query in a read-only transaction of its own. All of it is one round trip. After an error the
// connection is not fit for use.
func read(ctx context.Context, conn *pgx.Conn, query string, args []any, each take) error {
	batch := &pgx.Batch{}
	batch.Queue("begin transaction read only")
	batch.Queue(limits)
	batch.Queue(query, args...)
	batch.Queue("commit")
	results := conn.SendBatch(ctx, batch)
	err := readResults(results, bounded(each), func() {
		// There may be more to come than anybody wants to wait for.
		_ = conn.PgConn().Conn().SetDeadline(time.Unix(1, 0))
	})
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return err
}

// bounded refuses rows beyond maxAnswer.
func bounded(each take) take {
	left := maxAnswer
	return func(row [][]byte) error {
		for _, v := range row {
			left -= len(v)
		}
		if left < 0 {
			return errTooLarge
		}
		return each(row)
	}
}

func readResults(results pgx.BatchResults, each take, giveUp func()) error {
	for range 2 { // begin and limits
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := each(rows.RawValues()); err != nil {
			giveUp()
			rows.Close()
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = results.Exec()
	return err
}

// pooled runs a query like read, on a connection of the pool. The pool drops a connection whose transaction
// did not end.
func (s *source) pooled(ctx context.Context, query string, args []any, each take) error {
	pool, err := s.connections()
	if err != nil {
		return err
	}
	conn, err := acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	return read(ctx, conn.Conn(), query, args, each)
}

// acquireTime is how long a lookup waits for another one's connection.
const acquireTime = time.Second

// acquire takes a connection, or makes one where there may be another. When all are in use it does not wait long: who
// is stuck there must not hold up everybody else.
func acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	if s := pool.Stat(); s.AcquiredConns() < s.MaxConns() {
		return pool.Acquire(ctx)
	}
	wait, cancel := context.WithTimeout(ctx, acquireTime)
	defer cancel()
	conn, err := pool.Acquire(wait)
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		return nil, &connectors.Error{
			Class: connectors.Transient, Code: "postgres.busy", Message: "The connections to the server are all in use by lookups that take long.",
			Fix: "Look at the server's load, and follow the check's advice about the index.", RetryAfter: acquireTime,
		}
	}
	return conn, err
}
