package hubspottest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody bounds a request.
const maxBody = 1 << 20

// routes are those of HubSpot, without versions.
func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET "+authorizePath, s.authorizePage)
	m.HandleFunc("POST "+authorizePath, s.decide)
	m.HandleFunc("POST /oauth/token", s.token)
	m.HandleFunc("POST /oauth/token/introspect", s.introspect)
	m.HandleFunc("POST /oauth/token/revoke", s.revoke)
	for pattern, r := range map[string]apiRoute{
		"GET /objects/{type}/{id}":                       {scopeOfType, s.readOne},
		"POST /objects/{type}/batch/read":                {scopeOfType, s.readBatch},
		"POST /objects/{type}/search":                    {scopeOfType, s.search},
		"GET /objects/{type}/{id}/associations/{to}":     {scopeOfType, s.associationsOfOne},
		"POST /associations/{type}/{to}/batch/read":      {scopeOfType, s.associationsOfMany},
		"GET /properties/{type}":                         {scopeOfSchema, s.properties},
		"GET /pipelines/{type}":                          {scopeOfType, s.pipelines},
		"GET /owners":                                    {ownersScope, s.owners},
		"GET /owners/{id}":                               {ownersScope, s.owner},
		"GET /account-info/details":                      {accountScope, s.account},
		"GET /account-info/api-usage/daily/private-apps": {accountScope, s.usage},
	} {
		m.HandleFunc(pattern, s.guarded(r))
	}
	m.HandleFunc("/", notARoute)
	return m
}

// apiRoute is a route behind the bearer check. Any one of the scopes is enough.
type apiRoute struct {
	scopes func(r *http.Request) []string
	handle func(w http.ResponseWriter, r *http.Request, body []byte)
}

// guarded checks the bearer, the limits and the scopes, in this order [obs].
func (s *Server) guarded(route apiRoute) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c := s.bearer(w, r)
		if c == nil || !s.allow(w, r, c) {
			return
		}
		if missing := c.lacks(route.scopes(r)); missing != nil {
			missingScopes(w, missing)
			return
		}
		route.handle(w, r, body)
	}
}

// ServeHTTP implements http.Handler. It notes each request and lets scripted faults come first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, known := routeOf(r.URL.EscapedPath())
	noted := Request{Route: r.Method + " " + route, Path: r.URL.Path, Query: r.URL.RawQuery, Body: string(body), Header: r.Header.Clone()}
	noted.Header.Del("Authorization")
	if strings.HasPrefix(route, "/oauth/") {
		noted.Body = ""
	}
	answer := &recorder{header: http.Header{}}
	defer func() {
		noted.Status = answer.status
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.requests) >= remembered {
			s.requests = s.requests[remembered/2:]
		}
		s.requests = append(s.requests, noted)
	}()
	if f, ok := s.nextFault(noted.Route); ok {
		answer.status = f.Status
		f.play(w, r)
		return
	}
	inner := r.Clone(r.Context())
	if inner.URL.RawPath = route; !known {
		inner.URL.RawPath = "/"
	}
	if inner.URL.Path, err = url.PathUnescape(inner.URL.RawPath); err != nil {
		inner.URL.Path, inner.URL.RawPath = "/", ""
	}
	s.api.ServeHTTP(answer, inner)
	s.mu.Lock()
	compress := s.gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	s.mu.Unlock()
	answer.send(w, compress)
}

// recorder holds an answer until it is whole.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) send(w http.ResponseWriter, compress bool) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	body := r.body.Bytes()
	if compress {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(body)
		_ = z.Close()
		body = packed.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	r.WriteHeader(http.StatusOK)
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// write answers in JSON, with the content type that HubSpot has [obs].
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
