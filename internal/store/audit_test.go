package store_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

var auditTime = time.Date(2026, 11, 23, 9, 30, 0, 123456000, time.UTC)

func auditEntry(a account, action string) *hub.AuditEntry {
	return &hub.AuditEntry{
		At: auditTime, ActorKind: "user", ActorID: a.user.ID, Actor: a.user.Name, Action: action, Address: "192.0.2.7",
		SubjectID: "subject of " + action, Subject: "Subject", Before: map[string]any{"name": "old"}, After: map[string]any{"name": "new"},
	}
}

// audited adds entries and fails the test when one is refused.
func audited(t *testing.T, a account, actions ...string) {
	t.Helper()
	for _, action := range actions {
		if err := a.AddAudit(t.Context(), auditEntry(a, action)); err != nil {
			t.Fatal(err)
		}
	}
}

func auditLog(t *testing.T, a account) []hub.AuditEntry {
	t.Helper()
	all, err := a.AuditAfter(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantVerdict(t *testing.T, a account, want hub.AuditVerdict) {
	t.Helper()
	if v, err := a.VerifyAudit(t.Context()); err != nil || v != want {
		t.Errorf("VerifyAudit = %+v (%v), want %+v", v, err, want)
	}
}

func TestAuditEntryIsWrittenWithItsChangeAndOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		refused := errors.New("refused")
		e := auditEntry(a, "desk.updated")
		ctx := hub.WithAudit(t.Context(), e)
		if _, err := a.UpdateDesk(ctx, func(*hub.Desk) error { return refused }); !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if n := len(auditLog(t, a)); n != 0 {
			t.Fatalf("a change that failed left %d entries", n)
		}
		for range 2 {
			if _, err := a.UpdateDesk(ctx, func(d *hub.Desk) error { d.Email += "x"; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		got := auditLog(t, a)
		want := *auditEntry(a, "desk.updated")
		want.Number = 1
		if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("two changes of one request left %+v, want %+v", got, want)
		}
		if n := len(auditLog(t, b)); n != 0 {
			t.Errorf("another tenant sees %d entries", n)
		}
		wantVerdict(t, a, hub.AuditVerdict{Entries: 1})
		wantVerdict(t, b, hub.AuditVerdict{})
	})
}

// What loads a file prepares a lot in transactions of its own; the entry belongs to the last of them.
func TestAuditEntryOfAnImportIsWrittenWhenItsRowsCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		c := newConnection("list")
		if err := a.CreateConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		ctx := hub.WithAudit(t.Context(), auditEntry(a, "connection.file_imported"))
		broken := errors.New("broken file")
		load := func(fails error) error {
			_, err := a.ReplaceRows(ctx, c.ID, func(w hub.RowWriter) error {
				if err := w.WriteRow(hub.Row{Line: 2, Index: []byte("i"), Data: []byte("d")}); err != nil {
					return err
				}
				return fails
			}, func(*hub.Connection) {})
			return err
		}
		if err := load(broken); !errors.Is(err, broken) || len(auditLog(t, a)) != 0 {
			t.Errorf("a load that failed (%v) left %d entries", err, len(auditLog(t, a)))
		}
		if err := load(nil); err != nil || len(auditLog(t, a)) != 1 {
			t.Errorf("a load (%v) left %d entries, want 1", err, len(auditLog(t, a)))
		}
	})
}

func TestEntriesAddedAtOnceFormOneChain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				for i := range 10 {
					_, err := again(func() (any, error) {
						return nil, a.AddAudit(t.Context(), auditEntry(a, fmt.Sprint("w", w, ".", i)))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		wantVerdict(t, a, hub.AuditVerdict{Entries: 80})
	})
}

// The hash of stored entries depends on its encoding: it must stay what it is.
func TestAuditHashStaysWhatItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		if _, err := db.Owner.ExecContext(t.Context(), "insert into tenants (id, name, index_key, created_at) values ($1, 'T', $2, $3)",
			"01900000-0000-7000-8000-000000000001", []byte("k"), auditTime); err != nil {
			t.Fatal(err)
		}
		fixed := account{user: hub.User{ID: hub.ID{15: 7}, Name: "Dana"}, TenantStore: db.Store.Tenant(hub.ID{0: 1, 1: 0x90, 6: 0x70, 8: 0x80, 15: 1})}
		audited(t, fixed, "one", "two")
		rows, err := db.Owner.QueryContext(t.Context(), "select hash from audit where tenant_id <> $1 order by number", a.tenant.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var hashes []string
		for rows.Next() {
			var hash []byte
			if err := rows.Scan(&hash); err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, hex.EncodeToString(hash))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		want := []string{ // computed by another program from what is documented
			"3bb911826b1a54cbb548fe01ce5d0fdade6253170ea77fc548698b04c064a70a",
			"8ee5fbbbd0ec95515f28d0dd249aed26a682dee4213a9e6201187bb21c295608",
		}
		if !reflect.DeepEqual(hashes, want) {
			t.Errorf("hashes = %q, want %q", hashes, want)
		}
	})
}

