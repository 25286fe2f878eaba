package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"sidecard/internal/flaw"
	"sidecard/internal/livesupporti"
)

// Work is a claimed chat with the local side of its lease.
type Work struct {
	Claimed
	Since time.Time   // taken before the claim was sent: the lease is no older than this, by the local monotonic clock
	Young func() bool // the lease is young enough to begin a post
}

// carrying is one chat in a worker's hands, on its way.
type carrying struct {
	Work
	hub   *Hub
	setup *openSetup
	chat  keptChat
	trail Trail
	after Carried
	log   *slog.Logger
}

// Carried is what carrying a chat leaves to do.
type Carried struct {
	Again time.Duration // the chat is to be tried again after this; negative: it is not
	Freed bool          // a newer chat of the visitor, which overtook this one, is ready now
}

// Carry takes a claimed chat as far as it goes: to its outcome, or back to the queue. The context ends
// when the lease is lost; then nothing more is posted or written, since the chat is somebody else's.
func (h *Hub) Carry(ctx context.Context, w Work) (after Carried) {
	c := &carrying{Work: w, hub: h, after: Carried{Again: -1}, log: h.Log.With("tenant", w.TenantID, "chat", w.ChatID)}
	defer func() {
		if p := recover(); p != nil {
			c.giveUp(ctx, fmt.Errorf("panic: %v", p))
		}
		after = c.after
	}()
	c.carry(ctx)
	return c.after
}

func (c *carrying) carry(ctx context.Context) {
	if err := c.prepare(ctx); err != nil {
		if ctx.Err() == nil {
			c.log.ErrorContext(ctx, "chat not carried, its lease will run out", "error", err)
		}
		return
	}
	if c.setup == nil {
		c.end(ctx, c.lateOutcome(), nil)
		return
	}
	if c.Lane == LaneDelivery {
		c.deliverAgain(ctx)
		return
	}
	if details, ok := c.lookUp(ctx); ok {
		c.deliver(ctx, details)
	}
}

// prepare reads what carrying needs. It leaves the setup nil when the chat's deadline has passed: such a
// chat ends whatever else may be broken.
func (c *carrying) prepare(ctx context.Context) (err error) {
	if c.trail, err = readTrail(c.Trail); err != nil {
		return fmt.Errorf("read trail: %w", err)
	}
	chat, err := c.hub.keptChat(ctx, c.TenantID, c.ChatID, c.Body)
	if err == nil {
		c.chat = chat // the deadline depends on it
	}
	if c.left() <= 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if flaw.On(flaw.LogsVisitor) {
		c.log = c.log.With("visitor", c.chat.Email)
	}
	c.setup, err = c.hub.setup(ctx, c.TenantID, c.Revision)
	return err
}

// at gives a local time as milliseconds after the chat's first byte.
func (c *carrying) at(t time.Time) float64 {
	return c.chat.TookMS + milliseconds(c.Age+t.Sub(c.Since))
}

func (c *carrying) now() float64 { return c.at(c.hub.Now()) }

// left is the time until the chat's deadline.
func (c *carrying) left() time.Duration {
	if flaw.On(flaw.RetryPastDeadline) {
		return time.Hour
	}
	return c.hub.lifetime(c.chat, c.Ago) - c.Age - c.hub.Now().Sub(c.Since)
}

// lifetime is the time from when a chat was received until its deadline. It counts from the chat's real start,
// unless somebody forced its replay.
func (h *Hub) lifetime(k keptChat, ago time.Duration) time.Duration {
	if k.Forced {
		return h.Limits.ChatDeadline
	}
	return h.Limits.ChatDeadline - ago
}

// lateOutcome is the outcome of a chat whose deadline passed: refused, when it waited for better
// credentials.
func (c *carrying) lateOutcome() Outcome {
	if c.trail.Unauthorized {
		return Refused
	}
	return Expired
}

// deliverAgain posts the exact bytes that were kept.
func (c *carrying) deliverAgain(ctx context.Context) {
	details, err := c.hub.open(ctx, chatRef(c.TenantID, c.ChatID, "details"), c.Details)
	if err != nil {
		c.giveUp(ctx, err)
		return
	}
	if flaw.On(flaw.DetailsRewritten) {
		details = bytes.ReplaceAll(details, []byte(`":`), []byte(`": `))
	}
	c.deliver(ctx, details)
}

// deliver posts the details once, unless the desk has to wait.
func (c *carrying) deliver(ctx context.Context, details []byte) {
	if c.Details == nil {
		sealed, err := c.hub.seal(ctx, chatRef(c.TenantID, c.ChatID, "details"), details)
		if err != nil {
			c.giveUp(ctx, err)
			return
		}
		c.Details = sealed
	}
	cred, ok, err := c.hub.credentials(ctx, c.setup.Desk)
	if err != nil {
		c.giveUp(ctx, err)
		return
	}
	if !ok {
		c.end(ctx, NoCredentials, nil)
		return
	}
	wait := c.mustWait(ctx)
	if wait > 0 {
		c.postpone(ctx, wait, nil)
		return
	}
	if c.left() <= 0 { // the lookup took the rest of its time
		c.end(ctx, c.lateOutcome(), nil)
		return
	}
	if !c.Young() { // somebody else may hold it by now; the lease decides
		return
	}
	c.post(ctx, cred, details)
}

