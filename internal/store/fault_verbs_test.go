package store_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"sidecard/internal/hub"
)

func (q queueTest) letGo(h hub.Hold, want hub.Grip) {
	q.Helper()
	if grip, err := again(func() (hub.Grip, error) { return q.Store.LetGo(q.Context(), h) }); err != nil || grip != want {
		q.Fatalf("LetGo = %d, %v; want %d", grip, err, want)
	}
}

// Who was overtaken lets the newer chat go at once, instead of letting it wait for the lease.
func TestAnOvertakenChatLetsTheNewerOneGo(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		first, second := a.chat("v"), a.chat("v")
		q.accept(first)
		old := q.claimOne(first)
		q.accept(second)
		q.claimNothing("the holder of the older chat may be posting")
		q.letGo(old.Hold, hub.Overtaken)
		last := q.claimOne(second)
		q.letGo(old.Hold, hub.Lost)
		q.finish(shown(last.Hold), hub.Kept)
		q.wantOutcome(a, first, hub.Superseded)
		q.wantOutcome(a, second, hub.Shown)
		q.wantWhole()
	})
}

// A chat that nobody overtook is not touched: its bytes and its tries stay.
func TestLettingGoChangesNothingElse(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		k := q.claimOne(chat)
		q.letGo(k.Hold, hub.Lost)
		q.claimNothing("its holder still has it")
		q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Details: []byte("exact"), Attempt: &hub.Attempt{Number: 1}}, hub.Kept)
		q.due()
		q.sweep()
		q.letGo(k.Hold, hub.Lost) // ready now, and nobody's
		again := q.claimOne(chat, delivery)
		if string(again.Details) != "exact" || again.Tries != 1 {
			q.Errorf("claimed details %q and %d tries, want what was given back", again.Details, again.Tries)
		}
	})
}

func TestASlowTenantGetsOneChatOfAClaim(t *testing.T) {
	onQueues(t, func(q queueTest) {
		slow, quick := signUp(q, q.Store), signUp(q, q.Store)
		for i := range 10 {
			visitor := strconv.Itoa(i)
			q.accept(slow.chat(visitor), quick.chat(visitor))
		}
		counts := map[hub.ID]int{}
		for _, k := range q.claim(func(c *hub.ClaimRequest) { c.Slow = []hub.ID{slow.tenant.ID} }) {
			counts[k.TenantID]++
		}
		if counts[slow.tenant.ID] != 1 || counts[quick.tenant.ID] != 8 {
			q.Errorf("claimed %d of the slow tenant and %d of the other, want 1 and 8", counts[slow.tenant.ID], counts[quick.tenant.ID])
		}
	})
}

func TestASweepTellsWhoHasEnoughInHand(t *testing.T) {
	onQueues(t, func(q queueTest) {
		many, few := signUp(q, q.Store), signUp(q, q.Store)
		for i := range 6 {
			q.accept(many.chat(strconv.Itoa(i)))
		}
		q.accept(few.chat("v1"), few.chat("v2"))
		claimed := q.claim()
		busy := func(limit int) []hub.ID {
			swept, err := q.Store.Sweep(q.Context(), hub.SweepRequest{Lease: time.Minute, Cap: limit})
			if err != nil {
				q.Fatal(err)
			}
			return swept.Busy
		}
		if got := busy(6); !slices.Equal(got, []hub.ID{many.tenant.ID}) {
			q.Errorf("busy with 6 = %v, want the tenant with 6 in hand", got)
		}
		if got := busy(7); len(got) != 0 {
			q.Errorf("busy with 7 = %v, want nobody", got)
		}
		if got := busy(0); len(got) != 0 {
			q.Errorf("busy = %v without having been asked", got)
		}
		for _, k := range claimed { // what waits for a later try is in nobody's hand
			q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Second}, hub.Kept)
		}
		if got := busy(6); len(got) != 0 {
			q.Errorf("busy with 6 = %v, want nobody any more", got)
		}
	})
}

func TestHasteningMakesATenantsWaitingChatsReady(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		mine, others, held := a.chat("v1"), b.chat("v1"), a.chat("v2")
		q.accept(mine, others, held)
		for _, k := range q.claim() {
			if k.ChatID != held.ChatID {
				q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Details: []byte("d")}, hub.Kept)
			}
		}
		if n, err := q.Store.Tenant(a.tenant.ID).Hasten(q.Context()); n != 1 || err != nil {
			q.Fatalf("Hasten = %d, %v; want the one that waits", n, err)
		}
		q.claimOne(mine, delivery)
		if claimed := q.claim(delivery); len(claimed) != 0 {
			q.Errorf("claimed %v: another tenant's chat, or one in hand, was hastened", chatIDs(claimed))
		}
	})
}

// A claim that the database made although the worker was told that it failed holds its chats for nobody.
func TestASweepFreesWhatWasClaimedInVain(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		lost, held := a.chat("v1"), a.chat("v2")
		q.accept(lost)
		vain := q.claimOne(lost)
		q.accept(held)
		q.claimOne(held)
		swept, err := q.Store.Sweep(q.Context(), hub.SweepRequest{Lease: time.Minute, Disowned: []int64{vain.Fence, 7}})
		if err != nil || swept.Ready != 1 {
			q.Fatalf("Sweep = %+v, %v; want the one chat free", swept, err)
		}
		q.claimOne(lost)
	})
}
