package mysql_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/mysql"
)

// TestConnectorKeepsItsPromises uses a real server, and a fake one for the errors that a real one does not make at will.
func TestConnectorKeepsItsPromises(t *testing.T) {
	many := make([]string, 1100)
	for i := range many {
		many[i] = fmt.Sprintf("c%d tinyint", i)
	}
	d := newDatabase(t, people, "alter table people add column note longtext",
		`insert into people (email, name, vip, spent, born, seen_at, met_at, tags, extra) values
		('ana@toy.example', 'Ana Lima', true, -1234.50, '1990-02-28', '2026-11-01 12:00:00', '2026-11-01 12:00:00', 'a,b c', '{"k": [1, null]}')`,
		"insert into people (email, name) values ('sparse@toy.example', ''), ('twins@toy.example', 'One'), ('Twins@Toy.Example', 'Two')",
		"insert into people (email, note) values ('huge@toy.example', repeat('é', 60000))",
		"create table wide (email varchar(99), "+strings.Join(many, ", ")+") engine = myisam")
	// The user may do everything with the table, so that only the connector itself keeps from writing.
	good := d.user("all on people", "select on wide")
	name := good.String("user", "")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	failing := func(number uint16) connectors.Settings {
		return fakeSettings(t, newFake(t, func(f *fake) {
			if _, ok := f.welcome(); ok {
				f.send(errorPacket(number, "told to nobody")...)
				f.receive()
			}
		}), nil)
	}
	connectortest.Run(t, connectortest.Harness{
		Connector: mysql.New(),
		Good:      good,
		Host:      openDoor,
		Known: connectortest.Person{Email: "ana@toy.example", Record: connectors.Record{
			"id":      {Kind: connectors.Number, Text: "1"},
			"email":   {Kind: connectors.Text, Text: "ana@toy.example"},
			"name":    {Kind: connectors.Text, Text: "Ana Lima"},
			"plan":    {Kind: connectors.Null},
			"vip":     {Kind: connectors.Bool, Text: "true"},
			"spent":   {Kind: connectors.Number, Text: "-1234.50"},
			"born":    {Kind: connectors.Date, Text: "1990-02-28"},
			"seen_at": {Kind: connectors.DateTime, Text: "2026-11-01T12:00:00Z"},
			"met_at":  {Kind: connectors.Text, Text: "2026-11-01 12:00:00"},
			"tags":    {Kind: connectors.List, Text: "a, b c"},
			"extra":   {Kind: connectors.JSON, Text: `{"k":[1,null]}`},
		}},
		Second: connectortest.Second{Never: "a row is found by one column"},
		Sparse: connectortest.Sparse{Email: "sparse@toy.example", Null: "plan", Empty: "name", Absent: "country"},
		Twins:  connectortest.Twins{Email: "twins@toy.example"},
		Huge:   connectortest.Huge{Email: "huge@toy.example", Field: "note"},
		Beside: connectortest.Beside{Never: "one row is the whole record"},
		Wide:   connectortest.Wide{Settings: with(t, good, map[string]any{"table": "wide"}), Fields: 1101},
		Add: func(email string) error {
			_, err := d.root.ExecContext(t.Context(), "insert into people (email) values (?)", email)
			return err
		},
		State: func() (string, error) {
			return d.text("select concat((select group_concat(id, email, ifnull(name, '-'), ifnull(plan, '-') order by id) from people), " +
				"(select group_concat(table_name) from information_schema.tables where table_schema = database()))")
		},
		BadCredential: connectortest.Fault{
			Settings: with(t, good, map[string]any{"password": "not the password"}), Step: "Sign in", Says: "password",
			Class: connectors.AuthRevoked,
		},
		Revoked: connectortest.Fault{
			Settings: good, Step: "Sign in", Says: "locked", Class: connectors.AuthRevoked,
			Break: func() func() {
				d.exec("alter user " + name + " account lock")
				return func() { d.exec("alter user " + name + " account unlock") }
			},
		},
		MissingPermission: connectortest.Fault{
			Settings: d.user("select on wide"), Step: "Read the table", Says: d.name + ".people", Class: connectors.Misconfigured,
		},
		Unreachable: connectortest.Fault{
			Settings: with(t, good, map[string]any{"port": nobody.Addr().(*net.TCPAddr).Port}), Step: "Reach it", Says: "port",
			Class: connectors.Transient,
		},
		BadTLS: connectortest.Fault{
			Settings: with(t, good, map[string]any{"tls": "verify_full"}), Step: "Encrypt", Says: "certificate", Class: connectors.Misconfigured,
		},
		MissingTable: connectortest.Fault{
			Settings: with(t, good, map[string]any{"table": "persons"}), Step: "Read the table", Says: d.name + ".persons",
			Class: connectors.Misconfigured,
		},
		Faults: []connectortest.Fault{
			{Name: "too many connections", Settings: failing(1040), Class: connectors.RateLimited, Code: "mysql.1040", RetryAfter: 5 * time.Second},
			{Name: "a question that is not understood", Settings: failing(1064), Class: connectors.Bug, Code: "mysql.1064"},
		},
	})
}
