package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
)

// I1: what Accept confirms is committed, with a work row of its visitor.
func TestI1ConfirmedChatIsCommittedWithItsWork(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() {
				chat := []account{a, b}[i%2].chat(fmt.Sprint("v", i))
				if _, err := again(func() (int, error) { return q.Store.Accept(q.Context(), []hub.Arrival{chat}) }); err != nil {
					q.Errorf("Accept: %v", err)
				}
				if named := unfinishedChats(q.Context(), q.T, q.Owner)[chat.ChatID]; named != 1 {
					q.Errorf("confirmed chat stands %d times in work", named)
				}
			})
		}
		callers.Wait()
		q.wantWhole()
	})
}

// I3: at most one unexpired lease for each visitor, whoever asks at the same time.
func TestI3VisitorIsLeasedOnceAtATime(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		const visitors = 200
		for i := range visitors {
			q.accept(a.chat(fmt.Sprint("v", i)))
			q.accept(a.chat(fmt.Sprint("v", i)))
		}
		var mu sync.Mutex
		holders := map[string]int{}
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for {
					claimed := q.claim()
					mu.Lock()
					for _, k := range claimed {
						holders[k.VisitorID]++
					}
					mu.Unlock()
					if len(claimed) == 0 {
						return
					}
				}
			})
		}
		workers.Wait()
		for visitor, n := range holders {
			if n != 1 {
				q.Errorf("visitor %s was leased %d times", visitor, n)
			}
		}
		if leased := q.count("select count(*) from work where state = 1"); leased != visitors {
			q.Errorf("%d leased, want %d: a claim that finds rows locked may leave some, but not at the end", leased, visitors)
		}
	})
}

// I4: a lease holds until its end by the database's clock, and no longer. That nobody posts late is the hub's part.
func TestI4LeaseHoldsUntilItsEnd(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		q.claimOne(chat)
		if swept := q.sweep(); swept.Ready != 0 || swept.Next <= 50*time.Second || swept.Next > time.Minute {
			q.Errorf("sweep = %+v, want the lease of a minute to go on", swept)
		}
		q.claimNothing("the lease goes on")
		q.due()
		if swept := q.sweep(); swept.Ready != 1 {
			q.Errorf("sweep = %+v, want the lease over", swept)
		}
		if k := q.claimOne(chat); k.Claims != 2 {
			q.Errorf("claimed for the %d. time, want the second", k.Claims)
		}
	})
}

// I5: only who holds the fence changes the row, or anybody when nobody holds it.
func TestI5OldHolderCannotEndWhatAnotherHolds(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		old := q.claimOne(chat)
		q.due()
		q.sweep()
		holder := q.claimOne(chat)
		q.finish(shown(old.Hold), hub.Lost)
		q.retry(hub.Retry{Hold: old.Hold, Lane: hub.LaneDelivery, Attempt: &hub.Attempt{Number: 1, Verdict: "retry"}}, hub.Lost)
		if record := q.wantOutcome(a, chat, hub.Waiting); len(record.Attempts) != 0 {
			q.Errorf("attempts %+v, want none of the old holder's", record.Attempts)
		}
		q.finish(shown(holder.Hold), hub.Kept)
		q.finish(shown(holder.Hold), hub.Lost)
		q.retry(hub.Retry{Hold: holder.Hold, Lane: hub.LaneDelivery}, hub.Lost)
		q.wantWhole()
	})
}

func TestI5OldHolderMayEndWhatNobodyHolds(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat, other := a.chat("v1"), a.chat("v2")
		q.accept(chat, other)
		claimed := q.claim()
		q.due()
		q.sweep()
		for _, k := range claimed {
			if k.ChatID == chat.ChatID {
				q.finish(shown(k.Hold), hub.Kept)
			} else {
				q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Details: []byte("d")}, hub.Kept)
				q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Minute}, hub.Lost)
				q.finish(shown(k.Hold), hub.Lost) // it waits for its next try, which is not this worker's any more
			}
		}
		q.wantOutcome(a, chat, hub.Shown)
		q.wantOutcome(a, other, hub.Waiting)
		q.claimNothing("the other waits")
	})
}

