package hub

import (
	"context"
	"slices"
	"sync"
	"time"

	"sidecard/connectors"
)

// gatherer puts questions to one source together. A question goes at once while few calls are under way;
// those that come meanwhile share the next call. So nobody waits for company, and the busier or slower a
// source is, the more each call asks about.
type gatherer struct {
	size  int // questions in one call
	turn  func(ctx context.Context) (context.Context, error)
	ask   func(ctx context.Context, queries []connectors.Query) []connectors.Answer
	slots chan struct{} // calls under way

	mu      sync.Mutex
	waiting []*question
	running bool
}

// atATime is how many calls one source gets at a time: a second one keeps a single slow answer from holding
// up everybody.
const atATime = 2

// newGatherer makes a gatherer. turn waits until a call may be made, and gives a context that says so; a batch is
// put together after that, so that those who came while everybody waited go along.
func newGatherer(
	size int, turn func(ctx context.Context) (context.Context, error), ask func(ctx context.Context, queries []connectors.Query) []connectors.Answer,
) *gatherer {
	return &gatherer{size: size, turn: turn, ask: ask, slots: make(chan struct{}, atATime)}
}

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
	if !g.running {
		g.running = true
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
		g.slots <- struct{}{}
		ctx, end, ok := g.patience()
		if !ok {
			<-g.slots
			return
		}
		ctx, err := g.turn(ctx)
		batch := g.next()
		go func() {
			defer func() { <-g.slots }()
			defer end()
			g.call(ctx, batch, err)
		}()
	}
}

// patience gives a context that lasts as long as the most patient of the questions that wait. When there is none,
// the caller must stop.
func (g *gatherer) patience() (ctx context.Context, end context.CancelFunc, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(q *question) bool { return q.ctx.Err() != nil })
	if len(g.waiting) == 0 {
		g.running = false
		return nil, nil, false
	}
	ctx = context.WithoutCancel(g.waiting[0].ctx)
	if last, bounded := lastDeadline(g.waiting); bounded {
		ctx, end = context.WithDeadline(ctx, last)
		return ctx, end, true
	}
	return ctx, func() {}, true
}

// next takes the questions of one call, the oldest first, without those that nobody waits for any more.
func (g *gatherer) next() []*question {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(q *question) bool { return q.ctx.Err() != nil })
	n := min(g.size, len(g.waiting))
	batch := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return batch
}

// call asks about a batch, or tells why there was no turn.
func (g *gatherer) call(ctx context.Context, batch []*question, err error) {
	if len(batch) == 0 {
		return
	}
	queries := make([]connectors.Query, len(batch))
	for i, q := range batch {
		queries[i] = q.query
	}
	answers := allFail(len(batch), err)
	if err == nil {
		answers = g.ask(ctx, queries)
	}
	for i, a := range answers {
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
