package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

// Answer is what one source said about one visitor.
type Answer struct {
	Result connectors.Result
	Err    error // nil, or why there is no result
}

// SourceTime is one source's part in a lookup, without any of the visitor's values.
type SourceTime struct {
	ConnectionID ID             `json:"connection_id"`
	Name         string         `json:"name"`
	Kind         string         `json:"kind"`
	Match        string         `json:"match"`    // none, found, ambiguous, failed
	StartMS      float64        `json:"start_ms"` // after the chat was received
	MS           float64        `json:"ms"`
	Problem      *SourceProblem `json:"problem,omitempty"`
}

const matchFailed = "failed"

// found is the result of asking all of a card's sources.
type found struct {
	answers map[ID]Answer
	times   []SourceTime // in the order of the card
}

// asker asks one source; Hub.askOne, or that behind the source's breaker.
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
			mu.Lock()
			defer mu.Unlock()
			f.answers[id], f.times[i] = answer, t
		})
	}
	all.Wait()
	return f
}

// sources lists the connections of a card in the order of its lines, and the fields it shows of each.
func (c Card) sources() ([]ID, map[ID][]string) {
	var ids []ID
	fields := map[ID][]string{}
	for _, l := range c.Lines {
		if _, ok := fields[l.Connection]; !ok {
			ids = append(ids, l.Connection)
		}
		if !slices.Contains(fields[l.Connection], l.Field) {
			fields[l.Connection] = append(fields[l.Connection], l.Field)
		}
	}
	return ids, fields
}

// askRested asks a source unless its breaker leaves it alone. A person who tries a source out does not go
// through here: they shall see what it says now.
func (h *Hub) askRested(ctx context.Context, s *openSetup, id ID, q connectors.Query) Answer {
	o, ok := s.sources[id]
	if !ok {
		return h.askOne(ctx, s, id, q)
	}
	result, err := o.breaker.Execute(func() (connectors.Result, error) {
		a := h.askOne(ctx, s, id, q)
		return a.Result, a.Err
	})
	if isResting(err) {
		err = restingSource(err)
	}
	return Answer{Result: result, Err: err}
}

// askOne asks one source. It returns at the deadline even when the source does not, and turns a panic
// into an error: one bad source must not cost the others their turn.
func (h *Hub) askOne(ctx context.Context, s *openSetup, id ID, q connectors.Query) Answer {
	done := make(chan Answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- Answer{Err: &connectors.Error{
					Class: connectors.Bug, Code: "panic",
					Message: "The source broke while it was asked.", Fix: "Tell us the reference.", Err: fmt.Errorf("panic: %v", p),
				}}
			}
		}()
		source, err := h.source(s, id)
		if err != nil {
			done <- Answer{Err: err}
			return
		}
		result, err := source.Lookup(ctx, q)
		done <- Answer{Result: result, Err: err}
	}()
	select {
	case a := <-done:
		return a
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

func timeOf(s *openSetup, id ID, a Answer) SourceTime {
	t := SourceTime{ConnectionID: id, Match: a.Result.Match.String()}
	if o := s.sources[id]; o != nil {
		t.Name, t.Kind = o.Connection.Name, o.Connection.Kind
	}
	if a.Err != nil {
		t.Match, t.Problem = matchFailed, problemOf(a.Err)
	}
	return t
}

// judge names the outcome that the answers lead to, if LiveSupporti takes the details.
func (f found) judge(filled Filled) Outcome {
	var hit, several, failed bool
	for _, a := range f.answers {
		switch {
		case a.Err != nil:
			failed = true
		case a.Result.Match == connectors.Found:
			hit = true
		case a.Result.Match == connectors.Ambiguous:
			several = true
		}
	}
	switch {
	case hit && len(filled.Fields) == 0:
		return NothingToShow
	case hit && (failed || several):
		return ShownInPart
	case hit:
		return Shown
	case failed:
		return LookupFailed
	case several:
		return SeveralMatches
	default:
		return NoMatch
	}
}

// mayChange reports whether asking again a little later could give another answer.
func (f found) mayChange() bool {
	for _, a := range f.answers {
		if a.Err != nil && connectors.AsError(a.Err).Retryable() {
			return true
		}
	}
	return false
}

// Trail is what is kept of a chat's way, beside its details: names and times, none of the visitor's values.
type Trail struct {
	ClaimedMS float64      `json:"claimed_ms"` // when a worker took it
	Sources   []SourceTime `json:"sources,omitempty"`
	CardMS    float64      `json:"card_ms"` // when the details were ready
	CardTook  float64      `json:"card_took_ms"`
	Version   int          `json:"card_version"`
	Filled    int          `json:"filled"`
	LeftOut   []LeftOut    `json:"left_out,omitempty"`
	Goal      Outcome      `json:"goal"` // the outcome when LiveSupporti takes the details
	// Unauthorized: LiveSupporti refused the credentials, and the chat waits for better ones.
	Unauthorized bool   `json:"unauthorized,omitempty"`
	Problem      string `json:"problem,omitempty"` // the last one with LiveSupporti, in words
}

func readTrail(raw []byte) (t Trail, err error) {
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &t)
	}
	return t, err
}

