package hub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sidecard/connectors"
)

// Answer is what one source said about one visitor.
type Answer struct {
	Result  connectors.Result
	Err     error         // nil, or why there is no result
	Age     time.Duration // of an answer from an earlier lookup; 0 = a new one
	Instead error         // why an old answer stands in for a new one; nil = it does not
	From    string        // name of the connection
}

// SourceTime is one source's part in a lookup, without any of the visitor's values.
type SourceTime struct {
	ConnectionID ID             `json:"connection_id"`
	Name         string         `json:"name"`
	Kind         string         `json:"kind"`
	Match        string         `json:"match"`    // none, found, ambiguous, failed
	StartMS      float64        `json:"start_ms"` // after the chat was received
	MS           float64        `json:"ms"`
	AgeMS        float64        `json:"age_ms,omitempty"`  // the answer is from an earlier lookup, so long ago
	Problem      *SourceProblem `json:"problem,omitempty"` // also beside an answer: why it is an old one, or what it lacks
}

const matchFailed = "failed"

// found is the result of asking all of a card's sources.
type found struct {
	answers map[ID]Answer
	times   []SourceTime // in the order of the card
}

// asker asks one source: Hub.askNow for people who try it out, Hub.askForChat for chats.
type asker func(ctx context.Context, s *openSetup, id ID, q connectors.Query) Answer

// askAll asks all the connections of a card at once under one deadline. What has not answered by then has
// failed; the others are used. offset is the chat's age, in milliseconds, for the times.
func (h *Hub) askAll(ctx context.Context, ask asker, s *openSetup, card Card, email string, offset float64) found {
	ids, fields := card.sources()
	f := found{answers: make(map[ID]Answer, len(ids)), times: make([]SourceTime, len(ids))}
	ctx, cancel := context.WithTimeout(ctx, h.Limits.LookupDeadline)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	began := h.Now()
	for i, id := range ids {
		all.Go(func() {
			start := h.Now()
			answer := ask(ctx, s, id, connectors.Query{Email: email, Fields: fields[id]})
			t := timeOf(s, id, answer)
			t.StartMS = offset + milliseconds(start.Sub(began))
			t.MS = milliseconds(h.Now().Sub(start))
			answer.From = t.Name
			mu.Lock()
			defer mu.Unlock()
			f.answers[id], f.times[i] = answer, t
		})
	}
	all.Wait()
	return f
}

func timeOf(s *openSetup, id ID, a Answer) SourceTime {
	t := SourceTime{ConnectionID: id, Match: a.Result.Match.String(), AgeMS: milliseconds(a.Age)}
	if o := s.sources[id]; o != nil {
		t.Name, t.Kind = o.Connection.Name, o.Connection.Kind
	}
	switch {
	case a.Err != nil:
		t.Match, t.Problem = matchFailed, problemOf(a.Err)
	case a.Instead != nil:
		t.Problem = problemOf(a.Instead)
	case len(a.Result.Partial) > 0:
		t.Problem = problemOf(a.Result.Partial[0])
	}
	return t
}

// askForChat asks a source unless a good answer is at hand, or its breaker leaves it alone. While it is in
// trouble, an old answer stands in.
func (h *Hub) askForChat(ctx context.Context, s *openSetup, id ID, q connectors.Query) Answer {
	o, ok := s.sources[id]
	if !ok {
		return h.askNow(ctx, s, id, q)
	}
	key := keyOf(o.Connection, q)
	if a, ok := h.answers.fresh(key, o.fresh); ok {
		return a
	}
	result, err := o.breaker.Execute(func() (connectors.Result, error) {
		a := h.askNow(ctx, s, id, q)
		if passes(ctx, a.Err) {
			a = h.askNow(ctx, s, id, q)
		}
		return a.Result, a.Err
	})
	if isResting(err) {
		err = restingSource(err)
	}
	if err == nil {
		h.answers.keep(key, result)
		return Answer{Result: result}
	}
	if a, ok := h.answers.old(key, err); ok {
		return a
	}
	return Answer{Err: err}
}

// oneMore is the wait before a source that broke off is asked once more, and a quarter of what that must have left.
const oneMore = 100 * time.Millisecond

// passes waits a moment when the next try may well succeed, as after a connection that was cut, and reports whether
// to try. Our own trouble is waited out elsewhere, by the chat as a whole.
func passes(ctx context.Context, err error) bool {
	if err == nil || saysNothing(err) {
		return false
	}
	e := connectors.AsError(err)
	if end, bounded := ctx.Deadline(); e.Class != connectors.Transient || e.RetryAfter > oneMore || bounded && time.Until(end) < 4*oneMore {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(jitter(oneMore)):
		return true
	}
}

// askNow asks one source. It returns at the deadline even when the source does not, and turns a panic into an
// error: one bad source must not cost the others their turn.
func (h *Hub) askNow(ctx context.Context, s *openSetup, id ID, q connectors.Query) Answer {
	done := make(chan connectors.Answer, 1)
	go func() {
		source, err := h.source(s, id)
		if err != nil {
			done <- connectors.Answer{Err: err}
			return
		}
		done <- source.lookUp(ctx, q)
	}()
	select {
	case a := <-done:
		return Answer{Result: a.Result, Err: a.Err}
	case <-ctx.Done():
		return Answer{Err: h.whoseTime(s, id, ctx.Err())}
	}
}

// whoseTime says of a time-out that it is our own database's, when that is all the source asks.
func (h *Hub) whoseTime(s *openSetup, id ID, err error) error {
	o, ok := s.sources[id]
	if !ok || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if c, known := h.Connectors.Find(o.Connection.Kind); known && c.Spec().Imports {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
