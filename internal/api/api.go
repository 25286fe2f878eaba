// Package api is the HTTP face: the API that tenants and the portal use, the callback that LiveSupporti calls, the
// health checks, and the doors to the portal's files and the documentation. It is the only place that knows gin.
//
// It decides nothing about chats, desks or tenants: a handler finds out who asks, asks the hub and presents the
// answer. What comes in is checked against the contract before a handler sees it, and every refusal leaves through
// the one writer of problems in problem.go. No secret, no visitor's value and no query string is ever logged here.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
)

// Config is what the HTTP face is made of. Hub, Portal and Docs are required.
type Config struct {
	Hub    *hub.Hub
	Portal http.Handler // answers GET and HEAD for every path that is nobody else's
	Docs   http.Handler // answers GET and HEAD for /docs and what lies below it

	// PublicURL is where people and LiveSupporti reach this server. With https:// in front, browsers are told to
	// insist on it.
	PublicURL string
	// TrustedProxies are the addresses or CIDR ranges whose X-Forwarded-For is believed. Nil trusts nobody.
	TrustedProxies []string
	// Ready says what is missing before requests can be served; nil asks the hub. It has two seconds.
	Ready func(context.Context) error
	// MaxUpload is the size in bytes above which a file is refused; 0 is 100 MiB.
	MaxUpload int64
	Log       *slog.Logger     // nil is slog.Default()
	Now       func() time.Time // nil is time.Now
}

// Limits of the HTTP face itself.
const (
	maxUpload = 100 << 20
	maxJSON   = 1 << 20 // bytes of a JSON body

	readHeaderTime = 5 * time.Second
	readTime       = 15 * time.Second // headers and body, except of an upload
	writeTime      = 30 * time.Second
	idleTime       = 60 * time.Second
	maxHeader      = 16 << 10
	readyTime      = 2 * time.Second
)

// New makes the handler of everything that Sidecard serves. It fails when the configuration is incomplete or names
// proxies that are no addresses.
func New(c Config) (http.Handler, error) {
	if c.Hub == nil || c.Portal == nil || c.Docs == nil {
		return nil, errors.New("api: hub, portal and docs are required")
	}
	if c.Ready == nil {
		c.Ready = c.Hub.Ready
	}
	if c.MaxUpload == 0 {
		c.MaxUpload = maxUpload
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	rules, err := contractRules()
	if err != nil {
		return nil, err
	}
	f := &face{Config: c, rules: rules, origins: http.NewCrossOriginProtection(), https: strings.HasPrefix(c.PublicURL, "https://")}
	e := f.engine()
	if err := e.SetTrustedProxies(c.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	f.routes(e)
	return e, nil
}

// Health makes the handler of a process that only answers /livez and /readyz.
func Health(h *hub.Hub) http.Handler {
	f := &face{Config: Config{Ready: h.Ready, Log: h.Log, Now: h.Now}}
	e := f.engine()
	f.health(e)
	return e
}

// Server makes the server for a handler from New, with every time-out set: a client that sends or reads too slowly
// is cut off. Only uploads get more time to send, see upload.go.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
	}
}

// face holds what the plumbing needs: middleware, callback, health, problems. The API's operations are a type of
// their own, in account.go and the files beside it.
type face struct {
	Config
	rules   rules
	origins *http.CrossOriginProtection
	https   bool
}

// engine makes a gin engine without its surprises: it trusts no proxy, redirects nothing, and passes the request's
// context on. Every request is given an id, the careful headers and its line in the log.
func (f *face) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.ContextWithFallback = true
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	_ = e.SetTrustedProxies(nil) // fails only for what is no address
	e.Use(f.observe, f.survive, f.secure)
	e.NoRoute(f.nowhere)
	e.NoMethod(f.wrongMethod)
	return e
}
