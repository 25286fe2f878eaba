package queue

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sidecard/internal/hub"
)

// Carrier is what the pumps need of the hub; *hub.Hub is it.
type Carrier interface {
	Claim(context.Context, hub.ClaimRequest) ([]hub.Claimed, error)
	Carry(context.Context, hub.Work) (again time.Duration)
	Extend(context.Context, []hub.Hold) ([]hub.ID, error)
	Sweep(context.Context) (hub.Swept, error)
	Lease() time.Duration
}

var _ Carrier = (*hub.Hub)(nil)

// The pumps' sizes, settled by measurement (docs/decisions).
const (
	slots        = 128 // chats in hand per lane
	tenantCap    = 8   // of one tenant
	slowCap      = 2   // of one tenant whose oldest has been in hand for slowAfter
	slowAfter    = time.Second
	claimBatch   = 64
	claimShare   = 8 // of one tenant per claim
	poll         = 500 * time.Millisecond
	pollIll      = 50 * time.Millisecond // while Redis does not answer
	claimPause   = time.Second           // after a failed claim
	claimTimeout = 2 * time.Second       // well inside the lease
)

// pump claims the chats of one lane and carries them, as many at once as there are slots.
type pump struct {
	lane    hub.Lane
	carrier Carrier
	log     *slog.Logger
	wake    chan struct{}
	ill     func() bool                             // Redis does not answer
	due     func(d time.Duration)                   // tells the sweeper when a try is due
	before  func(ctx context.Context) time.Duration // runs before each claim; says when to come back (negative: at the next poll)

	mu       sync.Mutex
	inHand   map[hub.ID]*held // by chat
	tenants  map[hub.ID]int
	cursor   hub.ID
	more     bool          // the last claim was full: there is more than we have slots
	idle     chan struct{} // closed while nothing is in hand and nothing more is known
	draining atomic.Bool
}

// held is a chat in hand with the local side of its lease.
type held struct {
	hub.Hold
	taken     time.Time
	confirmed time.Time // the lease is no older than this
	cancel    context.CancelFunc
}

func newPump(lane hub.Lane, c Carrier, log *slog.Logger, ill func() bool) *pump {
	p := &pump{
		lane: lane, carrier: c, log: log, ill: ill, wake: make(chan struct{}, 1),
		inHand: map[hub.ID]*held{}, tenants: map[hub.ID]int{}, idle: make(chan struct{}),
		due: func(time.Duration) {}, before: func(context.Context) time.Duration { return -1 },
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
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		next := p.interval()
		if d := p.before(ctx); d >= 0 {
			next = min(next, d)
		}
		if err := p.claimAll(ctx, carry, &all); err != nil && ctx.Err() == nil {
			p.log.Error("claim failed", "queue", queueNames[p.lane], "error", err)
			next = claimPause
		}
		timer.Reset(next)
	}
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
		since := time.Now()
		claimed, err := p.claim(ctx, request)
		if err != nil {
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
	slow := map[hub.ID]bool{}
	for _, h := range p.inHand {
		if time.Since(h.taken) > slowAfter {
			slow[h.TenantID] = true
		}
	}
	for tenant, n := range p.tenants {
		if n >= tenantCap || slow[tenant] && n >= slowCap {
			r.Excluded = append(r.Excluded, tenant)
		}
	}
	return r, true
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
func (p *pump) take(carry context.Context, c hub.Claimed, since time.Time) (hub.Work, context.Context) {
	ctx, cancel := context.WithCancel(carry)
	h := &held{Hold: c.Hold, taken: since, confirmed: since, cancel: cancel}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inHand) == 0 {
		p.busy()
	}
	p.inHand[c.ChatID] = h
	p.tenants[c.TenantID]++
	return hub.Work{Claimed: c, Since: since, Young: func() bool { return p.leaseAge(h) < p.carrier.Lease()*2/3 }}, ctx
}

func (p *pump) carry(ctx context.Context, w hub.Work) {
	again := p.carrier.Carry(ctx, w)
	p.mu.Lock()
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
	if again >= 0 {
		p.due(again)
	}
	if more {
		p.ring()
	}
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

// leaseAge is how old the lease can be at most. The wall clock counts too: the monotonic one stands
// still while a machine sleeps.
func (p *pump) leaseAge(h *held) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return h.age(time.Now())
}

func (h *held) age(now time.Time) time.Duration {
	return max(now.Sub(h.confirmed), now.Round(0).Sub(h.confirmed.Round(0)))
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
	now := time.Now()
	var old []hub.Hold
	for _, h := range p.inHand {
		switch age := h.age(now); {
		case age > lease*11/12:
			h.cancel()
		case age > lease/3:
			old = append(old, h.Hold)
		}
	}
	return old
}

func (p *pump) renew(ctx context.Context, old []hub.Hold) {
	at := time.Now()
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
			h.cancel()
		}
	}
}
