// Package migrations holds the schema as numbered SQL files, forward only, and applies them. postgres is the
// truth; sqlite mirrors it for the single-process program, and a test compares the two. The package refuses
// to go back: a mistake is mended by the next number.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// versions is goose's table of the migrations that were applied.
const versions = "goose_db_version"

// lockTries bounds the wait for another process that migrates the same database: one try a second.
const lockTries = 300

// Postgres brings a PostgreSQL database to the newest schema, as the user that owns it. It first creates the
// roles sidecard_app and sidecard_queue when they are missing. Several processes may call it at once.
func Postgres(ctx context.Context, ownerURL string) error {
	db, err := openOwner(ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := ensureRoles(ctx, db); err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, lockTries))
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	return up(ctx, goose.DialectPostgres, db, "postgres", goose.WithSessionLocker(locker))
}

// SQLite brings a SQLite database to the newest schema. The caller is the only process that uses it.
func SQLite(ctx context.Context, db *sql.DB) error {
	return up(ctx, goose.DialectSQLite3, db, "sqlite")
}

func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, folder string, options ...goose.ProviderOption) error {
	sub, err := fs.Sub(files, folder)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	options = append(options, goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(dialect, db, sub, options...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Current says whether a PostgreSQL database has the schema that this program needs: nil when it has, or a
// newer one, as while a new release is rolled out. It needs no more rights than the program's own.
func Current(ctx context.Context, db *sql.DB) error {
	needed, err := newest("postgres")
	if err != nil {
		return err
	}
	var found sql.NullInt64
	err = db.QueryRowContext(ctx, "select max(version_id) from "+versions+" where is_applied").Scan(&found)
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) && e.Code == "42P01" { // undefined_table
		return errors.New("the database is empty: run `sidecard migrate`")
	}
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if found.Int64 < needed {
		return fmt.Errorf("the database has schema %d and this program needs %d: run `sidecard migrate`", found.Int64, needed)
	}
	return nil
}

// newest is the number of a folder's last migration.
func newest(folder string) (int64, error) {
	names, err := fs.Glob(files, path.Join(folder, "*.sql"))
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no migrations in %s: %w", folder, err)
	}
	number, _, _ := strings.Cut(path.Base(names[len(names)-1]), "_") // Glob sorts
	return strconv.ParseInt(number, 10, 64)
}

func openOwner(ownerURL string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return nil, errors.New("the database URL for migrations is not a PostgreSQL URL") // err may quote the password
	}
	return stdlib.OpenDB(*config), nil
}
