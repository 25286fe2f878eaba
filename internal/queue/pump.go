package queue

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sidecard/internal/flaw"
	"sidecard/internal/hub"
)

// Carrier is what the pumps need of the hub; *hub.Hub is it.
type Carrier interface {
	Claim(context.Context, hub.ClaimRequest) ([]hub.Claimed, error)
	Carry(context.Context, hub.Work) hub.Carried
	Extend(context.Context, []hub.Hold) ([]hub.ID, error)
	LetGo(context.Context, hub.Hold) (hub.Grip, error)
	Sweep(context.Context, hub.SweepRequest) (hub.Swept, error)
	Lease() time.Duration
}

var _ Carrier = (*hub.Hub)(nil)

// The pumps' sizes, settled by measurement (docs/decisions).
const (
	slots        = 128              // chats in hand per lane
	tenantCap    = 8                // of one tenant
	slowCap      = 2                // of a slow tenant
	slowAfter    = time.Second      // in hand for longer makes a chat's tenant slow
	slowFor      = 10 * time.Second // after the last such chat
	sharedCap    = 16               // of one tenant over all workers and both lanes, as of the last look
	sharedLook   = time.Second      // between two looks at that
	claimBatch   = 64
	claimShare   = 8 // of one tenant per claim
	poll         = 500 * time.Millisecond
	pollIll      = 50 * time.Millisecond  // while Redis does not answer
	claimPause   = time.Second            // after a failed claim
	writersFirst = 500 * time.Millisecond // from when the database answers again until the next claim
	claimTimeout = 2 * time.Second        // well inside the lease
	disownFor    = time.Minute            // after a failed claim; one a second fails while the database is away
)

// pump claims the chats of one lane and carries them, as many at once as there are slots.
type pump struct {
	lane    hub.Lane
	carrier Carrier
	log     *slog.Logger
	wake    chan struct{}
	ill     func() bool                             // Redis does not answer
	due     func(d time.Duration)                   // tells the sweeper when a try is due
	freed   func()                                  // tells the lookup pump that an overtaken chat let go
	before  func(ctx context.Context) time.Duration // runs before each claim; says when to come back (negative: at the next poll)

	mu       sync.Mutex
	inHand   map[hub.ID]*held // by chat
	tenants  map[hub.ID]int
	slow     map[hub.ID]time.Time // tenants whose chats took long, and until when that counts
	crowded  []hub.ID             // tenants that have enough in hand over all workers
	disowned map[int64]time.Time  // fences of claims that failed, and until when they may still be made
	cursor   hub.ID
	more     bool          // the last claim was full: there is more than we have slots
	idle     chan struct{} // closed while nothing is in hand and nothing more is known
	draining atomic.Bool
}

// held is a chat in hand with the local side of its lease.
type held struct {
	hub.Hold
	taken     time.Time
	confirmed instant // the lease is no older than this
	lost      bool    // a renewal did not find it
	cancel    context.CancelFunc
}

func newPump(lane hub.Lane, c Carrier, log *slog.Logger, ill func() bool) *pump {
	p := &pump{
		lane: lane, carrier: c, log: log, ill: ill, wake: make(chan struct{}, 1),
		inHand: map[hub.ID]*held{}, tenants: map[hub.ID]int{}, slow: map[hub.ID]time.Time{}, disowned: map[int64]time.Time{}, idle: make(chan struct{}),
		due: func(time.Duration) {}, freed: func() {}, before: func(context.Context) time.Duration { return -1 },
	}
	close(p.idle)
	return p
}

// ring wakes the pump. It never blocks.
func (p *pump) ring() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run pumps until ctx ends, then waits for what is in hand; carry is the context of the chats' own work.
func (p *pump) run(ctx, carry context.Context) {
	var all sync.WaitGroup
	defer p.stop(&all)
	timer := time.NewTimer(0)
	defer timer.Stop()
	all.Go(func() { p.keepLeases(ctx, carry) })
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		if failed && !p.recovered(ctx) {
			timer.Reset(claimPause)
			continue
		}
		next := p.interval()
		if d := p.before(ctx); d >= 0 {
			next = min(next, d)
		}
		err := p.claimAll(ctx, carry, &all)
		if failed = err != nil && ctx.Err() == nil; failed {
			p.log.Error("claim failed", "queue", queueNames[p.lane], "error", err)
			next = claimPause
		}
		timer.Reset(next)
	}
}

