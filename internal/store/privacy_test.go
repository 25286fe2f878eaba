package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// aged is an arrival of a chat whose id was drawn some days ago.
func (a account) aged(visitor string, days float64) hub.Arrival {
	c := a.chat(visitor)
	first := hub.FirstID(time.Now().Add(-time.Duration(days * 24 * float64(time.Hour))))
	copy(c.ChatID[:6], first[:6])
	c.ExternalID = "ext " + c.ChatID.String()
	return c
}

// endAll ends every chat that is ready as shown.
func (q queueTest) endAll() {
	q.Helper()
	for claimed := q.claim(); len(claimed) > 0; claimed = q.claim() {
		for _, c := range claimed {
			q.finish(shown(c.Hold), hub.Kept)
		}
	}
}

// wantForgotten checks that of a chat only remains when it came and how it ended.
func (q queueTest) wantForgotten(a account, chat hub.Arrival, outcome hub.Outcome) {
	q.Helper()
	r := q.wantOutcome(a, chat, outcome)
	if !r.Forgotten() || r.VisitorID != "" || len(r.Trail)+len(r.Details)+len(r.Attempts) > 0 {
		q.Errorf("of the forgotten chat remains %+v", r)
	}
	if r.ExternalID != chat.ExternalID || r.ReceivedAt.IsZero() || r.EndedAt.IsZero() {
		q.Errorf("of the forgotten chat %+v remains", r)
	}
}

func (q queueTest) wantKept(a account, chat hub.Arrival, outcome hub.Outcome) {
	q.Helper()
	if r := q.wantOutcome(a, chat, outcome); r.Forgotten() || r.VisitorID != chat.VisitorID {
		q.Errorf("the chat was forgotten: %+v", r)
	}
}

