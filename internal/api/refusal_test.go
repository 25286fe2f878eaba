package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/auth"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// refuses asks and fails the test unless the answer is a problem with a status, at a place, that repeats no value.
func (s *stage) refuses(what string, q asked, status int, pointer string) {
	s.Helper()
	a := s.ask(q)
	var p contract.Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		s.Errorf("%s: %d %s", what, a.status, a.body)
		return
	}
	if a.status != status || p.Status != status {
		s.Errorf("%s: %d %s, want %d", what, a.status, a.body, status)
	}
	if pointer != "" && !names(p, pointer) {
		s.Errorf("%s: %s does not point at %s", what, a.body, pointer)
	}
	text := string(a.body)
	for _, leak := range []string{canary, "SQLSTATE", "sqlite", "pq:", ".go:", "goroutine", "json:", "hub.", "contract.", "panic"} {
		if strings.Contains(text, leak) {
			s.Errorf("%s: %q is in the answer: %s", what, leak, text)
		}
	}
}

func TestEveryOperationRefusesWrongBodies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		tried := 0
		for _, r := range own.routes() {
			if !r.takesJSON() {
				continue
			}
			valid := r.asks(own).body.(string)
			with := func(body any, header http.Header) asked {
				q := r.asks(own)
				q.body, q.header = body, header
				return q
			}
			is := r.String() + ": "
			s.refuses(is+"nothing", with(nil, nil), 400, "")
			s.refuses(is+"an empty body", with("", nil), 400, "")
			s.refuses(is+"no JSON", with(canary, nil), 400, "")
			s.refuses(is+"half of it", with(valid[:len(valid)/2], nil), 400, "")
			s.refuses(is+"twice", with(valid+valid, nil), 400, "")
			s.refuses(is+"a list", with("["+valid+"]", nil), 400, "")
			s.refuses(is+"a name twice", with(valid[:len(valid)-1]+","+valid[1:], nil), 400, "")
			s.refuses(is+"no UTF-8", with(valid[:len(valid)-1]+",\"\xff\":1}", nil), 400, "")
			s.refuses(is+"very deep", with(strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000), nil), 400, "")
			s.refuses(is+"very large", with(`{"a":"`+strings.Repeat("x", 1<<20)+`"}`, nil), 413, "")
			s.refuses(is+"a form", with("email="+canary, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}), 415, "")
			s.refuses(is+"no type", with(valid, http.Header{"Content-Type": {""}}), 415, "")
			s.refuses(is+"another charset", with(valid, http.Header{"Content-Type": {"application/json; charset=utf-16"}}), 415, "")
			s.refuses(is+"packed", with(valid, http.Header{"Content-Encoding": {"gzip"}}), 415, "")
			for _, m := range mutants(r.operation.RequestBody.Value.Content["application/json"].Schema.Value, valid) {
				s.refuses(is+m.name+" at "+m.pointer, with(m.body, nil), 400, m.pointer)
				tried++
			}
		}
		if tried < 100 {
			t.Errorf("only %d wrong bodies were tried", tried)
		}
	})
}

func TestWrongParametersAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		upload := "/api/v1/connections/" + own.csv.String() + "/import?"
		for _, c := range []struct{ method, path, pointer string }{
			{"GET", "/api/v1/chats?limit=0", "limit"},
			{"GET", "/api/v1/chats?limit=101", "limit"},
			{"GET", "/api/v1/chats?limit=hunter2", "limit"},
			{"GET", "/api/v1/chats?limit=1.5", "limit"},
			{"GET", "/api/v1/chats?limit=99999999999999999999999", "limit"},
			{"GET", "/api/v1/chats?limit=", "limit"},
			{"GET", "/api/v1/chats?limit=1&limit=2", "limit"},
			{"GET", "/api/v1/chats?before=hunter2", "before"},
			{"GET", "/api/v1/chats?before=", "before"},
			{"GET", "/api/v1/chats?outcome=hunter2", "outcome"},
			{"GET", "/api/v1/chats?outcom=shown", "outcom"},
			{"GET", "/api/v1/chats?from=yesterday", "from"},
			{"GET", "/api/v1/chats?to=2026-02-30T00:00:00Z", "to"},
			{"GET", "/api/v1/chats?from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z", "from"},
			{"GET", "/api/v1/me?x=%00", "x"},
			{"GET", "/api/v1/me?%zz=1", ""},
			{"GET", "/api/v1/chats/hunter2", "chat_id"},
			{"GET", "/api/v1/chats/%00", "chat_id"},
			{"GET", "/api/v1/chats/{" + own.chat.String() + "}", "chat_id"},
			{"GET", "/api/v1/connections/hunter2", "connection_id"},
			{"DELETE", "/api/v1/connections/" + strings.Repeat("0", 37), "connection_id"},
			{"POST", "/api/v1/connections/hunter2/check", "connection_id"},
			{"GET", "/api/v1/connections/hunter2/fields", "connection_id"},
			{"POST", upload + "filename=" + strings.Repeat("hunter2", 50), "filename"},
			{"POST", upload + "filename=a%00b", "filename"},
			{"POST", upload + "email_column=%ff", "email_column"},
		} {
			q := asked{method: c.method, path: c.path, token: own.token}
			if strings.HasPrefix(c.path, upload) {
				q.body, q.header = customers, csvType
			}
			s.refuses(c.method+" "+c.path, q, 400, c.pointer)
		}
	})
}

