package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
)

// record is what is known about a request by its end, for its one line in the log.
type record struct {
	id    string
	began time.Time
	route string // instead of gin's full path
	actor hub.Actor
	code  hub.Code // of the problem that was answered
	err   error    // its cause, when it was ours
	stack []byte   // of a panic
	more  []slog.Attr
}

const recordKey = "sidecard.record"

func recordOf(c *gin.Context) *record { return c.MustGet(recordKey).(*record) }

// observe gives the request an id and writes its line at the end.
func (f *face) observe(c *gin.Context) {
	r := &record{id: rand.Text(), began: f.Now()}
	c.Set(recordKey, r)
	c.Header("X-Request-Id", r.id)
	origin := hub.Origin{Address: c.ClientIP(), Client: printable(c.Request.UserAgent(), 200)}
	c.Request = c.Request.WithContext(hub.WithOrigin(c.Request.Context(), origin))
	defer f.log(c, r)
	c.Next()
}

// log writes the request's line. It names the route and never the path or the query, which may hold a token, an
// address or anything else that a client put there.
func (f *face) log(c *gin.Context, r *record) {
	if r.route == "" {
		r.route = c.FullPath()
	}
	status := c.Writer.Status()
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError || r.stack != nil:
		level = slog.LevelError
	case r.route == "/livez" || r.route == "/readyz":
		level = slog.LevelDebug
	}
	ctx := context.WithoutCancel(c.Request.Context())
	if !f.Log.Enabled(ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 16),
		slog.String("request_id", r.id),
		slog.String("method", knownMethod(c.Request.Method)),
		slog.String("route", r.route),
		slog.Int("status", status),
		slog.Float64("ms", milliseconds(f.Now().Sub(r.began))),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.String("client", c.ClientIP()))
	if r.code != "" {
		attrs = append(attrs, slog.String("code", string(r.code)))
	}
	switch {
	case r.actor.IsToken():
		attrs = append(attrs, slog.Any("tenant", r.actor.TenantID), slog.Any("token", r.actor.TokenID))
	case r.actor.UserID != (hub.ID{}):
		attrs = append(attrs, slog.Any("tenant", r.actor.TenantID), slog.Any("user", r.actor.UserID))
	}
	attrs = append(attrs, r.more...)
	if r.err != nil {
		attrs = append(attrs, slog.String("error", r.err.Error()))
	}
	if r.stack != nil {
		attrs = append(attrs, slog.String("stack", string(r.stack)))
	}
	f.Log.LogAttrs(ctx, level, "request", attrs...)
}

// printable gives the beginning of a text that a client chose, without what a screen or a log would obey.
func printable(text string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	if len(clean) <= most {
		return clean
	}
	return strings.ToValidUTF8(clean[:most], "")
}

// knownMethod keeps a client from writing a text of its own choice into the log.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// breakOff ends an answer in the middle, so that whoever reads it sees that it is not whole. The reason is logged.
func breakOff(err error) {
	panic(fmt.Errorf("%w: %w", http.ErrAbortHandler, err))
}

// survive turns a panic into a problem, or into a cut connection when the answer had begun.
func (f *face) survive(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r := recordOf(c)
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			r.err = err
			panic(http.ErrAbortHandler)
		}
		r.stack = debug.Stack()
		err := fmt.Errorf("panic: %v", p)
		if c.Writer.Written() {
			r.err = err
			panic(http.ErrAbortHandler)
		}
		f.fail(c, err)
	}()
	c.Next()
}

// secure sets the headers that make a browser careful. What answers with HTML sets a
// policy of its own.
func (f *face) secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if f.https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// notStored keeps answers out of every cache: they hold tokens and people's data.
func (f *face) notStored(c *gin.Context) { c.Header("Cache-Control", "no-store") }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
