package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sidecard/internal/hub"
)

var (
	errPoison = errors.New("one item is bad")
	errDown   = errors.New("the database is away")
)

// flushes records what a group under test flushed, and when.
type flushes struct {
	sizes []int
	at    []time.Time
	takes time.Duration // of a flush
	fail  func(items []int) error
}

func (f *flushes) group() *group[int, int] {
	return &group[int, int]{
		single: func(err error) bool { return errors.Is(err, errPoison) },
		flush: func(_ context.Context, items []int) ([]int, error) {
			f.sizes, f.at = append(f.sizes, len(items)), append(f.at, time.Now())
			<-time.After(f.takes) // in the test's own time
			if f.fail != nil {
				if err := f.fail(items); err != nil {
					return nil, err
				}
			}
			results := make([]int, len(items))
			for i, item := range items {
				results[i] = -item
			}
			return results, nil
		},
	}
}

// give hands items over at once, each by a caller of its own, and waits for what they are told.
func give(t *testing.T, g *group[int, int], items ...int) []error {
	t.Helper()
	errs := make([]error, len(items))
	done := make(chan struct{})
	for i, item := range items {
		go func() {
			result, err := g.do(t.Context(), item)
			if err == nil && result != -item {
				t.Errorf("result of %d = %d", item, result)
			}
			errs[i] = err
			done <- struct{}{}
		}()
	}
	for range items {
		<-done
	}
	return errs
}

func upTo(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i + 1
	}
	return items
}

func TestLoneItemIsFlushedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{}
		g := f.group()
		began := time.Now()
		give(t, g, 1)
		if time.Since(began) != 0 {
			t.Errorf("took %v", time.Since(began))
		}
		<-time.After(groupPace)
		give(t, g, 2)
		if time.Since(began) != groupPace {
			t.Errorf("the second, after a pause, took %v", time.Since(began)-groupPace)
		}
		g.close()
	})
}

func TestFlushesStartAtThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{takes: time.Millisecond}
		g := f.group()
		give(t, g, 1)
		give(t, g, upTo(10)...)
		give(t, g, upTo(10)...)
		for i := 1; i < len(f.at); i++ {
			if d := f.at[i].Sub(f.at[i-1]); d != groupPace {
				t.Errorf("flush %d started %v after the one before, want %v", i, d, groupPace)
			}
		}
		if !slices.Equal(f.sizes, []int{1, 10, 10}) {
			t.Errorf("groups of %v", f.sizes)
		}
		g.close()
	})
}

func TestWhatComesDuringAFlushMakesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{takes: time.Second}
		g := f.group()
		go give(t, g, 1)
		synctest.Wait()
		give(t, g, upTo(300)...)
		if !slices.Equal(f.sizes, []int{1, 128, 128, 44}) {
			t.Errorf("groups of %v", f.sizes)
		}
		if d := f.at[3].Sub(f.at[0]); d != 3*time.Second {
			t.Errorf("the fourth started after %v: full groups wait for nothing", d)
		}
		g.close()
	})
}

func TestHeavyItemsFillAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{takes: time.Second}
		g := f.group()
		g.weight = func(n int) int { return n }
		go give(t, g, 1)
		synctest.Wait()
		for _, n := range []int{100, 28, 1, 1000} {
			go give(t, g, n)
			synctest.Wait()
		}
		g.close()
		if !slices.Equal(f.sizes, []int{1, 2, 1, 1}) {
			t.Errorf("groups of %v, want the one of 100 with 28, then 1, then the one that is too heavy alone", f.sizes)
		}
	})
}

func TestItemWhoseCallerWentAwayIsStillFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{takes: time.Second}
		g := f.group()
		go give(t, g, 1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := g.do(ctx, 2); !errors.Is(err, hub.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("told %v, want that it is not sure", err)
		}
		if _, err := g.do(ctx, 3); !errors.Is(err, hub.ErrUnavailable) {
			t.Errorf("whose time was over before: %v", err)
		}
		g.close()
		if !slices.Equal(f.sizes, []int{1, 1}) {
			t.Errorf("groups of %v, want the item that was handed over, and not the other", f.sizes)
		}
	})
}

func TestErrorGoesToEveryMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{fail: func([]int) error { return errDown }}
		g := f.group()
		for _, err := range give(t, g, upTo(20)...) {
			if !errors.Is(err, errDown) {
				t.Errorf("told %v", err)
			}
		}
		f.fail = nil
		for _, err := range give(t, g, upTo(20)...) {
			if err != nil {
				t.Errorf("after it came back: %v", err)
			}
		}
		g.close()
	})
}

func TestPoisonReachesOnlyItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{fail: func(items []int) error {
			if slices.Contains(items, 13) {
				return errPoison
			}
			return nil
		}}
		g := f.group()
		for i, err := range give(t, g, upTo(20)...) {
			if poisoned := i+1 == 13; errors.Is(err, errPoison) != poisoned {
				t.Errorf("item %d is told %v", i+1, err)
			}
		}
		g.close()
	})
}

func TestCloseFlushesWhatWaitsAndRefusesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flushes{takes: time.Second}
		g := f.group()
		told := make(chan []error, 2)
		go func() { told <- give(t, g, 1) }()
		synctest.Wait()
		go func() { told <- give(t, g, upTo(5)...) }()
		synctest.Wait()
		g.close()
		for range 2 {
			if errs := <-told; slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
				t.Errorf("told %v, want all flushed", errs)
			}
		}
		if _, err := g.do(t.Context(), 9); !errors.Is(err, hub.ErrUnavailable) || !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}
