package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// tables lists all tables, and those of them that have a tenant.
func (q queueTest) tables() (all, owned []string) {
	q.Helper()
	query := `select t.table_name, exists (select from information_schema.columns c
			where c.table_schema = 'public' and c.table_name = t.table_name and c.column_name = 'tenant_id')
		from information_schema.tables t where t.table_schema = 'public' and t.table_type = 'BASE TABLE'`
	if q.URL == "" {
		query = `select t.name, exists (select 1 from pragma_table_info(t.name) c where c.name = 'tenant_id')
			from sqlite_master t where t.type = 'table' and t.name not like 'sqlite_%'`
	}
	rows, err := q.Owner.QueryContext(q.Context(), query)
	if err != nil {
		q.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var has bool
		if err := rows.Scan(&name, &has); err != nil {
			q.Fatal(err)
		}
		all = append(all, name)
		if has {
			owned = append(owned, name)
		}
	}
	if err := rows.Err(); err != nil {
		q.Fatal(err)
	}
	return all, owned
}

// dump writes every row of every table as text.
func (q queueTest) dump() string {
	q.Helper()
	all, _ := q.tables()
	var text strings.Builder
	for _, table := range all {
		rows, err := q.Owner.QueryContext(q.Context(), "select * from "+table)
		if err != nil {
			q.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			q.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(sql.RawBytes)
			}
			if err := rows.Scan(values...); err != nil {
				q.Fatal(err)
			}
			fmt.Fprint(&text, table)
			for i, v := range values {
				fmt.Fprintf(&text, " %s=%s", columns[i], *v.(*sql.RawBytes))
			}
			text.WriteByte('\n')
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			q.Fatal(err)
		}
	}
	return text.String()
}

// furnish gives an account at least one row in every table of a tenant, with its name in what is text. It returns a
// second member, who belongs to no other tenant.
func (q queueTest) furnish(a account) hub.User {
	q.Helper()
	ctx := q.Context()
	c := fill(q.T, a)
	canary := "canary of " + a.tenant.Name
	check := func(err error) {
		q.Helper()
		if err != nil {
			q.Fatal(err)
		}
	}
	member := join(q.T, a, newUser(strings.ReplaceAll(a.user.Email, "owner", "member")), true, hub.RoleMember)
	if _, err := a.PublishCard(ctx, hub.Card{PublishedBy: member.ID, ByName: canary, PublishedAt: time.Now()}, -1); err != nil {
		q.Fatal(err)
	}
	check(a.BeginLogin(ctx, hub.LoginAttempt{Connection: c.ID, State: sha256.Sum256([]byte(canary)), User: member.ID, Verifier: []byte(canary), Until: time.Now().Add(time.Hour)}))
	invite(q.T, a, "invited."+a.user.Email, hub.RoleViewer)
	check(a.AddAPIToken(ctx, hub.APIToken{ID: hub.NewID(), Name: canary, Scopes: []hub.Scope{"chats:read"}, Role: hub.RoleAdmin, CreatedBy: canary, ExpiresAt: time.Now().Add(time.Hour)}))
	e := auditEntry(a, "canary")
	e.Subject = canary
	check(a.AddAudit(ctx, e))
	q.exec("insert into tenant_keys (tenant_id, version, wrapped, master_key_id, created_at) values ($1, 7, $2, 'm', $3)", a.tenant.ID, []byte(canary), time.Now().UTC())
	for i, visitor := range []string{canary, "done"} {
		arrival := a.chat(visitor)
		arrival.Body = []byte(canary)
		q.accept(arrival)
		if i == 0 {
			continue
		}
		for _, k := range q.claim(func(r *hub.ClaimRequest) { r.Lease = time.Hour }) {
			if k.ChatID == arrival.ChatID {
				q.finish(shown(k.Hold), hub.Kept)
			}
		}
	}
	now := time.Now().UTC()
	check(q.Store.CreateSession(ctx, hub.Session{
		ID: hub.NewID(), UserID: member.ID, TenantID: a.tenant.ID, CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(time.Hour),
	}, sha256.Sum256([]byte(canary))))
	return member
}

