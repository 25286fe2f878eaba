package http_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/connectors"
	source "sidecard/connectors/http"
)

// api is some tenant's API. It knows people by address, wants a key, a password or a token, and misbehaves on
// command.
type api struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	people   map[string][]json.RawMessage
	received []request
	script   http.HandlerFunc // answers in place of the API when set
	tokens   int              // that were given out
	life     any              // expires_in
	good     map[string]bool  // tokens that are accepted
	writes   int
}

// request is what the API received, decoded as its web framework would.
type request struct {
	method, target string // as sent
	path           string // decoded
	query          map[string][]string
	header         http.Header
	body           string
}

const (
	theKey    = "key-9f3c1e-not-for-others"
	theUser   = "sidecard"
	thePass   = "pass word of the API"
	theClient = "client-7"
	theSecret = "client secret of the API"
)

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{t: t, people: make(map[string][]json.RawMessage), good: make(map[string]bool), life: 3600}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// add puts a record with the address into the API.
func (a *api) add(email, record string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	email = strings.ToLower(email)
	a.people[email] = append(a.people[email], json.RawMessage(record))
}

// answer has the API answer everything so.
func (a *api) answer(script http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script = script
}

// say has the API answer everything with these words.
func (a *api) say(status int, contentType, body string) {
	a.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// got gives what was received since the last call.
func (a *api) got() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.received
	a.received = nil
	return got
}

func (a *api) state() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	raw, err := json.Marshal(map[string]any{"people": a.people, "writes": a.writes})
	return string(raw), err
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received = append(a.received, request{r.Method, r.RequestURI, r.URL.Path, r.URL.Query(), r.Header.Clone(), string(body)})
	switch {
	case a.script != nil:
		script := a.script
		a.mu.Unlock() // a script may take its time
		defer a.mu.Lock()
		script(w, r)
	case r.URL.Path == "/token":
		a.giveToken(w, r, string(body))
	case !a.allowed(r):
		tell(w, http.StatusUnauthorized, map[string]string{"error": "who are you?"})
	default:
		a.serve(w, r, string(body))
	}
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, body string) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/", 2)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		a.writes++
		tell(w, http.StatusMethodNotAllowed, nil)
	case parts[0] == "customer" && len(parts) == 2: // GET /customer/{email}: the record, or 404
		found := a.people[strings.ToLower(strings.TrimPrefix(r.URL.Path, "/customer/"))]
		if len(found) == 0 {
			tell(w, http.StatusNotFound, map[string]string{"error": "not found"})
			return
		}
		tell(w, http.StatusOK, found[0])
	case parts[0] == "customers": // GET /customers?email=
		a.tellList(w, r.URL.Query().Get("email"))
	case parts[0] == "search": // POST {"filter": {"email": …}}
		var asked struct {
			Filter struct{ Email string }
		}
		if json.Unmarshal([]byte(body), &asked) != nil {
			tell(w, http.StatusBadRequest, nil)
			return
		}
		a.tellList(w, asked.Filter.Email)
	case parts[0] == "everybody": // ignores the question
		var all []json.RawMessage
		for _, email := range slices.Sorted(maps.Keys(a.people)) {
			all = append(all, a.people[email]...)
		}
		tell(w, http.StatusOK, map[string]any{"data": map[string]any{"items": all}})
	default:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<!doctype html><title>Not found</title>")
	}
}

func (a *api) tellList(w http.ResponseWriter, email string) {
	found := a.people[strings.ToLower(email)]
	if found == nil {
		found = []json.RawMessage{}
	}
	tell(w, http.StatusOK, map[string]any{"data": map[string]any{"items": found}})
}

func (a *api) allowed(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	bearer := r.Header.Get("Authorization")
	return r.Header.Get("X-Api-Key") == theKey || r.URL.Query().Get("key") == theKey || bearer == "Bearer "+theKey ||
		user == theUser && password == thePass || a.good[strings.TrimPrefix(bearer, "Bearer ")]
}

func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(v)
	}
}

// settings ask GET /customers?email= with the key, with some replaced; nil removes one.
func (a *api) settings(replace map[string]any) connectors.Settings {
	a.t.Helper()
	all := map[string]any{
		"url": a.URL + "/customers?email={{email}}", "auth": "key_header", "key_name": "X-API-Key", "secret": theKey,
		"record_path": "data.items", "email_field": "email", "sample_email": "ana@toy.example",
	}
	maps.Copy(all, replace)
	s := make(connectors.Settings)
	for name, v := range all {
		if v == nil {
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			a.t.Fatal(err)
		}
		s[name] = raw
	}
	return s
}

// openHost guards nothing, for servers on this machine, and leaves no connection behind.
func openHost() connectors.OpenInput {
	return connectors.OpenInput{HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

func open(t *testing.T, s connectors.Settings, edits ...func(*connectors.OpenInput)) connectors.Source {
	t.Helper()
	in := openHost()
	in.Settings = s
	for _, edit := range edits {
		edit(&in)
	}
	src, err := source.New().Open(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func lookup(t *testing.T, src connectors.Source, email string, fields ...string) connectors.Result {
	t.Helper()
	res, err := src.Lookup(within(t), connectors.Query{Email: email, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// mustFail demands an *Error of that class and code which says what to do, and keeps the visitor out of it.
func mustFail(t *testing.T, err error, class connectors.Class, code string) connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want %s", err, code)
	}
	if e.Class != class || e.Code != code {
		t.Errorf("error is %s, %s (%v), want %s, %s", e.Class, e.Code, e, class, code)
	}
	if e.Message == "" || e.Fix == "" {
		t.Errorf("%s lacks words: %q %q", e.Code, e.Message, e.Fix)
	}
	if said := e.Error() + e.Message + e.Fix; strings.Contains(said, "toy.example") {
		t.Errorf("%s tells the visitor's address: %s", e.Code, said)
	}
	return *e
}

func check(t *testing.T, src connectors.Source) connectors.Report {
	t.Helper()
	report, err := src.Check(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func step(t *testing.T, report connectors.Report, name string) connectors.Step {
	t.Helper()
	for _, s := range report.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no step %q: %+v", name, report.Steps)
	return connectors.Step{}
}

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(within(t))
}

func quote(text string) string {
	raw, _ := json.Marshal(text) // a text can always be encoded
	return string(raw)
}
