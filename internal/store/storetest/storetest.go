// Package storetest gives tests a real, migrated store: on a PostgreSQL database of their own, or on a SQLite
// file of their own. It refuses to skip when no PostgreSQL can be started.
package storetest

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"sidecard/internal/servertest"
	"sidecard/internal/store"
	"sidecard/internal/store/sqlite"
	"sidecard/migrations"
)

const (
	template = "sidecard_migrated"
	login    = "sidecard_test"
	password = "a password for tests"
)

// Database is a database of one test. It is gone, and the store closed, when the test ends.
type Database struct {
	Store *store.Store
	// Owner reaches the tables past the store and past row-level security, to look and to meddle.
	Owner *sql.DB
	// URL is what the program would be given as DATABASE_URL; empty on SQLite.
	URL string
	// OwnerURL is what sidecard migrate would be given; empty on SQLite.
	OwnerURL string
}

// Each runs a test on both databases.
func Each(t *testing.T, test func(t *testing.T, db Database)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, Postgres(t)) })
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, SQLite(t)) })
}

// Postgres opens a store on a PostgreSQL database.
func Postgres(tb testing.TB) Database {
	tb.Helper()
	db := PostgresDatabase(tb)
	db.Store = OpenPostgres(tb, db.URL, 0)
	return db
}

// PostgresDatabase makes a migrated PostgreSQL database without a store on it.
func PostgresDatabase(tb testing.TB) Database {
	tb.Helper()
	cluster := servertest.Postgres(tb)
	cluster.Template(tb, template, func(ctx context.Context, ownerURL string) error {
		if err := migrations.Postgres(ctx, ownerURL); err != nil {
			return err
		}
		return migrations.GrantLogin(ctx, ownerURL, login, password)
	})
	ownerURL := cluster.NewDatabase(tb, template)
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		tb.Fatal(err)
	}
	db := Database{Owner: stdlib.OpenDB(*config), OwnerURL: ownerURL, URL: cluster.URL(login, password, config.Database)}
	tb.Cleanup(func() { closeOrReport(tb, db.Owner.Close) })
	return db
}

// OpenPostgres opens a further store, as another process would. 0 connections mean the store's own number.
func OpenPostgres(tb testing.TB, url string, maxConns int) *store.Store {
	tb.Helper()
	s, err := store.OpenPostgres(tb.Context(), store.Options{URL: url, MaxConns: maxConns})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeOrReport(tb, s.Close) })
	return s
}

// SQLite opens a store on a SQLite file.
func SQLite(tb testing.TB) Database {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "sidecard.db")
	s, err := sqlite.Open(tb.Context(), path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeOrReport(tb, s.Close) })
	owner, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_time_format=sqlite")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeOrReport(tb, owner.Close) })
	return Database{Store: s, Owner: owner}
}

func closeOrReport(tb testing.TB, closeIt func() error) {
	if err := closeIt(); err != nil {
		tb.Errorf("close: %v", err)
	}
}
