package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"sidecard/connectors"
)

// knowing is a kind without settings whose sources answer by the function.
type knowing struct {
	answer func(q connectors.Query) (connectors.Result, error)
	fresh  time.Duration
	batch  int
}

func (k knowing) Spec() connectors.Spec {
	return connectors.Spec{Kind: "knowing", Version: 1, Fresh: k.fresh, Batch: k.batch, Settings: json.RawMessage(`{}`)}
}

func (k knowing) Open(context.Context, connectors.OpenInput) (connectors.Source, error) {
	return knowingSource{answer: k.answer}, nil
}

type knowingSource struct {
	connectors.Source
	answer func(q connectors.Query) (connectors.Result, error)
}

func (s knowingSource) Lookup(_ context.Context, q connectors.Query) (connectors.Result, error) {
	return s.answer(q)
}

func (s knowingSource) LookupBatch(ctx context.Context, queries []connectors.Query) []connectors.Answer {
	answers := make([]connectors.Answer, len(queries))
	for i, q := range queries {
		answers[i].Result, answers[i].Err = s.Lookup(ctx, q)
	}
	return answers
}

func (s knowingSource) Close() error { return nil }

// knowingHub is a hub with one tenant, whose one connection is of the kind.
func knowingHub(tb testing.TB, k knowing) (*Hub, *openSetup, ID) {
	tb.Helper()
	registry, err := connectors.NewRegistry(k)
	if err != nil {
		tb.Fatal(err)
	}
	h := New(Config{Connectors: registry, Log: slog.New(slog.DiscardHandler)})
	c := Connection{ID: NewID(), Kind: "knowing", Name: "CRM", SpecVersion: 1, Settings: json.RawMessage(`{}`)}
	o := &openSource{Connection: c, breaker: sourceBreaker(), fresh: h.fresh(c.Kind)}
	return h, &openSetup{sources: map[ID]*openSource{c.ID: o}}, c.ID
}

func ana(connectors.Query) (connectors.Result, error) {
	return connectors.Result{
		Match: connectors.Found, MatchedOn: "email",
		Records: []connectors.Record{{"name": {Kind: connectors.Text, Text: "Ana"}}},
	}, nil
}

func TestWhileASourceIsInTroubleAnOldAnswerStandsIn(t *testing.T) {
	t.Parallel()
	answer := ana
	h, s, id := knowingHub(t, knowing{answer: func(q connectors.Query) (connectors.Result, error) { return answer(q) }})
	synctest.Test(t, func(t *testing.T) {
		card := Card{Version: 1, Lines: []Line{{Label: "Name", Connection: id, Field: "name"}}}
		ask := func() found { return h.askAll(t.Context(), h.askForChat, s, card, "ana@example.com", 0) }

		if f := ask(); f.times[0].AgeMS != 0 || f.judge(Fill(card.Lines, f.answers)) != Shown {
			t.Fatalf("the source that answers: %+v", f.times[0])
		}
		<-time.After(12 * time.Minute) // of the bubble's clock
		answer = func(connectors.Query) (connectors.Result, error) {
			return connectors.Result{}, &connectors.Error{Class: connectors.Transient, Code: "x", Message: "It is down."}
		}
		f := ask()
		filled := Fill(card.Lines, f.answers)
		if got := f.judge(filled); got != ShownInPart {
			t.Errorf("the outcome is %v", got)
		}
		if n := len(filled.Fields); n != 2 || filled.Fields[0].Value != "Ana" || filled.Fields[1].Name != "CRM" || filled.Fields[1].Value != "as it was 12 minutes ago" {
			t.Errorf("the agent sees %+v", filled.Fields)
		}
		if words := missing(f.times); words != "CRM did not answer; shown is what it said 12 minutes ago. It is down." {
			t.Errorf("the tenant reads %q", words)
		}
		<-time.After(oldest)
		if f := ask(); f.judge(Fill(card.Lines, f.answers)) != LookupFailed {
			t.Errorf("after an hour: %+v", f.times[0])
		}
	})
}

