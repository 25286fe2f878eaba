package hub

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/sony/gobreaker/v2"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

// setupCache remembers what serving a tenant needs, with its sources open. An entry is good as long as
// the tenant's revision is the one it was read at; every claim carries the revision, so nothing expires
// by time and a change counts from the next chat on.
type setupCache struct {
	entries *lru.Cache[ID, *openSetup]
}

const setupsRemembered = 4096

// newestRevision asks setup to read whatever is stored now.
const newestRevision = math.MaxInt64

func newSetupCache() *setupCache {
	c, err := lru.NewWithEvict(setupsRemembered, func(_ ID, s *openSetup) { s.retire(nil) })
	if err != nil {
		panic(err) // only for a size below one
	}
	return &setupCache{c}
}

func (c *setupCache) close() {
	for _, s := range c.entries.Values() {
		for _, o := range s.sources {
			o.close()
		}
	}
}

// openSetup is a Setup with sources that open at first use.
type openSetup struct {
	Setup
	sources map[ID]*openSource
	desk    *deskState
}

// deskState is what this process learnt about a tenant's desk; it survives changes of the setup.
type deskState struct {
	pause   pause
	breaker *gobreaker.CircuitBreaker[livesupporti.Answer]
}

// openSource is one connection of a setup; it survives changes of the setup that leave it alone.
type openSource struct {
	Connection Connection
	breaker    *gobreaker.CircuitBreaker[connectors.Result]
	fresh      time.Duration // as in connectors.Spec
	once       sync.Once
	source     *source
	err        error
}

func (o *openSource) close() {
	o.once.Do(func() { o.err = fmt.Errorf("connection %s is closed", o.Connection.ID) })
	if o.source != nil {
		_ = o.source.Close()
	}
}

// retire closes the sources that next does not go on using, once the lookups that hold them must be over.
func (s *openSetup) retire(next *openSetup) {
	for id, o := range s.sources {
		if next == nil || next.sources[id] != o {
			time.AfterFunc(time.Minute, o.close)
		}
	}
}

// setup gives a tenant's setup at least as new as revision.
func (h *Hub) setup(ctx context.Context, tenant ID, revision int64) (*openSetup, error) {
	known, ok := h.setups.entries.Get(tenant)
	if ok && known.Revision >= revision {
		return known, nil
	}
	read, err := h.Store.Tenant(tenant).Setup(ctx)
	if err != nil {
		return nil, fmt.Errorf("read setup: %w", err)
	}
	next := &openSetup{Setup: read, sources: make(map[ID]*openSource, len(read.Connections))}
	if ok {
		next.desk = known.desk
	} else {
		next.desk = &deskState{breaker: deskBreaker()}
	}
	for _, c := range read.Connections {
		next.sources[c.ID] = &openSource{Connection: c, breaker: sourceBreaker(), fresh: h.fresh(c.Kind)}
		if ok && known.sources[c.ID] != nil && known.sources[c.ID].Connection.Revision == c.Revision {
			next.sources[c.ID] = known.sources[c.ID]
		}
	}
	h.setups.entries.Add(tenant, next)
	if ok {
		known.retire(next)
	}
	return next, nil
}

func (h *Hub) fresh(kind string) time.Duration {
	if c, known := h.Connectors.Find(kind); known {
		return c.Spec().Fresh
	}
	return 0
}

// source opens a connection's source at first use.
func (h *Hub) source(s *openSetup, id ID) (*source, error) {
	o, ok := s.sources[id]
	if !ok {
		return nil, &connectors.Error{
			Class: connectors.Misconfigured, Code: "connection.gone",
			Message: "The connection was removed.", Fix: "Publish a card without its fields.",
		}
	}
	o.once.Do(func() { o.source, o.err = h.openSource(context.Background(), s.Tenant, o.Connection) })
	return o.source, o.err
}

// pause leaves alone for a while who asked for it (429), in this process.
type pause struct {
	mu    sync.Mutex
	until time.Time
}

func (p *pause) extend(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.until.Sub(now))
}