func TestVerifyFindsWhatWasDoneToTheAuditLog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q := queueTest{t, db}
		for what, c := range map[string]struct {
			do       string // to the entry $2 of tenant $1
			number   int
			brokenAt int64
		}{
			"time":             {"update audit set at = '2020-01-01 00:00:00+00:00' where tenant_id = $1 and number = $2", 2, 2},
			"kind":             {"update audit set actor_kind = 'system' where tenant_id = $1 and number = $2", 2, 2},
			"actor id":         {"update audit set actor_id = null where tenant_id = $1 and number = $2", 3, 3},
			"actor":            {"update audit set actor = 'Mallory' where tenant_id = $1 and number = $2", 1, 1},
			"action":           {"update audit set action = 'x' where tenant_id = $1 and number = $2", 5, 5},
			"subject id":       {"update audit set subject_id = subject_id || subject, subject = '' where tenant_id = $1 and number = $2", 2, 2},
			"address":          {"update audit set address = '' where tenant_id = $1 and number = $2", 2, 2},
			"before":           {"update audit set before = null where tenant_id = $1 and number = $2", 2, 2},
			"after":            {"update audit set after = '{\"name\": \"new\"}' where tenant_id = $1 and number = $2", 4, 4},
			"hash":             {"update audit set hash = previous.hash from audit previous where audit.tenant_id = $1 and audit.number = $2 and previous.tenant_id = audit.tenant_id and previous.number = 1", 3, 3},
			"first removed":    {"delete from audit where tenant_id = $1 and number = $2", 1, 1},
			"one removed":      {"delete from audit where tenant_id = $1 and number = $2", 3, 3},
			"newest removed":   {"delete from audit where tenant_id = $1 and number = $2", 5, 5},
			"all removed":      {"delete from audit where tenant_id = $1 and number < $2", 9, 1},
			"head set back":    {"update audit_heads set number = $2 where tenant_id = $1", 4, 4},
			"head removed":     {"delete from audit_heads where tenant_id = $1 and number = $2", 5, 1},
			"one put in after": {"insert into audit select tenant_id, 6, at, actor_kind, actor_id, actor, action, subject_id, subject, address, before, after, hash from audit where tenant_id = $1 and number = $2", 5, 6},
		} {
			a := signUp(t, db.Store)
			audited(t, a, "one", "two", "three", "four", "five")
			wantVerdict(t, a, hub.AuditVerdict{Entries: 5})
			q.exec(c.do, a.tenant.ID, c.number)
			if v, err := a.VerifyAudit(t.Context()); err != nil || v.OK() || v.BrokenAt != c.brokenAt {
				t.Errorf("%s: %+v (%v), want it broken at %d", what, v, err, c.brokenAt)
			}
		}
	})
}

func TestVerifyWalksALongAuditLog(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	a := signUp(t, db.Store)
	const entries = 2300
	for i := range entries {
		audited(t, a, strconv.Itoa(i))
	}
	wantVerdict(t, a, hub.AuditVerdict{Entries: entries})
	queueTest{t, db}.exec("update audit set actor = 'Mallory' where number = 2100")
	wantVerdict(t, a, hub.AuditVerdict{Entries: entries, BrokenAt: 2100})
}

func TestAuditIsReadInPagesAndBySelection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		for i, action := range []string{"a", "b", "a", "b", "a"} {
			e := auditEntry(a, action)
			e.At = auditTime.Add(time.Duration(i) * time.Hour)
			if i == 4 {
				e.ActorKind, e.ActorID = "token", hub.ID{1}
			}
			if err := a.AddAudit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for what, c := range map[string]struct {
			q    hub.AuditQuery
			want []int64
		}{
			"all":    {hub.AuditQuery{}, []int64{5, 4, 3, 2, 1}},
			"first":  {hub.AuditQuery{Limit: 2}, []int64{5, 4}},
			"next":   {hub.AuditQuery{Limit: 2, Before: 4}, []int64{3, 2}},
			"action": {hub.AuditQuery{Action: "a"}, []int64{5, 3, 1}},
			"actor":  {hub.AuditQuery{ActorID: hub.ID{1}}, []int64{5}},
			"times":  {hub.AuditQuery{From: auditTime.Add(time.Hour), To: auditTime.Add(3 * time.Hour)}, []int64{3, 2}},
			"none":   {hub.AuditQuery{Action: "c"}, nil},
		} {
			if c.q.Limit == 0 {
				c.q.Limit = 10
			}
			page, err := a.Audit(t.Context(), c.q)
			var numbers []int64
			for _, e := range page {
				numbers = append(numbers, e.Number)
			}
			if err != nil || !reflect.DeepEqual(numbers, c.want) {
				t.Errorf("%s = %v (%v), want %v", what, numbers, err, c.want)
			}
		}
	})
}

// The program adds entries, and its role can do nothing else with them, even for the right tenant.
func TestProgramMayOnlyAddToTheAuditLog(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	a, b := signUp(t, db.Store), signUp(t, db.Store)
	audited(t, a, "one")
	audited(t, b, "one")
	raw := asProgram(t, db)
	for _, statement := range []string{
		"update audit set actor = 'x'",
		"update audit set hash = hash",
		"delete from audit",
		"truncate audit",
		"delete from audit_heads",
		"update audit_heads set tenant_id = tenant_id",
		"insert into audit (tenant_id, number, at, actor_kind, actor, action, subject_id, subject, address, hash) values ('" + b.tenant.ID.String() + "', 9, now(), '', '', '', '', '', '', '')",
	} {
		tx, err := raw.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "select set_config('app.tenant_id', $1, true)", a.tenant.ID.String()); err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), statement)
		if e := (*pgconn.PgError)(nil); !errors.As(err, &e) || e.Code != "42501" { // insufficient_privilege
			t.Errorf("%s: %v, want it refused", statement, err)
		}
		_ = tx.Rollback()
	}
	var seen int
	if err := raw.QueryRowContext(t.Context(), "select count(*) from audit").Scan(&seen); err != nil || seen != 0 {
		t.Errorf("without a tenant %d entries are seen (%v)", seen, err)
	}
}