func (q queueTest) countOf(table string, a account) int {
	q.Helper()
	return q.count("select count(*) from "+table+" where tenant_id = $1", a.tenant.ID)
}

// schedule sets when a tenant ends, as from the clock of the database.
func (q queueTest) schedule(a account, in time.Duration) {
	q.Helper()
	_, err := a.UpdateTenant(q.Context(), func(t *hub.Tenant) error { t.DeleteAt = time.Now().Add(in); return nil })
	if err != nil {
		q.Fatal(err)
	}
}

// Whatever table is added: if it has a tenant, deleting the tenant must empty it of the tenant's rows, and only of
// those.
func TestNothingOfADeletedTenantIsLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q := queueTest{t, db}
		ctx := t.Context()
		store.StopChores(db.Store)
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		onlyHere := q.furnish(a)
		q.furnish(b)
		join(t, b, a.user, false, hub.RoleViewer)
		_, owned := q.tables()
		if len(owned) < 16 {
			t.Fatalf("only %v have a tenant", owned)
		}
		for _, table := range owned {
			if q.countOf(table, a) == 0 || q.countOf(table, b) == 0 {
				t.Errorf("%s holds nothing of the tenants: this test says nothing about it. Let furnish put a row there, and purge.go and a migration remove it", table)
			}
		}
		before := map[string]int{}
		for _, table := range owned {
			before[table] = q.countOf(table, b)
		}
		q.schedule(a, time.Hour)
		for range 3 {
			store.Purge(ctx, db.Store)
		}
		if q.countOf("chats", a) == 0 {
			t.Fatal("a tenant was deleted before its time")
		}

		q.schedule(a, -time.Second)
		store.Purge(ctx, db.Store)
		if q.countOf("tenant_keys", a) != 0 || q.countOf("members", a) != 0 || q.countOf("chats", a) == 0 {
			t.Error("at first the tenant is to be shut, with its rows still there")
		}
		// What was on its way when the tenant was shut arrives after it.
		q.exec("insert into chats (tenant_id, id, ext_id, visitor_id, body, ago_ms, received_at) values ($1, $2, 'late', 'v', $3, 0, $4)",
			a.tenant.ID, hub.NewID(), []byte("canary of "+a.tenant.Name), time.Now().UTC())
		store.Purge(ctx, db.Store)

		for _, table := range owned {
			if n := q.countOf(table, a); n != 0 {
				t.Errorf("%s holds %d rows of the deleted tenant", table, n)
			}
			if n := q.countOf(table, b); n != before[table] {
				t.Errorf("%s holds %d rows of the other tenant, and held %d", table, n, before[table])
			}
		}
		dump := q.dump()
		if !strings.Contains(dump, "canary of "+b.tenant.Name) || !strings.Contains(dump, a.user.Email) {
			t.Fatal("the dump does not show what is there")
		}
		for _, gone := range []string{"canary of " + a.tenant.Name, a.tenant.Name, a.tenant.ID.String(), onlyHere.Email, onlyHere.ID.String(), "invited." + a.user.Email} {
			if i := strings.Index(dump, gone); i >= 0 {
				t.Errorf("%q is still there: %s", gone, dump[max(0, i-200):min(len(dump), i+100)])
			}
		}
		if _, err := db.Store.User(ctx, a.user.ID); err != nil {
			t.Errorf("a user with another tenant is gone: %v", err)
		}
		wantVerdict(t, b, hub.AuditVerdict{Entries: 1})
		if _, err := db.Store.DeskByToken(ctx, a.desk.TokenHash); !errors.Is(err, hub.ErrGone) {
			t.Errorf("the callback URL: %v, want ErrGone", err)
		}
		q.exec("update gone_desks set until = $1", time.Now().UTC().Add(-time.Second))
		if _, err := db.Store.DeskByToken(ctx, a.desk.TokenHash); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("the callback URL after a month: %v, want ErrNotFound", err)
		}
		store.Purge(ctx, db.Store)
		if n := q.count("select count(*) from gone_desks"); n != 0 {
			t.Errorf("%d callback URLs are remembered for longer", n)
		}
	})
}

