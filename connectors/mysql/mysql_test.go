package mysql_test

import (
	"strings"
	"testing"

	"sidecard/connectors"
)

const people = `create table people (
	id bigint auto_increment primary key, email varchar(320), name varchar(100), plan varchar(20), vip bool, spent decimal(12, 2),
	born date, seen_at timestamp null, met_at datetime, tags set('a', 'b c'), extra json, key (email))`

const onePerson = "insert into people (email, name) values ('ana@toy.example', 'Ana')"

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
		{map[string]any{"table": ""}, "mysql.no_table", "table"},
		{map[string]any{"email_column": ""}, "mysql.no_email_column", "email_column"},
		{map[string]any{"table": "persons"}, "mysql.1146", "table"},
		{map[string]any{"database": "mysql", "table": "no such table"}, "mysql.1146", "table"},
		{map[string]any{"email_column": "mail"}, "mysql.1054", "email_column"},
		{map[string]any{"email_column": "id"}, "mysql.email_not_text", "email_column"},
		{map[string]any{"email_column": "tags"}, "mysql.email_not_text", "email_column"},
		{map[string]any{"order_by": "updated_at"}, "mysql.1054", "order_by"},
	} {
		if e := mustFail(t, ask(c.replace), connectors.Misconfigured, c.code); e.Field != c.field {
			t.Errorf("%v: points at %q, want %q", c.replace, e.Field, c.field)
		}
	}
}

func TestLookupTakesTheNewestRow(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, `insert into people (email, name, seen_at) values
		('ana@toy.example', 'old', '2020-01-01'), ('ana@toy.example', 'new', '2026-01-01'), ('ana@toy.example', 'never', null)`)
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
	d := newDatabase(t, people, "insert into people (email) select 'ana@toy.example' from seq_1_to_500")
	if res := lookup(t, open(t, d.settings(nil)), "ana@toy.example"); res.Match != connectors.Ambiguous || len(res.Records) != 10 {
		t.Errorf("%s with %d records", res.Match, len(res.Records))
	}
}

// TestNamesAreData uses a table and columns whose names would be SQL if they were not quoted.
func TestNamesAreData(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people,
		"create table `t; drop table people; -- ``x` (`e``ma\"il` varchar(99), `*` int, `?` int, `/*!50000 x*/` int, `ß''\\\\` int)",
		"insert into `t; drop table people; -- ``x` values ('ana@toy.example', 1, 2, 3, 4)")
	src := open(t, d.settings(map[string]any{"table": "t; drop table people; -- `x", "email_column": "e`ma\"il", "order_by": "*"}))
	res := lookup(t, src, "ana@toy.example")
	if res.Match != connectors.Found || len(res.Records[0]) != 5 || res.Records[0]["?"].Text != "2" || res.MatchedOn != "e`ma\"il" {
		t.Errorf("got %+v", res)
	}
	if report := check(t, src); !report.OK() {
		t.Errorf("check: %+v", report.Steps)
	}
	for _, hostile := range []string{"people`; drop table people; --", "people where true --", "people` union select 1 --", d.name + ".people", "mysql.user"} {
		_, err := open(t, d.settings(map[string]any{"table": hostile})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		mustFail(t, err, connectors.Misconfigured, "mysql.1146")
	}
	if n, err := d.text("select count(*) from people"); err != nil || n != "0" {
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
	if s := step(t, check(t, src), "Read the table"); s.State != connectors.StepWarn || !strings.Contains(s.Detail, "gone") {
		t.Errorf("a chosen column is gone: %+v", s)
	}
	restricted := d.user("select (email, plan), insert (name) on people")
	if res := lookup(t, open(t, restricted), "ana@toy.example"); len(res.Records[0]) != 2 {
		t.Errorf("the user may read two columns: %+v", res)
	}
}

// TestLookupNoticesThatTheTableChanged changes the table under an open source, whose columns are remembered.
func TestLookupNoticesThatTheTableChanged(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "insert into people (email, name, plan) values ('ana@toy.example', 'Ana', 'pro')")
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")

	d.exec("alter table people drop column plan", "update people set name = '7'", "alter table people modify name int")
	res := lookup(t, src, "ana@toy.example", "name", "plan")
	if _, ok := res.Records[0]["plan"]; ok || res.Match != connectors.Found {
		t.Errorf("after a column was dropped: %+v", res)
	}
	d.exec("rename table people to persons")
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.1146")
	d.exec("rename table persons to people", "alter table people rename column email to mail")
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.1054")
	d.exec("alter table people rename column mail to email")
	lookup(t, src, "ana@toy.example")
}
