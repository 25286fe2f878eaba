package embedded_test

import (
	"net/http"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
)

func replayOf(ids ...hub.ID) contract.ReplayRequest {
	return contract.ReplayRequest{ChatIds: &ids, Expect: len(ids)}
}

// replay replays one chat and gives the page of its replay once that has ended.
func (w *world) replay(r contract.ReplayRequest, want contract.OutcomeName) contract.ChatPage {
	w.t.Helper()
	done, err := w.client.Replay(w.t.Context(), r)
	if err != nil || done.Replayed != 1 || len(done.Chats) != 1 {
		w.t.Fatalf("replayed %+v, %v", done, err)
	}
	page := w.ends(want)
	if page.Chat.Id != done.Chats[0] || page.ReplayOf == nil || *page.ReplayOf != (*r.ChatIds)[0] {
		w.t.Fatalf("the newest chat is %+v, want the replay %s", page, done.Chats[0])
	}
	return page
}

// countUntil counts until the replay of a chat would be skipped for a reason.
func (w *world) countUntil(id hub.ID, reason contract.ReplaySkipReason) {
	w.t.Helper()
	w.until(func(contract.ChatPage) bool {
		c, err := w.client.CountReplays(w.t.Context(), contract.ReplaySelection{ChatIds: &[]hub.ID{id}})
		if err != nil {
			w.t.Fatal(err)
		}
		return c.Chats == 0 && len(c.Skipped) == 1 && c.Skipped[0].Reason == reason
	})
}

func TestADryRunPostsNothingAndAReplayPostsItsBytes(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: http.StatusBadRequest})
		w.chat(livesupportitest.Visitor{Email: maya})
		refused := w.ends(contract.OutcomeNameRefused)
		w.live.Heal()
		card := *refused.CardVersion
		source := refused.Sources[0].ConnectionId
		if _, err := w.client.Publish(t.Context(), []contract.CardLine{
			{Label: "Plan", ConnectionId: source, Field: "plan"}, {Label: "Nothing", ConnectionId: source, Field: "no such field"},
		}); err != nil {
			t.Fatal(err)
		}
		dry, err := w.client.DryRun(t.Context(), refused.Chat.Id.String())
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.client.Chats(t.Context())
		if posts := len(w.live.Posts()); err != nil || posts != 1 || len(list.Chats) != 1 {
			t.Fatalf("%d posts and %d chats (%v) after the dry run, want one of each as before", posts, len(list.Chats), err)
		}
		if dry.Skip != nil || dry.Outcome.Name != contract.OutcomeNameShown || dry.CardVersion != card+1 || len(dry.Details) != 1 || len(dry.LeftOut) != 1 ||
			len(dry.Sources) != 1 || dry.RequestBody == nil || *dry.RequestBody == *refused.RequestBody {
			t.Fatalf("dry run = %+v", dry)
		}
		shown := w.replay(replayOf(refused.Chat.Id), contract.OutcomeNameShown)
		posts := w.live.Posts()
		if len(posts) != 2 || string(posts[1].Body) != *dry.RequestBody || *shown.RequestBody != *dry.RequestBody {
			t.Errorf("posted %s, want what the dry run said: %s", posts[len(posts)-1].Body, *dry.RequestBody)
		}
		if shown.Forced || shown.ReplayedBy == nil || shown.ReplayedBy.Name != newcomer.Name || shown.Timeline[0].Label != "Replayed" {
			t.Errorf("replay = %+v, want it recorded", shown)
		}
		wantParts(t, shown, "received", "waited", "source", "card", "delivery", "seen")
		original, err := w.client.Chat(t.Context(), refused.Chat.Id.String())
		if err != nil || original.Chat.Outcome != refused.Chat.Outcome || len(original.Replays) != 1 || original.Replays[0].Outcome.Name != contract.OutcomeNameShown {
			t.Errorf("original = %+v (%v), want its own outcome and its replay's", original, err)
		}
	})
}

func TestChatsOfWrongCredentialsAreReplayedOnceTheyAreRight(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.credentials("no-longer-valid")
		w.chat(livesupportitest.Visitor{Email: maya})
		refused := w.ends(contract.OutcomeNameRefused).Chat
		if want := "Not shown: LiveSupporti refused the credentials"; refused.Outcome.Title != want {
			t.Errorf("title = %q, want %q", refused.Outcome.Title, want)
		}
		w.credentials(newcomer.APIKey)
		w.countUntil(refused.Id, contract.ReplaySkipReasonTooOld)
		yes := true
		filter := contract.ReplayFilter{Outcomes: []contract.OutcomeName{contract.OutcomeNameRefused}, From: &refused.ReceivedAt}
		count, err := w.client.CountReplays(t.Context(), contract.ReplaySelection{Filter: &filter, Force: &yes})
		if err != nil || count.Chats != 1 {
			t.Fatalf("counted %+v, %v", count, err)
		}
		if _, err := w.client.Replay(t.Context(), contract.ReplayRequest{Filter: &filter, Force: &yes, Expect: count.Chats}); err != nil {
			t.Fatal(err)
		}
		page := w.ends(contract.OutcomeNameShown)
		if !page.Forced || len(w.live.Posts()) != 2 {
			t.Errorf("replay = %+v after %d posts", page, len(w.live.Posts()))
		}
		if count, err = w.client.CountReplays(t.Context(), contract.ReplaySelection{Filter: &filter, Force: &yes}); err != nil || count.Chats != 0 || len(count.Skipped) != 0 {
			t.Errorf("counted %+v (%v), want that what was shown since is not shown again", count, err)
		}
	}, func(c *app.Config) { c.ChatDeadline = 3 * time.Second })
}