// A deletion that was called off loses nothing, and once it has begun it cannot be.
func TestDeletionIsCalledOffInTimeOrNotAtAll(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q := queueTest{t, db}
		store.StopChores(db.Store)
		a := signUp(t, db.Store)
		q.furnish(a)
		before := q.dump()
		q.schedule(a, time.Hour)
		if _, err := a.UpdateTenant(t.Context(), func(t *hub.Tenant) error { t.DeleteAt = time.Time{}; return nil }); err != nil {
			t.Fatal(err)
		}
		store.Purge(t.Context(), db.Store)
		if after := q.dump(); sorted(after) != sorted(before) {
			t.Errorf("a deletion that was called off changed\n%s\nto\n%s", before, after)
		}
		q.schedule(a, -time.Second)
		store.Purge(t.Context(), db.Store)
		_, err := a.UpdateTenant(t.Context(), func(t *hub.Tenant) error { t.DeleteAt = time.Time{}; return nil })
		if !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("calling it off when it has begun: %v, want ErrNotFound", err)
		}
	})
}

func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// The rows of a large tenant go in portions, and several processes may be at it.
func TestLargeTenantIsDeletedByAllWhoPurge(t *testing.T) {
	t.Parallel()
	onEachWithTwo(t, func(q queueTest, stores []*store.Store) {
		a := signUp(q.T, q.Store)
		q.fillRows(a, 12_000)
		q.schedule(a, -time.Second)
		for range 2 {
			done := make(chan struct{})
			for _, s := range stores {
				go func() { store.Purge(q.Context(), s); done <- struct{}{} }()
			}
			for range stores {
				<-done
			}
		}
		// One of two that came at once may have left the rest to the other.
		store.Purge(q.Context(), q.Store)
		if n := q.count("select count(*) from tenants where id = $1", a.tenant.ID); n != 0 {
			q.Error("the tenant is still there")
		}
		if n := q.countOf("outcomes", a); n != 0 {
			q.Errorf("%d outcomes are still there", n)
		}
	})
}

func onEachWithTwo(t *testing.T, test func(q queueTest, stores []*store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		stores := []*store.Store{db.Store}
		if db.URL != "" {
			stores = append(stores, storetest.OpenPostgres(t, db.URL, 0))
		}
		test(queueTest{t, db}, stores)
	})
}

// fillRows puts many outcomes into a tenant, past the queue.
func (q queueTest) fillRows(a account, rows int) {
	q.Helper()
	tx, err := q.Owner.BeginTx(context.WithoutCancel(q.Context()), nil)
	if err != nil {
		q.Fatal(err)
	}
	for range rows {
		if _, err := tx.ExecContext(q.Context(), "insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, at) values ($1, $2, 1, 0, 0, 0, $3)",
			a.tenant.ID, hub.NewID(), time.Now().UTC()); err != nil {
			q.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		q.Fatal(err)
	}
}

// The function that removes a tenant does so for whoever calls it, so it looks itself whether the time is up.
func TestProgramCannotPurgeATenantThatIsNotDue(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	q := queueTest{t, db}
	a := signUp(t, db.Store)
	q.furnish(a)
	before := q.dump()
	raw := asProgram(t, db)
	for _, call := range []string{"select begin_purge($1, now())", "select purge_rows($1, 1000)"} {
		var did bool
		if err := raw.QueryRowContext(t.Context(), call, a.tenant.ID).Scan(&did); err != nil || did {
			t.Errorf("%s = %t (%v), want false", call, did, err)
		}
	}
	if q.dump() != before {
		t.Error("rows are gone")
	}
}