// I7: whose chat it is says the desk's row, and then the work's own row: never the caller.
func TestI7ForgedTenantFindsNothing(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		k := q.claimOne(chat)
		forged := k.Hold
		forged.TenantID = b.tenant.ID
		q.finish(shown(forged), hub.Lost)
		q.retry(hub.Retry{Hold: forged, Lane: hub.LaneDelivery, Attempt: &hub.Attempt{Number: 1}}, hub.Lost)
		if kept, err := q.Store.Extend(q.Context(), []hub.Hold{forged}, time.Hour); err != nil || len(kept) != 0 {
			q.Errorf("Extend kept %v (%v)", kept, err)
		}
		if n := q.count("select (select count(*) from outcomes) + (select count(*) from attempts)"); n != 0 {
			q.Errorf("%d outcomes and attempts of a forged tenant", n)
		}
		if _, err := b.Chat(q.Context(), chat.ChatID); err == nil {
			q.Error("the other tenant reads the chat")
		}
		q.finish(shown(k.Hold), hub.Kept)
	})
}

// I8, while it waits: the newer chat takes the older one's place.
func TestI8NewerChatTakesTheWaitingOnesPlace(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second, third := a.chat("v"), a.chat("v"), a.chat("v")
		q.accept(first, second)
		q.accept(third)
		k := q.claimOne(third)
		q.wantOutcome(a, first, hub.Waiting)
		q.finish(shown(k.Hold), hub.Kept)
		q.wantOutcome(a, third, hub.Shown)
		for _, c := range []hub.Arrival{first, second} {
			if record := q.wantOutcome(a, c, hub.Superseded); record.MS < 0 || record.MS > 60_000 || record.EndedAt.IsZero() {
				q.Errorf("record %+v", record)
			}
		}
		q.wantWhole()
	})
}

func TestI8NewerChatWaitsForTheLeaseOfTheOlder(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second := a.chat("v"), a.chat("v")
		q.accept(first)
		k := q.claimOne(first)
		q.accept(second)
		q.claimNothing("the first may be posting right now")
		q.finish(shown(k.Hold), hub.Overtaken)
		q.wantOutcome(a, first, hub.Shown)
		q.wantWhole()
		last := q.claimOne(second)
		if last.Claims != 1 || last.Tries != 0 {
			q.Errorf("claimed %+v, want a fresh start", last)
		}
		q.finish(shown(last.Hold), hub.Kept)
		q.wantOutcome(a, second, hub.Shown)
		q.wantWhole()
	})
}

func TestI8RetryOfAnOvertakenChatFreesTheNewer(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second := a.chat("v"), a.chat("v")
		q.accept(first)
		k := q.claimOne(first)
		q.accept(second)
		q.retry(hub.Retry{
			Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Details: []byte("old"),
			Attempt: &hub.Attempt{Number: 1, Status: 503, Verdict: "retry"},
		}, hub.Overtaken)
		last := q.claimOne(second)
		if last.Details != nil || last.Lane != hub.LaneLookup {
			q.Errorf("claimed %+v, want nothing of the older chat", last)
		}
		q.finish(shown(last.Hold), hub.Kept)
		if record := q.wantOutcome(a, first, hub.Superseded); record.Tries != 1 || len(record.Attempts) != 1 {
			q.Errorf("record %+v, want its one attempt kept", record)
		}
		q.wantWhole()
	})
}

func TestI8OvertakenChatWhoseLeaseRanOutCannotComeBack(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second := a.chat("v"), a.chat("v")
		q.accept(first)
		old := q.claimOne(first)
		q.accept(second)
		q.due()
		q.sweep()
		last := q.claimOne(second)
		q.finish(shown(old.Hold), hub.Lost)
		q.finish(shown(last.Hold), hub.Kept)
		q.finish(shown(old.Hold), hub.Lost)
		q.wantOutcome(a, first, hub.Superseded)
		q.wantOutcome(a, second, hub.Shown)
		q.wantWhole()
	})
}

// Both come back at the same time, when nobody holds their visitor: each ends once, in one group.
func TestI8OvertakenAndOvertakingChatEndTogether(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second, third := a.chat("v"), a.chat("v"), a.chat("v")
		var ends []hub.Finish
		for i, c := range []hub.Arrival{first, second, third} {
			q.accept(c)
			ends = append(ends, shown(q.claimOne(c).Hold))
			ends[i].Outcome = []hub.Outcome{hub.Refused, hub.ShownInPart, hub.Shown}[i]
			q.due()
			q.sweep()
		}
		ours, err := store.FinishGroup(q.Context(), q.Store, ends)
		if err != nil || !slices.Equal(ours, []hub.Grip{hub.Overtaken, hub.Overtaken, hub.Kept}) {
			q.Fatalf("finished %v, %v", ours, err)
		}
		q.wantOutcome(a, first, hub.Refused)
		q.wantOutcome(a, second, hub.ShownInPart)
		q.wantOutcome(a, third, hub.Shown)
		q.wantWhole()
	})
}

