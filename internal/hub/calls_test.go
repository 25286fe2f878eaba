package hub

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sidecard/connectors"
	"sidecard/internal/meter"
)

func testMeter(t *testing.T) Meter {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return meter.New(client)
}

var hundredInTen = connectors.Spec{Limits: []connectors.Limit{{Calls: 100, Per: 10 * time.Second}, {Bucket: "search", Calls: 5, Per: time.Second}}}

// class gives the class and the wait of an error.
func classOf(err error) (connectors.Class, time.Duration) {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return "", 0
	}
	return e.Class, e.RetryAfter
}

func TestWorkersShareAConnectionsLimit(t *testing.T) {
	t.Parallel()
	m, id := testMeter(t), NewID()
	a, b := newCalls(m, id, hundredInTen, time.Now), newCalls(m, id, hundredInTen, time.Now)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	made := 0
	for n := range 200 {
		c := a
		if n%2 == 0 {
			c = b
		}
		all.Go(func() {
			if c.Wait(ctx, "") == nil {
				mu.Lock()
				defer mu.Unlock()
				made++
			}
		})
	}
	all.Wait()
	if made < 10 || made > 18+8 { // a fifth of nine tenths of the limit at once, and what flows in a second
		t.Errorf("%d calls within a second", made)
	}
}

func TestACallThatWouldComeTooLateIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	c := newCalls(testMeter(t), NewID(), hundredInTen, time.Now)
	c.obey(t.Context(), &connectors.Error{Class: connectors.RateLimited, RetryAfter: 9 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	class, wait := classOf(c.Wait(ctx, ""))
	if class != connectors.RateLimited || wait < 8*time.Second || wait > 9*time.Second {
		t.Errorf("refused with %q and a wait of %v", class, wait)
	}
	if err := c.Wait(ctx, "search"); err != nil {
		t.Errorf("another bucket is refused as well: %v", err)
	}
	if err := c.Wait(ctx, "unheard of"); err != nil {
		t.Errorf("a bucket without a limit is refused: %v", err)
	}
}

func TestWhatTheVendorSaysReplacesTheLimit(t *testing.T) {
	t.Parallel()
	c := newCalls(testMeter(t), NewID(), hundredInTen, time.Now)
	c.Learn(connectors.Limit{Calls: 190, Per: 10 * time.Second})
	c.Learn(connectors.Limit{Calls: 0, Per: time.Second}) // nonsense
	if l, _ := c.limit(""); l.Calls != 190 {
		t.Errorf("the limit is %+v", l)
	}
}

func TestAConnectionWithoutLimitsIsLeftAloneAsAWhole(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := newCalls(testMeter(t), NewID(), connectors.Spec{}, func() time.Time { return now })
	if err := c.resting(); err != nil {
		t.Fatalf("resting at first: %v", err)
	}
	for _, e := range []*connectors.Error{{Class: connectors.Transient, RetryAfter: time.Minute}, {Class: connectors.RateLimited, Code: "held_back", RetryAfter: time.Minute}} {
		if c.obey(t.Context(), e); c.resting() != nil {
			t.Errorf("%+v made the connection rest", e)
		}
	}
	for _, tt := range []struct{ said, rests time.Duration }{{0, shortestRest}, {30 * time.Second, 30 * time.Second}, {10 * time.Hour, longestRest}} {
		c.obey(t.Context(), &connectors.Error{Class: connectors.RateLimited, RetryAfter: tt.said})
		if class, left := classOf(c.resting()); class != connectors.RateLimited || left != tt.rests {
			t.Errorf("told to wait %v it rests %v (%s)", tt.said, left, class)
		}
		now = now.Add(tt.rests)
		if err := c.resting(); err != nil {
			t.Errorf("still resting after %v: %v", tt.rests, err)
		}
	}
}
