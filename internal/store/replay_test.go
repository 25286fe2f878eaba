package store_test

import (
	"slices"
	"testing"
	"time"

	"sidecard/internal/hub"
)

// replay is an arrival of a replay of a chat that started some time before now.
func (a account) replay(original hub.Arrival, ago time.Duration) hub.Arrival {
	c := late(a.chat(original.VisitorID), ago)
	c.ReplayOf = original.ChatID
	return c
}

// ended accepts a chat, claims it and ends it.
func (q queueTest) ended(a account, c hub.Arrival, o hub.Outcome) {
	q.Helper()
	q.accept(c)
	f := shown(q.claimOne(c).Hold)
	f.Outcome = o
	q.finish(f, hub.Kept)
}

func (q queueTest) originals(a account, query hub.OriginalQuery) []hub.Original {
	q.Helper()
	if query.Limit == 0 {
		query.Limit = 100
	}
	found, err := a.Originals(q.Context(), query)
	if err != nil {
		q.Fatal(err)
	}
	return found
}

func TestAReplayIsAChatThatNamesItsOriginal(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		original := a.chat("v")
		q.ended(a, original, hub.Refused)
		first := a.replay(original, time.Hour)
		q.ended(a, first, hub.Refused)
		second := a.replay(original, 2*time.Hour) // by a clock that is behind: it seems to have started before the original
		q.ended(a, second, hub.Shown)

		q.wantOutcome(a, original, hub.Refused)
		if r := q.wantOutcome(a, second, hub.Shown); r.ReplayOf != original.ChatID || r.Ago != 2*time.Hour {
			q.Errorf("replay = %+v, want it to name %s", r, original.ChatID)
		}
		list, err := a.Chats(q.Context(), hub.ChatQuery{ReplayOf: original.ChatID, Limit: 10})
		if err != nil || len(list) != 2 || list[0].ID != second.ChatID || list[1].ID != first.ChatID {
			q.Errorf("replays = %+v (%v), want the second and the first", list, err)
		}
		neighbour := signUp(q, q.Store)
		if list, err := neighbour.Chats(q.Context(), hub.ChatQuery{ReplayOf: original.ChatID, Limit: 10}); err != nil || len(list) > 0 {
			q.Errorf("a neighbour sees %d replays (%v)", len(list), err)
		}
		q.wantWhole()
	})
}

// Of two replays that follow the same chat at the same moment, the one that comes first is kept.
func TestAReplayThatIsThereAlreadyIsNotAcceptedAgain(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		original := a.chat("v")
		q.ended(a, original, hub.Refused)
		first, second := a.replay(original, time.Hour), a.replay(original, time.Hour)
		second.ExternalID = first.ExternalID
		q.accept(first)
		if fresh, err := q.Store.Accept(q.Context(), []hub.Arrival{second}); err != nil || fresh != 0 {
			q.Fatalf("Accept of the second = %d, %v; want none fresh", fresh, err)
		}
		q.claimOne(first)
	})
}

func TestAReplayNeverTakesTheVisitorsNewerChat(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		original := late(a.chat("v"), time.Hour)
		q.ended(a, original, hub.Refused)
		newer := a.chat("v")
		q.accept(newer)
		waits := a.replay(original, time.Hour)
		q.accept(waits)
		q.finish(shown(q.claimOne(newer).Hold), hub.Kept)
		q.wantOutcome(a, newer, hub.Shown)
		q.wantOutcome(a, waits, hub.Superseded)

		atOnce := a.replay(original, time.Hour)
		q.accept(atOnce) // the newer chat has ended, but it is there
		q.wantOutcome(a, atOnce, hub.Superseded)
		q.claimNothing("nothing is left to do for this visitor")
		q.wantWhole()
	})
}

// Whoever asks for a replay has looked through the past already; accepting it looks only at the last minutes, and
// not at all through a year.
func TestAcceptingAReplayLooksOnlyAtTheLastMinutes(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		longAgo := time.Now().UTC().Add(-time.Hour)
		old := a.chat("v")
		ms := longAgo.UnixMilli()
		for i := range 6 {
			old.ChatID[i] = byte(ms >> (8 * (5 - i)))
		}
		q.ended(a, old, hub.Shown)
		q.exec("update chats set received_at = $1 where id = $2", longAgo, old.ChatID.String())
		missed := a.replay(a.chat("v"), 2*time.Hour)
		q.accept(missed)
		q.claimOne(missed)
		repeated := late(a.chat("v"), 2*time.Hour)
		q.accept(repeated)
		q.wantOutcome(a, repeated, hub.Superseded) // a notification looks back as far as it must
	})
}

