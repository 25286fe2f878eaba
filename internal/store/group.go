package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sidecard/internal/hub"
)

const (
	groupSize = 128                  // items of one flush; past 64 a bigger group gains nothing
	groupPace = 3 * time.Millisecond // between the starts of two flushes
)

var errClosed = errors.New("the store is closed")

// group gathers what concurrent callers want to write into few transactions. One flush runs at a time; a
// lone item after a pause is flushed at once, and while items keep coming a flush starts every groupPace,
// or as soon as groupSize items wait. What was handed over is flushed even if its caller goes away.
type group[T, R any] struct {
	// flush writes items in one transaction and gives one result for each.
	flush func(ctx context.Context, items []T) ([]R, error)
	// single reports whether an error is about one of the items, so that the others can pass without it.
	single func(error) bool
	// weight says how much of groupSize an item takes; nil = 1 each.
	weight func(T) int

	mu      sync.Mutex
	waiting []*member[T, R]
	running bool
	closed  bool
	last    time.Time // when the last flush started
	flusher sync.WaitGroup
}

// member is one item with the place where its caller waits.
type member[T, R any] struct {
	item   T
	done   chan struct{}
	result R
	err    error
}

// do hands an item over and waits until it is written, or until ctx is done.
func (g *group[T, R]) do(ctx context.Context, item T) (R, error) {
	m := &member[T, R]{item: item, done: make(chan struct{})}
	err := ctx.Err()
	if err == nil {
		err = g.add(m)
	}
	if err == nil {
		select {
		case <-m.done:
			return m.result, m.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	var none R
	return none, fmt.Errorf("%w: %w", hub.ErrUnavailable, err)
}

func (g *group[T, R]) add(m *member[T, R]) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed
	}
	g.waiting = append(g.waiting, m)
	if !g.running {
		g.running = true
		g.flusher.Go(g.run)
	}
	return nil
}

// close refuses new items and returns when those that wait are written.
func (g *group[T, R]) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.flusher.Wait()
}

func (g *group[T, R]) run() {
	for {
		batch, pause := g.next()
		switch {
		case pause > 0:
			<-time.After(pause)
		case batch == nil:
			return
		default:
			g.write(batch)
		}
	}
}

// next takes the batch that is to be flushed now. A pause means: not yet; neither means: nothing waits, and
// the flusher ends.
func (g *group[T, R]) next() (batch []*member[T, R], pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.running = false
		return nil, 0
	}
	count, full := g.fill()
	if pause := groupPace - time.Since(g.last); pause > 0 && !full {
		return nil, pause
	}
	g.last = time.Now()
	batch, g.waiting = g.waiting[:count:count], g.waiting[count:]
	return batch, 0
}

// fill counts the waiting items that go into one flush, and reports whether they fill it.
func (g *group[T, R]) fill() (count int, full bool) {
	weight := 0
	for i, m := range g.waiting {
		if g.weight == nil {
			weight++
		} else {
			weight += g.weight(m.item)
		}
		if weight > groupSize && i > 0 {
			return i, true
		}
	}
	return len(g.waiting), weight >= groupSize
}

func (g *group[T, R]) write(batch []*member[T, R]) {
	err := g.writeTogether(batch)
	if err != nil && len(batch) > 1 && g.single(err) {
		for _, m := range batch {
			if err := g.writeTogether([]*member[T, R]{m}); err != nil {
				m.err = err
			}
		}
		err = nil
	}
	for _, m := range batch {
		if err != nil {
			m.err = err
		}
		close(m.done)
	}
}

func (g *group[T, R]) writeTogether(batch []*member[T, R]) error {
	items := make([]T, len(batch))
	for i, m := range batch {
		items[i] = m.item
	}
	results, err := g.flush(context.Background(), items)
	if err != nil {
		return err
	}
	for i, m := range batch {
		m.result = results[i]
	}
	return nil
}
