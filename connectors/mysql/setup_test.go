package mysql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/mysql"
	"sidecard/internal/servertest"
)

var authority = newAuthority()

// shared is the MariaDB that all tests share, started by the first that needs it. It offers TLS with a certificate of
// authority for 127.0.0.1.
var shared = sync.OnceValues(func() (*servertest.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	certificate, key := authority.server(time.Hour, "127.0.0.1").pem()
	server, err := servertest.StartMariaDB(ctx, servertest.MariaDBOptions{Certificate: certificate, Key: key})
	if err == nil {
		started = server
	}
	return server, err
})

// started is nil when no test needed a server.
var started *servertest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	if started != nil {
		if err := started.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop MariaDB:", err)
			code = 1
		}
	}
	os.Exit(code)
}

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

// database is one test's database on a real server, with the administrator's hands.
type database struct {
	t    *testing.T
	url  *url.URL // the administrator's
	name string
	root *sql.DB
}

func newDatabase(t *testing.T, statements ...string) *database {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("a private MariaDB is needed: %v", err)
	}
	return newDatabaseOn(t, server, statements...)
}

func newDatabaseOn(t *testing.T, on *servertest.Server, statements ...string) *database {
	t.Helper()
	u, err := url.Parse(on.URL())
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, url: u, name: "test_" + strings.ToLower(rand.Text())}
	admin := d.as("")
	if _, err := admin.ExecContext(t.Context(), "create database "+d.name); err != nil {
		t.Fatal(err)
	}
	d.root = d.as(d.name)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), "drop database "+d.name)
		if err := errors.Join(err, d.root.Close(), admin.Close()); err != nil {
			t.Error(err)
		}
	})
	d.exec(statements...)
	return d
}

// as opens a database as the administrator; none when the name is empty.
func (d *database) as(name string) *sql.DB {
	d.t.Helper()
	c := driver.NewConfig()
	c.Net, c.Addr, c.User, c.DBName = "tcp", d.url.Host, d.url.User.Username(), name
	c.Passwd, _ = d.url.User.Password()
	c.MultiStatements = true
	c.Logger = &driver.NopLogger{}
	connector, err := driver.NewConnector(c)
	if err != nil {
		d.t.Fatal(err)
	}
	return sql.OpenDB(connector)
}

// exec runs statements as the administrator.
func (d *database) exec(statements ...string) {
	d.t.Helper()
	for _, s := range statements {
		if _, err := d.root.ExecContext(context.Background(), s); err != nil {
			d.t.Fatalf("%s: %v", s, err)
		}
	}
}

// text asks for one value as the administrator.
func (d *database) text(query string, args ...any) (string, error) {
	var v sql.NullString
	err := d.root.QueryRowContext(context.Background(), query, args...).Scan(&v)
	return v.String, err
}

// user makes a user who may sign in, and gives its settings for the table people. The grants name tables without their
// database, as in "select on people".
func (d *database) user(grants ...string) connectors.Settings {
	d.t.Helper()
	name, password := "reader_"+strings.ToLower(rand.Text())[:16], "pass "+rand.Text()
	d.exec(fmt.Sprintf("create user %s identified by '%s'", name, password))
	d.t.Cleanup(func() { d.exec("drop user " + name) })
	for _, g := range grants {
		d.exec("grant " + g + " to " + name)
	}
	return d.settings(map[string]any{"user": name, "password": password})
}

// settings are those of the administrator for the table people, with some replaced.
func (d *database) settings(replace map[string]any) connectors.Settings {
	d.t.Helper()
	port, err := strconv.Atoi(d.url.Port())
	if err != nil {
		d.t.Fatal(err)
	}
	password, _ := d.url.User.Password()
	all := map[string]any{
		"host": d.url.Hostname(), "port": port, "database": d.name, "user": d.url.User.Username(), "password": password, "tls": "off",
		"table": "people", "email_column": "email",
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
	src, err := mysql.New().Open(t.Context(), in)
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
