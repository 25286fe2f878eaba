package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sidecard/internal/hub"
)

func TestAcceptedChatIsClaimedWithAllThatIsKnown(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := late(a.chat("v1"), time.Minute)
		q.accept(chat)
		k := q.claimOne(chat)
		if k.TenantID != a.tenant.ID || k.VisitorID != "v1" || !bytes.Equal(k.Body, chat.Body) || k.Claims != 1 || k.Tries != 0 ||
			k.Ago != time.Minute || k.Revision != 1 || k.Details != nil || k.Trail != nil || k.Lane != hub.LaneLookup {
			q.Errorf("claimed %+v", k)
		}
		if k.Age < 0 || k.Age > 10*time.Second || time.Since(k.ReceivedAt).Abs() > 10*time.Second || k.ReceivedAt.Location() != time.UTC {
			q.Errorf("age %v, received at %v, want about now in UTC", k.Age, k.ReceivedAt)
		}
		q.claimNothing("it is leased")
		q.finish(shown(k.Hold), hub.Kept)
		record := q.wantOutcome(a, chat, hub.Shown)
		if record.MS != 12.5 || record.CardVersion != 1 || record.Tries != 1 || string(record.Details) != "sealed details" || record.EndedAt.IsZero() {
			q.Errorf("record %+v", record)
		}
		if len(record.Attempts) != 1 || record.Attempts[0].Status != 200 || record.Attempts[0].Verdict != "accepted" || record.Attempts[0].Excerpt != nil {
			q.Errorf("attempts %+v", record.Attempts)
		}
		q.wantWhole()
	})
}

func TestAcceptRepeatsChangeNothing(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v1")
		again := a.chat("v1")
		again.ExternalID = chat.ExternalID
		fresh, err := q.Store.Accept(q.Context(), []hub.Arrival{chat, again})
		if err != nil || fresh != 1 {
			q.Fatalf("Accept = %d, %v; want 1 fresh of the two", fresh, err)
		}
		for range 3 {
			if fresh, err := q.Store.Accept(q.Context(), []hub.Arrival{chat}); err != nil || fresh != 0 {
				q.Fatalf("Accept again = %d, %v; want none fresh", fresh, err)
			}
		}
		k := q.claimOne(chat)
		q.finish(shown(k.Hold), hub.Kept)
		again.ChatID = hub.NewID()
		if fresh, err := q.Store.Accept(q.Context(), []hub.Arrival{again}); err != nil || fresh != 0 {
			q.Fatalf("Accept after the end = %d, %v; want none fresh", fresh, err)
		}
		q.claimNothing("it ended")
		if n := q.count("select count(*) from chats"); n != 1 {
			q.Errorf("%d chats, want 1", n)
		}
	})
}

func TestSameExternalIDOfTwoTenantsIsTwoChats(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, b := signUp(q, q.Store), signUp(q, q.Store)
		one, two := a.chat("v"), b.chat("v")
		two.ExternalID = one.ExternalID
		q.accept(one, two)
		if claimed := q.claim(); len(claimed) != 2 {
			q.Errorf("claimed %v, want both", chatIDs(claimed))
		}
	})
}

func TestAcceptForAnUnknownDeskFailsAndKeepsTheOthers(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		lost, kept := a.chat("v1"), a.chat("v2")
		lost.DeskID = hub.NewID()
		if _, err := q.Store.Accept(q.Context(), []hub.Arrival{lost, kept}); !errors.Is(err, hub.ErrNotFound) {
			q.Errorf("Accept = %v, want ErrNotFound: 200 must mean that all is kept", err)
		}
		q.claimOne(kept)
	})
}

func TestNotAChatEndsAtOnce(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		other := a.chat("ignored")
		other.NotAChat = true
		q.accept(other)
		q.claimNothing("it is no chat")
		if record := q.wantOutcome(a, other, hub.NotAChat); record.VisitorID != "" {
			q.Errorf("visitor = %q, want none", record.VisitorID)
		}
		q.wantWhole()
	})
}

