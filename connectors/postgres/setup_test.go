package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	"sidecard/connectors/postgres"
	"sidecard/internal/servertest"
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

func asSettings(t *testing.T, all map[string]any) connectors.Settings {
	t.Helper()
	s := make(connectors.Settings)
	for name, v := range all {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		s[name] = raw
	}
	return s
}

// with gives a copy of the settings with some replaced.
func with(t *testing.T, s connectors.Settings, replace map[string]any) connectors.Settings {
	t.Helper()
	s = maps.Clone(s)
	maps.Copy(s, asSettings(t, replace))
	return s
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

// within bounds what a test waits for a source.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func lookup(t *testing.T, src connectors.Source, email string, fields ...string) connectors.Result {
	t.Helper()
	res, err := src.Lookup(within(t), connectors.Query{Email: email, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// mustFail demands an error of this class and code.
func mustFail(t *testing.T, err error, class connectors.Class, code string) connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) || e.Class != class || e.Code != code {
		t.Fatalf("got %+v (%v), want %s of class %s", e, err, code, class)
	}
	if e.Message == "" || e.Fix == "" {
		t.Errorf("%s lacks a sentence or a way out: %+v", e.Code, *e)
	}
	return *e
}

func check(t *testing.T, src connectors.Source) connectors.Report {
	t.Helper()
	report, err := src.Check(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// step finds a step of the report.
func step(t *testing.T, r connectors.Report, name string) connectors.Step {
	t.Helper()
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no step %q in %+v", name, r.Steps)
	return connectors.Step{}
}