func TestAnExpiredChatIsPushedOnlyByForce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 500})
		w.chat(livesupportitest.Visitor{Email: maya})
		old := w.ends(contract.OutcomeNameExpired).Chat.Id
		w.live.Heal()
		w.countUntil(old, contract.ReplaySkipReasonTooOld)
		posts := len(w.live.Posts())
		done, err := w.client.Replay(t.Context(), contract.ReplayRequest{ChatIds: &[]hub.ID{old}})
		if err != nil || done.Replayed != 0 {
			t.Fatalf("replayed %+v, %v, want nothing without force", done, err)
		}
		yes, force := true, replayOf(old)
		force.Force = &yes
		page := w.replay(force, contract.OutcomeNameShown)
		if !page.Forced || !page.DeadlineAt.After(page.Chat.ReceivedAt) {
			t.Errorf("replay = %+v, want it forced, with time of its own", page)
		}
		if n := len(w.live.Posts()); n != posts+1 {
			t.Errorf("%d posts for the replay, want one", n-posts)
		}
	}, func(c *app.Config) { c.ChatDeadline = 3 * time.Second })
}

func TestAReplayLeavesTheVisitorsNewerDetailsAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: http.StatusBadRequest})
		visitor := livesupportitest.Visitor{ID: "169.26.97.99-1231178", Email: maya}
		w.chat(visitor)
		older := w.ends(contract.OutcomeNameRefused).Chat.Id
		w.live.Heal()
		w.chat(visitor)
		w.ends(contract.OutcomeNameShown)
		w.countUntil(older, contract.ReplaySkipReasonNewerChat)
		done, err := w.client.Replay(t.Context(), contract.ReplayRequest{ChatIds: &[]hub.ID{older}})
		if err != nil || done.Replayed != 0 || len(w.live.Posts()) != 2 {
			t.Errorf("replayed %+v (%v) with %d posts, want nothing", done, err, len(w.live.Posts()))
		}
	})
}

func TestAReplayOnItsWayIsNotReplayedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		stop := w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: http.StatusBadRequest, Count: 1})
		w.chat(livesupportitest.Visitor{Email: maya})
		refused := w.ends(contract.OutcomeNameRefused).Chat.Id
		stop()
		done, err := w.client.Replay(t.Context(), replayOf(refused))
		if err != nil || done.Replayed != 1 {
			t.Fatalf("replayed %+v, %v", done, err)
		}
		w.countUntil(refused, contract.ReplaySkipReasonOnItsWay)
		if page := w.until(func(contract.ChatPage) bool { return true }); page.Chat.Outcome.Title != "Waiting for a worker" {
			t.Errorf("replay = %+v, want it to wait for a worker", page.Chat.Outcome)
		}
		again, err := w.client.Replay(t.Context(), contract.ReplayRequest{ChatIds: &[]hub.ID{refused}})
		if err != nil || again.Replayed != 0 {
			t.Fatalf("replayed %+v, %v", again, err)
		}
		w.work()
		w.ends(contract.OutcomeNameShown)
		list, err := w.client.Chats(t.Context())
		if err != nil || len(list.Chats) != 2 || len(w.live.Posts()) != 2 {
			t.Errorf("%d chats (%v) and %d posts, want two of each", len(list.Chats), err, len(w.live.Posts()))
		}
	})
}

func TestAnotherTenantsChatCannotBeReplayed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.chat(livesupportitest.Visitor{Email: maya})
		chat := w.ends(contract.OutcomeNameShown).Chat.Id
		thief := w.neighbour("other@elsewhere.example", "key-of-another")
		yes, nothing := true, contract.ReplayRequest{ChatIds: &[]hub.ID{chat}}
		nothing.Force = &yes
		done, err := thief.Replay(t.Context(), nothing)
		if err != nil || done.Replayed != 0 || len(done.Skipped) != 0 || len(done.NotFound) != 1 || done.NotFound[0] != chat {
			t.Errorf("replayed %+v, %v, want the chat not found", done, err)
		}
		if _, err := thief.DryRun(t.Context(), chat.String()); err == nil {
			t.Error("a dry run of somebody else's chat")
		}
		if n := len(w.live.Posts()); n != 1 {
			t.Errorf("%d posts, want the first alone", n)
		}
	})
}