func TestAFreshAnswerSavesACallAndPeopleAlwaysGetANewOne(t *testing.T) {
	t.Parallel()
	calls := 0
	h, s, id := knowingHub(t, knowing{fresh: 15 * time.Second, answer: func(q connectors.Query) (connectors.Result, error) {
		calls++
		return ana(q)
	}})
	synctest.Test(t, func(t *testing.T) {
		q := connectors.Query{Email: "ana@example.com"}
		h.askForChat(t.Context(), s, id, q)
		<-time.After(10 * time.Second)
		if a := h.askForChat(t.Context(), s, id, q); calls != 1 || a.Age != 10*time.Second || a.Instead != nil {
			t.Errorf("%d calls, age %v", calls, a.Age)
		}
		if a := h.askNow(t.Context(), s, id, q); calls != 2 || a.Age != 0 {
			t.Errorf("a person's own try: %d calls, age %v", calls, a.Age)
		}
		<-time.After(6 * time.Second)
		if h.askForChat(t.Context(), s, id, q); calls != 3 {
			t.Errorf("%d calls after the moment is over", calls)
		}
	})
}

func TestASourceThatBreaksOffOnceIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	calls, class := 0, connectors.Transient
	h, s, id := knowingHub(t, knowing{answer: func(q connectors.Query) (connectors.Result, error) {
		if calls++; calls == 1 {
			return connectors.Result{}, &connectors.Error{Class: class, Code: "x"}
		}
		return ana(q)
	}})
	synctest.Test(t, func(t *testing.T) {
		q := connectors.Query{Email: "ana@example.com"}
		if a := h.askForChat(t.Context(), s, id, q); a.Err != nil || calls != 2 {
			t.Errorf("cut once: %v after %d calls", a.Err, calls)
		}
		calls = 0
		late, cancel := context.WithTimeout(t.Context(), 3*oneMore)
		defer cancel()
		if h.askForChat(late, s, id, q); calls != 1 {
			t.Errorf("%d calls though there is no time left", calls)
		}
		calls, class = 0, connectors.Misconfigured
		if h.askForChat(t.Context(), s, id, q); calls != 1 {
			t.Errorf("%d calls of a source that is set up wrongly", calls)
		}
	})
}

func TestOurOwnTroubleIsNoReasonForAnOldAnswer(t *testing.T) {
	t.Parallel()
	a := newAnswers(time.Now)
	k := keyOf(Connection{ID: NewID()}, connectors.Query{})
	a.keep(k, connectors.Result{Match: connectors.Found})
	if _, ok := a.old(k, fmt.Errorf("find rows: %w", ErrUnavailable)); ok {
		t.Error("an old answer stands in though our database will be back in a moment")
	}
}

func TestTheNextTryWaitsForTheSourceThatMayBeAskedFirst(t *testing.T) {
	t.Parallel()
	wait := func(class connectors.Class, d time.Duration) Answer {
		return Answer{Err: &connectors.Error{Class: class, RetryAfter: d}}
	}
	for name, tt := range map[string]struct {
		answers []Answer
		want    time.Duration // 0 = no sense
	}{
		"nothing named":        {[]Answer{wait(connectors.Transient, 0)}, backoff(1)},
		"a time named":         {[]Answer{wait(connectors.RateLimited, time.Minute)}, time.Minute},
		"sooner than usual":    {[]Answer{wait(connectors.RateLimited, time.Millisecond)}, backoff(1)},
		"the first of two":     {[]Answer{wait(connectors.RateLimited, time.Minute), wait(connectors.Transient, 2*time.Second)}, 2 * time.Second},
		"nothing would change": {[]Answer{wait(connectors.Misconfigured, 0), {}}, 0},
		"an unclassed error":   {[]Answer{{Err: errors.New("x")}}, 0},
	} {
		f := found{answers: map[ID]Answer{}}
		for _, a := range tt.answers {
			f.answers[NewID()] = a
		}
		if got, sense := f.nextTry(1); sense != (tt.want > 0) || got != tt.want {
			t.Errorf("%s: %v (%v), want %v", name, got, sense, tt.want)
		}
	}
}

// What the host adds to a source that answers at once: for kinds asked one by one and for those in batches.
func BenchmarkHostOverhead(b *testing.B) {
	for name, k := range map[string]knowing{"single": {answer: ana}, "batch": {answer: ana, batch: 100}} {
		b.Run(name, func(b *testing.B) {
			h, s, id := knowingHub(b, k)
			q := connectors.Query{Email: "ana@example.com", Fields: []string{"name"}}
			b.ReportAllocs()
			for b.Loop() {
				if a := h.askForChat(b.Context(), s, id, q); a.Err != nil {
					b.Fatal(a.Err)
				}
			}
		})
	}
}
