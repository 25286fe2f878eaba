package postgres_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"sidecard/connectors"
)

func TestCheckNamesTheStepsInOrder(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	report := check(t, open(t, d.role("grant select on people")))
	var names []string
	for _, s := range report.Steps {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, ", "), "Find the server, Reach it, Encrypt, Sign in, Read the table, Index, Least privilege"; got != want {
		t.Errorf("steps are %s, want %s", got, want)
	}
	if s := step(t, report, "Least privilege"); s.State != connectors.StepOK {
		t.Errorf("a role that may only read: %+v", s)
	}
}

func TestCheckGuidesTheFirstSteps(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create schema shop", "create table shop.orders (id int, contact_email text, note text)", "create table stock (id int, email_sent bool)")
	all := d.role("grant usage on schema shop", "grant select on people, shop.orders, stock")
	advice := func(s connectors.Settings) string {
		t.Helper()
		report := check(t, open(t, s))
		read := step(t, report, "Read the table")
		if read.State != connectors.StepFail || report.OK() {
			t.Errorf("got %+v", read)
		}
		words := read.Detail + " " + read.Advice + " " + read.Script
		for _, o := range read.Suggest {
			words += " " + o.Setting + "=" + o.Value + " " + o.Label
		}
		return words
	}
	for what, c := range map[string]struct {
		replace map[string]any
		says    []string
	}{
		"nothing chosen":       {map[string]any{"table": "", "email_column": ""}, []string{"table=people people (address column “email”)", "other schemas", "shop.orders"}},
		"no address column":    {map[string]any{"schema": "shop", "table": "orders", "email_column": ""}, []string{"email_column=contact_email"}},
		"nothing looks like":   {map[string]any{"table": "stock", "email_column": ""}, []string{"Choose the column"}},
		"another column":       {map[string]any{"email_column": "mail"}, []string{"“mail”", "public.people"}},
		"a table that is gone": {map[string]any{"table": "persons"}, []string{"public.persons"}},
	} {
		got := advice(with(t, all, c.replace))
		for _, words := range c.says {
			if !strings.Contains(got, words) {
				t.Errorf("%s: %q does not say %q", what, got, words)
			}
		}
		if strings.Contains(got, "stock (") {
			t.Errorf("%s: suggests a column that is no text: %q", what, got)
		}
	}
	nothing := d.role()
	if got := advice(with(t, nothing, map[string]any{"table": ""})); !strings.Contains(got, "GRANT SELECT ON") {
		t.Errorf("a role without rights: %q", got)
	}
}

// TestAdviceCanBePasted runs the scripts that Check shows, as an administrator would, and checks again.
func TestAdviceCanBePasted(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, `create schema "my shop"`, `create table "my shop"."The People" (id int, "E-Mail" text, name text, secret text)`,
		`insert into "my shop"."The People" values (1, 'ana@toy.example', 'Ana', 'x')`)
	chosen := map[string]any{"schema": "my shop", "table": "The People", "email_column": "E-Mail", "columns": []string{"name"}, "order_by": "id"}

	reader := with(t, d.role(), chosen)
	refused := step(t, check(t, open(t, reader)), "Read the table")
	if refused.State != connectors.StepFail {
		t.Fatalf("a role without rights: %+v", refused)
	}
	script := refused.Script
	d.exec(script)
	if report := check(t, open(t, reader)); !report.OK() {
		t.Errorf("after %s: %+v", script, report.Steps)
	}

	// An administrator's credentials work, and the advice makes a role with less.
	rights := step(t, check(t, open(t, d.settings(chosen))), "Least privilege")
	if rights.State != connectors.StepWarn || !strings.Contains(rights.Detail, "superuser") {
		t.Fatalf("a superuser: %+v", rights)
	}
	script = rights.Script
	name := "sidecard_" + strings.ToLower(rand.Text())
	script = strings.NewReplacer("CREATE ROLE sidecard", "CREATE ROLE "+name, "TO sidecard", "TO "+name, `TO "sidecard"`, "TO "+name,
		"ALTER ROLE sidecard", "ALTER ROLE "+name).Replace(script)
	d.exec(script)
	t.Cleanup(func() { d.exec("drop owned by "+name, "drop role "+name) })
	least := open(t, with(t, d.settings(chosen), map[string]any{"user": name, "password": "choose a long one"}))
	report := check(t, least)
	if s := step(t, report, "Least privilege"); !report.OK() || s.State != connectors.StepOK {
		t.Errorf("after %s: %+v", script, report.Steps)
	}
	if res := lookup(t, least, "ana@toy.example"); len(res.Records[0]) != 1 || res.Records[0]["name"].Text != "Ana" {
		t.Errorf("got %+v", res)
	}
	if may, err := d.text(`select has_column_privilege($1, '"my shop"."The People"', 'secret', 'select')::text`, name); err != nil || may != "false" {
		t.Errorf("the role may read a column that is not needed: %s, %v", may, err)
	}
}

