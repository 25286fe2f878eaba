package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"sidecard/connectors"
	"sidecard/connectors/csv"
	"sidecard/internal/api"
	"sidecard/internal/api/contract"
	"sidecard/internal/auth"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/mail"
	"sidecard/internal/meter"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// T is a test or a fuzz target.
type T = testing.TB

// stage is the HTTP face in front of a real hub and a real store, beside a played LiveSupporti.
type stage struct {
	T
	hub   *hub.Hub
	store hub.Store
	live  *livesupportitest.Server
	mails *mail.Mailbox
	key   auth.Key
	vault *vault.Vault
	url   string
	log   *logLines
	ahead atomic.Int64 // how far the clock is ahead, in nanoseconds
}

func (s *stage) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// pass lets time pass for hub, tokens and API.
func (s *stage) pass(d time.Duration) { s.ahead.Add(int64(d)) }

const (
	liveEmail = "owner@brightwater.example"
	liveKey   = "a-live-key-0123456789"
	maxUpload = 128 << 10
)

// setup builds a stage over a store. wrap may stand between the hub and the store; nil leaves it out.
func setup(t T, store hub.Store, wrap func(hub.Store) hub.Store) *stage {
	t.Helper()
	s := &stage{T: t, store: store, mails: mail.NewMailbox(), log: &logLines{}}
	t.Cleanup(s.showTrouble)
	live, err := livesupportitest.Start(livesupportitest.Options{})
	must(t, err)
	t.Cleanup(live.Close)
	live.AddAccount(liveEmail, liveKey)
	s.live = live

	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	master, err := vault.NewKey()
	must(t, err)
	seal, err := vault.New(master)
	must(t, err)
	s.vault = seal
	s.key, err = auth.NewSigningKey()
	must(t, err)
	tokens, err := auth.NewTokens(s.url, s.url, s.now, s.key)
	must(t, err)
	registry, err := connectors.NewRegistry(csv.New(), toy{})
	must(t, err)
	if wrap != nil {
		store = wrap(store)
	}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.hub = hub.New(hub.Config{
		Store: store, Ringer: silent{}, LiveSupporti: livesupporti.NewClient(live.URL+"/api", &http.Client{}),
		Connectors: registry, Meter: meter.New(nil), Mailer: s.mails, Vault: seal, Passwords: auth.NewPasswords(4), Tokens: tokens,
		PublicURL: s.url, Limits: hub.Limits{AddressTries: 10_000, SignUps: 10_000}, Now: s.now, Log: log,
	})
	t.Cleanup(s.hub.Close)
	s.sendMails()
	page := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Security-Policy", "of a page")
			fmt.Fprintf(w, "<h1>%s %s</h1>", text, r.URL.Path)
		})
	}
	h, err := api.New(api.Config{
		Hub: s.hub, Portal: page("portal"), Docs: page("docs"), PublicURL: "https://sidecard.example.com",
		MaxUpload: maxUpload, Log: log, Now: s.now,
	})
	must(t, err)
	server.Config = api.Server(h)
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// sendMails lets a courier work until the test ends.
func (s *stage) sendMails() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.hub.Courier(ctx) }()
	s.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.Errorf("courier: %v", err)
		}
	})
}

// link waits for a mail and gives the token of its link.
func (s *stage) link(to, kind string) string {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	m, err := s.mails.Wait(ctx, to, kind)
	if err != nil {
		s.Fatalf("no mail %s to %s: %v", kind, to, err)
	}
	_, token, ok := strings.Cut(m.Text, "token=")
	if !ok {
		s.Fatalf("no link in %q", m.Text)
	}
	token, _, _ = strings.Cut(token, "\n")
	return strings.TrimSpace(token)
}

// onSQLite builds a stage over a SQLite file.
func onSQLite(t *testing.T) *stage {
	t.Helper()
	return setup(t, storetest.SQLite(t).Store, nil)
}

// showTrouble prints what was logged as an error, when the test has failed.
func (s *stage) showTrouble() {
	for line := range strings.Lines(s.log.String()) {
		if s.Failed() && strings.Contains(line, `"level":"ERROR"`) {
			s.Log(line)
		}
	}
}

func must(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logLines keeps what was logged.
type logLines struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Write(p)
}

// reset forgets what was logged.
func (l *logLines) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes.Reset()
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.String()
}

// silent is a ringer that nobody hears: the tests take the work themselves.
type silent struct{}

func (silent) Ring(hub.Lane) {}

// toy is a connector with a secret, a required setting and a visitor.
type toy struct{}

func (toy) Spec() connectors.Spec {
	return connectors.Spec{Kind: "toy", Name: "Toy", Summary: "Knows one visitor.", Version: 1, Guide: "# Toy", Settings: json.RawMessage(`{
		"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"required":["host"],
		"properties":{
			"host":{"type":"string","minLength":1,"maxLength":100,"title":"Host","description":"Where it is."},
			"limit":{"type":"integer","title":"Limit","description":"How many."},
			"password":{"type":"string","x-secret":true,"title":"Password","description":"Its password."}}}`)}
}

func (toy) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	return toySource{in.Settings}, nil
}

type toySource struct{ settings connectors.Settings }