// mustWait says how long the desk wants to be left alone: it is paused, or it asked for it.
func (c *carrying) mustWait(ctx context.Context) time.Duration {
	if !c.setup.Desk.PausedAt.IsZero() && !c.mayProbe(ctx) {
		c.trail.Unauthorized = true
		c.trail.Problem = "LiveSupporti refused the e-mail or the API key."
		return c.pauseWait()
	}
	left := max(c.setup.desk.pause.left(c.hub.Now()), c.setup.Desk.ThrottledUntil.Sub(c.hub.Now()))
	if left > 0 {
		c.trail.Unauthorized, c.trail.Problem = false, "LiveSupporti asked us to slow down."
		return jitter(left*5/4 + time.Millisecond) // later rather than earlier, and not all at once
	}
	return 0
}

// pauseWait grows with the times the chat came by in vain: new credentials hasten it anyway, see Hub.hasten.
func (c *carrying) pauseWait() time.Duration {
	return jitter(min(c.hub.Limits.PauseWait<<min(c.Claims-1, 4), maxPauseWait))
}

const maxPauseWait = time.Minute

// mayProbe takes the right to try a desk that has been paused for a while: one chat in ProbeEvery has it.
func (c *carrying) mayProbe(ctx context.Context) bool {
	if c.hub.Now().Sub(c.setup.Desk.PausedAt) < c.hub.Limits.ProbeEvery {
		return false
	}
	_, err := c.hub.Store.Tenant(c.TenantID).UpdateDesk(ctx, func(d *Desk) error {
		if d.PausedAt.IsZero() || c.hub.Now().Sub(d.PausedAt) < c.hub.Limits.ProbeEvery {
			return errNotMine
		}
		d.PausedAt = c.hub.Now()
		return nil
	})
	return err == nil
}

var errNotMine = errors.New("somebody else took it")

func (c *carrying) post(ctx context.Context, cred livesupporti.Credentials, details []byte) {
	started := c.now()
	postCtx, cancel := context.WithTimeout(ctx, min(c.hub.Limits.PostTimeout, c.left()))
	defer cancel()
	answer, err := c.postOnce(postCtx, cred, details)
	switch {
	case ctx.Err() != nil: // the lease is lost, or the process stops: not ours to judge
		return
	case isResting(err):
		c.trail.Unauthorized = false
		c.trail.Problem = "LiveSupporti did not answer the last details, so we are leaving it alone for some seconds."
		c.postpone(ctx, jitter(deskRest), nil)
		return
	}
	attempt := c.attempt(ctx, started, answer, err)
	c.log.InfoContext(ctx, "delivery attempt", "number", attempt.Number, "status", attempt.Status,
		"verdict", attempt.Verdict, "ms", attempt.MS)
	c.trail.Unauthorized = false
	verdict := livesupporti.Retry
	if err == nil {
		verdict = answer.Verdict()
	}
	if flaw.On(flaw.RetriesRefused) && verdict == livesupporti.Refused || flaw.On(flaw.NoPause) && verdict == livesupporti.Unauthorized {
		verdict = livesupporti.Retry
	}
	if flaw.On(flaw.IgnoresRetryAfter) {
		answer.RetryAfter = 0
	}
	switch verdict {
	case livesupporti.Accepted:
		c.endPause(ctx)
		c.end(ctx, c.trail.Goal, &attempt)
	case livesupporti.Refused:
		c.trail.Problem = attempt.Message
		c.end(ctx, Refused, &attempt)
	case livesupporti.Unauthorized:
		c.beginPause(ctx)
		c.trail.Unauthorized, c.trail.Problem = true, attempt.Message
		c.postpone(ctx, c.pauseWait(), &attempt)
	case livesupporti.Throttled:
		wait := max(answer.RetryAfter, jitter(backoff(c.Tries)))
		c.throttle(ctx, wait)
		c.trail.Problem = attempt.Message
		c.postpone(ctx, wait, &attempt)
	default:
		c.trail.Problem = attempt.Message
		c.postpone(ctx, jitter(backoff(c.Tries)), &attempt)
	}
}

// jitter spreads waits by a fifth, so that chats that failed together do not come back together.
func jitter(d time.Duration) time.Duration {
	if flaw.On(flaw.NoJitter) {
		return d
	}
	return d - d/5 + rand.N(2*d/5+1) //nolint:gosec // spreads load, guards nothing
}

func (c *carrying) attempt(ctx context.Context, started float64, a livesupporti.Answer, err error) Attempt {
	t := Attempt{Number: c.Tries + 1, StartMS: started, MS: c.now() - started, Status: a.Status}
	if err != nil {
		t.Verdict, t.Message = livesupporti.Retry.String(), livesupporti.Problem(err)
		return t
	}
	t.Verdict, t.Message = a.Verdict().String(), describeAnswer(a)
	if a.Excerpt == "" {
		return t
	}
	sealed, sealErr := c.hub.seal(ctx, chatRef(c.TenantID, c.ChatID, "excerpt"), []byte(a.Excerpt))
	if sealErr != nil {
		c.log.Error("excerpt not kept", "error", sealErr)
	}
	t.Excerpt = sealed
	return t
}