func TestOriginalsTellWhatDecidesAboutAReplay(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		refused, replayed, overtaken, waiting := a.chat("refused"), a.chat("replayed"), a.chat("again"), a.chat("waiting")
		q.ended(a, refused, hub.Refused)
		q.ended(a, replayed, hub.Refused)
		q.ended(a, overtaken, hub.Refused)
		newer := a.chat("again")
		q.ended(a, newer, hub.Shown)
		replay := a.replay(replayed, time.Hour)
		q.accept(replay)
		q.accept(waiting)
		other := a.chat("")
		other.NotAChat = true
		q.accept(other)
		neighbour := signUp(q, q.Store)
		foreign := neighbour.chat("refused")
		q.accept(foreign)

		refusedOnes := hub.OriginalQuery{Outcomes: []hub.Outcome{hub.Refused}}
		found := q.originals(a, refusedOnes)
		if ids := idsOf(found); !slices.Equal(ids, []hub.ID{overtaken.ChatID, replayed.ChatID, refused.ChatID}) {
			q.Fatalf("originals = %v", ids)
		}
		if o := found[0]; !o.Newer || o.VisitorID != "again" || o.Outcome != hub.Refused {
			q.Errorf("overtaken = %+v, want that there is a newer one", o)
		}
		if o := found[1]; o.Newer || o.LastReplay != replay.ChatID || o.LastOutcome != hub.Waiting {
			q.Errorf("replayed = %+v, want its unfinished replay", o)
		}
		if o := found[2]; o.Newer || o.LastReplay != (hub.ID{}) || time.Since(o.StartedAt) > time.Minute || o.StartedAt.IsZero() {
			q.Errorf("refused = %+v", o)
		}
		claimed := q.claim()
		q.finish(shown(claimed[slices.IndexFunc(claimed, func(k hub.Claimed) bool { return k.ChatID == replay.ChatID })].Hold), hub.Kept)
		if ids := idsOf(q.originals(a, refusedOnes)); !slices.Equal(ids, []hub.ID{overtaken.ChatID, refused.ChatID}) {
			q.Errorf("originals = %v, want without the one that a replay showed", ids)
		}
		mixed := hub.OriginalQuery{Outcomes: []hub.Outcome{hub.Waiting, hub.NotAChat}}
		if ids := idsOf(q.originals(a, mixed)); !slices.Equal(ids, []hub.ID{other.ChatID, waiting.ChatID}) {
			q.Errorf("originals = %v, want what waits and what is no chat", ids)
		}
		all := hub.OriginalQuery{IDs: []hub.ID{refused.ChatID, replay.ChatID, foreign.ChatID}}
		if ids := idsOf(q.originals(a, all)); !slices.Equal(ids, []hub.ID{refused.ChatID}) {
			q.Errorf("originals = %v, want no replay and nobody else's", ids)
		}
		if ids := idsOf(q.originals(a, hub.OriginalQuery{Outcomes: []hub.Outcome{hub.Refused}, Limit: 1})); !slices.Equal(ids, []hub.ID{overtaken.ChatID}) {
			q.Errorf("originals = %v, want the newest", ids)
		}
		named, err := a.OriginalsOf(q.Context(), []hub.ID{refused.ChatID, replay.ChatID, foreign.ChatID, hub.NewID()})
		if err != nil || len(named) != 2 || named[refused.ChatID] != refused.ChatID || named[replay.ChatID] != replayed.ChatID {
			q.Errorf("originals of ids = %v (%v)", named, err)
		}
	})
}

func idsOf(originals []hub.Original) (ids []hub.ID) {
	for _, o := range originals {
		ids = append(ids, o.ID)
	}
	return ids
}

