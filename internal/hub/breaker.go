package hub

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

// A breaker leaves a source or a desk alone that failed several times in a row: chats that would only wait
// for a time-out hold no worker meanwhile, and whoever is down is not hammered. Then one chat tries again.
// Each worker learns for itself.
const (
	breakAfter = 5 // failures in a row
	sourceRest = 10 * time.Second
	deskRest   = 5 * time.Second
)

func newBreaker[T any](rest time.Duration, failed func(error) bool) *gobreaker.CircuitBreaker[T] {
	return gobreaker.NewCircuitBreaker[T](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      rest,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakAfter },
		IsSuccessful: func(err error) bool { return err == nil || !failed(err) },
		IsExcluded:   saysNothing,
	})
}

// saysNothing reports whether an error is about us: the lease was lost, or our own database is away.
func saysNothing(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable)
}

func isResting(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

// sourceBreaker counts trouble of the source. Wrong settings and used-up limits answer at once and cost nobody
// time.
func sourceBreaker() *gobreaker.CircuitBreaker[connectors.Result] {
	return newBreaker[connectors.Result](sourceRest, func(err error) bool {
		class := connectors.AsError(err).Class
		return class == connectors.Transient || class == connectors.Bug
	})
}

func restingSource(err error) error {
	return &connectors.Error{
		Class: connectors.Transient, Code: "resting",
		Message: "It did not answer the last chats, so we are leaving it alone for some seconds.",
		Fix:     "Check that the source runs and can be reached.", Err: err,
	}
}

// deskBreaker counts posts that LiveSupporti did not answer, or answered with trouble of its own.
func deskBreaker() *gobreaker.CircuitBreaker[livesupporti.Answer] {
	return newBreaker[livesupporti.Answer](deskRest, func(error) bool { return true })
}

// errTrouble makes an answer count as a failure.
var errTrouble = errors.New("LiveSupporti has trouble")

// postOnce posts through the desk's breaker; isResting(err) when it did not.
func (c *carrying) postOnce(ctx context.Context, cred livesupporti.Credentials, details []byte) (a livesupporti.Answer, err error) {
	_, broken := c.setup.desk.breaker.Execute(func() (livesupporti.Answer, error) {
		a, err = c.hub.LiveSupporti.PostDetails(ctx, cred, c.chat.Visitor.String(), details)
		if err == nil && a.Verdict() == livesupporti.Retry {
			return a, errTrouble
		}
		return a, err
	})
	if isResting(broken) {
		return a, broken
	}
	return a, err
}
