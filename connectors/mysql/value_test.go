package mysql_test

import (
	"strings"
	"testing"

	"sidecard/connectors"
)

// TestValues reads a row of every type that MariaDB has, and the edges of those that matter.
func TestValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 5000)
	for _, c := range []struct {
		name, typ, literal string
		kind               connectors.Kind
		text               string
	}{
		{"smallest", "bigint", "-9223372036854775808", connectors.Number, "-9223372036854775808"},
		{"largest", "bigint unsigned", "18446744073709551615", connectors.Number, "18446744073709551615"},
		{"beyond a float", "bigint", "9007199254740993", connectors.Number, "9007199254740993"},
		{"small", "smallint", "-7", connectors.Number, "-7"},
		{"medium", "mediumint unsigned", "16777215", connectors.Number, "16777215"},
		{"padded", "int(8) zerofill", "42", connectors.Number, "42"},
		{"zeros stay", "decimal(12,2)", "1234.50", connectors.Number, "1234.50"},
		{"padded decimal", "decimal(12,2) zerofill", "0.50", connectors.Number, "0.50"},
		{"below one", "decimal(12,2)", "-0.07", connectors.Number, "-0.07"},
		{"long number", "decimal(65,30)", "12345678901234567890.123456789", connectors.Number, "12345678901234567890.123456789000000000000000000000"},
		{"tiny double", "double", "1e-7", connectors.Number, "0.0000001"},
		{"huge double", "double", "1e21", connectors.Number, "1000000000000000000000"},
		{"double", "double", "0.1", connectors.Number, "0.1"},
		{"float", "float", "0.1", connectors.Number, "0.1"},
		{"yes", "bool", "true", connectors.Bool, "true"},
		{"no", "tinyint(1)", "0", connectors.Bool, "false"},
		{"neither", "tinyint(1)", "7", connectors.Number, "7"},
		{"below", "tinyint(1)", "-1", connectors.Number, "-1"},
		{"tiny", "tinyint(4)", "1", connectors.Number, "1"},
		{"bit", "bit(1)", "b'1'", connectors.Bool, "true"},
		{"bits", "bit(10)", "b'1000000001'", connectors.Number, "513"},
		{"all bits", "bit(64)", "18446744073709551615", connectors.Number, "18446744073709551615"},
		{"date", "date", "'2026-11-22'", connectors.Date, "2026-11-22"},
		{"no date", "date", "'0000-00-00'", connectors.Null, ""},
		{"half a date", "date", "'2026-00-00'", connectors.Text, "2026-00-00"},
		{"clock without a zone", "datetime", "'2026-11-22 09:00:00'", connectors.Text, "2026-11-22 09:00:00"},
		{"no clock", "datetime(3)", "'0000-00-00'", connectors.Null, ""},
		{"moment", "timestamp(6)", "'2026-11-22 09:00:00.123456'", connectors.DateTime, "2026-11-22T09:00:00.123456Z"},
		{"no moment", "timestamp", "'0000-00-00'", connectors.Null, ""},
		{"time", "time", "'-09:30:00'", connectors.Text, "-09:30:00"},
		{"year", "year", "2026", connectors.Text, "2026"},
		{"enum", "enum('free', 'pro')", "'pro'", connectors.Text, "pro"},
		{"set", "set('a', 'b c')", "'a,b c'", connectors.List, "a, b c"},
		{"empty set", "set('a', 'b c')", "''", connectors.List, ""},
		{"uuid", "uuid", "'0190F5A0-0000-7000-8000-000000000000'", connectors.Text, "0190f5a0-0000-7000-8000-000000000000"},
		{"address", "inet6", "'2001:db8::1'", connectors.Text, "2001:db8::1"},
		{"point", "point", "point(1, 2)", connectors.Text, "(binary, 25 bytes)"},
		{"fixed width", "char(8)", "'ab'", connectors.Text, "ab"},
		{"control characters", "varchar(20)", `'a\tb\Z"'`, connectors.Text, "a\tb\x1a\""},
		{"zero byte", "varchar(20)", `'a\0b'`, connectors.Text, "a\ufffdb"},
		{"markup", "text", "'<b>&amp;'", connectors.Text, "<b>&amp;"},
		{"bytes", "blob", "x'00ff10'", connectors.Text, "(binary, 3 bytes)"},
		{"fixed bytes", "binary(4)", "x'00ff10'", connectors.Text, "(binary, 4 bytes)"},
		{"some bytes", "varbinary(9)", "x''", connectors.Text, "(binary, 0 bytes)"},
		{"object", "json", `'{ "b" : [1, 2.50], "a": "x" }'`, connectors.JSON, `{"b":[1,2.50],"a":"x"}`},
		{"list", "json", `'[1, null]'`, connectors.JSON, `[1,null]`},
		{"text in the alias of json", "json", `'"x"'`, connectors.Text, `"x"`},
		{"long text that is no json", "longtext collate utf8mb4_bin", `'{x'`, connectors.Text, `{x`},
		{"null", "int", "null", connectors.Null, ""},
		{"empty", "text", "''", connectors.Text, ""},
		{"long text", "longtext", "repeat('ä', 5000)", connectors.Text, long[:4092] + "…"},
		{"huge text", "longtext", "repeat('x', 1 << 23)", connectors.Text, strings.Repeat("x", 4093) + "…"},
		{"long json", "json", `json_quote(repeat('ä', 5000))`, connectors.Text, `"` + long[:4092] + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, "create table people (email text, v "+c.typ+" null)")
			d.exec("set statement sql_mode = '' for insert into people values ('ana@toy.example', " + c.literal + ")")
			src := open(t, d.settings(nil))
			res := lookup(t, src, "ana@toy.example", "v")
			if got, ok := res.Records[0]["v"]; !ok || got.Kind != c.kind || got.Text != c.text {
				t.Errorf("%s %.80q, want %s %.80q", got.Kind, got.Text, c.kind, c.text)
			}
		})
	}
}

func TestRowsAreCutAt64KB(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (email varchar(99)) engine = myisam", "insert into people values ('ana@toy.example')")
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		d.exec("alter table people add column " + string(c) + " text default repeat('x', 60000)")
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
