// Package store keeps everything in a database: PostgreSQL, or SQLite for the program that is one process.
// Every query lives here. A tenant's rows are reached through Store.Tenant alone, which PostgreSQL holds to
// by row-level security; the queue's verbs take the tenant from the rows themselves.
//
// It refuses to run on an old schema and as a database user whom row-level security would not bind, and it
// knows nothing of what is sealed in the bytes it keeps.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"sidecard/internal/hub"
	"sidecard/migrations"
)

// Store keeps everything. It is safe for concurrent use.
type Store struct {
	*queue
	writer  *gorm.DB
	reader  *gorm.DB // the same as writer on PostgreSQL
	dialect dialect
	log     *slog.Logger

	background context.Context // ends with Close
	stop       context.CancelFunc
	chores     sync.WaitGroup
}

var _ hub.Store = (*Store)(nil)

// Options say how to reach PostgreSQL.
type Options struct {
	URL      string       // of a user that is a member of sidecard_app, see migrations.GrantLogin
	MaxConns int          // of the pool for everything but the queue, which has 8 of its own; 0 = 8
	Log      *slog.Logger // told about slow queries, without their values; nil = slog.Default()
}

var errBadURL = errors.New("DATABASE_URL is not a PostgreSQL URL; it looks like postgres://user:password@host:5432/database")

// connectTimeout bounds a connection attempt when the URL names no connect_timeout.
const connectTimeout = 3 * time.Second

// OpenPostgres connects to a migrated database. The error is one sentence that says what to do when the
// schema is old or the user is not fit.
func OpenPostgres(ctx context.Context, o Options) (*Store, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, errBadURL // err may quote the password
	}
	actAsApp(config)
	pool := stdlib.OpenDB(*config)
	if o.MaxConns == 0 {
		o.MaxConns = 8
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	pool.SetMaxOpenConns(o.MaxConns)
	pool.SetMaxIdleConns(o.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db, err := openGorm(postgres.New(postgres.Config{Conn: pool}), o.Log)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(explainConnect(config, err), pool.Close())
	}
	if err := migrations.CheckLogin(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	if err := migrations.Current(ctx, pool); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	verbs, err := openPostgresVerbs(ctx, o.URL)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return newStore(db, db, postgresDialect{}, verbs, o.Log), nil
}

// actAsApp lets a connection act as sidecard_app, whatever else its user may do.
func actAsApp(config *pgx.ConnConfig) {
	config.RuntimeParams["role"] = migrations.AppRole
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["statement_timeout"] = "30000" // ms
	// A transaction that was forgotten keeps vacuum from the work table.
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "sidecard"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
}

func explainConnect(config *pgx.ConnConfig, err error) error {
	e := (*pgconn.PgError)(nil)
	if errors.As(err, &e) && (e.Code == "42501" || e.Code == "22023") { // may not set the role; there is no such role
		return fmt.Errorf("the database user %q may not act as %s: run `sidecard migrate`, which prepares it: %w",
			config.User, migrations.AppRole, err)
	}
	return fmt.Errorf("connect to the database: %s", strings.Join(strings.Fields(err.Error()), " "))
}

// OpenSQLite uses a SQLite database of this process alone, which it migrates: writer must have one
// connection whose transactions begin immediate, readers see what is committed. The dialectors come from
// outside so that no driver is linked where SQLite is not used; package store/sqlite makes them.
func OpenSQLite(ctx context.Context, writer, readers gorm.Dialector, log *slog.Logger) (*Store, error) {
	if log == nil {
		log = slog.Default()
	}
	write, err := openGorm(writer, log)
	if err != nil {
		return nil, err
	}
	db, err := write.DB()
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	if err := migrations.SQLite(ctx, db); err != nil {
		return nil, err
	}
	read, err := openGorm(readers, log)
	if err != nil {
		return nil, err
	}
	return newStore(write, read, sqliteDialect{}, newSQLiteVerbs(db), log), nil
}

func openGorm(d gorm.Dialector, log *slog.Logger) (*gorm.DB, error) {
	db, err := gorm.Open(d, &gorm.Config{
		TranslateError:         true,
		PrepareStmt:            true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 slowLog{log, slowQuery},
		NowFunc:                func() time.Time { return time.Now().UTC() },
	})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", translate(err))
	}
	return db, nil
}

func newStore(writer, reader *gorm.DB, d dialect, v verbs, log *slog.Logger) *Store {
	s := &Store{queue: newQueue(v), writer: writer, reader: reader, dialect: d, log: log}
	s.background, s.stop = context.WithCancel(context.Background())
	s.chores.Go(func() { s.keepHouse(s.background) })
	return s
}

// Close waits until what was handed over is written, and closes the connections.
func (s *Store) Close() error {
	s.stop()
	s.chores.Wait()
	s.drain()
	var errs []error
	for _, db := range []*gorm.DB{s.writer, s.reader} {
		pool, err := db.DB()
		if err == nil {
			err = pool.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Ping implements hub.Store.
func (s *Store) Ping(ctx context.Context) error {
	pool, err := s.reader.DB()
	if err == nil {
		err = pool.PingContext(ctx)
	}
	if err != nil {
		return fmt.Errorf("ping the database: %w", translate(err))
	}
	return nil
}