func TestChatsAreFoundByTheirTimeAndTheirIds(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		noon := time.Now().UTC().Truncate(time.Second)
		var chats []hub.Arrival
		for i := range 4 {
			c := a.chat("v" + string(rune('0'+i)))
			q.ended(a, c, hub.Refused)
			q.exec("update chats set received_at = $1 where id = $2", noon.Add(time.Duration(i)*time.Second), c.ChatID.String())
			chats = append(chats, c)
		}
		for _, tt := range []struct {
			from, to time.Time
			want     []hub.Arrival
		}{
			{time.Time{}, time.Time{}, []hub.Arrival{chats[3], chats[2], chats[1], chats[0]}},
			{noon.Add(time.Second), time.Time{}, []hub.Arrival{chats[3], chats[2], chats[1]}},
			{time.Time{}, noon.Add(2 * time.Second), []hub.Arrival{chats[1], chats[0]}},
			{noon.Add(time.Second), noon.Add(3 * time.Second), []hub.Arrival{chats[2], chats[1]}},
			{time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), noon.Add(time.Second), chats[:1]},
			{time.Time{}, time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), nil},
			{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}, nil},
		} {
			var want []hub.ID
			for _, c := range tt.want {
				want = append(want, c.ChatID)
			}
			list, err := a.Chats(q.Context(), hub.ChatQuery{From: tt.from, To: tt.to, Limit: 10})
			if ids := recordIDs(list); err != nil || !slices.Equal(ids, want) {
				q.Errorf("chats from %v to %v = %v (%v), want %v", tt.from, tt.to, ids, err, want)
			}
			found := q.originals(a, hub.OriginalQuery{Outcomes: []hub.Outcome{hub.Refused}, From: tt.from, To: tt.to})
			if ids := idsOf(found); !slices.Equal(ids, want) {
				q.Errorf("originals from %v to %v = %v, want %v", tt.from, tt.to, ids, want)
			}
		}
		list, err := a.Chats(q.Context(), hub.ChatQuery{IDs: []hub.ID{chats[0].ChatID, hub.NewID(), chats[2].ChatID}, Limit: 10})
		if ids := recordIDs(list); err != nil || !slices.Equal(ids, []hub.ID{chats[2].ChatID, chats[0].ChatID}) {
			q.Errorf("chats by id = %v (%v)", ids, err)
		}
		if list, err := a.Chats(q.Context(), hub.ChatQuery{IDs: []hub.ID{}, Limit: 10}); err != nil || len(list) > 0 {
			q.Errorf("chats by no id = %d (%v)", len(list), err)
		}
	})
}

func recordIDs(list []hub.ChatRecord) (ids []hub.ID) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestAnUnfinishedChatTellsItsStage(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		c := a.chat("v")
		stage := func(want hub.Stage, lane hub.Lane, claims int) {
			q.Helper()
			if r := q.wantOutcome(a, c, hub.Waiting); r.Stage != want || r.Lane != lane || r.Claims != claims || r.NextTryAt.IsZero() == (want == hub.StageLater) {
				q.Errorf("chat is at stage %d, lane %d after %d claims, next try %v; want %d, %d, %d", r.Stage, r.Lane, r.Claims, r.NextTryAt, want, lane, claims)
			}
		}
		q.accept(c)
		stage(hub.StageReady, hub.LaneLookup, 0)
		k := q.claimOne(c)
		stage(hub.StageClaimed, hub.LaneLookup, 1)
		q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour}, hub.Kept)
		stage(hub.StageLater, hub.LaneDelivery, 1)
		q.accept(a.chat("v"))
		stage(hub.StageNone, hub.LaneLookup, 0)
	})
}

// While a release is rolled out, a program of before goes on accepting.
func TestAProgramOfBeforeReplaysStillAccepts(t *testing.T) {
	t.Parallel()
	onPostgres(t, func(q queueTest) {
		a := signUp(q, q.Store)
		c := a.chat("v")
		n := q.count(`select count(*) from accept_chats(array[$1::uuid], array[$2::uuid], array[$3::text], array['v'], array['body'::bytea], array[0::bigint])
			where known`, a.desk.ID.String(), c.ChatID.String(), c.ExternalID)
		if n != 1 {
			q.Fatalf("%d chats accepted, want one", n)
		}
		q.claimOne(c)
	})
}
