package mysql

import (
	"context"
	"sync"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

const (
	// maxConns per source and process: tenants' servers have few connections to give.
	maxConns = 2
	// patience is how long a lookup waits while no connection comes free at all.
	patience = 500 * time.Millisecond
	// Connections that nobody needs are given back soon, and none is kept for ever.
	maxIdle = 2 * time.Minute
	maxAge  = 20 * time.Minute
	// believed is how long a connection is taken to be alive without asking.
	believed = time.Second
)

// pool keeps the sessions of one source.
type pool struct {
	all     *reach.Keeper
	connect func(ctx context.Context) (*session, error)
	now     func() time.Time
	seats   chan struct{} // one for each session in use

	mu     sync.Mutex
	idle   []*session // the last one was used last
	moved  time.Time  // when a session was given back last
	reaper *time.Timer
	closed bool
}

func newPool(all *reach.Keeper, now func() time.Time, connect func(ctx context.Context) (*session, error)) *pool {
	return &pool{all: all, connect: connect, now: now, seats: make(chan struct{}, maxConns)}
}

// read runs a query on one of the sessions. A session on which it failed is not used again.
func (p *pool) read(ctx context.Context, q query, each take) error {
	if err := p.sit(ctx); err != nil {
		return err
	}
	defer func() { <-p.seats }()
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	err = s.read(ctx, q, each)
	p.giveBack(s, err)
	return err
}

// sit waits for a seat, for as long as others come free.
func (p *pool) sit(ctx context.Context) error {
	for {
		since := p.now()
		timer := time.NewTimer(patience)
		select {
		case p.seats <- struct{}{}:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
			p.mu.Lock()
			stuck := p.moved.Before(since)
			p.mu.Unlock()
			if stuck {
				return &connectors.Error{
					Class: connectors.RateLimited, Code: "mysql.busy", RetryAfter: time.Second,
					Message: "All connections that Sidecard may use are busy.", Fix: "Look at the server's load, and at the index that the check names.",
				}
			}
		}
	}
}

// session takes an idle session, or opens one.
func (p *pool) session(ctx context.Context) (*session, error) {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return p.connect(ctx)
		}
		s := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if p.stale(s) {
			s.part()
			continue
		}
		if p.now().Sub(s.used) < believed || s.alive(ctx) {
			return s, nil
		}
		s.cut()
	}
}

func (p *pool) stale(s *session) bool {
	return p.now().Sub(s.used) >= maxIdle || p.now().Sub(s.born) >= maxAge
}

// giveBack keeps a session for the next lookup, unless this one failed on it.
func (p *pool) giveBack(s *session, err error) {
	p.mu.Lock()
	p.moved = p.now()
	keep := err == nil && !p.closed
	if keep {
		s.used = p.now()
		p.idle = append(p.idle, s)
		if p.reaper == nil {
			p.reaper = time.AfterFunc(maxIdle, p.reap)
		}
	}
	p.mu.Unlock()
	if keep {
		p.all.Used(p)
	} else {
		s.cut()
	}
}

// reap parts from sessions that nobody has needed for long.
func (p *pool) reap() {
	p.mu.Lock()
	var stale, fresh []*session
	for _, s := range p.idle {
		if p.stale(s) {
			stale = append(stale, s)
		} else {
			fresh = append(fresh, s)
		}
	}
	p.idle, p.reaper = fresh, nil
	if len(fresh) > 0 {
		p.reaper = time.AfterFunc(maxIdle, p.reap)
	} else {
		p.all.Forget(p)
	}
	p.mu.Unlock()
	partAll(stale)
}

// LetGo implements reach.Holder.
func (p *pool) LetGo() { p.empty() }

// empty parts from all sessions that nobody uses.
func (p *pool) empty() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	if p.reaper != nil {
		p.reaper.Stop()
		p.reaper = nil
	}
	p.mu.Unlock()
	partAll(idle)
}

// close parts from the sessions for good. None is in use.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.all.Forget(p)
	p.empty()
}

func partAll(sessions []*session) {
	for _, s := range sessions {
		s.part()
	}
}
