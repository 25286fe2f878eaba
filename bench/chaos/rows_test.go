package main

import (
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
)

func TestRowsAreNamedOnceAndBounded(t *testing.T) {
	t.Parallel()
	const longest = 40 * time.Second
	names := map[string]bool{}
	for _, r := range rows {
		if names[r.Name] {
			t.Errorf("there are two rows %s", r.Name)
		}
		names[r.Name] = true
		if !strings.HasSuffix(r.What, ".") {
			t.Errorf("%s says %q, which is no sentence", r.Name, r.What)
		}
		if r.Chats <= 0 || r.Rate <= 0 {
			t.Errorf("%s begins %d chats at %d/s", r.Name, r.Chats, r.Rate)
		} else if steady := r.Load == nil; steady && time.Duration(r.Chats/r.Rate)*time.Second > longest {
			t.Errorf("%s begins %d chats at %d/s; the load must end within %v", r.Name, r.Chats, r.Rate, longest)
		}
	}
	for _, name := range strings.Fields("A1 A2 A3 W1 W2 W3 W4 R1 R2 R3 R4 R5 R6 D1 D2 D3 D5 L1 L2 L3 L4 L5 L6 L7 N1 N2 C1 U1") {
		if !names[name] {
			t.Errorf("row %s of the matrix is missing", name)
		}
	}
}

// played is a history of one tenant's chats, made second by second: each has a post with that status then.
func played(statuses ...int) indexed {
	var h history
	began := time.Now()
	for i, status := range statuses {
		id := string(rune('a' + i))
		at := began.Add(time.Duration(i) * time.Second)
		h.Chats = append(h.Chats, chat{External: id, Firing: id, Visitor: id, Agent: id, Began: at})
		h.Notices = append(h.Notices, notice{Firing: id, Attempt: 1, At: at, Took: time.Millisecond, Status: 200})
		h.Records = append(h.Records, record{Tenant: "T", External: id, Outcomes: []hub.Outcome{hub.Refused}, Ended: at.Add(time.Second)})
		if status != 0 {
			h.Posts = append(h.Posts, post{At: at, Visitor: id, Agent: id, Status: status, Accepted: status == 200})
		}
	}
	h.Tenants = map[string]int{"T": 0}
	return h.index()
}

func testRun() *run { return &run{ledger: newLedger(), figures: map[string]float64{}} }

func TestRefusedChatsMustBePostedOnce(t *testing.T) {
	t.Parallel()
	x := played(400, 404)
	if broken := refusedAtOnce(testRun(), x); len(broken) > 0 {
		t.Errorf("two chats, each posted once: %q", broken)
	}
	x.posts[x.Chats[0].key()] = append(x.posts[x.Chats[0].key()], x.Posts[0])
	if broken := refusedAtOnce(testRun(), x); len(broken) != 1 {
		t.Errorf("a refused chat was posted again: %q", broken)
	}
	if broken := refusedAtOnce(testRun(), indexed{}); len(broken) != 1 {
		t.Errorf("nothing was refused: %q", broken)
	}
}

func TestAChatIsOvertakenByOneThatWasAcceptedBefore(t *testing.T) {
	t.Parallel()
	now := time.Now()
	older, newer := chat{Firing: "older", Began: now}, chat{Firing: "newer", Began: now.Add(time.Second)}
	both := []chat{older, newer}
	for name, tt := range map[string]struct {
		older, newer time.Duration // when each was accepted
		want         bool
	}{
		"in order":                   {5 * time.Millisecond, 1005 * time.Millisecond, false},
		"the older one later":        {3 * time.Second, 1005 * time.Millisecond, true},
		"both at once":               {1010 * time.Millisecond, 1005 * time.Millisecond, false},
		"the newer one late as well": {5 * time.Second, 3 * time.Second, false},
	} {
		accepted := map[string]time.Time{"older": now.Add(tt.older), "newer": now.Add(tt.newer)}
		if _, got := overtaker(older, both, accepted); got != tt.want {
			t.Errorf("%s: overtaken = %v", name, got)
		}
	}
}

func TestRingsMustWorkAgainAfterwards(t *testing.T) {
	t.Parallel()
	check := func(before, after time.Duration) []string {
		var h history
		began := time.Now()
		for i := range 100 {
			at, took := began.Add(time.Duration(i)*10*time.Millisecond), before
			if i >= 50 {
				took = after
			}
			id := string(rune('A' + i))
			h.Chats = append(h.Chats, chat{Firing: id, Visitor: id, Agent: id, Began: at})
			h.Posts = append(h.Posts, post{At: at.Add(took), Visitor: id, Agent: id, Status: 200, Accepted: true})
		}
		r := testRun()
		r.began, r.chats, r.rate, r.healedAt = began, 100, 100, began.Add(500*time.Millisecond)
		return redisBack()(r, h.index())
	}
	if broken := check(20*time.Millisecond, 30*time.Millisecond); len(broken) > 0 {
		t.Errorf("rings work: %q", broken)
	}
	if broken := check(20*time.Millisecond, 270*time.Millisecond); len(broken) != 1 {
		t.Errorf("workers look every half second only: %q", broken)
	}
}
