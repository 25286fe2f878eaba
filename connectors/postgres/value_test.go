package postgres_test

import (
	"strings"
	"testing"

	"sidecard/connectors"
)

// TestValues reads a row of every type that PostgreSQL brings along, and the edges of those that matter.
func TestValues(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create type mood as enum ('sad', 'ok')", "create type place as (street text, number int)",
		"create domain score as numeric(6, 2)")
	long := strings.Repeat("ä", 5000)
	for _, c := range []struct {
		name, typ, literal string
		kind               connectors.Kind
		text               string
	}{
		{"smallest", "bigint", "-9223372036854775808", connectors.Number, "-9223372036854775808"},
		{"beyond a float", "bigint", "9007199254740993", connectors.Number, "9007199254740993"},
		{"zeros stay", "numeric(12,2)", "1234.50", connectors.Number, "1234.50"},
		{"long number", "numeric", "12345678901234567890.123456789", connectors.Number, "12345678901234567890.123456789"},
		{"tiny float", "float8", "1e-7", connectors.Number, "0.0000001"},
		{"huge float", "float8", "1e21", connectors.Number, "1000000000000000000000"},
		{"float", "float8", "0.1", connectors.Number, "0.1"},
		{"not a number", "float8", "'NaN'", connectors.Text, "NaN"},
		{"endless", "numeric", "'Infinity'", connectors.Text, "Infinity"},
		{"domain", "score", "7.10", connectors.Number, "7.10"},
		{"oid", "oid", "4294967295", connectors.Text, "4294967295"},
		{"money", "money", "'12.50'", connectors.Text, "$12.50"},
		{"yes", "bool", "true", connectors.Bool, "true"},
		{"date", "date", "'2026-11-22'", connectors.Date, "2026-11-22"},
		{"date before Christ", "date", "'0044-03-15 BC'", connectors.Text, "0044-03-15 BC"},
		{"no date", "date", "'infinity'", connectors.Text, "infinity"},
		{"moment", "timestamptz", "'2026-11-22 09:00:00.123456+05:30'", connectors.DateTime, "2026-11-22T03:30:00.123456Z"},
		{"no moment", "timestamptz", "'-infinity'", connectors.Text, "-infinity"},
		{"clock without a zone", "timestamp", "'2026-11-22 09:00:00'", connectors.Text, "2026-11-22 09:00:00"},
		{"time", "time", "'09:30'", connectors.Text, "09:30:00"},
		{"interval", "interval", "'1 year 2 days 03:00'", connectors.Text, "1 year 2 days 03:00:00"},
		{"uuid", "uuid", "'0190F5A0-0000-7000-8000-000000000000'", connectors.Text, "0190f5a0-0000-7000-8000-000000000000"},
		{"address", "inet", "'192.0.2.1/24'", connectors.Text, "192.0.2.1/24"},
		{"enum", "mood", "'ok'", connectors.Text, "ok"},
		{"range", "int4range", "'[1,5)'", connectors.Text, "[1,5)"},
		{"xml", "xml", "'<a/>'", connectors.Text, "<a/>"},
		{"bits", "bit(3)", "B'101'", connectors.Text, "101"},
		{"point", "point", "'(1,2)'", connectors.Text, "(1,2)"},
		{"fixed width", "char(8)", "'ab'", connectors.Text, "ab"},
		{"control characters", "text", `E'a\tb\x01\u2028"\\'`, connectors.Text, "a\tb\x01\u2028\"\\"},
		{"markup", "text", "'<b>&amp;'", connectors.Text, "<b>&amp;"},
		{"bytes", "bytea", `'\x00ff10'`, connectors.Text, "(binary, 3 bytes)"},
		{"object", "jsonb", `'{"b": [1, 2.50], "a": "x"}'`, connectors.JSON, `{"a":"x","b":[1,2.50]}`},
		{"object as written", "json", `'{ "b" : 1e5, "b" : null }'`, connectors.JSON, `{"b":1e5,"b":null}`},
		{"zero byte in json", "json", `'"a\u0000b"'`, connectors.Text, "a\ufffdb"},
		{"text in json", "jsonb", `'"plain"'`, connectors.Text, "plain"},
		{"number in json", "jsonb", "'12.50'", connectors.Number, "12.50"},
		{"exponent in json", "json", "'1e999999999'", connectors.Text, "1e999999999"},
		{"truth in json", "jsonb", "'false'", connectors.Bool, "false"},
		{"null in json", "jsonb", "'null'", connectors.Null, ""},
		{"list", "text[]", `'{a,"b, c",NULL,""}'`, connectors.List, "a, b, c, null, "},
		{"numbers", "numeric[]", "'{1.50,2}'", connectors.List, "1.50, 2"},
		{"nested list", "int[]", "'{{1,2},{3,4}}'", connectors.List, "[1,2], [3,4]"},
		{"long list", "int[]", "array(select generate_series(1, 21))", connectors.List, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, …"},
		{"no entries", "int[]", "'{}'", connectors.List, ""},
		{"composite", "place", "row('Main St', 7)", connectors.JSON, `{"number":7,"street":"Main St"}`},
		{"null", "int", "null", connectors.Null, ""},
		{"empty", "text", "''", connectors.Text, ""},
		{"long text", "text", "repeat('ä', 5000)", connectors.Text, long[:4092] + "…"},
		{"long json", "jsonb", `to_jsonb(repeat('ä', 5000))`, connectors.Text, `"` + long[:4092] + "…"},
		{"long array", "text[]", "array[repeat('ä', 9000)]", connectors.Text, "{" + long[:4092] + "…"},
	} {
		d.exec("drop table if exists people", "create table people (email text, v "+c.typ+")", "insert into people values ('ana@toy.example', "+c.literal+")")
		src := open(t, d.settings(nil))
		res := lookup(t, src, "ana@toy.example", "v")
		if got, ok := res.Records[0]["v"]; !ok || got.Kind != c.kind || got.Text != c.text {
			t.Errorf("%s: %s %.80q, want %s %.80q", c.name, got.Kind, got.Text, c.kind, c.text)
		}
	}
}

func TestRowsAreCutAt64KB(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (email text)", "insert into people values ('ana@toy.example')")
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		d.exec("alter table people add column " + string(c) + " text default repeat('x', 100000)")
	}
	res := lookup(t, open(t, d.settings(nil)), "ana@toy.example")
	total := 0
	for name, v := range res.Records[0] {
		if len(v.Text) > 4<<10 {
			t.Errorf("%s has %d bytes", name, len(v.Text))
		}
		total += len(v.Text)
	}
	if total > 65<<10 || total < 60<<10 || len(res.Records[0]) != 27 {
		t.Errorf("the row has %d bytes in %d values", total, len(res.Records[0]))
	}
}