func TestRetriedChatComesBackWithItsExactBytes(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		k := q.claimOne(chat)
		details, trail := []byte(`{"email":"x", "b" :1}`+"\x00\xff"), []byte(`{ "n":1}`)
		q.retry(hub.Retry{
			Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Trail: trail, Details: details,
			Attempt: &hub.Attempt{Number: 1, Status: 500, Verdict: "retry", Message: "failed", Excerpt: []byte("sealed")},
		}, hub.Kept)
		if record := q.wantOutcome(a, chat, hub.Waiting); record.NextTryAt.Before(time.Now().Add(50*time.Minute)) || record.Tries != 1 || len(record.Attempts) != 1 {
			q.Errorf("waiting record %+v, want one try and the next in an hour", record)
		}
		if swept := q.sweep(); swept.Ready != 0 || swept.Next < 59*time.Minute || swept.Next > time.Hour {
			q.Errorf("sweep = %+v, want the next in an hour", swept)
		}
		q.due()
		if swept := q.sweep(); swept.Ready != 1 || swept.Next >= 0 {
			q.Errorf("sweep = %+v, want one ready and none waiting", swept)
		}
		q.claimNothing("it waits in the other lane")
		again := q.claimOne(chat, delivery)
		if !bytes.Equal(again.Details, details) || !bytes.Equal(again.Trail, trail) || again.Tries != 1 || again.Claims != 2 {
			q.Errorf("claimed again %+v, want the same bytes", again)
		}
		last := shown(again.Hold)
		last.Attempt.Number = 2
		q.finish(last, hub.Kept)
		if record := q.wantOutcome(a, chat, hub.Shown); record.Tries != 2 || len(record.Attempts) != 2 || string(record.Attempts[0].Excerpt) != "sealed" {
			q.Errorf("record %+v, want both attempts", record)
		}
	})
}

func TestRetryWithoutDelayIsReadyAtOnce(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		chat := a.chat("v")
		q.accept(chat)
		k := q.claimOne(chat)
		q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneLookup}, hub.Kept)
		if again := q.claimOne(chat); again.Tries != 0 || again.Claims != 2 {
			q.Errorf("claimed %+v, want no try counted", again)
		}
	})
}

func TestClaimIsFairWhenOneTenantFloods(t *testing.T) {
	onQueues(t, func(q queueTest) {
		flood := signUp(q, q.Store)
		var chats []hub.Arrival
		for i := range 300 {
			chats = append(chats, flood.chat(fmt.Sprint("v", i)))
		}
		q.accept(chats...)
		var quiet []hub.Arrival
		for range 20 {
			quiet = append(quiet, signUp(q, q.Store).chat("v"))
		}
		q.accept(quiet...)
		claimed := q.claim()
		for _, c := range quiet {
			if !slices.ContainsFunc(claimed, func(k hub.Claimed) bool { return k.ChatID == c.ChatID }) {
				q.Errorf("a quiet tenant's chat is not in the first batch of %d", len(claimed))
			}
		}
		if n := len(claimed); n != 28 {
			q.Errorf("claimed %d, want 20 of the quiet tenants and the share of 8 of the other", n)
		}
	})
}

func TestClaimGoesOnAfterTheCursorAndLeavesOutTheExcluded(t *testing.T) {
	onQueues(t, func(q queueTest) {
		var accounts []account
		for range 4 {
			a := signUp(q, q.Store)
			q.accept(a.chat("v1"), a.chat("v2"))
			accounts = append(accounts, a)
		}
		slices.SortFunc(accounts, func(a, b account) int { return bytes.Compare(a.tenant.ID[:], b.tenant.ID[:]) })
		claimed := q.claim(func(c *hub.ClaimRequest) {
			c.After, c.Excluded, c.Share = accounts[0].tenant.ID, []hub.ID{accounts[2].tenant.ID}, 1
		})
		if len(claimed) != 2 || claimed[0].TenantID != accounts[1].tenant.ID || claimed[1].TenantID != accounts[3].tenant.ID {
			q.Errorf("claimed %v, want one of the second and one of the fourth tenant", chatIDs(claimed))
		}
		claimed = q.claim(func(c *hub.ClaimRequest) { c.Limit = 3 })
		if len(claimed) != 3 || claimed[0].TenantID != accounts[0].tenant.ID || claimed[2].TenantID != accounts[1].tenant.ID {
			q.Errorf("claimed %v, want three from the lowest tenant on", chatIDs(claimed))
		}
	})
}

