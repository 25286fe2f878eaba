package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// Codes that only HTTP knows, beside the hub's.
const (
	codeWrongMethod hub.Code = "method_not_allowed"
	codeMediaType   hub.Code = "unsupported_media_type"
)

// statuses says which HTTP status tells of which failure. What is not here is our own fault: 500.
var statuses = map[hub.Code]int{
	hub.CodeInvalid:         http.StatusBadRequest,
	hub.CodeUnauthenticated: http.StatusUnauthorized,
	hub.CodeWrongLogin:      http.StatusUnauthorized,
	hub.CodeCodeRequired:    http.StatusUnauthorized,
	hub.CodeForbidden:       http.StatusForbidden,
	hub.CodeFactorMissing:   http.StatusForbidden,
	hub.CodeNotFound:        http.StatusNotFound,
	codeWrongMethod:         http.StatusMethodNotAllowed,
	hub.CodeConflict:        http.StatusConflict,
	hub.CodeNotReady:        http.StatusConflict,
	hub.CodeUnsigned:        http.StatusUnauthorized,
	hub.CodeSignature:       http.StatusUnauthorized,
	hub.CodeBadSignature:    http.StatusUnauthorized,
	hub.CodeGone:            http.StatusGone,
	hub.CodeLinkEnded:       http.StatusGone,
	hub.CodeQuota:           http.StatusUnprocessableEntity,
	hub.CodeTooMany:         http.StatusTooManyRequests,
	hub.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	codeMediaType:           http.StatusUnsupportedMediaType,
	hub.CodeBadNotification: http.StatusUnprocessableEntity,
	hub.CodeBadFile:         http.StatusUnprocessableEntity,
	hub.CodeBusy:            http.StatusServiceUnavailable,
	hub.CodeUnavailable:     http.StatusServiceUnavailable,
	hub.CodeInternal:        http.StatusInternalServerError,
}

// statusClientGone is written to the log, as nginx does, when nobody is left to read an answer.
const statusClientGone = 499

// fail answers with the problem that err is, and ends the request. It is the only place that does.
func (f *face) fail(c *gin.Context, err error) {
	c.Abort()
	r := recordOf(c)
	e, status := told(err)
	r.code = e.Code
	if status >= http.StatusInternalServerError {
		r.err = err
		if errors.Is(c.Request.Context().Err(), context.Canceled) { // then that is why it failed
			r.code = "client_gone"
			c.Status(statusClientGone)
			return
		}
	}
	if c.Writer.Written() { // an answer was under way and could not be finished
		r.err = err
		return
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(e.Code))
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(max(e.RetryAfter, time.Second).Seconds()))))
	}
	body, err := json.Marshal(present(e, status, r.id))
	if err != nil { // plain data only
		panic(err)
	}
	c.Status(status)
	_, _ = c.Writer.Write(body) // a client that does not listen any more misses nothing
}

// told finds the sentence for people in err, and its status. An error without one is a bug: people are only told so,
// the log has the rest.
func told(err error) (*hub.Error, int) {
	var e *hub.Error
	switch {
	case errors.As(err, &e) && statuses[e.Code] != 0 && e.Code != hub.CodeInternal:
		return e, statuses[e.Code]
	case errors.Is(err, context.DeadlineExceeded):
		return &hub.Error{Code: hub.CodeUnavailable, Message: "This took too long. Please try again in a moment."}, http.StatusServiceUnavailable
	default:
		return &hub.Error{Code: hub.CodeInternal, Message: "Something went wrong here. If it stays, tell us the request_id."}, http.StatusInternalServerError
	}
}

// challenge names the way to prove who one is, as every 401 must.
func challenge(code hub.Code) string {
	switch code {
	case hub.CodeUnsigned, hub.CodeSignature, hub.CodeBadSignature:
		return "ms-signature"
	}
	return "Bearer"
}

func present(e *hub.Error, status int, requestID string) contract.Problem {
	p := contract.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: string(e.Code), Detail: e.Message,
	}
	if status >= http.StatusInternalServerError {
		p.RequestId = &requestID
	}
	if len(e.Fields) == 0 {
		return p
	}
	fields := make([]contract.FieldProblem, len(e.Fields))
	for i, field := range e.Fields {
		fields[i] = contract.FieldProblem{Pointer: field.Pointer, Detail: field.Detail, Line: some(field.Line)}
	}
	p.Errors = &fields
	return p
}

// wrong says what is wrong with a request, and where.
func wrong(fields ...hub.FieldError) *hub.Error {
	return &hub.Error{Code: hub.CodeInvalid, Message: "Something in the request is wrong.", Fields: fields}
}

// some gives a pointer to a value that says something; the zero value becomes an absent property.
func some[T comparable](v T) *T {
	var nothing T
	if v == nothing {
		return nil
	}
	return &v
}

// given gives what a pointer points to, or the zero value.
func given[T any](p *T) T {
	if p == nil {
		var nothing T
		return nothing
	}
	return *p
}
