package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sidecard/connectors"
)

// slowSource answers each query with its address once release is closed or gets a value, and notes the sizes
// of the calls.
type slowSource struct {
	release chan struct{}
	mu      sync.Mutex
	sizes   []int
}

func (s *slowSource) ask(_ context.Context, queries []connectors.Query) []connectors.Answer {
	s.mu.Lock()
	s.sizes = append(s.sizes, len(queries))
	s.mu.Unlock()
	<-s.release
	answers := make([]connectors.Answer, len(queries))
	for i, q := range queries {
		answers[i].Result = connectors.Result{Match: connectors.Found, MatchedOn: q.Email}
	}
	return answers
}

func (s *slowSource) calls() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.sizes...)
}

func noTurn(ctx context.Context) (context.Context, error) { return ctx, nil }

func TestQuestionsThatWaitTogetherShareACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slowSource{release: make(chan struct{})}
		g := newGatherer(40, noTurn, s.ask)
		var all sync.WaitGroup
		ask := func(n int) {
			all.Go(func() {
				email := fmt.Sprintf("%d@example.com", n)
				if a := g.askAbout(t.Context(), connectors.Query{Email: email}); a.Err != nil || a.Result.MatchedOn != email {
					t.Errorf("question %d got the answer to %q, %v", n, a.Result.MatchedOn, a.Err)
				}
			})
			synctest.Wait()
		}
		for n := range 102 {
			ask(n)
		}
		if got := s.calls(); fmt.Sprint(got) != "[1 1]" {
			t.Errorf("while two calls are under way there were %v", got)
		}
		close(s.release)
		all.Wait()
		rest := s.calls()[2:]
		if slices.Sort(rest); fmt.Sprint(rest) != "[20 40 40]" {
			t.Errorf("the waiting questions were asked in calls of %v", rest)
		}
	})
}

func TestNobodyIsAskedAboutWhoseQuestionGaveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slowSource{release: make(chan struct{})}
		g := newGatherer(40, noTurn, s.ask)
		var all sync.WaitGroup
		for range atATime {
			all.Go(func() { g.askAbout(t.Context(), connectors.Query{}) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if a := g.askAbout(ctx, connectors.Query{}); !errors.Is(a.Err, context.DeadlineExceeded) {
			t.Errorf("the question that waited in vain got %v", a.Err)
		}
		close(s.release)
		all.Wait()
		synctest.Wait()
		if got := s.calls(); len(got) != atATime {
			t.Errorf("calls of %v: the question that gave up was asked", got)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.running || len(g.waiting) != 0 {
			t.Errorf("running %v, and %d questions are left over", g.running, len(g.waiting))
		}
	})
}

func TestACallLastsAsLongAsItsMostPatientQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan time.Duration, 8)
		first := make(chan struct{})
		g := newGatherer(40, noTurn, func(ctx context.Context, queries []connectors.Query) []connectors.Answer {
			end, _ := ctx.Deadline()
			ends <- time.Until(end)
			<-first
			return make([]connectors.Answer, len(queries))
		})
		var all sync.WaitGroup
		for _, patience := range []time.Duration{9, 8, 2, 5, 3} { // the first two go alone
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience*time.Second)
				defer cancel()
				g.askAbout(ctx, connectors.Query{})
			})
			synctest.Wait()
		}
		close(first)
		all.Wait()
		if a, b, rest := <-ends, <-ends, <-ends; a != 9*time.Second || b != 8*time.Second || rest != 5*time.Second {
			t.Errorf("calls had %v, %v and %v", a, b, rest)
		}
	})
}

func TestWhoComesWhileATurnIsAwaitedGoesAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slowSource{release: make(chan struct{})}
		close(s.release)
		turns := make(chan error)
		g := newGatherer(40, func(ctx context.Context) (context.Context, error) { return ctx, <-turns }, s.ask)
		var all sync.WaitGroup
		var failed atomic.Int32
		ask := func(n int) {
			for range n {
				all.Go(func() {
					if g.askAbout(t.Context(), connectors.Query{}).Err != nil {
						failed.Add(1)
					}
				})
			}
			synctest.Wait()
		}
		ask(7)
		turns <- nil
		all.Wait()
		ask(3)
		turns <- errors.New("no more calls today")
		all.Wait()
		if got := s.calls(); fmt.Sprint(got) != "[7]" || failed.Load() != 3 {
			t.Errorf("calls of %v, and %d questions were refused", got, failed.Load())
		}
	})
}
