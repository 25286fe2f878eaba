package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// TestInvariantsHoldUnderConcurrency lets senders, workers that fail, stop and come back from the dead, and
// sweeps work at once, and compares what the database says with a ledger that knows only what was promised
// to whom: no chat is lost or ends twice (I1, I2), no visitor is held twice (I3), who lost the lease changes
// nothing (I5), and the last post for each visitor is about the newest chat (I8).
func TestInvariantsHoldUnderConcurrency(t *testing.T) {
	onQueues(t, func(q queueTest) {
		stores := []*store.Store{q.Store, q.Store}
		if q.URL != "" { // as two processes
			stores[1] = storetest.OpenPostgres(q, q.URL, 0)
		}
		l := &ledger{queueTest: q, stores: stores, live: map[visitorKey]*holder{}, lastPost: map[visitorKey]hub.ID{}, newest: map[visitorKey]hub.ID{}}
		var accounts []account
		for range 5 {
			accounts = append(accounts, signUp(q, q.Store))
		}
		var senders, workers sync.WaitGroup
		for _, a := range accounts {
			for v := range 4 {
				senders.Go(func() { l.send(a, fmt.Sprint("v", v), 20) })
			}
		}
		stop := make(chan struct{})
		for i := range 6 {
			workers.Go(func() { l.work(stop, stores[i%2], rand.New(rand.NewPCG(uint64(i), 7))) })
		}
		workers.Go(func() { l.haunt(stop) })
		senders.Wait()
		waitFor(t, "all work to be done", func() bool { return q.count("select count(*) from work") == 0 })
		close(stop)
		workers.Wait()

		q.wantWhole()
		if chats := q.count("select count(*) from chats"); chats != l.accepted {
			q.Errorf("%d chats stored, %d were confirmed", chats, l.accepted)
		}
		for visitor, newest := range l.newest {
			if l.lastPost[visitor] != newest {
				q.Errorf("the last post for %v is about %s, the newest chat is %s", visitor, l.lastPost[visitor], newest)
			}
		}
		if l.posts < len(l.newest) || l.zombies == 0 || l.overtaken == 0 {
			q.Errorf("%d posts, %d zombies refused, %d overtaken: the run proved too little", l.posts, l.zombies, l.overtaken)
		}
		t.Logf("%d chats, %d posts, %d zombies refused, %d overtaken", l.accepted, l.posts, l.zombies, l.overtaken)
	})
}

type visitorKey struct {
	tenant  hub.ID
	visitor string
}

// holder is who was given a chat, until it ends it, gives it back, or its lease is declared over.
type holder struct {
	hub.Claimed
	store   *store.Store
	expired bool
}

func (h *holder) key() visitorKey { return visitorKey{h.TenantID, h.VisitorID} }

type ledger struct {
	queueTest
	stores []*store.Store

	mu        sync.Mutex
	live      map[visitorKey]*holder
	dead      []*holder // stopped without a word; some come back
	newest    map[visitorKey]hub.ID
	lastPost  map[visitorKey]hub.ID
	accepted  int
	posts     int
	zombies   int
	overtaken int
}

// send accepts the chats of one visitor one after the other, some of them repeated, some late.
func (l *ledger) send(a account, visitor string, chats int) {
	key := visitorKey{a.tenant.ID, visitor}
	for i := range chats {
		chat := a.chat(visitor)
		if i%5 == 4 {
			chat.Ago = time.Minute
		}
		for c := range 1 + i%2 {
			if _, err := again(func() (int, error) { return l.stores[c].Accept(l.Context(), []hub.Arrival{chat}) }); err != nil {
				l.Errorf("Accept: %v", err)
				return
			}
		}
		l.mu.Lock()
		l.accepted++
		if chat.Ago == 0 {
			l.newest[key] = chat.ChatID
		}
		l.mu.Unlock()
	}
}

// work claims chats and does with them what workers do, good and bad.
func (l *ledger) work(stop <-chan struct{}, s *store.Store, random *rand.Rand) {
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for lane := hub.LaneLookup; ; lane = 1 - lane {
		select {
		case <-stop:
			return
		case <-poll.C:
		}
		claimed, err := again(func() ([]hub.Claimed, error) {
			return s.Claim(l.Context(), hub.ClaimRequest{Lane: lane, Limit: 8, Share: 4, Lease: time.Hour, Fence: random.Int64()})
		})
		if err != nil {
			l.Errorf("Claim: %v", err)
			return
		}
		var mine []*holder
		for _, k := range claimed {
			mine = append(mine, l.take(k, s))
		}
		for _, h := range mine {
			l.handle(h, random)
		}
	}
}