func keepFor(t *testing.T, a account, days int) {
	t.Helper()
	if _, err := a.UpdateTenant(t.Context(), func(t *hub.Tenant) error { t.RetentionDays = days; return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestEndedChatsAreForgottenWhenTheirTenantsDaysAreOver(t *testing.T) {
	onQueues(t, func(q queueTest) {
		store.StopChores(q.Store)
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		if tenant, err := a.Tenant(q.Context()); err != nil || tenant.RetentionDays != hub.DefaultRetention {
			q.Fatalf("a new tenant keeps details for %d days, %v", tenant.RetentionDays, err)
		}
		old, young, other := a.aged("v1", 31), a.aged("v2", 29), b.aged("v1", 31)
		q.accept(old, young, other)
		keepFor(q.T, b, 60)
		q.endAll()
		store.Forget(q.Context(), q.Store)
		q.wantForgotten(a, old, hub.Shown)
		q.wantKept(a, young, hub.Shown)
		q.wantKept(b, other, hub.Shown)

		keepFor(q.T, a, 7)
		keepFor(q.T, b, 365)
		store.Forget(q.Context(), q.Store)
		q.wantForgotten(a, young, hub.Shown)
		q.wantKept(b, other, hub.Shown)

		if fresh, err := q.Store.Accept(q.Context(), []hub.Arrival{old}); err != nil || fresh != 0 {
			q.Errorf("sent again, a forgotten chat is %d new, %v", fresh, err)
		}
		q.wantWhole()
	})
}

func TestAnUnfinishedChatIsForgottenOnlyAfterItEnded(t *testing.T) {
	onQueues(t, func(q queueTest) {
		store.StopChores(q.Store)
		a := signUp(q, q.Store)
		first, second, third := a.aged("v1", 50), a.aged("v2", 49), a.aged("v3", 48)
		q.accept(first, third)
		q.endAll()
		q.accept(second)
		held := q.claimOne(second)
		store.Forget(q.Context(), q.Store)
		q.wantForgotten(a, first, hub.Shown)
		q.wantKept(a, second, hub.Waiting)
		q.wantKept(a, third, hub.Shown)
		q.finish(shown(held.Hold), hub.Kept)
		store.Forget(q.Context(), q.Store)
		q.wantForgotten(a, second, hub.Shown)
		q.wantForgotten(a, third, hub.Shown)
	})
}

func TestAllOldChatsAreForgottenAndEachOnce(t *testing.T) {
	onQueues(t, func(q queueTest) {
		store.StopChores(q.Store)
		a := signUp(q, q.Store)
		const chats = 2_500 // more than two transactions
		for i := range chats / 100 {
			some := make([]hub.Arrival, 100)
			for j := range some {
				some[j] = a.aged(fmt.Sprint("v", i, "-", j), 40)
				some[j].VisitorID, some[j].NotAChat = "", true
			}
			q.accept(some...)
		}
		store.Forget(q.Context(), q.Store)
		if n := q.count("select count(*) from chats where length(body) > 0"); n != 0 {
			q.Errorf("%d of %d chats are still kept", n, chats)
		}
		before := q.count("select count(*) from chats")
		store.Forget(q.Context(), q.Store)
		if after := q.count("select count(*) from chats"); before != chats || after != chats {
			q.Errorf("%d chats, then %d, want %d", before, after, chats)
		}
	})
}

func TestErasingEndsChatsInHandAndLeavesOthers(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		ended, others, strangers := a.chat("maya"), a.chat("noor"), b.chat("maya")
		q.accept(ended, others, strangers)
		q.endAll()
		overtaken, inHand := a.chat("maya"), a.chat("maya")
		q.accept(overtaken)
		first := q.claimOne(overtaken)
		q.accept(inHand)
		waiting := a.chat("maya's telephone")
		q.accept(waiting)
		second := q.claimOne(waiting)

		want := hub.ErasedChats{Chats: 4, Unfinished: 3}
		erased, err := again(func() (hub.ErasedChats, error) {
			return a.EraseChats(q.Context(), []string{"maya", "maya's telephone"})
		})
		if err != nil || erased != want {
			q.Fatalf("erased %+v, %v; want %+v", erased, err, want)
		}
		q.finish(shown(first.Hold), hub.Lost)
		q.retry(hub.Retry{Hold: second.Hold, Details: []byte("sealed details of maya")}, hub.Lost)
		q.wantForgotten(a, ended, hub.Shown)
		for _, c := range []hub.Arrival{overtaken, inHand, waiting} {
			q.wantForgotten(a, c, hub.Erased)
		}
		q.wantKept(a, others, hub.Shown)
		q.wantKept(b, strangers, hub.Shown)
		q.claimNothing("all chats have ended")
		q.wantWhole()

		if erased, err := a.EraseChats(q.Context(), []string{"maya"}); err != nil || erased != (hub.ErasedChats{}) {
			q.Errorf("erasing once more erases %+v, %v", erased, err)
		}
		anew := a.chat("maya")
		q.accept(anew)
		q.claimOne(anew)
	})
}

func TestKeptChatsListsWhatIsNotForgotten(t *testing.T) {
	onQueues(t, func(q queueTest) {
		store.StopChores(q.Store)
		a := signUp(q, q.Store)
		old := a.aged("v0", 31)
		chats := []hub.Arrival{a.chat("v1"), a.chat("v2"), a.chat("v1"), a.chat("v3")}
		q.accept(old)
		for _, c := range chats {
			q.accept(c)
		}
		q.accept(signUp(q, q.Store).chat("v1"))
		q.endAll()
		store.Forget(q.Context(), q.Store)
		list := func(query hub.KeptQuery) (ids []hub.ID) {
			kept, err := a.KeptChats(q.Context(), query)
			if err != nil {
				q.Fatal(err)
			}
			for _, k := range kept {
				ids = append(ids, k.ID)
			}
			return ids
		}
		for _, c := range []struct {
			what  string
			query hub.KeptQuery
			want  []int
		}{
			{"all", hub.KeptQuery{Limit: 10}, []int{0, 1, 2, 3}},
			{"a page", hub.KeptQuery{Limit: 2}, []int{0, 1}},
			{"the next page", hub.KeptQuery{After: chats[1].ChatID, Limit: 2}, []int{2, 3}},
			{"one visitor's", hub.KeptQuery{VisitorID: "v1", Limit: 10}, []int{0, 2}},
		} {
			var want []hub.ID
			for _, i := range c.want {
				want = append(want, chats[i].ChatID)
			}
			if got := list(c.query); !slices.Equal(got, want) {
				q.Errorf("%s: %v, want %v", c.what, got, want)
			}
		}
	})
}

func TestErasingRowsTellsTheConnection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		mine, theirs := fill(t, a), fill(t, b)
		before, err := a.Connection(t.Context(), mine.ID)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := a.FindRows(t.Context(), mine.ID, []byte("same index"), 10)
		if err != nil || len(rows) == 0 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		told := 0
		n, err := a.EraseRows(t.Context(), mine.ID, []byte("same index"), func(_ *hub.Connection, removed int) { told = removed })
		if err != nil || n != len(rows) || told != n {
			t.Fatalf("erased %d rows (told %d), %v; want %d", n, told, err, len(rows))
		}
		after, err := a.Connection(t.Context(), mine.ID)
		if err != nil || after.Revision <= before.Revision {
			t.Errorf("revision %d, then %d, %v: workers would not look again", before.Revision, after.Revision, err)
		}
		if rows, err := a.FindRows(t.Context(), mine.ID, []byte("same index"), 10); err != nil || len(rows) != 0 {
			t.Errorf("%d rows are left, %v", len(rows), err)
		}
		if rows, err := b.FindRows(t.Context(), theirs.ID, []byte("same index"), 10); err != nil || len(rows) == 0 {
			t.Errorf("%d rows of somebody else are left, %v", len(rows), err)
		}
	})
}
