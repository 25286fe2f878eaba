package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"sidecard/internal/servertest"
	"sidecard/migrations"
)

func TestMigratingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	ownerURL := servertest.Postgres(t).NewDatabase(t, "")
	for range 2 {
		if err := migrations.Postgres(t.Context(), ownerURL); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Current(t.Context(), open(t, ownerURL)); err != nil {
		t.Errorf("Current after migrating: %v", err)
	}
}

func TestSeveralMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	ownerURL := servertest.Postgres(t).NewDatabase(t, "")
	var racers sync.WaitGroup
	for range 3 {
		racers.Go(func() {
			if err := migrations.Postgres(t.Context(), ownerURL); err != nil {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	var applied, distinct int
	row := open(t, ownerURL).QueryRowContext(t.Context(), "select count(*), count(distinct version_id) from goose_db_version")
	if err := row.Scan(&applied, &distinct); err != nil || applied != distinct {
		t.Errorf("migrations applied = %d, of which distinct %d (%v)", applied, distinct, err)
	}
}

func TestCurrentTellsToMigrate(t *testing.T) {
	t.Parallel()
	ownerURL := servertest.Postgres(t).NewDatabase(t, "")
	db := open(t, ownerURL)
	wantAdvice := func(state string) {
		t.Helper()
		if err := migrations.Current(t.Context(), db); err == nil || !strings.Contains(err.Error(), "run `sidecard migrate`") {
			t.Errorf("Current of %s = %v, want the advice to migrate", state, err)
		}
	}
	wantAdvice("an empty database")
	if err := migrations.Postgres(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "update goose_db_version set version_id = version_id + 1000 where version_id = (select max(version_id) from goose_db_version)")
	if err := migrations.Current(t.Context(), db); err != nil {
		t.Errorf("Current of a newer schema = %v, want none: old programs go on while new ones roll out", err)
	}
	exec(t, db, "delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)")
	wantAdvice("an old schema")
}

// A database is often owned by a user who may create roles but is no superuser.
func TestMigrationNeedsNoSuperuser(t *testing.T) {
	t.Parallel()
	cluster := servertest.Postgres(t)
	superuserURL := cluster.NewDatabase(t, "")
	superuser := open(t, superuserURL)
	name := databaseOf(t, superuserURL)
	exec(t, superuser, "create role "+name+" login createrole password 'x'")
	exec(t, superuser, "alter database "+name+" owner to "+name)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, s := range []string{"reassign owned by " + name + " to postgres", "drop owned by " + name, "drop role " + name} {
			if _, err := superuser.ExecContext(ctx, s); err != nil {
				t.Error(err)
			}
		}
	})
	ownerURL := cluster.URL(name, "x", name)
	if err := migrations.Postgres(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	login := name + "_app"
	if err := migrations.GrantLogin(t.Context(), ownerURL, login, "pässword"); err != nil {
		t.Fatal(err)
	}
	defer exec(t, superuser, "drop role "+login)
	app := open(t, cluster.URL(login, "pässword", name))
	defer app.Close()
	if err := migrations.CheckLogin(t.Context(), app); err != nil {
		t.Errorf("CheckLogin of the prepared user: %v", err)
	}
	if err := migrations.CheckLogin(t.Context(), open(t, ownerURL)); err == nil || !strings.Contains(err.Error(), "owns the tables") {
		t.Errorf("CheckLogin of the owner = %v, want that it owns the tables", err)
	}
	if err := migrations.CheckLogin(t.Context(), superuser); err == nil || !strings.Contains(err.Error(), "is a superuser") {
		t.Errorf("CheckLogin of a superuser = %v, want that it is one", err)
	}
}

func TestCheckLoginRefusesWhoBypassesRowSecurity(t *testing.T) {
	t.Parallel()
	cluster := servertest.Postgres(t)
	superuserURL := cluster.NewDatabase(t, "")
	superuser := open(t, superuserURL)
	name := databaseOf(t, superuserURL)
	exec(t, superuser, "create role "+name+" login bypassrls password 'x'")
	bypassing := open(t, cluster.URL(name, "x", name))
	if err := migrations.CheckLogin(t.Context(), bypassing); err == nil || !strings.Contains(err.Error(), "bypass") {
		t.Errorf("CheckLogin = %v, want that the user may bypass row-level security", err)
	}
	_ = bypassing.Close()
	exec(t, superuser, "drop role "+name)
}

func TestGrantLoginRefusesTheOwner(t *testing.T) {
	t.Parallel()
	ownerURL := servertest.Postgres(t).NewDatabase(t, "")
	err := migrations.GrantLogin(t.Context(), ownerURL, "postgres", "")
	if err == nil || !strings.Contains(err.Error(), "name a user of its own") {
		t.Errorf("GrantLogin of the owner = %v, want a refusal", err)
	}
}

func TestOwnerWhoMayNotCreateRolesIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	cluster := servertest.Postgres(t)
	superuserURL := cluster.NewDatabase(t, "")
	superuser := open(t, superuserURL)
	name := databaseOf(t, superuserURL)
	exec(t, superuser, "create role "+name+" login password 'x'")
	exec(t, superuser, "alter database "+name+" owner to "+name)
	err := migrations.Postgres(t.Context(), cluster.URL(name, "x", name))
	if err == nil || !strings.Contains(err.Error(), "have an administrator run") {
		t.Errorf("migrating = %v, want what an administrator shall run", err)
	}
	exec(t, superuser, "alter database "+name+" owner to postgres")
	exec(t, superuser, "drop role "+name)
}

// A URL that cannot be read may hold a password.
func TestURLsAndPasswordsStayOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"postgres://u:hush-hush@h:not-a-port/d", "host=h port=hush-hush"} {
		err := migrations.Postgres(t.Context(), broken)
		if err == nil || strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("error = %v, want one without the URL", err)
		}
	}
}

