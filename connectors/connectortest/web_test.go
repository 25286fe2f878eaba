package connectortest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"sidecard/connectors"
)

// webServer knows visitors, is asked over HTTP with a token, and fails on command.
type webServer struct {
	*httptest.Server

	mu     sync.Mutex
	people []webPerson
	tokens map[string]bool
	given  int
	status int  // of every answer about people, when set
	wait   bool // Retry-After goes with it
	beside bool // the names of plans are out of order
}

type webPerson struct {
	Emails []string
	Fields map[string]any
}

func newWebServer(t *testing.T) *webServer {
	t.Helper()
	s := &webServer{tokens: map[string]bool{"the good key": true}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	s.add("ana@toy.example", map[string]any{"plan": "pro", "spent": json.Number("-1.50")}, "ana@work.example")
	s.add("sparse@toy.example", map[string]any{"plan": nil})
	s.add("huge@toy.example", map[string]any{"plan": strings.Repeat("x", 200_000)})
	s.add("twins@toy.example", map[string]any{"plan": "pro"})
	s.add("twins@toy.example", map[string]any{"plan": "free"})
	return s
}

func (s *webServer) add(email string, fields map[string]any, more ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people = append(s.people, webPerson{append([]string{email}, more...), fields})
}

func (s *webServer) renew() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given++
	token := "token " + strconv.Itoa(s.given)
	s.tokens[token] = true
	return token
}

func (s *webServer) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]bool{"the good key": true}
}

// saying answers with the status until end is called.
func (s *webServer) saying(status int, wait bool) func() (end func()) {
	return func() func() {
		s.set(status, wait, false)
		return func() { s.set(0, false, false) }
	}
}

func (s *webServer) set(status int, wait, beside bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.wait, s.beside = status, wait, beside
}

// ServeHTTP implements http.Handler.
func (s *webServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	status := s.status
	switch {
	case status == 0 && !s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]:
		status = http.StatusUnauthorized
	case r.URL.Path == "/plans" && s.beside:
		status = http.StatusBadGateway
	}
	if s.wait {
		w.Header().Set("Retry-After", "7")
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	var answer any = map[string]string{"pro": "Professional", "free": "Free"}
	switch path := strings.TrimPrefix(r.URL.Path, "/wide"); path {
	case "/people":
		answer = map[string]any{"people": s.find(r.URL.Query()["email"])}
	case "/fields":
		answer = 0
		if path != r.URL.Path {
			answer = 1200
		}
	}
	_ = json.NewEncoder(w).Encode(answer) // the caller may be gone
}

func (s *webServer) find(emails []string) []webPerson {
	found := []webPerson{}
	for _, p := range s.people {
		if slices.ContainsFunc(p.Emails, func(e string) bool { return slices.Contains(emails, strings.ToLower(e)) }) {
			found = append(found, p)
		}
	}
	return found
}