// recovered waits until the database answers again, and then until who posted meanwhile has written it down: a
// crash of the database forgets leases, so a claim that came first would have the same details posted again.
func (p *pump) recovered(ctx context.Context) bool {
	sweep, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	if _, err := p.carrier.Sweep(sweep, hub.SweepRequest{}); err != nil {
		return false
	}
	select {
	case <-ctx.Done():
	case <-time.After(writersFirst):
	}
	return true
}

// stop waits for what is in hand and lets a drain go.
func (p *pump) stop(all *sync.WaitGroup) {
	all.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.more = false
	p.settle()
}

func (p *pump) interval() time.Duration {
	if p.ill() {
		return pollIll
	}
	return poll
}

// claimAll claims until a claim comes back short or every slot is taken.
func (p *pump) claimAll(ctx, carry context.Context, all *sync.WaitGroup) error {
	for ctx.Err() == nil {
		request, free := p.request()
		if !free {
			return nil
		}
		since := now()
		claimed, err := p.claim(ctx, request)
		if err != nil {
			p.disown(request.Fence)
			return err
		}
		for _, c := range claimed {
			w, workCtx := p.take(carry, c, since)
			all.Go(func() { p.carry(workCtx, w) })
		}
		if !p.advance(request, claimed) {
			return nil
		}
	}
	return nil
}

// claim outlives a stop: what the database gave us must be carried, or it would wait for its lease.
func (p *pump) claim(ctx context.Context, r hub.ClaimRequest) ([]hub.Claimed, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	return p.carrier.Claim(ctx, r)
}

// request makes the next claim from what is in hand; false when every slot is taken.
func (p *pump) request() (hub.ClaimRequest, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := slots - len(p.inHand)
	if free <= 0 {
		p.more = true
		return hub.ClaimRequest{}, false
	}
	fence := rand.Int64N(1<<62) + 1 //nolint:gosec // only has to differ from other claims
	r := hub.ClaimRequest{Lane: p.lane, After: p.cursor, Limit: min(free, claimBatch), Share: claimShare, Fence: fence}
	p.noteSlow()
	r.Excluded = append(r.Excluded, p.crowded...)
	for tenant, n := range p.tenants {
		if _, slow := p.slow[tenant]; n >= tenantCap || slow && n >= slowCap {
			r.Excluded = append(r.Excluded, tenant)
		}
	}
	for tenant := range p.slow {
		r.Slow = append(r.Slow, tenant)
	}
	return r, true
}

// noteSlow remembers whose chats take long, so that a tenant who is slow again and again does not fill the
// slots each time anew, and forgets who was slow long ago. With the lock held.
func (p *pump) noteSlow() {
	at := time.Now()
	for _, h := range p.inHand {
		if at.Sub(h.taken) > slowAfter {
			p.slow[h.TenantID] = at.Add(slowFor)
		}
	}
	maps.DeleteFunc(p.slow, func(_ hub.ID, until time.Time) bool { return at.After(until) })
}

// disown remembers a claim that failed. The database may make it all the same, even after it has been away
// for a while, and then nobody carries those chats.
func (p *pump) disown(fence int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disowned[fence] = time.Now().Add(disownFor)
}

// claimedInVain lists the fences that are disowned.
func (p *pump) claimedInVain() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.disowned, func(_ int64, until time.Time) bool { return time.Now().After(until) })
	return slices.Collect(maps.Keys(p.disowned))
}

// share tells the pump which tenants have enough in hand over all workers.
func (p *pump) share(crowded []hub.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crowded = crowded
}

// advance moves the cursor; true when another claim may find more.
func (p *pump) advance(r hub.ClaimRequest, claimed []hub.Claimed) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(claimed) == r.Limit {
		p.cursor, p.more = claimed[len(claimed)-1].TenantID, true
		return true
	}
	restarted := p.cursor == hub.ID{}
	p.cursor = hub.ID{}
	// Short, but tenants were left out or stand before the cursor: look again when a slot is freed.
	p.more = len(r.Excluded) > 0
	p.settle()
	return !restarted
}