func TestCheckWeighsRights(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create table other (id int, note text)")
	for what, c := range map[string]struct {
		settings connectors.Settings
		says     string // "" = all right
	}{
		"reads":                {d.role("grant select on people"), ""},
		"writes the table":     {d.role("grant select, update on people"), "change 1 table"},
		"writes other tables":  {d.role("grant select on people", "grant insert on other", "grant delete on people"), "change 2 tables"},
		"writes one column":    {d.role("grant select on people", "grant update (note) on other"), "change 1 table"},
		"administrator":        {d.settings(nil), "superuser"},
		"makes databases":      {altered(d, "createdb"), "databases"},
		"sees protected rows":  {altered(d, "bypassrls"), "row-level security"},
		"replicates the bytes": {altered(d, "replication"), "replicate"},
	} {
		s := step(t, check(t, open(t, c.settings)), "Least privilege")
		if ok := s.State == connectors.StepOK; ok != (c.says == "") || !strings.Contains(s.Detail, c.says) {
			t.Errorf("%s: %+v", what, s)
		}
		if c.says != "" && !strings.Contains(s.Script, "CREATE ROLE sidecard LOGIN") {
			t.Errorf("%s: no script in %+v", what, s)
		}
	}
}

// altered makes a role that may read the table and has an attribute.
func altered(d *database, attribute string) connectors.Settings {
	s := d.role("grant select on people")
	d.exec("alter role " + s.String("user", "") + " " + attribute)
	return s
}

func TestCheckLooksForAnIndex(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create extension citext",
		"create table people (id int, email text, caseless citext)",
		"insert into people select i, 'visitor' || i || '@toy.example', 'visitor' || i || '@toy.example' from generate_series(1, 60000) i",
		"create view seen as select email, id from people", "create table few as select * from people limit 100",
		"create table parts (email text) partition by hash (email)", "create table part0 partition of parts for values with (modulus 1, remainder 0)",
		"insert into parts select email from people", "create materialized view copy as select * from people", "analyze")
	index := func(replace map[string]any) connectors.Step {
		t.Helper()
		return step(t, check(t, open(t, d.settings(replace))), "Index")
	}
	for _, c := range []struct {
		what    string
		replace map[string]any
		script  string
	}{
		{"text", nil, `CREATE INDEX CONCURRENTLY ON "public"."people" (lower("email"));`},
		{"exact", map[string]any{"exact_match": true}, `CREATE INDEX CONCURRENTLY ON "public"."people" ("email");`},
		{"citext", map[string]any{"email_column": "caseless"}, `CREATE INDEX CONCURRENTLY ON "public"."people" ("caseless");`},
		{"materialized view", map[string]any{"table": "copy"}, `CREATE INDEX CONCURRENTLY ON "public"."copy" (lower("email"));`},
		{"partitions", map[string]any{"table": "parts"}, `CREATE INDEX ON "public"."parts" (lower("email"));`},
	} {
		s := index(c.replace)
		if s.State != connectors.StepWarn || s.Script != c.script || !strings.Contains(s.Detail, "60000") {
			t.Errorf("%s without an index: %+v", c.what, s)
			continue
		}
		if c.what == "text" {
			if v := index(map[string]any{"table": "seen"}); v.State != connectors.StepWarn || !strings.Contains(v.Advice, `lower("email")`) {
				t.Errorf("view without an index behind it: %+v", v)
			}
		}
		d.exec(c.script, "analyze")
		if s := index(c.replace); s.State != connectors.StepOK {
			t.Errorf("%s with the index that was asked for: %+v", c.what, s)
		}
	}
	for what, replace := range map[string]map[string]any{"view": {"table": "seen"}, "small table": {"table": "few"}} {
		if s := index(replace); s.State != connectors.StepOK {
			t.Errorf("%s: %+v", what, s)
		}
	}
}