func (c *carrying) beginPause(ctx context.Context) {
	_, err := c.hub.Store.Tenant(c.TenantID).UpdateDesk(ctx, func(d *Desk) error {
		if !d.PausedAt.IsZero() {
			return errNotMine
		}
		d.PausedAt = c.hub.Now()
		d.Problem = &DeskProblem{At: c.hub.Now(), Code: "credentials_refused"}
		return nil
	})
	switch {
	case err == nil:
		c.log.WarnContext(ctx, "desk paused, LiveSupporti refused the credentials")
	case !errors.Is(err, errNotMine):
		c.log.ErrorContext(ctx, "desk not paused", "error", err)
	}
}

// throttle leaves the desk alone for a while: in this worker at once, and in the others as soon as they claim
// again. Waits that are over before that are not worth telling.
func (c *carrying) throttle(ctx context.Context, wait time.Duration) {
	until := c.hub.Now().Add(wait)
	c.setup.desk.pause.extend(c.hub.Now().Add(min(wait, tellThrottled))) // also for what is in hand already
	if wait <= tellThrottled {
		return
	}
	_, err := c.hub.Store.Tenant(c.TenantID).UpdateDesk(ctx, func(d *Desk) error {
		if until.Sub(d.ThrottledUntil) < tellThrottled { // several were told at the same time
			return errNotMine
		}
		d.ThrottledUntil = until
		return nil
	})
	if err != nil && !errors.Is(err, errNotMine) {
		c.setup.desk.pause.extend(until)
		c.log.WarnContext(ctx, "the others do not know that LiveSupporti wants to be left alone", "error", err)
	}
}

// tellThrottled is the longest wait that a worker keeps to itself.
const tellThrottled = time.Second

func (c *carrying) endPause(ctx context.Context) {
	if c.setup.Desk.PausedAt.IsZero() {
		return
	}
	if _, err := c.hub.Store.Tenant(c.TenantID).UpdateDesk(ctx, func(d *Desk) error { d.resume(); return nil }); err != nil {
		c.log.ErrorContext(ctx, "pause not ended", "error", err)
		return
	}
	c.hub.hasten(ctx, c.TenantID)
}

// postpone gives the chat back for a later post, or ends it when its deadline would pass first.
func (c *carrying) postpone(ctx context.Context, delay time.Duration, last *Attempt) {
	if delay < c.left() {
		c.later(ctx, LaneDelivery, delay, last)
		return
	}
	c.end(ctx, c.lateOutcome(), last)
}

// end writes the outcome. It always returns false, so that a step can say: nothing left to do.
func (c *carrying) end(ctx context.Context, o Outcome, last *Attempt) bool {
	f := Finish{Hold: c.Hold, Outcome: o, MS: c.now(), CardVersion: c.trail.Version, Trail: c.trail.bytes(), Details: c.Details, Attempt: last}
	if last != nil {
		// What was posted is worth writing down even when the lease is lost by now: if nobody came since, it counts.
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
		defer cancel()
		ctx = patient
	}
	c.keep(ctx, func() (Grip, error) { return c.hub.Store.Finish(ctx, f) }, "outcome", o.String(), "ms", f.MS)
	return false
}

// keepTime is how long the outcome of a post is tried to be written.
const keepTime = 20 * time.Second

// later gives the chat back. It always returns false, as end does.
func (c *carrying) later(ctx context.Context, lane Lane, delay time.Duration, last *Attempt) bool {
	r := Retry{Hold: c.Hold, Lane: lane, Delay: delay, Trail: c.trail.bytes(), Details: c.Details, Attempt: last}
	c.after.Again = delay
	c.keep(ctx, func() (Grip, error) { return c.hub.Store.Retry(ctx, r) }, "again_in", delay)
	return false
}

// keep writes a result, trying again until ctx ends: a database that is away for a moment must not make us
// post the same details twice.
func (c *carrying) keep(ctx context.Context, write func() (Grip, error), what ...any) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		grip, err := write()
		switch {
		case err == nil && grip == Lost:
			c.log.InfoContext(ctx, "chat was somebody else's by now", what...)
			return
		case err == nil:
			c.after.Freed = grip == Overtaken
			c.log.InfoContext(ctx, "chat carried", what...)
			return
		case !errors.Is(err, ErrUnavailable):
			c.log.ErrorContext(ctx, "result not kept, the lease will run out", "error", err)
			return
		}
		select {
		case <-ctx.Done():
			c.log.WarnContext(ctx, "result not kept, the lease will run out", "error", err)
			return
		case <-time.After(wait):
		}
	}
}

// giveUp ends a chat that we cannot handle, so that it is seen instead of coming back for ever.
func (c *carrying) giveUp(ctx context.Context, err error) bool {
	c.log.ErrorContext(ctx, "chat given up", "error", err)
	c.trail.Problem = "Sidecard could not handle this chat. We have been told."
	return c.end(ctx, LookupFailed, nil)
}
