// Package hubspottest is a faithful HubSpot for tests and for trying things out: the API of contacts, companies,
// deals and tickets, the OAuth login with its page, HubSpot's limits, and its ways to fail on command.
//
// What it does is known from HubSpot's documentation, its OpenAPI files and captures, never from a live account;
// FACTS.md says for each behaviour how it is known. It refuses what HubSpot refuses, and it only reads: there are no
// routes that write.
package hubspottest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Options say what an emulator is like. The zero value is a professional account without records.
type Options struct {
	Now       func() time.Time // nil = time.Now
	SearchLag time.Duration    // how long new records stay out of search; 0 = 2 s, negative = none
	Burst     int              // calls in ten seconds; 0 = 100 for service keys, 110 for OAuth
	Daily     int              // calls of service keys a day; 0 = 250,000
	Rotate    bool             // a refresh gives a new refresh token, and the old one is no good any more
}

// Server is the emulator: one HTTP handler for the API and the pages.
type Server struct {
	options Options
	api     *http.ServeMux

	mu       sync.Mutex
	ahead    time.Duration
	world    world
	creds    map[string]*credential // by bearer
	clients  map[string]client
	codes    map[string]code
	grants   map[string]*grant // by refresh token
	faults   map[string][]Fault
	requests []Request
	gzip     bool
	serial   int
	file     string // that remembers consents; empty = none does
}

// Request is one request as it came, without its authorization and without the bodies of logins.
type Request struct {
	Route  string // method and path without the API's version: "POST /objects/contacts/batch/read"
	Path   string
	Query  string
	Body   string
	Header http.Header
	Status int // of the answer; 0 = there was none
}

// New makes an emulator.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SearchLag == 0 {
		o.SearchLag = 2 * time.Second
	}
	s := &Server{
		options: o, world: newWorld(), creds: map[string]*credential{}, clients: map[string]client{},
		codes: map[string]code{}, grants: map[string]*grant{}, faults: map[string][]Fault{},
	}
	s.api = s.routes()
	return s
}

// Start serves an emulator on a free port until the test or program closes it.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

// Serve serves on a listener until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// Advance moves the emulator's clock, and with it the ends of tokens and limits.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// Gzip makes the emulator compress its answers for clients that take them so.
func (s *Server) Gzip(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gzip = on
}

// remembered is how many requests are kept.
const remembered = 20_000

// Requests gives the last 20,000 requests, in the order in which they were answered.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Count counts the requests of a route, such as "POST /objects/contacts/batch/read", that were answered with the
// status; status 0 counts all.
func (s *Server) Count(route string, status int) (n int) {
	for _, r := range s.Requests() {
		if r.Route == route && (status == 0 || r.Status == status) {
			n++
		}
	}
	return n
}

// now is the emulator's clock. The caller holds mu.
func (s *Server) now() time.Time { return s.options.Now().Add(s.ahead) }

// prefixes are the beginnings of paths, by version, and what stands for them in routes [spec]. The dated versions
// name theirs behind the family, the older ones before it.
var prefixes = func() map[string]string {
	all := map[string]string{
		"/crm/v3/objects/": "/objects/", "/crm/v3/properties/": "/properties/", "/crm/v3/pipelines/": "/pipelines/", "/crm/v3/owners": "/owners",
		"/crm/v4/objects/": "/objects/", "/crm/v4/associations/": "/associations/",
		"/account-info/v3/": "/account-info/", "/oauth/v3/": "/oauth/", "/oauth/v1/token": "/oauth/token",
	}
	for _, dated := range []string{"2026-09", "2026-03"} {
		for _, family := range []string{"objects", "properties", "pipelines", "associations"} {
			all["/crm/"+family+"/"+dated+"/"] = "/" + family + "/"
		}
		all["/crm/owners/"+dated] = "/owners"
		all["/account-info/"+dated+"/"] = "/account-info/"
		all["/oauth/"+dated+"/"] = "/oauth/"
	}
	return all
}()

// authorizePath is the page's, which has no version [spec].
const authorizePath = "/oauth/authorize"

// routeOf gives the route of an escaped path: /crm/objects/2026-09/contacts/5 and /crm/v3/objects/contacts/5 are both
// /objects/contacts/5. The associations of one record have no path in 2026-09 [spec].
func routeOf(path string) (route string, known bool) {
	if path == authorizePath {
		return path, true
	}
	for prefix, short := range prefixes {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok || rest != "" && !strings.HasSuffix(prefix, "/") && rest[0] != '/' {
			continue
		}
		gone := strings.HasPrefix(prefix, "/crm/objects/2026-09/") && strings.Contains(rest, "/associations/")
		return short + rest, short+rest != authorizePath && !gone
	}
	return path, false
}
