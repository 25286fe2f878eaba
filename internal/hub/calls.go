package hub

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sidecard/connectors"
)

// calls holds one connection to its vendor's limits, together with all other workers. It implements
// connectors.Limiter.
type calls struct {
	meter Meter
	key   string // of the connection
	now   func() time.Time
	rest  pause // the whole connection, in this process

	mu     sync.Mutex
	limits map[string]connectors.Limit // by bucket; what the vendor said counts more than Spec
}

var _ connectors.Limiter = (*calls)(nil)

func newCalls(m Meter, connection ID, spec connectors.Spec, now func() time.Time) *calls {
	c := &calls{meter: m, key: "calls:" + connection.String(), now: now, limits: make(map[string]connectors.Limit, len(spec.Limits))}
	for _, l := range spec.Limits {
		c.limits[l.Bucket] = l
	}
	return c
}

// margin is the part of a vendor's limit that is left to the tenant's other programs.
const margin = 0.1

// Wait implements connectors.Limiter. A bucket that nobody declared has no limit.
func (c *calls) Wait(ctx context.Context, bucket string) error {
	limit, known := c.limit(bucket)
	if !known || spendTurn(ctx, bucket) {
		return ctx.Err()
	}
	most := longestRest
	if end, bounded := ctx.Deadline(); bounded {
		most = time.Until(end)
	}
	wait, ok := c.meter.Take(ctx, c.bucketKey(bucket), max(1, limit.Calls-int(float64(limit.Calls)*margin)), limit.Per, most)
	if !ok {
		return c.held(bucket, wait)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// turn waits until a call of the first bucket may be made, and gives a context in which it counts as made already.
func (c *calls) turn(ctx context.Context) (context.Context, error) {
	if err := c.resting(); err != nil {
		return ctx, err
	}
	if _, known := c.limit(""); !known {
		return ctx, nil
	}
	err := c.Wait(ctx, "")
	return context.WithValue(ctx, turnKey{}, new(atomic.Bool)), err
}

// turnKey finds whether a context's turn was spent.
type turnKey struct{}

func spendTurn(ctx context.Context, bucket string) bool {
	spent, ok := ctx.Value(turnKey{}).(*atomic.Bool)
	return ok && bucket == "" && !spent.Swap(true)
}

// held is the refusal of a call that would have to wait too long.
func (c *calls) held(bucket string, wait time.Duration) error {
	return &connectors.Error{
		Class: connectors.RateLimited, Code: "held_back", Bucket: bucket, RetryAfter: wait,
		Message: "The source allows only so many calls, and they are used up for the moment.",
		Fix:     "Nothing, if this is rare. Otherwise ask the vendor for a higher limit, or show fewer fields.",
	}
}

// Learn implements connectors.Limiter.
func (c *calls) Learn(l connectors.Limit) {
	if l.Calls <= 0 || l.Per <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits[l.Bucket] = l
}

func (c *calls) limit(bucket string) (connectors.Limit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, known := c.limits[bucket]
	return l, known
}

func (c *calls) bucketKey(bucket string) string { return c.key + ":" + bucket }

const (
	shortestRest = time.Second // when the vendor does not say how long
	longestRest  = time.Hour   // whatever the vendor says
)

// obey leaves alone what asked for it.
func (c *calls) obey(ctx context.Context, e *connectors.Error) {
	if e.Class != connectors.RateLimited || e.Code == "held_back" {
		return
	}
	d := min(max(e.RetryAfter, shortestRest), longestRest)
	if _, shared := c.limit(e.Bucket); shared {
		c.meter.Pause(ctx, c.bucketKey(e.Bucket), d)
		return
	}
	c.rest.extend(c.now().Add(d))
}

// resting refuses while the whole connection is left alone.
func (c *calls) resting() error {
	left := c.rest.left(c.now())
	if left <= 0 {
		return nil
	}
	return c.held("", left)
}