// The two schemas must not drift: same tables, same columns, same nullability, same keys, kindred types.
func TestSQLiteMirrorsPostgres(t *testing.T) {
	t.Parallel()
	ownerURL := servertest.Postgres(t).NewDatabase(t, "")
	if err := migrations.Postgres(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	lite, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "mirror.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lite.Close() })
	for range 2 {
		if err := migrations.SQLite(t.Context(), lite); err != nil {
			t.Fatal(err)
		}
	}
	truth, mirror := schemaOf(t, open(t, ownerURL), postgresColumns), schemaOf(t, lite, sqliteColumns)
	for _, column := range slices.Sorted(maps.Keys(truth)) {
		if mirror[column] != truth[column] {
			t.Errorf("%s is %q in postgres, %q in sqlite", column, truth[column], mirror[column])
		}
		delete(mirror, column)
	}
	for column, what := range mirror {
		t.Errorf("%s (%s) is in sqlite alone", column, what)
	}
	if len(truth) < 80 {
		t.Errorf("compared %d columns, which cannot be all", len(truth))
	}
}

const postgresColumns = `
	select c.table_name || '.' || c.column_name, c.data_type, c.is_nullable = 'YES',
		coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
	from information_schema.columns c
	join pg_attribute a on a.attrelid = c.table_name::regclass and a.attname = c.column_name
	left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
	where c.table_schema = 'public' and c.table_name <> 'goose_db_version'`

const sqliteColumns = `
	select m.name || '.' || c.name, c.type, not c."notnull", c.pk
	from sqlite_master m, pragma_table_info(m.name) c
	where m.type = 'table' and m.name not in ('goose_db_version', 'sqlite_sequence')`

// mirrors maps PostgreSQL's types to SQLite's.
var mirrors = map[string]string{
	"uuid": "text", "text": "text", "json": "text", "ARRAY": "text", "bytea": "blob",
	"bigint": "integer", "integer": "integer", "smallint": "integer",
	"double precision": "real", "timestamp with time zone": "timestamp",
}

func schemaOf(t *testing.T, db *sql.DB, query string) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string]string{}
	for rows.Next() {
		var name, kind string
		var nullable bool
		var key int
		if err := rows.Scan(&name, &kind, &nullable, &key); err != nil {
			t.Fatal(err)
		}
		if mirrored, ok := mirrors[kind]; ok {
			kind = mirrored
		}
		columns[name] = fmt.Sprintf("%s, nullable %t, place in key %d", strings.ToLower(kind), nullable, key)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func databaseOf(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}
