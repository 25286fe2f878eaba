package meter

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// setup gives two meters over one Redis whose clock, like theirs, the test moves.
func setup(t *testing.T) (a, b *Meter, server *miniredis.Miniredis, pass func(time.Duration)) {
	t.Helper()
	server = miniredis.RunT(t)
	var mu sync.Mutex
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	server.SetTime(now)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	pass = func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		server.SetTime(now)
		server.FastForward(d)
	}
	meters := make([]*Meter, 2)
	for i := range meters {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
		t.Cleanup(func() { _ = client.Close() })
		meters[i] = New(client)
		meters[i].now = clock
	}
	return meters[0], meters[1], server, pass
}

// take counts a call against ten in ten seconds, unless it would have to wait; then it says how long.
func take(t *testing.T, m *Meter, key string) (wait time.Duration) {
	t.Helper()
	wait, ok := m.Take(t.Context(), key, 10, 10*time.Second, 0)
	if ok != (wait == 0) {
		t.Errorf("taken %v with a wait of %v", ok, wait)
	}
	return wait
}

func TestNoStretchOfTimeHoldsMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprintf("redis away %v", away), func(t *testing.T) {
			t.Parallel()
			a, b, server, pass := setup(t)
			if away {
				server.Close()
				b = a // without Redis a limit holds in each process
			}
			var taken []time.Duration // when
			const step = 100 * time.Millisecond
			for at := time.Duration(0); at < time.Minute; at += step {
				for _, m := range []*Meter{a, b} {
					if take(t, m, "k") == 0 {
						taken = append(taken, at)
					}
				}
				if away {
					a.mu.Lock()
					a.away = a.now().Add(time.Hour)
					a.mu.Unlock()
				}
				pass(step)
			}
			for i := range taken {
				n := 0
				for _, at := range taken[i:] {
					if at < taken[i]+10*time.Second {
						n++
					}
				}
				if n > 10 {
					t.Fatalf("%d calls within %v from %v on", n, 10*time.Second, taken[i])
				}
			}
			if len(taken) < 45 { // 8 in 10 s flow
				t.Errorf("only %d calls in a minute", len(taken))
			}
		})
	}
}

func TestWhoWaitsAsLongAsToldMayCall(t *testing.T) {
	t.Parallel()
	a, b, _, pass := setup(t)
	for range 2 {
		if w := take(t, a, "k"); w != 0 {
			t.Fatalf("told to wait %v at first", w)
		}
	}
	w := take(t, b, "k")
	if w <= 0 || w > 2*time.Second {
		t.Fatalf("the third call waits %v", w)
	}
	pass(w + time.Millisecond)
	if w = take(t, b, "k"); w != 0 {
		t.Errorf("after the wait it is told to wait %v more", w)
	}
}

func TestTurnsAreGivenInOrder(t *testing.T) {
	t.Parallel()
	a, b, _, pass := setup(t)
	var last time.Duration
	for n := range 8 {
		m := a
		if n%2 == 1 {
			m = b
		}
		wait, ok := m.Take(t.Context(), "k", 10, 10*time.Second, 10*time.Second)
		if !ok || n > 2 && wait-last < time.Second {
			t.Errorf("turn %d comes after %v, the one before after %v", n, wait, last)
		}
		last = wait
	}
	if wait, ok := a.Take(t.Context(), "k", 10, 10*time.Second, last); ok {
		t.Errorf("a turn in %v was given to who waits only %v", wait, last)
	}
	pass(last)
	if wait, _ := b.Take(t.Context(), "k", 10, 10*time.Second, 10*time.Second); wait > 1300*time.Millisecond {
		t.Errorf("after all turns were used the next comes in %v", wait)
	}
}

func TestAPauseHoldsInAllProcessesAndEnds(t *testing.T) {
	t.Parallel()
	a, b, _, pass := setup(t)
	a.Pause(t.Context(), "k", 5*time.Second)
	a.Pause(t.Context(), "k", time.Second) // a shorter one changes nothing
	for _, m := range []*Meter{a, b} {
		if w := take(t, m, "k"); w < 4*time.Second {
			t.Errorf("a paused key may be called in %v", w)
		}
		if w := take(t, m, "other"); w != 0 {
			t.Errorf("another key waits %v", w)
		}
	}
	pass(5 * time.Second)
	for _, m := range []*Meter{a, b} {
		if w := take(t, m, "k"); w != 0 {
			t.Errorf("after the pause it waits %v", w)
		}
	}
}

func TestAPauseHoldsWithoutRedis(t *testing.T) {
	t.Parallel()
	a, _, server, _ := setup(t)
	server.Close()
	a.Pause(t.Context(), "k", 5*time.Second)
	if w := take(t, a, "k"); w < 4*time.Second {
		t.Errorf("a paused key may be called in %v", w)
	}
}

func TestRedisIsAskedAgainAfterARest(t *testing.T) {
	t.Parallel()
	a, b, server, pass := setup(t)
	server.SetError("LOADING")
	if w := take(t, a, "k"); w != 0 {
		t.Fatalf("without Redis the first call waits %v", w)
	}
	server.SetError("")
	pass(rest)
	take(t, a, "k")
	take(t, b, "k")
	if w := take(t, b, "k"); w == 0 {
		t.Error("the calls of two processes were not counted together again")
	}
}