func TestI8NewerChatDoesNotWaitForARetry(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second := a.chat("v"), a.chat("v")
		q.accept(first)
		k := q.claimOne(first)
		q.retry(hub.Retry{
			Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Details: []byte("old"), Trail: []byte("old"),
			Attempt: &hub.Attempt{Number: 1},
		}, hub.Kept)
		q.accept(second)
		last := q.claimOne(second)
		if last.Details != nil || last.Trail != nil || last.Tries != 0 || last.Claims != 1 {
			q.Errorf("claimed %+v, want nothing of the older chat", last)
		}
		q.finish(shown(last.Hold), hub.Kept)
		q.wantOutcome(a, first, hub.Superseded)
		if swept := q.sweep(); swept.Next >= 0 {
			q.Errorf("sweep = %+v, want no retry left", swept)
		}
	})
}

// A repeated notification comes minutes after its chat began; a chat that began since then is newer.
func TestI8LateNotificationOfAnOlderChatChangesNothing(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		newer := a.chat("v")
		q.accept(newer)
		whileWaiting, whileLeased, afterwards := late(a.chat("v"), time.Minute), late(a.chat("v"), 5*time.Minute), late(a.chat("v"), time.Minute)
		q.accept(whileWaiting)
		k := q.claimOne(newer)
		q.accept(whileLeased)
		q.finish(shown(k.Hold), hub.Kept)
		q.accept(afterwards)
		q.claimNothing("the newest was shown")
		for _, c := range []hub.Arrival{whileWaiting, whileLeased, afterwards} {
			q.wantOutcome(a, c, hub.Superseded)
		}
		// Of a visitor without a newer chat, a late one is as good as any; then a newer one still wins.
		old, last := late(a.chat("w"), 5*time.Minute), late(a.chat("w"), time.Minute)
		q.accept(old)
		q.accept(last)
		q.finish(shown(q.claimOne(last).Hold), hub.Kept)
		q.wantOutcome(a, old, hub.Superseded)
		q.wantWhole()
	})
}

func TestI8OlderAndNewerInOneRequest(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		for _, visitor := range []string{"older first", "newer first"} {
			older, newer := late(a.chat(visitor), time.Minute), a.chat(visitor)
			if visitor == "older first" {
				q.accept(older, newer)
			} else {
				q.accept(newer, older)
			}
			q.finish(shown(q.claimOne(newer).Hold), hub.Kept)
			q.wantOutcome(a, older, hub.Superseded)
		}
		q.wantWhole()
	})
}

// The newer chat is not to be seen yet when the older one is stored, and still keeps its place.
func TestI8OlderChatYieldsToOneThatIsBeingCommitted(t *testing.T) {
	t.Parallel()
	onPostgres(t, func(q queueTest) {
		a := signUp(q, q.Store)
		newer, older := a.chat("v"), late(a.chat("v"), time.Minute)
		tx, err := q.Owner.BeginTx(q.Context(), nil)
		if err != nil {
			q.Fatal(err)
		}
		_, err = tx.ExecContext(q.Context(), "select accept_chats(array[$1::uuid], array[$2::uuid], array[$3], array['v'], array[''::bytea], array[0::bigint])",
			newer.DeskID, newer.ChatID, newer.ExternalID)
		if err != nil {
			q.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := q.Store.Accept(q.Context(), []hub.Arrival{older})
			done <- err
		}()
		waitFor(q.T, "the older chat to wait for the row", func() bool {
			return q.count("select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())")+
				q.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") > 0
		})
		if err := tx.Commit(); err != nil {
			q.Fatal(err)
		}
		if err := <-done; err != nil {
			q.Fatal(err)
		}
		q.wantWhole()
		q.finish(shown(q.claimOne(newer).Hold), hub.Kept)
		q.wantOutcome(a, older, hub.Superseded)
	})
}

// waitFor waits for what happens in another process, where no signal of ours reaches.
func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	often := time.NewTicker(5 * time.Millisecond)
	defer often.Stop()
	for !happened() {
		select {
		case <-often.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
