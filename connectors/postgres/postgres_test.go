package postgres_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/postgres"
)

const people = `create table people (
	id bigint generated always as identity primary key, email text, name text, plan text, vip boolean, spent numeric(12, 2),
	born date, seen_at timestamptz, tags text[], extra jsonb)`

func TestConnectorKeepsItsPromises(t *testing.T) {
	var many []string
	for i := range 1200 {
		many = append(many, fmt.Sprintf("c%d int", i))
	}
	d := newDatabase(t, people,
		`insert into people (email, name, plan, vip, spent, born, seen_at, tags, extra) values
		('ana@toy.example', 'Ana Lima', 'pro', true, -1234.50, '1990-02-28', '2026-11-01 12:00:00+02', '{a,"b c"}', '{"k": [1, null]}'),
		('sparse@toy.example', '', null, null, null, null, null, null, null),
		('twins@toy.example', 'One', 'pro', false, 1, null, null, '{}', '{}'),
		('Twins@Toy.Example', 'Two', 'free', false, 2, null, null, '{}', '{}')`,
		"insert into people (email, name) values ('huge@toy.example', repeat('é', 60000))",
		"create table wide (email text, "+strings.Join(many, ", ")+")")
	// The role may do everything, so that only the connector itself keeps from writing.
	good := d.role("grant all on table people", "grant select on table wide")
	full := d.role()
	d.exec("alter role " + full.String("user", "") + " connection limit 0")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	misunderstood := newFake(t, failWith(pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601", Message: "told to nobody"}))
	connectortest.Run(t, connectortest.Harness{
		Connector: postgres.New(),
		Good:      good,
		Host:      openDoor,
		Known: connectortest.Person{Email: "ana@toy.example", Record: connectors.Record{
			"id":      {Kind: connectors.Number, Text: "1"},
			"email":   {Kind: connectors.Text, Text: "ana@toy.example"},
			"name":    {Kind: connectors.Text, Text: "Ana Lima"},
			"vip":     {Kind: connectors.Bool, Text: "true"},
			"spent":   {Kind: connectors.Number, Text: "-1234.50"},
			"born":    {Kind: connectors.Date, Text: "1990-02-28"},
			"seen_at": {Kind: connectors.DateTime, Text: "2026-11-01T10:00:00Z"},
			"tags":    {Kind: connectors.List, Text: "a, b c"},
			"extra":   {Kind: connectors.JSON, Text: `{"k":[1,null]}`},
		}},
		Second: connectortest.Second{Never: "a row is found by one column"},
		Huge:   connectortest.Huge{Email: "huge@toy.example", Field: "name"},
		Beside: connectortest.Beside{Never: "one row is the whole record"},
		Wide:   connectortest.Wide{Settings: with(t, good, map[string]any{"table": "wide"}), Fields: 1201},
		Sparse: connectortest.Sparse{Email: "sparse@toy.example", Null: "plan", Empty: "name", Absent: "country"},
		Twins:  connectortest.Twins{Email: "twins@toy.example"},
		Add: func(email string) error {
			_, err := d.text("insert into people (email) values ($1) returning email", email)
			return err
		},
		State: func() (string, error) {
			return d.text(`select (select coalesce(string_agg(p::text, E'\n' order by id), '') from people p)
				|| (select string_agg(relname || relkind::text, ',' order by relname, oid) from pg_class where relname not like 'pg\_%')
				|| (select count(*) from pg_locks where locktype = 'advisory')`)
		},
		BadCredential: connectortest.Fault{
			Settings: with(t, good, map[string]any{"password": "not the password"}), Step: "Sign in", Says: "password",
			Class: connectors.AuthRevoked,
		},
		Revoked: connectortest.Fault{Never: "the server tells a changed password and a dropped role as a wrong password"},
		MissingPermission: connectortest.Fault{
			Settings: d.role("grant select on table wide"), Step: "Read the table", Says: "people", Class: connectors.Misconfigured,
		},
		BadTLS: connectortest.Fault{
			Settings: with(t, good, map[string]any{"tls": "verify_full"}), Step: "Encrypt", Class: connectors.Misconfigured,
		},
		Faults: []connectortest.Fault{
			{Name: "no connection left", Settings: full, Class: connectors.RateLimited, Code: "postgres.53300", RetryAfter: 5 * time.Second},
			{
				Name: "a question that is not understood", Settings: fakeSettings(t, misunderstood, nil),
				Class: connectors.Bug, Code: "postgres.42601",
			},
		},
		Unreachable: connectortest.Fault{
			Settings: with(t, good, map[string]any{"port": nobody.Addr().(*net.TCPAddr).Port}), Step: "Reach it", Says: "port",
			Class: connectors.Transient,
		},
		MissingTable: connectortest.Fault{
			Settings: with(t, good, map[string]any{"table": "persons"}), Step: "Read the table", Says: "public.persons",
			Class: connectors.Misconfigured,
		},
	})
}

func TestLookupNeedsTableAndAddressColumn(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create table orders (id int, note text)")
	ask := func(replace map[string]any) error {
		_, err := open(t, d.settings(replace)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		return err
	}
	for _, c := range []struct {
		replace     map[string]any
		code, field string
	}{
		{map[string]any{"table": ""}, "postgres.no_table", "table"},
		{map[string]any{"email_column": ""}, "postgres.no_email_column", "email_column"},
		{map[string]any{"table": "People"}, "postgres.42P01", "table"},
		{map[string]any{"schema": "shop"}, "postgres.42P01", "table"},
		{map[string]any{"schema": "pg_catalog", "table": "pg_authid", "email_column": "rolname"}, "postgres.42501", "table"},
		{map[string]any{"email_column": "mail"}, "postgres.42703", "email_column"},
		{map[string]any{"email_column": "id"}, "postgres.email_not_text", "email_column"},
		{map[string]any{"email_column": "tags"}, "postgres.email_not_text", "email_column"},
		{map[string]any{"order_by": "updated_at"}, "postgres.42703", "order_by"},
	} {
		if e := mustFail(t, ask(c.replace), connectors.Misconfigured, c.code); e.Field != c.field {
			t.Errorf("%v: points at %q, want %q", c.replace, e.Field, c.field)
		}
	}
}

func TestLookupTakesTheNewestRow(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, `insert into people (email, name, seen_at) values
		('ana@toy.example', 'old', '2020-01-01Z'), ('ana@toy.example', 'new', '2026-01-01Z'), ('ana@toy.example', 'never', null)`)
	res := lookup(t, open(t, d.settings(nil)), "ana@toy.example", "name")
	if res.Match != connectors.Ambiguous || len(res.Records) != 3 {
		t.Errorf("without an order: %+v", res)
	}
	res = lookup(t, open(t, d.settings(map[string]any{"order_by": "seen_at"})), "ana@toy.example", "name")
	if res.Match != connectors.Found || len(res.Records) != 1 || res.Records[0]["name"].Text != "new" {
		t.Errorf("ordered: %+v", res)
	}
}

func TestAmbiguousAnswersAreBounded(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "insert into people (email) select 'ana@toy.example' from generate_series(1, 500)")
	if res := lookup(t, open(t, d.settings(nil)), "ana@toy.example"); res.Match != connectors.Ambiguous || len(res.Records) != 10 {
		t.Errorf("%s with %d records", res.Match, len(res.Records))
	}
}

// TestNamesAreData uses schema, table and columns whose names would be SQL if they were not quoted.
func TestNamesAreData(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people,
		`create schema "a.b ""c"`, `create table "a.b ""c"."t; drop table people; --" ("e""mail" text, "visitor" text, "*" int, "$1" int, "to_jsonb" int, "ß''" int)`,
		`insert into "a.b ""c"."t; drop table people; --" values ('ana@toy.example', 'Ana', 1, 2, 3, 4)`)
	src := open(t, d.settings(map[string]any{"schema": `a.b "c`, "table": "t; drop table people; --", "email_column": `e"mail`, "order_by": "*"}))
	res := lookup(t, src, "ana@toy.example")
	if res.Match != connectors.Found || len(res.Records[0]) != 6 || res.Records[0]["$1"].Text != "2" || res.MatchedOn != `e"mail` {
		t.Errorf("got %+v", res)
	}
	if report := check(t, src); !report.OK() {
		t.Errorf("check: %+v", report.Steps)
	}
	for _, hostile := range []string{`people"; drop table people; --`, "people where true --", `people" union select 1 --`, "public.people", "pg_authid"} {
		_, err := open(t, d.settings(map[string]any{"table": hostile})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		mustFail(t, err, connectors.Misconfigured, "postgres.42P01")
	}
	if n, err := d.text("select count(*)::text from people"); err != nil || n != "0" {
		t.Errorf("people: %s, %v", n, err)
	}
}

func TestOnlyChosenColumnsAreGiven(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "insert into people (email, name, plan) values ('ana@toy.example', 'Ana', 'pro')")
	src := open(t, d.settings(map[string]any{"columns": []string{"plan", "name", "gone"}}))
	if res := lookup(t, src, "ana@toy.example", "plan", "email"); len(res.Records[0]) != 1 || res.Records[0]["plan"].Text != "pro" {
		t.Errorf("asked for plan and email: %+v", res)
	}
	if res := lookup(t, src, "ana@toy.example"); len(res.Records[0]) != 2 {
		t.Errorf("asked for everything: %+v", res)
	}
	if s := step(t, check(t, src), "Read the table"); s.State != connectors.StepWarn {
		t.Errorf("a chosen column is gone: %+v", s)
	}
	restricted := d.role("grant select (email, plan) on people")
	if res := lookup(t, open(t, restricted), "ana@toy.example"); len(res.Records[0]) != 2 {
		t.Errorf("the role may read two columns: %+v", res)
	}
}

