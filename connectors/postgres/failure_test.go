package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"sidecard/connectors"
)

func TestServerErrorsHaveAClass(t *testing.T) {
	t.Parallel()
	const (
		misconfigured = connectors.Misconfigured
		transient     = connectors.Transient
		bug           = connectors.Bug
	)
	for state, want := range map[string]connectors.Class{
		"08006": transient, "08P01": misconfigured, "22012": misconfigured, "22P02": misconfigured, "25006": bug, "25P03": transient, "25P04": transient,
		"28000": misconfigured, "28P01": connectors.AuthRevoked, "3D000": misconfigured, "3F000": misconfigured, "40001": transient, "40P01": transient,
		"42501": misconfigured, "42601": bug, "42703": misconfigured, "42883": misconfigured, "42P01": misconfigured, "42846": misconfigured,
		"53100": transient, "53200": transient, "53300": connectors.RateLimited, "55000": transient, "55P03": transient, "57014": transient,
		"57P01": transient, "57P02": transient, "57P03": transient, "58030": transient, "P0001": bug, "XX000": bug, "XX001": bug,
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			port := newFake(t, failWith(pgproto3.ErrorResponse{Severity: "ERROR", Code: state, Message: "told to nobody"}))
			_, err := open(t, fakeSettings(t, port, nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			e := mustFail(t, err, want, "postgres."+state)
			if want == connectors.RateLimited && e.RetryAfter != 5*time.Second {
				t.Errorf("retry after %s", e.RetryAfter)
			}
			if strings.Contains(err.Error(), "told to nobody") {
				t.Errorf("the server's own text is told: %v", err)
			}
		})
	}
}

func TestSignInErrorsAreTold(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	good := d.role("grant select on people")
	noLogin := d.role()
	d.exec("alter role " + noLogin.String("user", "") + " nologin")
	full := d.role()
	d.exec("alter role " + full.String("user", "") + " connection limit 0")
	for name, c := range map[string]struct {
		settings connectors.Settings
		class    connectors.Class
		code     string
	}{
		"wrong password":  {with(t, good, map[string]any{"password": "wrong password"}), connectors.AuthRevoked, "postgres.28P01"},
		"no password":     {with(t, good, map[string]any{"password": ""}), connectors.AuthRevoked, "postgres.28P01"},
		"unknown user":    {with(t, good, map[string]any{"user": "nobody at all"}), connectors.AuthRevoked, "postgres.28P01"},
		"unknown base":    {with(t, good, map[string]any{"database": "nowhere"}), connectors.Misconfigured, "postgres.3D000"},
		"may not sign in": {noLogin, connectors.Misconfigured, "postgres.28000"},
		"no room":         {full, connectors.RateLimited, "postgres.53300"},
	} {
		src := open(t, c.settings)
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, c.class, c.code)
		if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail || s.Detail != e.Message || s.Advice != e.Fix {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestSlowQueriesAreEndedByTheServer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create view people as select 'ana@toy.example'::text as email, pg_sleep(60)::text as name",
		"create view many as select i::text as email from generate_series(1, 1000000000) i")
	src := open(t, d.settings(nil))
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "postgres.57014")
	src = open(t, d.settings(map[string]any{"table": "many"}))
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "postgres.57014")
	if s := step(t, check(t, src), "Read the table"); s.State != connectors.StepFail || !strings.Contains(s.Advice, "index") {
		t.Errorf("check: %+v", s)
	}
}

// TestTheServerStopsWhenNobodyWaits looks at the server after a lookup's deadline.
func TestTheServerStopsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create view people as select 'ana@toy.example'::text as email, pg_sleep(60)::text as name")
	src := open(t, d.settings(nil))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := src.Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "timeout")
	// The server itself would stop only three seconds after the query began.
	for d.active() > 0 {
		if time.Since(start) > 2900*time.Millisecond {
			t.Fatal("the server goes on with the query")
		}
	}
}

// active counts the queries that sources run in the database.
func (d *database) active() int {
	d.t.Helper()
	n, err := d.text("select count(*)::text from pg_stat_activity where application_name = 'sidecard' and state = 'active' and datname = current_database()")
	if err != nil {
		d.t.Fatal(err)
	}
	var count int
	if _, err := fmt.Sscan(n, &count); err != nil {
		d.t.Fatal(err)
	}
	return count
}

func TestLocksAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")
	conn, err := pgx.Connect(t.Context(), d.url.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "begin; lock table people in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "postgres.55P03")
	if took := time.Since(start); took > 2500*time.Millisecond {
		t.Errorf("waited %s", took)
	}
}

// TestConnectionsThatAreCutAreReplaced ends the source's connections on the server. The lookup that finds out
// may fail, the next may not.
func TestConnectionsThatAreCutAreReplaced(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	src := open(t, d.settings(nil))
	lookup(t, src, "ana@toy.example")
	if _, err := d.text("select count(pg_terminate_backend(pid, 5000))::text from pg_stat_activity where application_name = 'sidecard' and datname = current_database()"); err != nil {
		t.Fatal(err)
	}
	if _, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"}); err != nil && connectors.AsError(err).Class != connectors.Transient {
		t.Errorf("the lookup that finds out: %v", err)
	}
	lookup(t, src, "ana@toy.example")
}

func TestLargeAnswersAreRefused(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (email text)", "insert into people select 'ana@toy.example' from generate_series(1, 11)")
	for i := range 60 {
		d.exec(fmt.Sprintf("alter table people add column c%d text default repeat('\U0001F600', 4096)", i))
	}
	src := open(t, d.settings(nil))
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "postgres.too_large")
	if res := lookup(t, src, "ana@toy.example", "c1"); res.Match != connectors.Ambiguous {
		t.Errorf("one column: %+v", res)
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
	const count = "select count(*)::text from pg_stat_activity where application_name = 'sidecard' and datname = current_database()"
	if n, err := d.text(count); err != nil || n != "1" && n != "2" {
		t.Errorf("%s connections, %v", n, err)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	// The server notices the goodbye a moment later.
	for start := time.Now(); ; {
		n, err := d.text(count)
		if err != nil {
			t.Fatal(err)
		}
		if n == "0" {
			return
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%s connections are left", n)
		}
	}
}
