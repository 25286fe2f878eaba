package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

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

// judge names the outcome that the answers lead to, if LiveSupporti takes the details.
func (f found) judge(filled Filled) Outcome {
	var hit, several, failed bool
	for _, a := range f.answers {
		switch {
		case a.Err != nil:
			failed = true
		case a.Result.Match == connectors.Found:
			hit = true
			failed = failed || a.Instead != nil || len(a.Result.Partial) > 0
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

// nextTry says when asking again could give another answer, after n tries before this one: with the usual wait,
// or when the first of the sources that named a time may be asked.
func (f found) nextTry(n int) (delay time.Duration, sense bool) {
	for _, a := range f.answers {
		if a.Err == nil {
			continue
		}
		e := connectors.AsError(a.Err)
		wait := max(backoff(n), e.RetryAfter)
		if e.Retryable() && (!sense || wait < delay) {
			delay, sense = wait, true
		}
	}
	return delay, sense
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
	c.trail = Trail{ClaimedMS: c.at(c.Since)}
	if c.hub.overQuota(ctx, c.setup.Tenant, c.ChatID) {
		return nil, c.end(ctx, OverQuota, nil)
	}
	c.trail.Version = c.setup.Card.Version
	if o := c.chat.unaskable(c.setup.Card); o != Waiting {
		return nil, c.end(ctx, o, nil)
	}
	f := c.hub.askAll(ctx, c.hub.askForChat, c.setup, c.setup.Card, c.chat.Email, c.now())
	began := c.now()
	made, err := c.chat.compose(c.setup.Card, f)
	if err != nil {
		return nil, c.giveUp(ctx, err)
	}
	c.trail.Sources, c.trail.LeftOut, c.trail.Filled, c.trail.Goal = f.times, made.filled.LeftOut, len(made.filled.Fields), made.goal
	for id, a := range f.answers {
		if a.Err != nil {
			e := connectors.AsError(a.Err)
			c.log.InfoContext(ctx, "source failed", "connection", id, "code", e.Code, "reference", e.Reference)
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
		if delay, sense := f.nextTry(c.Claims - 1); sense && c.Claims < lookupTries && c.left() > delay {
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