func TestDiscoverListsWhatCanBeRead(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create schema shop", "create type shop.state as enum ('paid', 'sent')", "create table shop.orders (id int, total_paid numeric, note text, now shop.state)",
		"create table hidden (id int)", "create view shop.recent as select id from shop.orders", "create materialized view shop.old as select id from shop.orders")
	s := d.role("grant usage on schema shop", "grant select (email, vip, seen_at) on people", "grant select on shop.orders, shop.recent, shop.old")
	discover := func(replace map[string]any) []connectors.Field {
		t.Helper()
		catalog, err := open(t, with(t, s, replace)).(connectors.Discoverer).Discover(within(t))
		if err != nil {
			t.Fatal(err)
		}
		return catalog.Fields
	}
	want := []connectors.Field{
		{ID: "public.people.email", Label: "Email", Kind: connectors.Text, Group: "public.people"},
		{ID: "public.people.vip", Label: "Vip", Kind: connectors.Bool, Group: "public.people"},
		{ID: "public.people.seen_at", Label: "Seen at", Kind: connectors.DateTime, Group: "public.people"},
		{ID: "shop.old.id", Label: "Id", Kind: connectors.Number, Group: "shop.old"},
		{ID: "shop.orders.id", Label: "Id", Kind: connectors.Number, Group: "shop.orders"},
		{ID: "shop.orders.total_paid", Label: "Total paid", Kind: connectors.Number, Group: "shop.orders"},
		{ID: "shop.orders.note", Label: "Note", Kind: connectors.Text, Group: "shop.orders"},
		{ID: "shop.orders.now", Label: "Now", Kind: connectors.Text, Group: "shop.orders", Sample: "paid, sent"},
		{ID: "shop.recent.id", Label: "Id", Kind: connectors.Number, Group: "shop.recent"},
	}
	mustEqual(t, discover(map[string]any{"table": "", "email_column": ""}), want)
	mustEqual(t, discover(map[string]any{"schema": "shop", "table": "orders", "email_column": ""}), []connectors.Field{
		{ID: "id", Label: "Id", Kind: connectors.Number},
		{ID: "total_paid", Label: "Total paid", Kind: connectors.Number},
		{ID: "note", Label: "Note", Kind: connectors.Text},
		{ID: "now", Label: "Now", Kind: connectors.Text, Sample: "paid, sent"},
	})
	mustEqual(t, discover(map[string]any{"columns": []string{"vip", "plan"}}), []connectors.Field{{ID: "vip", Label: "Vip", Kind: connectors.Bool}})
	for table, code := range map[string]string{"hidden": "postgres.42501", "nowhere": "postgres.42P01"} {
		_, err := open(t, with(t, s, map[string]any{"table": table})).(connectors.Discoverer).Discover(within(t))
		mustFail(t, err, connectors.Misconfigured, code)
	}
}

func mustEqual(t *testing.T, got, want []connectors.Field) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %+v, want %+v", got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("field %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