func (t Trail) bytes() []byte {
	raw, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain data only
	}
	return raw
}

// unaskable names the outcome of a chat that no source need be asked about; Waiting when they are to be asked.
func (k keptChat) unaskable(card Card) Outcome {
	switch {
	case card.Version == 0:
		return NoCard
	case k.Email == "":
		return NoEmail
	}
	return Waiting
}

// composed is what a card makes of the answers about a chat's visitor.
type composed struct {
	filled  Filled
	goal    Outcome // when LiveSupporti takes the details
	details []byte  // the exact bytes to post; nil when there is nothing to post
}

// compose is the one way from answers to bytes, for lookups and dry runs alike.
func (k keptChat) compose(card Card, f found) (made composed, err error) {
	made.filled = Fill(card.Lines, f.answers)
	made.goal = f.judge(made.filled)
	if made.goal != Shown && made.goal != ShownInPart {
		return made, nil
	}
	if made.details, err = livesupporti.Details(k.Account, k.Agent, k.Visitor, made.filled.Fields); err != nil {
		return made, fmt.Errorf("make details: %w", err)
	}
	return made, nil
}

// lookUp asks the sources for a claimed chat. It either has the details to deliver, or has ended the
// chat or given it back itself.
func (c *carrying) lookUp(ctx context.Context) (details []byte, ok bool) {
	c.trail = Trail{ClaimedMS: c.at(c.Since), Version: c.setup.Card.Version}
	if o := c.chat.unaskable(c.setup.Card); o != Waiting {
		return nil, c.end(ctx, o, nil)
	}
	f := c.hub.askAll(ctx, c.hub.askRested, c.setup, c.setup.Card, c.chat.Email, c.now())
	began := c.now()
	made, err := c.chat.compose(c.setup.Card, f)
	if err != nil {
		return nil, c.giveUp(ctx, err)
	}
	c.trail.Sources, c.trail.LeftOut, c.trail.Filled, c.trail.Goal = f.times, made.filled.LeftOut, len(made.filled.Fields), made.goal
	for id, a := range f.answers {
		if a.Err != nil {
			c.log.InfoContext(ctx, "source failed", "connection", id, "code", connectors.AsError(a.Err).Code)
		}
	}
	switch c.trail.Goal {
	case Shown, ShownInPart:
		c.trail.CardMS, c.trail.CardTook = c.now(), c.now()-began
		return made.details, true
	case LookupFailed:
		if f.ourFault() && c.left() > ownTrouble {
			return nil, c.later(ctx, LaneLookup, jitter(ownTrouble), nil)
		}
		if delay := backoff(c.Claims - 1); f.mayChange() && c.Claims < lookupTries && c.left() > delay {
			return nil, c.later(ctx, LaneLookup, delay, nil)
		}
	}
	return nil, c.end(ctx, c.trail.Goal, nil)
}

// ourFault reports whether a source failed because our own database did not answer: that is over soon, and
// no reason to wait ever longer.
func (f found) ourFault() bool {
	for _, a := range f.answers {
		if errors.Is(a.Err, ErrUnavailable) {
			return true
		}
	}
	return false
}

// ownTrouble is the wait then.
const ownTrouble = 500 * time.Millisecond

// lookupTries is how often a lookup is tried when no source could answer: for about two minutes, while the
// conversation may still go on.
const lookupTries = 8

// backoff is the wait after the n-th failure, counted from zero: at once for the person who is chatting
// now, and slower as hope fades.
func backoff(n int) time.Duration {
	steps := [...]time.Duration{250 * time.Millisecond, time.Second, 4 * time.Second, 15 * time.Second, 30 * time.Second}
	return steps[min(max(n, 0), len(steps)-1)]
}
