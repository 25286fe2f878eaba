package hub

import (
	"context"
	"sync"
	"time"

	"sidecard/connectors"
)

// gatherer puts questions to one source together. A question goes at once while few calls are under way;
// those that come meanwhile share the next call. So nobody waits for company, and the busier or slower a
// source is, the more each call asks about.
type gatherer struct {
	size int // questions in one call
	ask  func(ctx context.Context, queries []connectors.Query) []connectors.Answer

	mu      sync.Mutex
	waiting []*question
	running int
}

// atATime is how many calls one source gets at a time: a second one keeps a single slow answer from holding
// up everybody.
const atATime = 2

// question is one query that waits for its answer.
type question struct {
	ctx    context.Context
	query  connectors.Query
	answer chan connectors.Answer // takes one without blocking
}

// askAbout asks about one visitor, alone or with others.
func (g *gatherer) askAbout(ctx context.Context, query connectors.Query) connectors.Answer {
	q := &question{ctx: ctx, query: query, answer: make(chan connectors.Answer, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, q)
	if g.running < atATime {
		g.running++
		go g.run()
	}
	g.mu.Unlock()
	select {
	case a := <-q.answer:
		return a
	case <-ctx.Done():
		return connectors.Answer{Err: ctx.Err()}
	}
}

// run makes calls until no question waits.
func (g *gatherer) run() {
	for {
		batch := g.next()
		if len(batch) == 0 {
			return
		}
		g.call(batch)
	}
}

// next takes the questions of one call, the oldest first, without those that nobody waits for any more. When
// there is none, the caller must stop.
func (g *gatherer) next() (batch []*question) {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := 0
	for _, q := range g.waiting {
		if len(batch) == g.size {
			break
		}
		taken++
		if q.ctx.Err() == nil {
			batch = append(batch, q)
		}
	}
	g.waiting = g.waiting[taken:]
	if len(batch) == 0 {
		g.running--
	}
	return batch
}

// call asks about a batch, for as long as the most patient of its questions waits.
func (g *gatherer) call(batch []*question) {
	ctx := context.WithoutCancel(batch[0].ctx)
	if end, bounded := lastDeadline(batch); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	queries := make([]connectors.Query, len(batch))
	for i, q := range batch {
		queries[i] = q.query
	}
	for i, a := range g.ask(ctx, queries) {
		batch[i].answer <- a
	}
}

func lastDeadline(batch []*question) (last time.Time, bounded bool) {
	for _, q := range batch {
		end, ok := q.ctx.Deadline()
		if !ok {
			return time.Time{}, false
		}
		if end.After(last) {
			last = end
		}
	}
	return last, true
}
