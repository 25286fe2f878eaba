package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/postgres"
	"sidecard/internal/servertest"
)

// The hands that all connectors' tests share, by short names.
var (
	asSettings = connectortest.Settings
	with       = connectortest.With
	within     = connectortest.Within
	lookup     = connectortest.Lookup
	mustFail   = connectortest.MustFail
	check      = connectortest.Check
	step       = connectortest.Step
)

// database is one test's database on a real server, with the superuser's hands.
type database struct {
	t   *testing.T
	url *url.URL
}

func newDatabase(t *testing.T, statements ...string) *database {
	t.Helper()
	u, err := url.Parse(servertest.Postgres(t).NewDatabase(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, url: u}
	d.exec(statements...)
	return d
}

// exec runs statements as the superuser.
func (d *database) exec(statements ...string) {
	d.t.Helper()
	if err := d.try(statements...); err != nil {
		d.t.Fatal(err)
	}
}

func (d *database) try(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.url.String())
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err = conn.Exec(ctx, s, pgx.QueryExecModeSimpleProtocol); err != nil {
			err = fmt.Errorf("%s: %w", s, err)
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// text asks for one value as the superuser.
func (d *database) text(query string, args ...any) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.url.String())
	if err != nil {
		return "", err
	}
	var v string
	err = conn.QueryRow(ctx, query, args...).Scan(&v)
	return v, errors.Join(err, conn.Close(ctx))
}

// role makes a role that may sign in to the database, and gives its settings for the table.
func (d *database) role(grants ...string) connectors.Settings {
	d.t.Helper()
	name, password := "reader_"+strings.ToLower(rand.Text()), "pass "+rand.Text()
	d.exec(fmt.Sprintf("create role %s login password '%s'", name, password))
	d.t.Cleanup(func() {
		// What a role may do keeps it from being dropped; its connections don't.
		if err := d.try("drop owned by "+name, "drop role "+name); err != nil {
			d.t.Error(err)
		}
	})
	for _, g := range grants {
		d.exec(g + " to " + name)
	}
	return d.settings(map[string]any{"user": name, "password": password})
}

// settings are those of the superuser for the table people, with some replaced.
func (d *database) settings(replace map[string]any) connectors.Settings {
	d.t.Helper()
	port, err := strconv.Atoi(d.url.Port())
	if err != nil {
		d.t.Fatal(err)
	}
	password, _ := d.url.User.Password()
	all := map[string]any{
		"host": d.url.Hostname(), "port": port, "database": strings.TrimPrefix(d.url.Path, "/"),
		"user": d.url.User.Username(), "password": password, "tls": "off", "table": "people", "email_column": "email",
	}
	maps.Copy(all, replace)
	return asSettings(d.t, all)
}

// openDoor is a host that guards nothing, for servers on this machine.
func openDoor() connectors.OpenInput {
	return connectors.OpenInput{Dial: (&net.Dialer{}).DialContext, Resolve: net.DefaultResolver.LookupHost}
}

func open(t *testing.T, s connectors.Settings, edits ...func(*connectors.OpenInput)) connectors.Source {
	t.Helper()
	in := openDoor()
	in.Settings = s
	for _, edit := range edits {
		edit(&in)
	}
	src, err := postgres.New().Open(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}
