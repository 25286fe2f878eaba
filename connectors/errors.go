package connectors

import (
	"context"
	"errors"
	"time"
)

// Class says how the host behaves after an error. Behaviour is in the class, never in a text.
type Class string

// The classes of error.
const (
	AuthExpired   Class = "auth_expired"  // renew the login once, then ask again
	AuthRevoked   Class = "auth_revoked"  // the tenant must connect again
	Misconfigured Class = "misconfigured" // settings, permissions or schema are wrong; asking again won't help
	RateLimited   Class = "rate_limited"  // wait RetryAfter
	Transient     Class = "transient"     // network, time-out, server trouble; may work in a moment
	Forbidden     Class = "forbidden"     // the address is not allowed
	Canceled      Class = "canceled"      // the host gave up
	Bug           Class = "bug"           // an answer or a state that should not exist
)

// Error is the only kind of error a Source or an Importer returns.
type Error struct {
	Class      Class
	Code       string        // stable, for logs and tests: "postgres.28P01", "csv.no_email_column"
	Message    string        // one sentence for the tenant: no secret, no visitor value
	Fix        string        // what the tenant does about it
	Script     string        // text to paste elsewhere that does it, such as SQL; may be empty
	Suggest    []Suggestion  // settings that would help
	Field      string        // the setting to look at, when there is one
	Line       int           // the line of an imported file, when there is one
	RetryAfter time.Duration // when to ask again, for RateLimited and Transient; 0 = unknown
	Bucket     string        // for RateLimited: the limit of Spec that was hit; empty = all of the connection
	Reference  string        // the vendor's id of its answer, for its support; may be empty
	Err        error         // the cause, for the log
}

// Error gives the code and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Code + ": " + e.Message
	}
	return e.Code + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same question may be answered a little later.
func (e *Error) Retryable() bool {
	return e.Class == Transient || e.Class == RateLimited || e.Class == AuthExpired
}

// IsForbidden reports whether err, or an error it wraps, says that the guarded way out refused an address:
// it has a method Forbidden() bool that returns true. The dialer, the resolver and the HTTP client of
// OpenInput mark their refusals so.
func IsForbidden(err error) bool {
	var f interface{ Forbidden() bool }
	return errors.As(err, &f) && f.Forbidden()
}

// ForbiddenError is what a source answers when the guarded way out refused an address. It is the same for
// every address, so that nobody can map a private network with it.
func ForbiddenError(err error) *Error {
	return &Error{
		Class: Forbidden, Code: "forbidden", Message: "That address is not allowed.",
		Fix: "Use the public address of your server. If Sidecard runs in your own network, its operator can allow the address.",
		Err: err,
	}
}

// AsError finds the *Error in err. Anything else becomes one: a refused address is Forbidden, a passed
// deadline Transient, a cancelled context Canceled, the rest Bug, so that every error has a class.
func AsError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case IsForbidden(err):
		return ForbiddenError(err)
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{
			Class: Transient, Code: "timeout", Message: "The source did not answer in time.",
			Fix: "Try again; if it stays slow, look at the source's own load.", Err: err,
		}
	case errors.Is(err, context.Canceled):
		return &Error{Class: Canceled, Code: "canceled", Message: "The lookup was stopped.", Err: err}
	default:
		return &Error{
			Class: Bug, Code: "bug", Message: "The source answered in a way Sidecard does not understand.",
			Fix: "Try again; if it stays, tell us the reference.", Err: err,
		}
	}
}