func TestEveryOperationNeedsAGoodToken(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	otherKey, err := auth.NewSigningKey()
	must(t, err)
	forger, err := auth.NewTokens(s.url, s.url, s.now, otherKey)
	must(t, err)
	claims := auth.Claims{Subject: hub.NewID().String(), Tenant: hub.NewID().String(), Role: "owner", Session: hub.NewID().String()}
	forged, err := forger.IssueAccess(claims, time.Hour)
	must(t, err)
	elsewhere, err := auth.NewTokens("https://elsewhere.example", s.url, s.now, s.key)
	must(t, err)
	foreign, err := elsewhere.IssueAccess(claims, time.Hour)
	must(t, err)
	odd, err := auth.NewTokens(s.url, s.url, s.now, s.key)
	must(t, err)
	claims.Subject = canary
	noID, err := odd.IssueAccess(claims, time.Hour)
	must(t, err)
	old := own.token
	s.pass(11 * time.Minute)
	good := want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/signin", body: own.operation["signIn"]}).AccessToken

	headers := map[string][]string{
		"none":              nil,
		"empty":             {""},
		"another scheme":    {"Basic " + good},
		"no token":          {"Bearer "},
		"no token at all":   {"Bearer"},
		"two headers":       {"Bearer " + good, "Bearer " + good},
		"nonsense":          {"Bearer " + canary},
		"a refresh token":   {"Bearer " + *own.session.RefreshToken},
		"an old one":        {"Bearer " + old},
		"a forged one":      {"Bearer " + forged},
		"another issuer's":  {"Bearer " + foreign},
		"of nobody":         {"Bearer " + noID},
		"one byte changed":  {"Bearer " + changed(good)},
		"a very long one":   {"Bearer " + strings.Repeat("a", 8000)},
		"two in one":        {"Bearer " + good + " " + good},
		"without signature": {"Bearer " + good[:strings.LastIndexByte(good, '.')+1]},
	}
	for _, r := range own.routes() {
		if r.public {
			continue
		}
		for name, values := range headers {
			q := r.asks(own)
			q.token, q.header = "", http.Header{}
			for k, v := range r.asks(own).header {
				q.header[k] = v
			}
			if values != nil {
				q.header["Authorization"] = values
			}
			s.refuses(r.String()+" with "+name, q, 401, "")
		}
	}
	if want[contract.Me](s, 200, asked{method: "GET", path: "/api/v1/me", token: good}); strings.Contains(s.log.String(), good[:30]) || strings.Contains(s.log.String(), canary) {
		t.Error("a token is in the log")
	}
}

// changed gives a token with another letter in its signature.
func changed(token string) string {
	letters := []byte(token)
	at := len(letters) - 10
	letters[at] = map[bool]byte{true: 'B', false: 'A'}[letters[at] == 'A']
	return string(letters)
}

// watched is a body that knows whether anybody read it.
type watched struct {
	io.Reader
	read atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.read.Store(true)
	return w.Reader.Read(p)
}

func TestNobodysBodyIsReadBeforeTheTokenIsChecked(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	for path, contentType := range map[string]string{
		"/api/v1/connections": "application/json",
		"/api/v1/connections/" + hub.NewID().String() + "/import": "text/csv",
	} {
		body := &watched{Reader: strings.NewReader(strings.Repeat("x", 1000))}
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+path, body)
		must(t, err)
		r.Header = http.Header{"Expect": {"100-continue"}, "Content-Type": {contentType}}
		resp, err := transport.RoundTrip(r)
		must(t, err)
		_ = resp.Body.Close()
		if resp.StatusCode != 401 || body.read.Load() {
			t.Errorf("%s: %d, body read: %t", path, resp.StatusCode, body.read.Load())
		}
	}
}

// state reads everything of a tenant that the API shows and that looking at does not change.
func (t tenant) state() string {
	t.Helper()
	var all strings.Builder
	for _, r := range t.routes() {
		if r.method != http.MethodGet || r.operation.OperationID == "exportAudit" { // an export leaves an entry
			continue
		}
		a := t.ask(asked{method: "GET", path: r.path, token: t.token})
		if a.status != 200 {
			t.Fatalf("%s: %d %s", r, a.status, a.body)
		}
		all.WriteString(r.String() + " ")
		all.Write(a.body)
		all.WriteByte('\n')
	}
	return all.String()
}
