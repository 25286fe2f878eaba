package mysql_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"sidecard/connectors"
)

func TestCheckNamesTheStepsInOrder(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	report := check(t, open(t, d.user("select on people")))
	var names []string
	for _, s := range report.Steps {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, ", "), "Find the server, Reach it, Encrypt, Sign in, Read the table, Index, Least privilege"; got != want {
		t.Errorf("steps are %s, want %s", got, want)
	}
	if s := step(t, report, "Sign in"); !strings.Contains(s.Detail, "(MariaDB 1") {
		t.Errorf("the version is not told: %+v", s)
	}
	if s := step(t, report, "Least privilege"); s.State != connectors.StepOK {
		t.Errorf("a user who may only read: %+v", s)
	}
}

// TestCheckLeadsToTheTable follows what the check offers, as an administrator does who knows no more than the sign-in.
func TestCheckLeadsToTheTable(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create table stock (id int, email_sent bool)", "create table orders (id int, contact_email text)", onePerson)
	s := with(t, d.user("select on people", "select on stock", "select on orders"), map[string]any{"table": "", "email_column": ""})
	var offered []string
	for range 5 {
		report := check(t, open(t, s))
		if report.OK() {
			break
		}
		read := step(t, report, "Read the table")
		if len(read.Suggest) == 0 {
			t.Fatalf("nothing is offered: %+v", read)
		}
		for _, o := range read.Suggest {
			offered = append(offered, o.Setting+"="+o.Value)
			if o.Value == "people" || o.Setting == "email_column" {
				s = with(t, s, map[string]any{o.Setting: o.Value})
			}
		}
	}
	if got, want := strings.Join(offered, " "), "table=orders table=people email_column=email"; got != want {
		t.Errorf("offered %s, want %s", got, want)
	}
	if res := lookup(t, open(t, s), "ana@toy.example"); res.Match != connectors.Found {
		t.Errorf("got %+v", res)
	}
}

// TestScriptsCanBePasted runs the scripts that Check shows, as an administrator would, and checks again.
func TestScriptsCanBePasted(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table `The ``People` (id int, `E-Mail` varchar(99), name text, secret text)",
		"insert into `The ``People` values (1, 'ana@toy.example', 'Ana', 'x')")
	chosen := map[string]any{"table": "The `People", "email_column": "E-Mail", "columns": []string{"name"}, "order_by": "id"}

	reader := with(t, d.user("select on *"), chosen)
	d.exec("revoke select on * from "+reader.String("user", ""), "create table other (id int)", "grant select on other to "+reader.String("user", ""))
	refused := step(t, check(t, open(t, reader)), "Read the table")
	if refused.State != connectors.StepFail || refused.Script == "" {
		t.Fatalf("a user without rights: %+v", refused)
	}
	d.exec(refused.Script)
	if report := check(t, open(t, reader)); !report.OK() {
		t.Errorf("after %s: %+v", refused.Script, report.Steps)
	}

	// An administrator's credentials work, and the advice makes a user with less.
	encrypted := map[string]any{"tls": "verify_full", "ca_pem": authority.pem()}
	rights := step(t, check(t, open(t, with(t, d.settings(chosen), encrypted))), "Least privilege")
	if rights.State != connectors.StepWarn || !strings.Contains(rights.Script, "REQUIRE SSL") {
		t.Fatalf("an administrator: %+v", rights)
	}
	name := "sidecard_" + strings.ToLower(rand.Text())[:16]
	d.exec(strings.ReplaceAll(rights.Script, "'sidecard'@", "'"+name+"'@"))
	t.Cleanup(func() { d.exec("drop user " + name) })
	least := with(t, d.settings(chosen), map[string]any{"user": name, "password": "choose a long one"})
	_, err := open(t, least).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	if e := mustFail(t, err, connectors.AuthRevoked, "mysql.1045"); !strings.Contains(e.Fix, "encryption") {
		t.Errorf("a user who must use encryption: %+v", e)
	}
	src := open(t, with(t, least, encrypted))
	report := check(t, src)
	if s := step(t, report, "Least privilege"); !report.OK() || s.State != connectors.StepOK {
		t.Errorf("after %s: %+v", rights.Script, report.Steps)
	}
	if res := lookup(t, src, "ana@toy.example"); len(res.Records[0]) != 1 || res.Records[0]["name"].Text != "Ana" {
		t.Errorf("got %+v", res)
	}
	if strings.Contains(rights.Script, "secret") {
		t.Errorf("the user may read a column that is not needed: %s", rights.Script)
	}
}