func TestExcludedTenantsDoNotHideTheOthers(t *testing.T) {
	onQueues(t, func(q queueTest) {
		var excluded []hub.ID
		for range 5 {
			a := signUp(q, q.Store)
			q.accept(a.chat("v"))
			excluded = append(excluded, a.tenant.ID)
		}
		last := signUp(q, q.Store) // ids grow, so it comes after them
		chat := last.chat("v")
		q.accept(chat)
		q.claimOne(chat, func(c *hub.ClaimRequest) { c.Excluded, c.Limit = excluded, 1 })
	})
}

func TestClaimCarriesTheRevision(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		if _, err := a.UpdateDesk(q.Context(), func(d *hub.Desk) error { d.Email = "x@example.com"; return nil }); err != nil {
			q.Fatal(err)
		}
		chat := a.chat("v")
		q.accept(chat)
		setup, err := a.Setup(q.Context())
		if k := q.claimOne(chat); err != nil || k.Revision != 2 || setup.Revision != 2 {
			q.Errorf("revision claimed %d, read %d (%v), want 2", k.Revision, setup.Revision, err)
		}
	})
}

func TestExtendKeepsTheLeaseOfWhoStillHoldsIt(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		mine, overtaken, lost := a.chat("v1"), a.chat("v2"), a.chat("v3")
		q.accept(mine, overtaken, lost)
		var holds []hub.Hold
		for _, k := range q.claim() {
			holds = append(holds, k.Hold)
		}
		i := slices.IndexFunc(holds, func(h hub.Hold) bool { return h.ChatID == lost.ChatID })
		holds[i].Fence++ // as if somebody else had claimed it meanwhile
		q.accept(a.chat("v2"))
		q.due()
		kept, err := q.Store.Extend(q.Context(), holds, time.Minute)
		if err != nil || !slices.Equal(kept, []hub.ID{mine.ChatID}) {
			q.Errorf("kept %v (%v), want only %s", kept, err, mine.ChatID)
		}
		if swept := q.sweep(); swept.Ready != 2 || swept.Next < 50*time.Second {
			q.Errorf("sweep = %+v, want the two others ready and the extended one due in a minute", swept)
		}
	})
}

func TestSweepIsBounded(t *testing.T) {
	onQueues(t, func(q queueTest) {
		if swept := q.sweep(); swept.Ready != 0 || swept.Next >= 0 {
			q.Errorf("sweep of nothing = %+v", swept)
		}
		a := signUp(q, q.Store)
		var chats []hub.Arrival
		for i := range 1005 {
			chats = append(chats, a.chat(fmt.Sprint("v", i)))
		}
		q.accept(chats...)
		q.claim(func(c *hub.ClaimRequest) { c.Limit, c.Share = 2000, 2000 })
		q.due()
		if swept := q.sweep(); swept.Ready != 1000 || swept.Next != 0 {
			q.Errorf("first sweep = %+v, want 1,000 and at once again", swept)
		}
		if swept := q.sweep(); swept.Ready != 5 || swept.Next >= 0 {
			q.Errorf("second sweep = %+v, want the last 5", swept)
		}
	})
}

func TestPoisonousItemDoesNotFailItsGroup(t *testing.T) {
	t.Parallel()
	onPostgres(t, func(q queueTest) { // only PostgreSQL refuses a text
		a := signUp(q, q.Store)
		results := make(chan error, 20)
		for i := range 20 {
			chat := a.chat(fmt.Sprint("v", i))
			if i == 7 {
				chat.VisitorID = "nul \x00 byte"
			}
			go func() {
				_, err := q.Store.Accept(q.Context(), []hub.Arrival{chat})
				results <- err
			}()
		}
		failed := 0
		for range 20 {
			if err := <-results; err != nil {
				failed++
				if errors.Is(err, hub.ErrUnavailable) {
					q.Errorf("the poisonous one is told %v, as if it could be sent again", err)
				}
			}
		}
		if n := q.count("select count(*) from chats"); failed != 1 || n != 19 {
			q.Errorf("%d failed and %d stored, want 1 and 19", failed, n)
		}
	})
}