// TestLookupNoticesThatTheTableChanged changes the table under an open source, whose columns are remembered.
func TestLookupNoticesThatTheTableChanged(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "insert into people (email, name, plan) values ('ana@toy.example', 'Ana', 'pro')")
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")

	d.exec("alter table people drop column plan", "alter table people alter column name type int using 7")
	res := lookup(t, src, "ana@toy.example", "name", "plan")
	if _, ok := res.Records[0]["plan"]; ok || res.Match != connectors.Found {
		t.Errorf("after a column was dropped: %+v", res)
	}
	d.exec("alter table people rename to persons")
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "postgres.42P01")
	d.exec("alter table persons rename to people", "alter table people rename column email to mail")
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "postgres.42703")
	d.exec("alter table people rename column mail to email")
	lookup(t, src, "ana@toy.example")
}

func TestAddressesAreComparedAsTheColumnDoes(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create schema ext", "create extension citext schema ext",
		"create domain address as varchar(200)", "create domain caseless as ext.citext",
		"create table people (id int, lower text, mixed text, ci ext.citext, ci_domain caseless, fixed char(40), domain address)",
		`insert into people values (1, 'ana@toy.example', 'Ana@Toy.Example', 'Ana@Toy.Example', 'Ana@Toy.Example', 'Ana@Toy.Example', 'Ana@Toy.Example')`)
	for _, c := range []struct {
		column string
		exact  bool
		want   connectors.Match
	}{
		{"lower", false, connectors.Found},
		{"lower", true, connectors.Found},
		{"mixed", false, connectors.Found},
		{"mixed", true, connectors.None},
		{"ci", false, connectors.Found},
		{"ci", true, connectors.Found},
		{"ci_domain", false, connectors.Found},
		{"fixed", false, connectors.Found},
		{"domain", false, connectors.Found},
	} {
		src := open(t, d.settings(map[string]any{"email_column": c.column, "exact_match": c.exact}))
		if res := lookup(t, src, "ANA@toy.example"); res.Match != c.want {
			t.Errorf("%s, exact %v: %s, want %s", c.column, c.exact, res.Match, c.want)
		}
	}
}

func TestTextOfOtherEncodingsArrivesWhole(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	name := "latin_" + d.url.Path[len("/test_"):]
	d.exec(fmt.Sprintf("create database %s encoding 'LATIN1' locale 'C' template template0", name))
	t.Cleanup(func() { d.exec("drop database " + name + " with (force)") })
	latin := *d.url
	latin.Path = "/" + name
	latin.RawQuery += "&client_encoding=UTF8"
	l := &database{t: t, url: &latin}
	l.exec("create table people (email text, name text)", "insert into people values ('jürgen@toy.example', 'Jürgen Öst')")
	src := open(t, l.settings(nil))
	if res := lookup(t, src, "jürgen@toy.example"); res.Match != connectors.Found || res.Records[0]["name"].Text != "Jürgen Öst" {
		t.Errorf("got %+v", res)
	}
	if res := lookup(t, src, "юрий@toy.example"); res.Match != connectors.None {
		t.Errorf("somebody has an address that the server cannot hold: %+v", res)
	}
}
