package store

import (
	"context"
	"fmt"
	"time"

	"sidecard/internal/hub"
)

// verbs are the queue's statements, each one transaction; PostgreSQL has them as functions, SQLite as Go.
// Their rules are the same and are tested by one suite.
type verbs interface {
	// accept says of each arrival what became of it.
	accept(ctx context.Context, chats []hub.Arrival) ([]acceptance, error)
	claim(ctx context.Context, c hub.ClaimRequest) ([]hub.Claimed, error)
	// finish and retry say of each item what was left of the hold. A retry with the delay letGo only makes
	// the chat ready that overtook it.
	finish(ctx context.Context, ends []hub.Finish) ([]hub.Grip, error)
	retry(ctx context.Context, returns []hub.Retry) ([]hub.Grip, error)
	extend(ctx context.Context, holds []hub.Hold, lease time.Duration) ([]hub.ID, error)
	sweep(ctx context.Context, r hub.SweepRequest) (hub.Swept, error)
	close()
}

// acceptance is what became of an arrival.
type acceptance int8

const (
	repeated acceptance = iota // it was here before
	fresh
	noDesk // its desk does not exist; nothing was stored
)

const letGo = -time.Second

const (
	writeTimeout = 1500 * time.Millisecond // of one try to write a group: the sender shall hear 503 within seconds
	writeTries   = 2                       // accept, finish and retry change nothing when they are repeated
)

// queue implements hub.Queue over the verbs: it groups what is written often.
type queue struct {
	verbs   verbs
	accepts group[[]hub.Arrival, receipt]
	ends    group[hub.Finish, hub.Grip]
	returns group[hub.Retry, hub.Grip]
}

// receipt is what became of one caller's arrivals.
type receipt struct {
	fresh  int
	noDesk bool
}

func newQueue(v verbs) *queue {
	q := &queue{verbs: v}
	q.accepts.flush, q.accepts.single = tryTwice(q.acceptGroup), aboutOneItem
	q.accepts.weight = func(chats []hub.Arrival) int { return len(chats) }
	q.ends.flush, q.ends.single = tryTwice(v.finish), aboutOneItem
	q.returns.flush, q.returns.single = tryTwice(v.retry), aboutOneItem
	return q
}

// tryTwice repeats a write once when the database did not answer, each time under the time-out.
func tryTwice[T, R any](write func(context.Context, []T) ([]R, error)) func(context.Context, []T) ([]R, error) {
	return func(ctx context.Context, items []T) (results []R, err error) {
		for range writeTries {
			results, err = withTimeout(ctx, items, write)
			if err == nil || !isUnavailable(err) {
				break
			}
		}
		return results, translate(err)
	}
}

func withTimeout[T, R any](ctx context.Context, items []T, write func(context.Context, []T) ([]R, error)) ([]R, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return write(ctx, items)
}

// drain refuses what comes from now on, and returns when everything before is written.
func (q *queue) drain() {
	q.accepts.close()
	q.ends.close()
	q.returns.close()
	q.verbs.close()
}

// acceptGroup stores the arrivals of several callers in one transaction.
func (q *queue) acceptGroup(ctx context.Context, callers [][]hub.Arrival) ([]receipt, error) {
	var all []hub.Arrival
	for _, chats := range callers {
		all = append(all, chats...)
	}
	became, err := q.verbs.accept(ctx, all)
	if err != nil {
		return nil, err
	}
	receipts := make([]receipt, len(callers))
	for i, chats := range callers {
		for _, a := range became[:len(chats)] {
			switch a {
			case fresh:
				receipts[i].fresh++
			case noDesk:
				receipts[i].noDesk = true
			}
		}
		became = became[len(chats):]
	}
	return receipts, nil
}

// Accept implements hub.Queue.
func (q *queue) Accept(ctx context.Context, chats []hub.Arrival) (int, error) {
	if len(chats) == 0 {
		return 0, nil
	}
	r, err := q.accepts.do(ctx, chats)
	if err != nil {
		return 0, fmt.Errorf("accept chats: %w", err)
	}
	if r.noDesk {
		return r.fresh, fmt.Errorf("accept chats: desk: %w", hub.ErrNotFound)
	}
	return r.fresh, nil
}

// Claim implements hub.Queue.
func (q *queue) Claim(ctx context.Context, c hub.ClaimRequest) ([]hub.Claimed, error) {
	claimed, err := q.verbs.claim(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("claim chats: %w", translate(err))
	}
	return claimed, nil
}

// Finish implements hub.Queue.
func (q *queue) Finish(ctx context.Context, f hub.Finish) (hub.Grip, error) {
	grip, err := q.ends.do(ctx, f)
	if err != nil {
		return hub.Lost, fmt.Errorf("finish chat %s: %w", f.ChatID, err)
	}
	return grip, nil
}

// Retry implements hub.Queue.
func (q *queue) Retry(ctx context.Context, r hub.Retry) (hub.Grip, error) {
	r.Delay = max(r.Delay, 0)
	grip, err := q.returns.do(ctx, r)
	if err != nil {
		return hub.Lost, fmt.Errorf("give back chat %s: %w", r.ChatID, err)
	}
	return grip, nil
}

// LetGo implements hub.Queue.
func (q *queue) LetGo(ctx context.Context, h hub.Hold) (hub.Grip, error) {
	grip, err := q.returns.do(ctx, hub.Retry{Hold: h, Delay: letGo})
	if err != nil {
		return hub.Lost, fmt.Errorf("let go of chat %s: %w", h.ChatID, err)
	}
	return grip, nil
}

// Extend implements hub.Queue.
func (q *queue) Extend(ctx context.Context, holds []hub.Hold, lease time.Duration) ([]hub.ID, error) {
	if len(holds) == 0 {
		return nil, nil
	}
	kept, err := q.verbs.extend(ctx, holds, lease)
	if err != nil {
		return nil, fmt.Errorf("extend leases: %w", translate(err))
	}
	return kept, nil
}

// Sweep implements hub.Queue.
func (q *queue) Sweep(ctx context.Context, r hub.SweepRequest) (hub.Swept, error) {
	swept, err := q.verbs.sweep(ctx, r)
	if err != nil {
		return hub.Swept{}, fmt.Errorf("sweep: %w", translate(err))
	}
	return swept, nil
}
