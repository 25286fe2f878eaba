package mysql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/mysql"
	"sidecard/internal/servertest"
)

// TestSessionsAreLimited asks for the limits where they count: in the transaction of a lookup.
func TestSessionsAreLimited(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, `create function limits() returns varchar(200) return concat_ws(' ', @@max_statement_time, @@lock_wait_timeout,
		@@wait_timeout, @@time_zone, @@character_set_results, @@in_transaction)`,
		"create view people as select 'ana@toy.example' as email, limits() as v")
	got := lookup(t, open(t, d.settings(nil)), "ana@toy.example").Records[0]["v"].Text
	if want := "3.000000 1 180 +00:00 utf8mb4 1"; got != want {
		t.Errorf("the session has %s, want %s", got, want)
	}
}

// TestNothingCanBeWritten makes a view write when it is read.
func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table marks (n int)", "create function mark() returns varchar(20) return 'Ana'",
		"create view people as select 'ana@toy.example' as email, mark() as name")
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")
	d.exec("create or replace function mark() returns varchar(20) modifies sql data begin insert into marks values (1); return 'Ana'; end")
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Bug, "mysql.1792")
	if n, err := d.text("select count(*) from marks"); err != nil || n != "0" {
		t.Errorf("%s marks, %v", n, err)
	}
}

func TestLongQuestionsAreEnded(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create view people as select 'ana@toy.example' as email, sleep(60) as name")
	src := open(t, d.settings(nil))
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "mysql.1969")
	d.exec("create or replace view people as select if(sleep(60), 'x', 'ana@toy.example') as email")
	if s := step(t, check(t, src), "Read the table"); s.State != connectors.StepFail || !strings.Contains(s.Advice, "index") {
		t.Errorf("check: %+v", s)
	}
}

// TestTheServerStopsWhenNobodyWaits looks at the server after a lookup's deadline: it ends by its own limit.
func TestTheServerStopsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create view people as select 'ana@toy.example' as email, sleep(60) as name")
	src := open(t, d.settings(nil))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := src.Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "timeout")
	if took := time.Since(start); took > 1500*time.Millisecond {
		t.Errorf("the lookup took %s", took)
	}
	for d.connections() > 0 {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the server goes on with the question")
		}
	}
}

// connections counts the connections to the database, the administrator's own left out.
func (d *database) connections() int {
	d.t.Helper()
	var n int
	err := d.root.QueryRowContext(context.Background(),
		"select count(*) from information_schema.processlist where db = database() and id <> connection_id()").Scan(&n)
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func TestLocksAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")
	conn, err := d.root.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "lock tables people write"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "mysql.1205")
	if took := time.Since(start); took > 2500*time.Millisecond {
		t.Errorf("waited %s", took)
	}
	if _, err := conn.ExecContext(context.Background(), "unlock tables"); err != nil {
		t.Error(err)
	}
}

// TestConnectionsThatAreCutAreReplaced kills the server under a source. The lookup that finds out may fail, the next
// may not.
func TestConnectionsThatAreCutAreReplaced(t *testing.T) {
	t.Parallel()
	own := servertest.MariaDB(t, servertest.MariaDBOptions{})
	d := newDatabaseOn(t, own, people, onePerson)
	reader := d.user("select on people")
	src := open(t, reader)
	lookup(t, src, "ana@toy.example")
	if err := own.Kill(); err != nil {
		t.Fatal(err)
	}
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	if e := connectors.AsError(err); e == nil || e.Class != connectors.Transient {
		t.Errorf("while the server is down: %v", err)
	}
	if err := own.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
		t.Errorf("got %+v", res)
	}
}

// TestSourcesUseFewConnections runs many lookups at once and counts what the server sees.
func TestSourcesUseFewConnections(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	src := open(t, d.settings(nil))
	done := make(chan error, 40)
	for range cap(done) {
		go func() {
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := d.connections(); n < 1 || n > 2 {
		t.Errorf("%d connections", n)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	// The server notices the goodbye a moment later.
	for start := time.Now(); d.connections() > 0; {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%d connections are left", d.connections())
		}
	}
}

// TestFewSourcesKeepConnections opens more sources than may keep connections, and counts on the server.
func TestFewSourcesKeepConnections(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	c := mysql.NewWithFewPools(2)
	sources := make([]connectors.Source, 5)
	for i := range sources {
		in := openDoor()
		in.Settings = d.settings(nil)
		var err error
		if sources[i], err = c.Open(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		lookup(t, sources[i], "ana@toy.example")
	}
	// The server notices the goodbyes a moment later.
	for start := time.Now(); d.connections() != 2; {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%d connections are kept", d.connections())
		}
	}
	for _, src := range sources {
		lookup(t, src, "ana@toy.example")
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBusyConnectionsAreTold keeps both connections busy: who comes then is told so soon, and not at the deadline.
func TestBusyConnectionsAreTold(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create view people as select 'ana@toy.example' as email, sleep(2) as name")
	src := open(t, d.settings(nil))
	done := make(chan error, 6)
	for range cap(done) {
		go func() {
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			done <- err
		}()
	}
	busy := 0
	for range cap(done) {
		var e *connectors.Error
		if err := <-done; errors.As(err, &e) && e.Class == connectors.RateLimited && e.Code == "mysql.busy" && e.RetryAfter > 0 {
			busy++
		} else if err != nil {
			t.Error(err)
		}
	}
	if busy == 0 {
		t.Error("all of them waited")
	}
}

func TestLargeAnswersAreRefused(t *testing.T) {
	t.Parallel()
	columns := make([]string, 400)
	for i := range columns {
		columns[i] = "repeat('\U0001F600', 4096) as c" + strings.Repeat("x", i/26) + string(rune('a'+i%26))
	}
	d := newDatabase(t, "create table people (email varchar(99))", "insert into people select 'ana@toy.example' from seq_1_to_11",
		"create view large as select email, "+strings.Join(columns, ", ")+" from people")
	src := open(t, d.settings(map[string]any{"table": "large"}))
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.too_large")
	if res := lookup(t, src, "ana@toy.example", "ca"); res.Match != connectors.Ambiguous {
		t.Errorf("one column: %+v", res)
	}
}