func TestCheckWeighsRights(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create table other (id int, note text)")
	role := "role_" + strings.ToLower(rand.Text())[:16]
	d.exec("create role "+role, "grant insert on other to "+role)
	t.Cleanup(func() { d.exec("drop role " + role) })
	byRole := d.user("select on people", role)
	d.exec("set default role " + role + " for " + byRole.String("user", ""))
	for what, c := range map[string]struct {
		settings connectors.Settings
		says     string // "" = all right
	}{
		"reads":                {d.user("select on people"), ""},
		"reads some":           {d.user("select (email, `name`) on people", "show view on people"), ""},
		"reads everything":     {d.user("select on *.*"), ""},
		"writes the table":     {d.user("select, update on people"), "in 1 "},
		"writes others":        {d.user("select on people", "insert on other", "delete on people"), "in 2 "},
		"writes one column":    {d.user("select on people", "update (note) on other"), "in 1 "},
		"writes by a role":     {byRole, "in 1 "},
		"hands on":             {handsOn(d), "server"},
		"sees everybody's ask": {d.user("select on people", "process on *.*"), "server"},
		"administrator":        {d.settings(nil), "administrator"},
	} {
		s := step(t, check(t, open(t, c.settings)), "Least privilege")
		if ok := s.State == connectors.StepOK; ok != (c.says == "") || !strings.Contains(s.Detail, c.says) {
			t.Errorf("%s: %+v", what, s)
		}
		if c.says != "" && !strings.HasPrefix(s.Script, "CREATE USER 'sidecard'") {
			t.Errorf("%s: no script in %+v", what, s)
		}
	}
}

// handsOn makes a user who may let others read.
func handsOn(d *database) connectors.Settings {
	s := d.user("select on people")
	d.exec("grant select on people to " + s.String("user", "") + " with grant option")
	return s
}

func TestCheckLooksForAnIndex(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (id int, email varchar(99), long_email text)",
		"insert into people select seq, concat('visitor', seq, '@toy.example'), concat('visitor', seq, '@toy.example') from seq_1_to_60000",
		"create view seen as select email, id from people", "create table few as select * from people limit 100", "analyze table people")
	index := func(replace map[string]any) connectors.Step {
		t.Helper()
		return step(t, check(t, open(t, d.settings(replace))), "Index")
	}
	if s := index(map[string]any{"table": "few"}); s.State != connectors.StepOK {
		t.Errorf("small table: %+v", s)
	}
	if s := index(map[string]any{"table": "seen"}); s.State != connectors.StepWarn || !strings.Contains(s.Advice, "behind the view") || s.Script != "" {
		t.Errorf("view without an index behind it: %+v", s)
	}
	report := check(t, open(t, with(t, d.user("select on seen"), map[string]any{"table": "seen"})))
	if s := step(t, report, "Index"); !report.OK() || s.State != connectors.StepWarn || !strings.Contains(s.Advice, "behind it") {
		t.Errorf("a view whose table the user may not read: %+v", s)
	}
	if s := step(t, report, "Least privilege"); s.State != connectors.StepOK {
		t.Errorf("a user who may read a view: %+v", s)
	}
	for _, column := range []string{"email", "long_email"} {
		s := index(map[string]any{"email_column": column})
		if s.State != connectors.StepWarn || !strings.Contains(s.Detail, "rows are read") {
			t.Errorf("%s without an index: %+v", column, s)
			continue
		}
		d.exec(strings.Replace(s.Script, "sidecard_address", "sidecard_"+column, 1), "analyze table people")
		if s := index(map[string]any{"email_column": column}); s.State != connectors.StepOK {
			t.Errorf("%s with the index that was asked for: %+v", column, s)
		}
	}
	if s := index(map[string]any{"table": "seen"}); s.State != connectors.StepOK {
		t.Errorf("view with an index behind it: %+v", s)
	}
}

func TestDiscoverListsWhatCanBeRead(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, "create table orders (id int, total_paid decimal(9,2), state enum('new', 'it''s, paid'))", "create table hidden (id int)",
		"create view recent as select id from orders")
	s := d.user("select (email, vip, seen_at, extra) on people", "select on orders", "select on recent", "insert on hidden")
	discover := func(replace map[string]any) []connectors.Field {
		t.Helper()
		catalog, err := open(t, with(t, s, replace)).(connectors.Discoverer).Discover(within(t))
		if err != nil {
			t.Fatal(err)
		}
		return catalog.Fields
	}
	mustEqual(t, discover(map[string]any{"table": "", "email_column": ""}), []connectors.Field{
		{ID: "orders.id", Label: "Id", Kind: connectors.Number, Group: "orders"},
		{ID: "orders.total_paid", Label: "Total paid", Kind: connectors.Number, Group: "orders"},
		{ID: "orders.state", Label: "State", Kind: connectors.Text, Group: "orders", Sample: "new, it's, paid"},
		{ID: "people.email", Label: "Email", Kind: connectors.Text, Group: "people"},
		{ID: "people.vip", Label: "Vip", Kind: connectors.Bool, Group: "people"},
		{ID: "people.seen_at", Label: "Seen at", Kind: connectors.DateTime, Group: "people"},
		{ID: "people.extra", Label: "Extra", Kind: connectors.JSON, Group: "people"},
		{ID: "recent.id", Label: "Id", Kind: connectors.Number, Group: "recent"},
	})
	mustEqual(t, discover(map[string]any{"columns": []string{"vip", "plan"}}), []connectors.Field{{ID: "vip", Label: "Vip", Kind: connectors.Bool}})
	for _, table := range []string{"hidden", "nowhere"} {
		_, err := open(t, with(t, s, map[string]any{"table": table})).(connectors.Discoverer).Discover(within(t))
		mustFail(t, err, connectors.Misconfigured, "mysql.1146")
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