func (s toySource) Lookup(_ context.Context, q connectors.Query) (connectors.Result, error) {
	switch q.Email {
	case "dana@example.com":
		return connectors.Result{Match: connectors.Found, MatchedOn: "email", Records: []connectors.Record{{
			"plan":  {Kind: connectors.Text, Text: "Gold"},
			"spent": {Kind: connectors.Number, Text: "1234.5"},
			"note":  {Kind: connectors.Null},
		}}}, nil
	case "broken@example.com":
		return connectors.Result{}, &connectors.Error{
			Class: connectors.Misconfigured, Code: "toy.broken",
			Message: "The toy is broken.", Fix: "Mend it.", Field: "host",
		}
	}
	return connectors.Result{Match: connectors.None}, nil
}

func (s toySource) Check(context.Context) (connectors.Report, error) {
	return connectors.Report{Steps: []connectors.Step{
		{Name: "Find it", State: connectors.StepOK, Detail: "It is there."},
		{Name: "Sign in", State: connectors.StepFail, Detail: "It says no.", Advice: "Ask again."},
	}}, nil
}

func (s toySource) Discover(context.Context) (connectors.Catalog, error) {
	return connectors.Catalog{Fields: []connectors.Field{
		{ID: "plan", Label: "Plan", Kind: connectors.Text, Group: "Sales", Sample: "Gold"},
		{ID: "spent", Label: "Spent", Kind: connectors.Number},
		{ID: "note", Label: "Note", Kind: connectors.Text},
	}}, nil
}

func (s toySource) Close() error { return nil }

// The contract, and the operation that a request is for.
var document = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(contract.Document)
	if err != nil {
		panic(err)
	}
	return doc
})

// operationFor finds the operation of a method and a path with its values, and these values.
func operationFor(method, path string) (*routers.Route, map[string]string) {
	steps := strings.Split(path, "/")
	for template, item := range document().Paths.Map() {
		operation := item.GetOperation(method)
		parts := strings.Split(template, "/")
		if operation == nil || len(parts) != len(steps) {
			continue
		}
		values, fits := map[string]string{}, true
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, "{"); ok {
				values[strings.TrimSuffix(name, "}")] = steps[i]
			} else if part != steps[i] {
				fits = false
			}
		}
		if fits {
			return &routers.Route{Spec: document(), Path: template, PathItem: item, Method: method, Operation: operation}, values
		}
	}
	return nil, nil
}

// asked is one request of a test.
type asked struct {
	method, path string
	token        string      // access token; empty sends none
	body         any         // []byte and string as they are, an io.Reader streamed, anything else as JSON
	header       http.Header // on top of what the body asks for
}

// answered is its answer.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request and holds the answer against the contract, when it is in there.
func (s *stage) ask(q asked) answered {
	s.Helper()
	a := s.raw(q)
	path, _, _ := strings.Cut(q.path, "?")
	if route, values := operationFor(q.method, path); route != nil {
		s.holdAgainstContract(q, a, route, values)
	}
	if strings.HasPrefix(path, "/api") && a.header.Get("Cache-Control") != "no-store" {
		s.Errorf("%s %s may be stored: %v", q.method, path, a.header)
	}
	return a
}

func (s *stage) raw(q asked) answered {
	s.Helper()
	var body io.Reader
	contentType := "application/json"
	switch b := q.body.(type) {
	case nil:
		contentType = ""
	case string:
		body = strings.NewReader(b)
	case []byte:
		body = bytes.NewReader(b)
	case io.Reader:
		body = b
	default:
		raw, err := json.Marshal(b)
		must(s.T, err)
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(s.Context(), q.method, s.url+q.path, body)
	must(s.T, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	for name, values := range q.header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := http.DefaultTransport.RoundTrip(r) // follows nothing
	if err != nil {
		s.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	must(s.T, err)
	return answered{resp.StatusCode, resp.Header, got}
}

func (s *stage) holdAgainstContract(q asked, a answered, route *routers.Route, values map[string]string) {
	s.Helper()
	if a.status >= 400 && a.header.Get("Content-Type") != "application/problem+json" {
		s.Errorf("%s %s: %d as %q", q.method, q.path, a.status, a.header.Get("Content-Type"))
	}
	err := openapi3filter.ValidateResponse(s.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: httptest.NewRequest(q.method, "/", nil), PathParams: values, QueryParams: url.Values{}, Route: route,
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		s.Errorf("%s %s: the answer breaks the contract: %v\n%s", q.method, q.path, err, a.body)
	}
}

// want asks and fails the test unless the answer has a status; then it reads the body into the result.
func want[T any](s *stage, status int, q asked) T {
	s.Helper()
	a := s.ask(q)
	if a.status != status {
		s.Fatalf("%s %s: %d %s, want %d", q.method, q.path, a.status, a.body, status)
	}
	var out T
	if status == http.StatusNoContent || status == http.StatusAccepted {
		return out
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		s.Fatalf("%s %s: %v in %s", q.method, q.path, err, a.body)
	}
	return out
}

// signUp makes a tenant and gives its owner's session.
func (s *stage) signUp(company string) contract.Session {
	s.Helper()
	email := company + "@example.com"
	if a := s.ask(asked{method: "POST", path: "/api/v1/auth/signup", body: contract.SignUp{Company: company, Email: email, Password: password}}); a.status != http.StatusAccepted {
		s.Fatalf("sign up %s: %d %s", company, a.status, a.body)
	}
	token := s.link(email, hub.MailConfirmSignUp)
	return want[contract.Session](s, http.StatusCreated, asked{method: "POST", path: "/api/v1/auth/signup/confirm", body: contract.LinkConfirm{Token: token}})
}

const password = "seven green bicycles 42"
