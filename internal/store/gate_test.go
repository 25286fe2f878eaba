package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
	"sidecard/migrations"
)

// Whatever table is added, it must be under forced row-level security with both clauses if it has a tenant,
// belong to nobody who works with it, and let the program do no more than it needs.
func TestEveryTenantTableIsUnderForcedRowSecurity(t *testing.T) {
	t.Parallel()
	db := storetest.PostgresDatabase(t)
	rows, err := db.Owner.QueryContext(t.Context(), `
		select c.relname, c.relrowsecurity and c.relforcerowsecurity, pg_get_userbyid(c.relowner),
			coalesce((select string_agg(pg_get_expr(p.polqual, p.polrelid) || ' ' || pg_get_expr(p.polwithcheck, p.polrelid), ', ')
				from pg_policy p where p.polrelid = c.oid and p.polcmd = '*' and p.polroles = array['sidecard_app'::regrole::oid]), '')
		from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
			and (c.relname = 'tenants' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'))`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var table, owner, policy string
		var forced bool
		if err := rows.Scan(&table, &forced, &owner, &policy); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
		column := "tenant_id"
		if table == "tenants" {
			column = "id"
		}
		clause := "(" + column + " = current_tenant())"
		if !forced || policy != clause+" "+clause {
			t.Errorf("%s: forced %t, policy %q; want both clauses %s", table, forced, policy, clause)
		}
		if strings.HasPrefix(owner, "sidecard") {
			t.Errorf("%s belongs to %s", table, owner)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"tenants", "members", "desks", "rejections", "connections", "imports", "imported_rows", "cards", "chats", "work", "outcomes", "attempts"} {
		if !slices.Contains(tables, table) {
			t.Errorf("%s was not looked at", table)
		}
	}
}

func TestRolesOwnNothingButTheVerbs(t *testing.T) {
	t.Parallel()
	db := storetest.PostgresDatabase(t)
	var strong, app int
	row := db.Owner.QueryRowContext(t.Context(), `select
		(select count(*) from pg_roles where rolname in ('sidecard_app', 'sidecard_queue') and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole)),
		(select count(*) from pg_class where relowner in ('sidecard_app'::regrole, 'sidecard_queue'::regrole)) +
		(select count(*) from pg_proc where proowner = 'sidecard_app'::regrole)`)
	if err := row.Scan(&strong, &app); err != nil || strong != 0 || app != 0 {
		t.Errorf("%d roles with rights of their own, %d things owned (%v), want none", strong, app, err)
	}
	rows, err := db.Owner.QueryContext(t.Context(), `select proname from pg_proc
		where proowner = 'sidecard_queue'::regrole and prosecdef and proconfig @> array['search_path=""'] and not has_function_privilege('public', oid, 'execute')
		order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	verbs, err := pgxStrings(rows)
	want := []string{
		"accept_chats", "begin_purge", "claim_chats", "desk_by_token", "due_tenants", "end_erased", "extend_leases", "finish_chats",
		"forget_chats", "hasten_work",
		"purge_rows", "retry_chats", "stale_imports", "sweep_work", "tenant_keys_not_of", "tenant_of_invitation", "tenants_after",
		"tenants_to_forget",
	}
	if err != nil || !slices.Equal(verbs, want) {
		t.Errorf("functions of sidecard_queue = %v (%v), want %v", verbs, err, want)
	}
}

func pgxStrings(rows *sql.Rows) (all []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// asProgram connects as the program does, past the store.
func asProgram(t *testing.T, db storetest.Database) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["role"] = migrations.AppRole
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

func TestRawQueryWithoutTenantSeesNothing(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	q := queueTest{t, db}
	a := signUp(t, db.Store)
	fill(t, a)
	q.accept(a.chat("v"))
	raw := asProgram(t, db)
	for _, table := range []string{"tenants", "members", "desks", "rejections", "connections", "imports", "imported_rows", "cards", "chats", "work"} {
		if n := q.count("select count(*) from " + table); n == 0 {
			t.Errorf("%s is empty: the test shows nothing", table)
		}
		var n int
		if err := raw.QueryRowContext(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s shows %d rows without a tenant (%v)", table, n, err)
		}
	}
}

// What the program's role must not do even for the right tenant, and for another's.
func TestProgramMayNotWritePastTheGate(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	a, b := signUp(t, db.Store), signUp(t, db.Store)
	fill(t, a)
	fill(t, b)
	chat := a.chat("v")
	queueTest{t, db}.accept(chat)
	raw := asProgram(t, db)
	id, other := a.tenant.ID.String(), b.tenant.ID.String()
	for _, statement := range []string{
		"insert into rejections (id, tenant_id, at, code, reason, bytes, headers) values (gen_random_uuid(), '" + other + "', now(), '', '', 0, '{}')",
		"update connections set tenant_id = '" + other + "'",
		"insert into work (tenant_id, visitor_id, chat_id, started_at) values ('" + id + "', 'w', gen_random_uuid(), now())",
		"update work set state = 0",
		"delete from work",
		"insert into chats (tenant_id, id, ext_id, visitor_id, body, ago_ms) values ('" + id + "', gen_random_uuid(), 'e', 'v', '', 0)",
		"delete from chats",
		"insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries) values ('" + id + "', gen_random_uuid(), 1, 0, 0, 0)",
		"update outcomes set outcome = 1",
		"update cards set lines = '[]'",
		"alter table work disable row level security",
		"create table mine (a int)",
		"set role sidecard_queue",
	} {
		tx, err := raw.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "select set_config('app.tenant_id', $1, true)", id); err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), statement)
		if e := (*pgconn.PgError)(nil); !errors.As(err, &e) || e.Code != "42501" { // insufficient_privilege
			t.Errorf("%s: %v, want it refused", statement, err)
		}
		_ = tx.Rollback()
	}
}

// A child row cannot hang on to another tenant's parent, even where row-level security is out of the way.
func TestChildOfAnotherTenantsParentIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		c := fill(t, b)
		fill(t, a)
		owner, err := db.Owner.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer owner.Close()
		if db.URL == "" {
			if _, err := owner.ExecContext(t.Context(), "pragma foreign_keys = on"); err != nil {
				t.Fatal(err)
			}
		}
		_, err = owner.ExecContext(t.Context(), `update connections set import_id = (select import_id from connections where id = $1)
			where tenant_id = $2`, c.ID, a.tenant.ID)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "foreign key") {
			t.Errorf("another tenant's import: %v, want it refused by the foreign key", err)
		}
	})
}

// fill gives an account one of everything, and returns the connection.
func fill(t testing.TB, a account) hub.Connection {
	t.Helper()
	ctx := t.Context()
	c := newConnection("canary of " + a.tenant.Name)
	if err := a.CreateConnection(ctx, c); err != nil {
		t.Fatal(err)
	}
	loaded, err := a.ReplaceRows(ctx, c.ID, func(w hub.RowWriter) error {
		return w.WriteRow(hub.Row{Line: 2, Index: []byte("same index"), Data: []byte("canary of " + a.tenant.Name)})
	}, func(*hub.Connection) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.PublishCard(ctx, hub.Card{Lines: []hub.Line{{Label: "canary of " + a.tenant.Name, Connection: c.ID}}, PublishedBy: a.user.ID, PublishedAt: a.tenant.CreatedAt}, 0); err != nil {
		t.Fatal(err)
	}
	if err := a.AddRejection(ctx, hub.Rejection{ID: hub.NewID(), Code: hub.CodeUnsigned, Reason: "canary of " + a.tenant.Name, At: a.tenant.CreatedAt}, 10); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// Many tenants read and write at once over few connections: nobody sees another's rows, and no connection goes back to
// the pool with a tenant.
func TestInterleavedRequestsSeeOnlyTheirTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s, tenants, requests := db.Store, 20, 2000
		if db.URL != "" {
			s, tenants, requests = storetest.OpenPostgres(t, db.URL, 4), 50, 10_000
		}
		accounts := make([]account, tenants)
		connections := make([]hub.ID, tenants)
		for i := range accounts {
			accounts[i] = signUp(t, s)
			connections[i] = fill(t, accounts[i]).ID
		}
		const askers = 8
		var foreign, kept atomic.Int64
		var asking sync.WaitGroup
		for r := range askers {
			asking.Go(func() {
				for i := range requests / askers {
					n := (i*7 + r) % tenants
					if err := askOwn(t.Context(), accounts[n], connections[n], connections[(n+1)%tenants], i); err != nil {
						foreign.Add(1)
						t.Errorf("%s: %v", accounts[n].tenant.Name, err)
					}
					if db.URL == "" {
						continue
					}
					if tenant, user, err := store.SessionSettings(t.Context(), s); err != nil || tenant != "" || user != "" {
						kept.Add(1)
						t.Errorf("a connection of the pool carries tenant %q and user %q (%v)", tenant, user, err)
					}
				}
			})
		}
		asking.Wait()
		t.Logf("%d requests of %d tenants: %d saw what they must not, %d connections kept a tenant", requests, tenants, foreign.Load(), kept.Load())
	})
}

// askOwn makes one request of an account: mostly a read of its own, else a write, or a try at another's connection.
func askOwn(ctx context.Context, a account, own, others hub.ID, what int) error {
	switch what % 8 {
	case 5:
		_, err := a.UpdateConnection(ctx, own, func(c *hub.Connection) error {
			if c.Name != "canary of "+a.tenant.Name {
				return fmt.Errorf("changes %q", c.Name)
			}
			c.UpdatedAt = c.UpdatedAt.Add(1)
			return nil
		})
		return err
	case 6:
		return a.AddRejection(ctx, hub.Rejection{ID: hub.NewID(), Code: hub.CodeUnsigned, Reason: "canary of " + a.tenant.Name, At: a.tenant.CreatedAt}, 10)
	case 7:
		if c, err := a.Connection(ctx, others); !errors.Is(err, hub.ErrNotFound) {
			return fmt.Errorf("sees %q (%w)", c.Name, err)
		}
		return nil
	}
	return readOwn(ctx, a, own, what%8)
}

var canaries = regexp.MustCompile(`Company \d+\.`)

// readOwn reads one thing of an account, and fails when it is missing or names another account.
func readOwn(ctx context.Context, a account, connection hub.ID, what int) error {
	var seen any
	var err error
	switch what % 5 {
	case 0:
		seen, err = a.Connections(ctx)
	case 1:
		seen, err = a.Card(ctx)
	case 2:
		var rows []hub.Row
		rows, err = a.FindRows(ctx, connection, []byte("same index"), 10)
		for _, r := range rows {
			seen = string(r.Data)
		}
	case 3:
		seen, err = a.Rejections(ctx)
	case 4:
		seen, err = a.Tenant(ctx)
	}
	if err != nil {
		return err
	}
	names := canaries.FindAllString(fmt.Sprintf("%+v", seen), -1)
	if len(names) == 0 {
		return fmt.Errorf("own row is missing in %T", seen)
	}
	if i := slices.IndexFunc(names, func(n string) bool { return n != a.tenant.Name }); i >= 0 {
		return fmt.Errorf("sees %s", names[i])
	}
	return nil
}

func TestConnectionGoesBackToThePoolWithoutATenant(t *testing.T) {
	t.Parallel()
	db := storetest.PostgresDatabase(t)
	s := storetest.OpenPostgres(t, db.URL, 1)
	fill(t, signUp(t, s))
	tenant, user, err := store.SessionSettings(t.Context(), s)
	if err != nil || tenant != "" || user != "" {
		t.Errorf("the connection carries tenant %q and user %q (%v), want neither", tenant, user, err)
	}
}

// Every method of the gate, called with another tenant's ids.
func TestOtherTenantsIDsAreNotFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q := queueTest{t, db}
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		c := fill(t, a)
		chat := a.chat("v")
		q.accept(chat)
		before := q.snapshot(a)
		ctx := t.Context()
		notFound := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s = %v, want ErrNotFound", what, err)
			}
		}
		_, err := b.Connection(ctx, c.ID)
		notFound("Connection", err)
		_, err = b.UpdateConnection(ctx, c.ID, func(c *hub.Connection) error { c.Name = "taken"; return nil })
		notFound("UpdateConnection", err)
		notFound("DeleteConnection", b.DeleteConnection(ctx, c.ID))
		_, err = b.ReplaceRows(ctx, c.ID, func(hub.RowWriter) error { t.Error("load was called"); return nil }, func(*hub.Connection) {})
		notFound("ReplaceRows", err)
		_, err = b.Chat(ctx, chat.ChatID)
		notFound("Chat", err)
		if rows, err := b.FindRows(ctx, c.ID, []byte("same index"), 10); err != nil || len(rows) != 0 {
			t.Errorf("FindRows = %d rows (%v), want none", len(rows), err)
		}
		waiting := hub.Waiting
		for _, query := range []hub.ChatQuery{{Limit: 10}, {Limit: 10, Outcome: &waiting}} {
			if chats, err := b.Chats(ctx, query); err != nil || len(chats) != 0 {
				t.Errorf("Chats = %d (%v), want none", len(chats), err)
			}
		}
		if list, err := b.Connections(ctx); err != nil || len(list) != 0 {
			t.Errorf("Connections = %d (%v), want none", len(list), err)
		}
		if cards, err := b.Cards(ctx); err != nil || len(cards) != 0 {
			t.Errorf("Cards = %d (%v), want none", len(cards), err)
		}
		if list, err := b.Rejections(ctx); err != nil || len(list) != 0 {
			t.Errorf("Rejections = %d (%v), want none", len(list), err)
		}
		unknown := db.Store.Tenant(hub.NewID())
		_, err = unknown.Tenant(ctx)
		notFound("Tenant of nobody", err)
		_, err = unknown.Setup(ctx)
		notFound("Setup of nobody", err)
		_, err = unknown.Desk(ctx)
		notFound("Desk of nobody", err)
		if after := q.snapshot(a); after != before {
			t.Errorf("the other tenant's data changed from\n%s\nto\n%s", before, after)
		}
	})
}

// snapshot is all of a tenant's data as text.
func (q queueTest) snapshot(a account) string {
	q.Helper()
	setup, err := a.Setup(q.Context())
	if err != nil {
		q.Fatal(err)
	}
	rows, err := a.FindRows(q.Context(), setup.Connections[0].ID, []byte("same index"), 10)
	if err != nil {
		q.Fatal(err)
	}
	return fmt.Sprintf("%+v %+v", setup, rows)
}
