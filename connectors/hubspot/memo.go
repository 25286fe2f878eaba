package hubspot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sidecard/connectors"
)

const (
	goodFor     = 15 * time.Minute // what a memo holds
	badFor      = 30 * time.Second // that it could not be had
	loadingTime = 10 * time.Second // for a load, whoever waits for it
)

// memo holds something that changes rarely. However many want it at once, it is loaded once; a load goes on when who
// started it has left. The zero value is empty.
type memo[T any] struct {
	mu     sync.Mutex
	value  T
	err    *connectors.Error // of the last load
	until  time.Time         // value and err are good
	loaded bool              // value was good at some time
	flight chan struct{}     // closed when the load under way has ended; nil when none is
}

// get gives the value. What is too old is given again while HubSpot has trouble or asks for patience.
func (m *memo[T]) get(ctx context.Context, s *source, load func(context.Context) (T, error)) (T, *connectors.Error) {
	m.mu.Lock()
	if m.flight == nil && !s.now().Before(m.until) {
		flight := make(chan struct{})
		m.flight = flight
		s.life.Go(func(ctx context.Context) { m.keep(ctx, s, flight, load) }) // whoever asks is a user
	}
	flight := m.flight
	m.mu.Unlock()
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			var none T
			return none, connectors.AsError(ctx.Err())
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.value, m.err
}

// peek gives the value if it is there, and does not load it.
func (m *memo[T]) peek() (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.value, m.loaded
}

func (m *memo[T]) keep(ctx context.Context, s *source, flight chan struct{}, load func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(ctx, loadingTime)
	defer cancel()
	value, err := calmly(ctx, load)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flight = nil
	close(flight)
	m.err, m.until = err, s.now().Add(goodFor)
	if err == nil {
		m.value, m.loaded = value, true
		return
	}
	m.until = s.now().Add(badFor)
	if soon := s.now().Add(err.RetryAfter); err.RetryAfter > 0 && soon.Before(m.until) {
		m.until = soon
	}
	switch err.Class {
	case connectors.AuthExpired, connectors.Canceled:
		m.until = time.Time{} // the host asks again at once, with another token
	case connectors.Transient, connectors.RateLimited:
		if m.loaded {
			m.err = nil
		}
	case connectors.AuthRevoked, connectors.Misconfigured, connectors.Forbidden, connectors.Bug:
	}
}

// calmly loads, and turns a panic into an error: in a goroutine of its own it would end the program.
func calmly[T any](ctx context.Context, load func(context.Context) (T, error)) (value T, err *connectors.Error) {
	defer func() {
		if p := recover(); p != nil {
			err = unexpected(fmt.Errorf("panic: %T", p))
		}
	}()
	value, loadErr := load(ctx)
	return value, connectors.AsError(loadErr)
}
