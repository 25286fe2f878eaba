package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// templateLock is the advisory lock under which templates are made: one at a time in a cluster, because what prepares
// them also makes roles, which all databases share.
const templateLock = 0x51DECA12D

// cleanupTimeout bounds what a test does after its end, when its own context is over.
const cleanupTimeout = 30 * time.Second

// Cluster is a running PostgreSQL cluster in which tests have databases of their own.
type Cluster struct {
	superuser *url.URL
}

func (s *Server) cluster() (*Cluster, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, fmt.Errorf("address of the cluster: %w", err)
	}
	return &Cluster{superuser: u}, nil
}

// Addr returns the host and port the cluster listens on.
func (c *Cluster) Addr() string { return c.superuser.Host }

// URL returns the URL with which a user reaches a database of the cluster.
func (c *Cluster) URL(user, password, database string) string {
	u := *c.superuser
	u.User = url.UserPassword(user, password)
	u.Path = "/" + database
	return u.String()
}

// Template makes a database from which NewDatabase copies: created empty, then prepared (migrated, say) by the function,
// which gets the superuser's URL of it and must close its connections. It happens once in a cluster, whichever of the
// test binaries that share it comes first, so one name must always mean one preparation.
// The test fails if the preparation does; the next Template of that name then starts anew.
func (c *Cluster) Template(tb testing.TB, name string, prepare func(ctx context.Context, ownerURL string) error) {
	tb.Helper()
	if err := c.template(tb.Context(), name, prepare); err != nil {
		tb.Fatalf("prepare database template %s: %v", name, err)
	}
}

func (c *Cluster) template(
	ctx context.Context, name string, prepare func(ctx context.Context, ownerURL string) error,
) error {
	conn, err := pgx.Connect(ctx, c.superuser.String())
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", templateLock); err != nil {
		return err
	}
	var finished bool
	err = conn.QueryRow(ctx, "select datistemplate from pg_database where datname = $1", name).Scan(&finished)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if finished {
		return nil
	}
	quoted := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{
		"drop database if exists " + quoted + " with (force)", // a preparation that failed halfway
		"create database " + quoted + " template template0",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := prepare(ctx, c.databaseURL(name)); err != nil {
		return err
	}
	// Copying needs a database that nobody uses: connections still being closed would make it wait.
	if _, err := conn.Exec(ctx, "alter database "+quoted+" with allow_connections false is_template true"); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", name)
	return err
}

// NewDatabase makes a database for one test and returns the superuser's URL of it. It is a copy of the template, or
// empty if that is "". The database is dropped when the test ends, whoever is still connected.
func (c *Cluster) NewDatabase(tb testing.TB, template string) string {
	tb.Helper()
	if template == "" {
		template = "template0"
	}
	name := "test_" + strings.ToLower(rand.Text())
	create := fmt.Sprintf("create database %s template %s", name, pgx.Identifier{template}.Sanitize())
	if err := c.exec(tb.Context(), create); err != nil {
		tb.Fatalf("create a database from template %s: %v", template, err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if err := c.exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return c.databaseURL(name)
}

func (c *Cluster) databaseURL(name string) string {
	u := *c.superuser
	u.Path = "/" + name
	return u.String()
}

func (c *Cluster) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.superuser.String())
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	_, err = conn.Exec(ctx, statement)
	return err
}

// closeConn ignores the error: what was asked for is done, and the server drops a broken connection by itself.
func closeConn(ctx context.Context, conn *pgx.Conn) { _ = conn.Close(ctx) }
