package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// onPlan gives an account a plan.
func onPlan(t *testing.T, s hub.Store, a account, name string) {
	t.Helper()
	p, err := hub.ParsePlan(name)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := hub.SetPlan(t.Context(), s, a.tenant.ID, p, time.Now())
	if err != nil || changed.Plan != name || changed.Name != a.tenant.Name {
		t.Fatalf("SetPlan = %+v, %v", changed, err)
	}
}

// atOnce does something so often at once, and counts how often it was done; what was not is refused by the plan.
func atOnce(t *testing.T, n int, do func(i int) error) int {
	t.Helper()
	var done atomic.Int32
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			_, err := again(func() (struct{}, error) { return struct{}{}, do(i) })
			switch {
			case err == nil:
				done.Add(1)
			case hub.CodeOf(err) != hub.CodeQuota:
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	return int(done.Load())
}

func TestAPlanHoldsWhenManyAskAtOnceAndLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		onPlan(t, db.Store, a, "free")
		if n := atOnce(t, 8, func(i int) error { return a.CreateConnection(t.Context(), newConnection(fmt.Sprint(i))) }); n != 3 {
			t.Errorf("%d connections were created, want 3", n)
		}
		invitation := func(i int) hub.Invitation {
			now := time.Now().UTC().Truncate(time.Microsecond)
			return hub.Invitation{
				ID: hub.NewID(), TenantID: a.tenant.ID, Email: fmt.Sprintf("new%d@%s.example", i, a.tenant.ID), Role: hub.RoleViewer,
				CreatedAt: now, Until: now.Add(time.Hour),
			}
		}
		if n := atOnce(t, 8, func(i int) error {
			in := invitation(i)
			return a.Invite(t.Context(), in, [32]byte(append(in.ID[:], in.ID[:]...)), someMail())
		}); n != 4 {
			t.Errorf("%d were invited beside the owner, want 4", n)
		}

		onPlan(t, db.Store, a, "unlimited")
		if err := a.CreateConnection(t.Context(), newConnection("more")); err != nil {
			t.Fatal(err)
		}
		open, err := a.Invitations(t.Context(), time.Now())
		if err != nil || len(open) != 4 {
			t.Fatalf("%d invitations, %v", len(open), err)
		}
		extra := invitation(9)
		if err := a.Invite(t.Context(), extra, [32]byte(append(extra.ID[:], extra.ID[:]...)), someMail()); err != nil {
			t.Fatal(err)
		}
		onPlan(t, db.Store, a, "free")
		if all, err := a.Connections(t.Context()); err != nil || len(all) != 4 {
			t.Errorf("%d connections of a plan with 3, %v; want that they stay", len(all), err)
		}
		joins := append(open, extra)
		if n := atOnce(t, len(joins), func(i int) error {
			in := joins[i]
			return a.AcceptInvitation(t.Context(), in.ID, newUser(in.Email), true, time.Now())
		}); n != 4 {
			t.Errorf("%d of 5 invited joined beside the owner, want 4", n)
		}
	})
}

func TestRowsBeyondThePlanAreNotUsedAndThoseBeforeStay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		one, two := newConnection("one"), newConnection("two")
		for _, c := range []hub.Connection{one, two} {
			if err := a.CreateConnection(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		load := func(c hub.Connection, rows int) error { // the rows are said to be so many
			_, err := a.ReplaceRows(t.Context(), c.ID, func(w hub.RowWriter) error {
				return w.WriteRow(hub.Row{Line: rows, Index: []byte("index"), Data: []byte("sealed")})
			}, func(c *hub.Connection) {
				c.Import = &hub.ImportResult{At: time.Now(), Report: connectors.ImportReport{Rows: rows}}
			})
			return err
		}
		onPlan(t, db.Store, a, "free")
		for _, c := range []struct {
			to   hub.Connection
			rows int
			ok   bool
		}{{one, 15_000, true}, {two, 5_000, true}, {two, 5_001, false}, {one, 14_999, true}, {two, 5_001, true}} {
			if err := load(c.to, c.rows); (err == nil) != c.ok || err != nil && hub.CodeOf(err) != hub.CodeQuota {
				t.Errorf("%d rows into %s: %v", c.rows, c.to.Name, err)
			}
		}
		if n := atOnce(t, 2, func(i int) error { return load([]hub.Connection{one, two}[i], 18_000) }); n > 1 {
			t.Errorf("both loads count, with 36,000 rows together")
		}
		all, err := a.Connections(t.Context())
		if err != nil || hub.RowsIn(all) > 20_000 {
			t.Errorf("%d rows, %v", hub.RowsIn(all), err)
		}
		rows, err := a.FindRows(t.Context(), two.ID, []byte("index"), 10)
		if err != nil || len(rows) != 1 || rows[0].Line != all[1].Import.Report.Rows {
			t.Errorf("rows %+v (%v), want those of the last load that counts", rows, err)
		}
	})
}

func TestAPlanIsSetWithItsAuditEntryAndAtOnceForWorkers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		before, err := a.Setup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		onPlan(t, db.Store, a, "team")
		after, err := a.Setup(t.Context())
		if err != nil || after.Revision <= before.Revision || after.Tenant.Limits().ChatsPerDay != 5_000 {
			t.Errorf("setup = %+v, %v; want a higher revision than %d and the plan", after.Tenant, err, before.Revision)
		}
		entries, err := a.Audit(t.Context(), hub.AuditQuery{Action: "tenant.plan_set", Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].ActorKind != "operator" || entries[0].Before["plan"] != "unlimited" || entries[0].After["plan"] != "team" {
			t.Errorf("audit = %+v, %v", entries, err)
		}
		if other, err := b.Tenant(t.Context()); err != nil || other.Plan != hub.Unlimited {
			t.Errorf("another tenant's plan = %q, %v", other.Plan, err)
		}
	})
}