// take notes a new holder; there must be no other whose lease goes on (I3).
func (l *ledger) take(k hub.Claimed, s *store.Store) *holder {
	h := &holder{Claimed: k, store: s}
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.live[h.key()]; other != nil {
		l.Errorf("visitor %s is held under fences %d and %d", k.VisitorID, other.Fence, k.Fence)
	}
	l.live[h.key()] = h
	return h
}

func (l *ledger) handle(h *holder, random *rand.Rand) {
	switch random.IntN(10) {
	case 0: // stops, and comes back later
		l.mu.Lock()
		l.dead = append(l.dead, h)
		l.mu.Unlock()
	case 1, 2: // posts, but LiveSupporti fails
		l.post(h)
		l.end(h, func() (hub.Grip, error) {
			return h.store.Retry(l.Context(), hub.Retry{
				Hold: h.Hold, Lane: hub.LaneDelivery, Delay: time.Duration(random.IntN(3)) * time.Millisecond,
				Details: []byte("sealed"), Attempt: &hub.Attempt{Number: h.Tries + 1, Verdict: "retry"},
			})
		})
	default:
		l.post(h)
		f := shown(h.Hold)
		f.Attempt.Number = h.Tries + 1
		l.end(h, func() (hub.Grip, error) { return h.store.Finish(l.Context(), f) })
	}
}

// post notes a post, which happens only under an own lease (I4).
func (l *ledger) post(h *holder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.expired {
		return
	}
	l.posts++
	l.lastPost[h.key()] = h.ChatID
}

// end gives the chat up. The holder is none any more from the moment that the database may give it away.
func (l *ledger) end(h *holder, do func() (hub.Grip, error)) {
	l.mu.Lock()
	if l.live[h.key()] == h {
		delete(l.live, h.key())
	}
	expired := h.expired
	l.mu.Unlock()
	grip, err := again(do)
	if err != nil {
		l.Errorf("end: %v", err)
	}
	if grip == hub.Lost && !expired {
		l.Errorf("chat %s was lost under its lease", h.ChatID)
	}
	if grip == hub.Overtaken {
		l.mu.Lock()
		l.overtaken++
		l.mu.Unlock()
	}
}

// haunt lets the leases of the dead run out, and sweeps; some of the dead come back once somebody else holds
// their chat, and must change nothing (I5).
func (l *ledger) haunt(stop <-chan struct{}) {
	var ghosts []*holder
	often := time.NewTicker(5 * time.Millisecond)
	defer often.Stop()
	for {
		select {
		case <-stop:
			return
		case <-often.C:
		}
		l.mu.Lock()
		dead := l.dead
		l.dead = nil
		for _, h := range dead {
			h.expired = true
			delete(l.live, h.key())
		}
		l.mu.Unlock()
		for _, h := range dead {
			l.exec("update work set due_at = $1 where tenant_id = $2 and visitor_id = $3 and state = 1 and fence = $4",
				time.Now().UTC().Add(-time.Second), h.TenantID, h.VisitorID, h.Fence)
		}
		if _, err := l.stores[0].Sweep(l.Context(), hub.SweepRequest{}); err != nil {
			l.Errorf("Sweep: %v", err)
		}
		ghosts = slices.DeleteFunc(append(ghosts, dead...), l.comeBack)
	}
}

// comeBack has a dead holder end its chat although somebody else holds it now. It reports whether it tried.
func (l *ledger) comeBack(ghost *holder) bool {
	l.mu.Lock()
	holding := l.live[ghost.key()]
	l.mu.Unlock()
	if holding == nil {
		return false
	}
	grip, err := again(func() (hub.Grip, error) { return ghost.store.Finish(l.Context(), shown(ghost.Hold)) })
	if err != nil {
		l.Errorf("Finish of a dead holder: %v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live[ghost.key()] != holding {
		return true // it gave the chat up meanwhile: then nobody holds it, and either answer is right
	}
	l.zombies++
	if grip != hub.Lost {
		l.Errorf("a dead holder ended chat %s, which fence %d holds", ghost.ChatID, holding.Fence)
	}
	return true
}