// take puts a claimed chat into a slot.
func (p *pump) take(carry context.Context, c hub.Claimed, since instant) (hub.Work, context.Context) {
	ctx, cancel := context.WithCancel(carry)
	h := &held{Hold: c.Hold, taken: since.Time, confirmed: since, cancel: cancel}
	if flaw.On(flaw.NoLeaseCheck) {
		h.cancel = func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inHand) == 0 {
		p.busy()
	}
	p.inHand[c.ChatID] = h
	p.tenants[c.TenantID]++
	return hub.Work{Claimed: c, Since: since.Add(flaw.Ahead()), Young: func() bool { return p.leaseAge(h) < p.carrier.Lease()*2/3 }}, ctx
}

func (p *pump) carry(ctx context.Context, w hub.Work) {
	after := p.carrier.Carry(ctx, w)
	if p.lost(w.Hold) {
		grip, err := p.carrier.LetGo(context.WithoutCancel(ctx), w.Hold)
		after.Freed = after.Freed || err == nil && grip == hub.Overtaken
	}
	p.mu.Lock()
	p.noteSlow()
	if h := p.inHand[w.ChatID]; h != nil && h.Fence == w.Fence {
		h.cancel()
		delete(p.inHand, w.ChatID)
	}
	if p.tenants[w.TenantID]--; p.tenants[w.TenantID] <= 0 {
		delete(p.tenants, w.TenantID)
	}
	more := p.more
	p.settle()
	p.mu.Unlock()
	if after.Again >= 0 {
		p.due(after.Again)
	}
	if after.Freed {
		p.freed()
	}
	if more {
		p.ring()
	}
}

// lost reports whether a renewal found that the chat is not ours any more.
func (p *pump) lost(hold hub.Hold) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.inHand[hold.ChatID]
	return h != nil && h.Fence == hold.Fence && h.lost
}

// busy and settle open and close the idle gate; both with the lock held.
func (p *pump) busy() {
	select {
	case <-p.idle:
		p.idle = make(chan struct{})
	default:
	}
}

func (p *pump) settle() {
	if len(p.inHand) > 0 || p.more {
		return
	}
	select {
	case <-p.idle:
	default:
		close(p.idle)
	}
}

// drain rings the pump. The first caller then stays until nothing is in hand, so that a chat's work is
// seen, and waited for at a stop, as part of an Asynq task; the others return at once.
func (p *pump) drain(ctx context.Context) {
	p.ring()
	if !p.draining.CompareAndSwap(false, true) {
		return
	}
	defer p.draining.Store(false)
	p.mu.Lock()
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// leaseAge is how old the lease can be at most.
func (p *pump) leaseAge(h *held) time.Duration {
	if flaw.On(flaw.NoLeaseCheck) {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return now().since(h.confirmed)
}

// keepLeases renews the leases of chats that take long, and lets go of those that were lost. After ctx
// has ended it goes on until nothing is in hand.
func (p *pump) keepLeases(ctx, carry context.Context) {
	lease := p.carrier.Lease()
	tick := time.NewTicker(lease / 24)
	defer tick.Stop()
	var renewed time.Time
	for {
		select {
		case <-carry.Done():
			return
		case <-tick.C:
		}
		if ctx.Err() != nil && p.empty() {
			return
		}
		old := p.outgrown(lease)
		if len(old) > 0 && time.Since(renewed) >= lease/6 {
			renewed = time.Now()
			p.renew(carry, old)
		}
	}
}

func (p *pump) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.inHand) == 0
}

// outgrown lists the chats whose lease wants renewing and cancels those whose lease is as good as over.
func (p *pump) outgrown(lease time.Duration) []hub.Hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := now()
	var old []hub.Hold
	for _, h := range p.inHand {
		switch age := at.since(h.confirmed); {
		case age > lease*11/12:
			h.cancel()
		case age > lease/3:
			old = append(old, h.Hold)
		}
	}
	return old
}

func (p *pump) renew(ctx context.Context, old []hub.Hold) {
	at := now()
	ctx, cancel := context.WithTimeout(ctx, p.carrier.Lease()/3)
	defer cancel()
	kept, err := p.carrier.Extend(ctx, old)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.log.Warn("leases not renewed", "queue", queueNames[p.lane], "error", err)
		}
		return
	}
	still := make(map[hub.ID]bool, len(kept))
	for _, id := range kept {
		still[id] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range old {
		h := p.inHand[o.ChatID]
		switch {
		case h == nil || h.Fence != o.Fence:
		case still[o.ChatID]:
			h.confirmed = at
		default:
			h.lost = true
			h.cancel()
		}
	}
}
