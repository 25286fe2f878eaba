package hub

import (
	"errors"
	"strings"
	"time"
)

// Code names a kind of failure. The HTTP face maps each to a status; clients may rely on the names.
type Code string

// The codes.
const (
	CodeInvalid         Code = "invalid_request"       // a field is wrong; Fields says which
	CodeUnauthenticated Code = "unauthenticated"       // no, expired or wrong token
	CodeWrongLogin      Code = "wrong_login"           // e-mail or password is wrong
	CodeCodeRequired    Code = "code_required"         // the password is right; the second factor is asked for
	CodeForbidden       Code = "forbidden"             // role or scope does not allow it
	CodeFactorMissing   Code = "second_factor_missing" // the tenant requires one, and the user has none
	CodeGone            Code = "gone"                  // it was here and was deleted
	CodeLinkEnded       Code = "link_ended"            // a link from a mail was used, is too old, or never was
	CodeTooMany         Code = "too_many"              // tried too often; RetryAfter says when again
	CodeQuota           Code = "quota"                 // the plan's limit is reached
	CodeNotFound        Code = "not_found"             // no such thing, or not yours
	CodeConflict        Code = "conflict"              // somebody else changed it first, or it is in use
	CodeNotReady        Code = "not_ready"             // something has to be set up before
	CodeUnsigned        Code = "unsigned"              // a notification without signature
	CodeSignature       Code = "wrong_signature"       // a notification with a wrong one
	CodeBadSignature    Code = "malformed_signature"   // one that is no signature at all
	CodeTooLarge        Code = "too_large"             // more bytes than allowed
	CodeBadNotification Code = "bad_notification"      // not JSON, or no notifications in it
	CodeBadFile         Code = "bad_file"              // an uploaded file that can't be used
	CodeBusy            Code = "busy"                  // try again in a moment
	CodeUnavailable     Code = "unavailable"           // our own trouble; nothing was lost, send it again
	CodeInternal        Code = "internal"              // a bug
)

// Error is what people are told. Message and the fields are safe to show: no secret, no visitor's value.
// Err is the cause, for the log.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError
	Err     error
	// RetryAfter is when it makes sense to ask again, with CodeTooMany; 0 = not known.
	RetryAfter time.Duration
}

// FieldError points at one wrong input.
type FieldError struct {
	Pointer string // JSON pointer into the body, e.g. /settings/host
	Detail  string // what is wrong and how to fix it
	Line    int    // of an uploaded file; 0 = none
}

// Error gives code, message and cause for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		b.WriteString(" [" + f.Pointer + ": " + f.Detail + "]")
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of err: CodeInternal when it has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

func fail(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// invalid says that one field is wrong and how to mend it.
func invalid(pointer, detail string) *Error {
	return &Error{
		Code: CodeInvalid, Message: "Something in the request is wrong.",
		Fields: []FieldError{{Pointer: pointer, Detail: detail}},
	}
}

// ErrNotFound is returned by a store for a row that is not there or is another tenant's.
var ErrNotFound error = fail(CodeNotFound, "There is no such thing here.")

// ErrGone is returned by a store for the callback URL of a tenant that was deleted some days ago.
var ErrGone error = fail(CodeGone, "This callback URL belonged to an account that was deleted. Remove the WebHook in LiveSupporti.")

// ErrEmailTaken is returned by a store when a user with the address exists.
var ErrEmailTaken error = fail(CodeConflict, "There is an account with this e-mail address. Sign in instead.")

// ErrUnavailable is returned by a store that is out of reach; nothing was changed, or it can be sent again.
var ErrUnavailable error = fail(CodeUnavailable, "Sidecard cannot save anything right now. Please try again in a moment.")
