package livesupportitest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sidecard/internal/livesupporti"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		http.DefaultClient.CloseIdleConnections()
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const (
	email  = "owner@brightwater.example"
	apiKey = "demo-key-5f3a9c"
	secret = "Brightwater-bikes-webhook-secret-2026"
)

var cred = livesupporti.Credentials{Email: email, APIKey: apiKey}

// start returns a LiveSupporti with one account that listens on loopback.
func start(t *testing.T, opts sim.Options) *sim.Server {
	t.Helper()
	opts.Accounts = append(opts.Accounts, sim.Account{Email: email, APIKey: apiKey})
	s, err := sim.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// client returns a client of the server's API, with connections of its own.
func client(t *testing.T, s *sim.Server) *livesupporti.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return livesupporti.NewClient(s.URL+"/api", &http.Client{Transport: transport})
}

// callback is a receiver of notifications that does everything right, until it
// is told what to answer.
type callback struct {
	URL string

	mu       sync.Mutex
	answers  []int // statuses to give, the last one from then on
	requests []*http.Request
	bodies   [][]byte
	arrived  chan struct{}
}

func newCallback(t *testing.T, answers ...int) *callback {
	t.Helper()
	c := &callback{answers: answers, arrived: make(chan struct{}, 1000)}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	c.URL = srv.URL + "/hooks/brw_7Qm2"
	return c
}

func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); livesupporti.OriginAllowed(origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, r.URL.Query().Get("echo"))
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(c.keep(r, body))
	}
}

func (c *callback) keep(r *http.Request, body []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	c.bodies = append(c.bodies, body)
	c.arrived <- struct{}{}
	if len(c.answers) == 0 {
		return http.StatusOK
	}
	answer := c.answers[0]
	if len(c.answers) > 1 {
		c.answers = c.answers[1:]
	}
	return answer
}

// next waits for the next notification and returns it.
func (c *callback) next(t *testing.T) (*http.Request, []byte) {
	t.Helper()
	select {
	case <-c.arrived:
	case <-t.Context().Done():
		t.Fatal("no notification came")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.bodies) - len(c.arrived) - 1
	return c.requests[n], c.bodies[n]
}

func (c *callback) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.bodies)
}

func register(t *testing.T, s *sim.Server, url string) sim.WebHook {
	t.Helper()
	hook, err := s.RegisterWebHook(t.Context(), "", sim.Registration{CallbackURL: url, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

func startChat(t *testing.T, s *sim.Server, visitor sim.Visitor) sim.Chat {
	t.Helper()
	chat, err := s.StartChat(t.Context(), "", visitor)
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

// detailsFor renders what a right answer to the chat would be.
func detailsFor(t *testing.T, chat sim.Chat, fields ...livesupporti.Field) []byte {
	t.Helper()
	body, err := livesupporti.Details(livesupporti.Text(chat.AccountID), livesupporti.Text(chat.AgentID),
		livesupporti.Text(chat.Visitor.ID), fields)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// manualClock moves when it is told to.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
}

type timer struct {
	at time.Time
	f  func()
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Date(2026, 11, 22, 14, 5, 31, 0, time.UTC)}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, timer{at: c.now.Add(d), f: f})
}

// advance moves the clock, runs what became due and reports how much that was.
func (c *manualClock) advance(d time.Duration) int {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		if t.at.After(c.now) {
			return false
		}
		due = append(due, t.f)
		return true
	})
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
	return len(due)
}

// attempts waits until the chat has been announced that many times.
func attempts(t *testing.T, s *sim.Server, id string, n int) sim.Chat {
	t.Helper()
	chat, err := s.Wait(t.Context(), id, func(c sim.Chat) bool { return len(c.Notices) >= n })
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