func webHarness(t *testing.T, flaw string) Harness {
	t.Helper()
	s := newWebServer(t)
	settings := func(key string) connectors.Settings {
		return connectors.Settings{"address": json.RawMessage(strconv.Quote(s.URL)), "key": json.RawMessage(strconv.Quote(key))}
	}
	good := settings("the good key")
	login := connectors.Settings{"address": good["address"]}
	return Harness{
		Connector: web{flaw: flaw}, Good: good, Package: "testdata/code/calm",
		Host: func() connectors.OpenInput {
			return connectors.OpenInput{HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		},
		Fixtures: fstest.MapFS{
			"v1.json": {Data: []byte(`{"server": "https://toy.example", "key": "an old key"}`)},
			"v2.json": {Data: []byte(`{"address": "https://toy.example", "key": "an old key"}`)},
		},
		Known: Person{Email: "ana@toy.example", Record: connectors.Record{
			"plan": {Kind: connectors.Text, Text: "Professional"}, "spent": {Kind: connectors.Number, Text: "-1.50"},
		}},
		NoKind: map[connectors.Kind]string{
			connectors.Bool: fewKinds, connectors.Date: fewKinds, connectors.DateTime: fewKinds, connectors.List: fewKinds, connectors.JSON: fewKinds,
		},
		Second: Second{Email: "ana@work.example"},
		Sparse: Sparse{Email: "sparse@toy.example", Null: "plan", Absent: "gone", NoEmpty: "empty texts are nulls here"},
		Twins:  Twins{Email: "twins@toy.example"},
		Huge:   Huge{Email: "huge@toy.example", Field: "plan"},
		Beside: Beside{Fields: []string{"plan"}, Break: func() func() {
			s.set(0, false, true)
			return func() { s.set(0, false, false) }
		}},
		Wide: Wide{Settings: connectors.Settings{"address": json.RawMessage(strconv.Quote(s.URL + "/wide")), "key": good["key"]}, Fields: 1200},
		Add: func(email string) error {
			s.add(email, map[string]any{"plan": "pro"})
			return nil
		},
		State:             func() (string, error) { return "", nil },
		BadCredential:     Fault{Settings: settings("the wrong key"), Step: "Ask", Class: connectors.AuthRevoked},
		Revoked:           Fault{Break: s.saying(401, false), Step: "Ask", Class: connectors.AuthRevoked},
		MissingPermission: Fault{Break: s.saying(403, false), Step: "Ask", Class: connectors.Misconfigured},
		Unreachable:       Fault{Break: s.saying(503, false), Step: "Ask", Class: connectors.Transient},
		BadTLS:            Fault{Never: "the toy has no TLS"},
		MissingTable:      Fault{Never: "there is one table"},
		Faults: []Fault{
			{Name: "too many", Break: s.saying(429, true), Class: connectors.RateLimited, Code: "web.429", Bucket: "people", RetryAfter: 7 * time.Second},
		},
		NoClass: map[connectors.Class]string{connectors.Bug: "what is odd is transient here"},
		Login:   Login{Settings: login, Renew: s.renew, Expire: s.expire},
	}
}

const fewKinds = "the server has texts and numbers"

func TestGoodConnectorOverHTTPPasses(t *testing.T) { Run(t, webHarness(t, "")) }

func TestBadConnectorsOverHTTPFail(t *testing.T) {
	for flaw, name := range map[string]string{
		"upgrade forgets":     "settings of every version open",
		"upgrade in place":    "settings of every version open",
		"exponents":           "lookup finds",
		"one address":         "lookup finds by a second address",
		"whole values":        "a huge value is cut",
		"all or nothing":      "what fails beside the record is partial",
		"silent":              "what fails beside the record is partial",
		"bare query":          "requests keep their shape",
		"tells in a header":   "requests keep their shape",
		"batch in disorder":   "a batch answers like single lookups",
		"batch drops":         "a batch answers like single lookups",
		"batch one by one":    "a batch answers like single lookups",
		"batch without Batch": "a batch answers like single lookups",
		"first thousand":      "discover lists a wide source",
		"no bucket":           "errors have a class and a way out",
		"no wait told":        "errors have a class and a way out",
		"wrong code":          "errors have a class and a way out",
		"junk is nobody":      "answers nobody expects are told as what they are",
		"believes any wait":   "answers nobody expects are told as what they are",
		"cuts are nobody":     "an answer cut short is noticed",
		"panics":              "a damaged answer does no harm",
		"keeps the token":     "an expired login is renewed once",
		"expired is revoked":  "an expired login is renewed once",
		"asks all the same":   "a revoked login ends the matter",
		"asks no limiter":     "limits are kept",
		"unknown bucket":      "limits are kept",
		"asks twice":          "nothing is asked twice",
		"follows":             "redirects are not followed",
		"deletes":             "nothing is written",
	} {
		t.Run(flaw, func(t *testing.T) {
			mustBreak(t, name, webHarness(t, flaw))
		})
	}
}

func TestCodeWithItsOwnWaysFails(t *testing.T) {
	h := webHarness(t, "")
	h.Package = "testdata/code/own"
	err := codeStaysInside(t.Context(), h)
	if err == nil {
		t.Fatal("it passes")
	}
	for _, want := range []string{
		"seen is changed", "count is changed", "last is changed", "time.Sleep", "net.Dial", "net.LookupHost", "net/http.Get",
		"net/http.DefaultTransport", "os.Getenv", "os.ReadFile", "log/slog.Info", "fmt.Println",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not noticed: %v", want, err)
		}
	}
	h.Package = "testdata/settings"
	if err := codeStaysInside(t.Context(), h); err == nil {
		t.Error("a directory without code passes")
	}
}
