package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestNewDatabaseIsACopyOfItsTemplate(t *testing.T) {
	t.Parallel()
	cluster := Postgres(t)
	template := templateName()
	cluster.Template(t, template, createNumbers)
	one := connect(t, cluster.NewDatabase(t, template))
	mustExec(t, one, "insert into numbers values (1)")
	two := connect(t, cluster.NewDatabase(t, template))
	var count int
	if err := two.QueryRow(t.Context(), "select count(*) from numbers").Scan(&count); err != nil || count != 0 {
		t.Errorf("rows in a fresh copy = %d (%v), want 0", count, err)
	}
}

func TestNewDatabaseWithoutTemplateIsEmpty(t *testing.T) {
	t.Parallel()
	conn := connect(t, Postgres(t).NewDatabase(t, ""))
	var tables int
	err := conn.QueryRow(t.Context(), "select count(*) from pg_tables where schemaname = 'public'").Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("tables = %d (%v), want none", tables, err)
	}
}

func TestNewDatabaseIsDroppedWithTheTestThoughSomebodyIsConnected(t *testing.T) {
	t.Parallel()
	cluster := Postgres(t)
	var url string
	t.Run("the test", func(t *testing.T) { url = cluster.NewDatabase(t, "") })
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		closeConn(t.Context(), conn)
		t.Error("the database is still there")
	}
	var conn *pgx.Conn
	t.Run("a test that leaves a connection", func(t *testing.T) {
		var err error
		if conn, err = pgx.Connect(t.Context(), cluster.NewDatabase(t, "")); err != nil {
			t.Fatal(err)
		}
	})
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the database is still there for who was connected")
	}
}

// Test binaries that share a cluster race for its templates.
func TestTemplateIsPreparedOnceInACluster(t *testing.T) {
	t.Parallel()
	template := templateName()
	var prepared atomic.Int32
	var racers sync.WaitGroup
	for range 4 {
		racers.Go(func() {
			cluster := &Cluster{superuser: Postgres(t).superuser}
			err := cluster.template(t.Context(), template, func(ctx context.Context, url string) error {
				prepared.Add(1)
				return createNumbers(ctx, url)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	if n := prepared.Load(); n != 1 {
		t.Errorf("prepared %d times, want once", n)
	}
}

func TestTemplateStartsAnewAfterAFailedPreparation(t *testing.T) {
	t.Parallel()
	cluster := Postgres(t)
	template, broken := templateName(), errors.New("broken migration")
	err := cluster.template(t.Context(), template, func(ctx context.Context, url string) error {
		return errors.Join(createNumbers(ctx, url), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("error = %v, want the preparation's", err)
	}
	cluster.Template(t, template, createNumbers) // fails if the table is still there
}

// A pool that the preparation leaves open must not keep the template from being copied.
func TestTemplateCanBeCopiedThoughItsPreparationStayedConnected(t *testing.T) {
	t.Parallel()
	cluster := Postgres(t)
	template := templateName()
	cluster.Template(t, template, func(_ context.Context, url string) error {
		mustExec(t, connect(t, url), "create table numbers (n int)")
		return nil
	})
	connect(t, cluster.NewDatabase(t, template))
}

func TestClusterNamedByTheEnvironmentMustAnswer(t *testing.T) {
	t.Parallel()
	for _, named := range []string{"postgres://%zz", "postgres://postgres@127.0.0.1:1/postgres?sslmode=disable"} {
		if _, err := openCluster(t.Context(), named); err == nil {
			t.Errorf("%s: no error", named)
		}
	}
	if _, err := openCluster(t.Context(), Postgres(t).superuser.String()); err != nil {
		t.Error(err)
	}
}

func BenchmarkNewDatabase(b *testing.B) {
	cluster := Postgres(b)
	template := templateName()
	cluster.Template(b, template, createNumbers)
	for b.Loop() {
		cluster.NewDatabase(b, template)
	}
}

// templateName is new each time, for a cluster that outlives the test.
func templateName() string { return "servertest_" + rand.Text() }

func createNumbers(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "create table numbers (n int)")
	return errors.Join(err, conn.Close(ctx))
}
