package store_test

import (
	"fmt"
	"testing"
	"time"

	"sidecard/internal/hub"
)

func TestChatsAreListedNewestFirstAndFiltered(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a := signUp(q, q.Store)
		q.accept(signUp(q, q.Store).chat("of another tenant"))
		var chats []hub.Arrival
		for i := range 6 {
			c := late(a.chat(fmt.Sprint("v", i)), time.Duration(i)*time.Second)
			chats = append(chats, c)
			q.accept(c)
		}
		newer := a.chat("v5") // takes the place of chats[5], which waits on
		q.accept(newer)
		other := a.chat("")
		other.NotAChat = true
		q.accept(other)
		for _, k := range q.claim(func(c *hub.ClaimRequest) { c.After, c.Share = before(a.tenant.ID), 3 }) {
			q.finish(shown(k.Hold), hub.Kept)
		}
		list := func(query hub.ChatQuery, want ...hub.Arrival) []hub.ChatRecord {
			q.Helper()
			query.Limit = max(query.Limit, len(want))
			got, err := a.Chats(q.Context(), query)
			if err != nil || len(got) != len(want) {
				q.Fatalf("Chats = %d (%v), want %d", len(got), err, len(want))
			}
			for i, w := range want {
				if got[i].ID != w.ChatID || got[i].ExternalID != w.ExternalID || string(got[i].Body) != string(w.Body) || got[i].Ago != w.Ago {
					q.Errorf("chat %d = %+v, want %+v", i, got[i], w)
				}
			}
			return got
		}
		all := list(hub.ChatQuery{Limit: 100}, other, newer, chats[5], chats[4], chats[3], chats[2], chats[1], chats[0])
		for i, want := range []hub.Outcome{hub.NotAChat, hub.Waiting, hub.Waiting, hub.Waiting, hub.Waiting, hub.Shown, hub.Shown, hub.Shown} {
			if all[i].Outcome != want || all[i].EndedAt.IsZero() != (want == hub.Waiting) || all[i].Attempts != nil {
				q.Errorf("chat %d = %+v, want %s", i, all[i], want)
			}
		}
		list(hub.ChatQuery{Limit: 2}, other, newer)
		list(hub.ChatQuery{Limit: 2, Before: chats[4].ChatID}, chats[3], chats[2])
		waiting, ended := hub.Waiting, hub.Shown
		list(hub.ChatQuery{Limit: 100, Outcome: &waiting}, newer, chats[5], chats[4], chats[3])
		list(hub.ChatQuery{Limit: 2, Outcome: &ended, Before: chats[2].ChatID}, chats[1], chats[0])
	})
}

// before is the id that sorts just before another.
func before(id hub.ID) hub.ID {
	for i := len(id) - 1; ; i-- {
		id[i]--
		if id[i] != 0xff {
			return id
		}
	}
}
