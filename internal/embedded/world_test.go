package embedded_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/embedded"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/mail"
	"sidecard/internal/queue"
	"sidecard/internal/servertest"
	"sidecard/internal/store"
	"sidecard/internal/tour"
	"sidecard/internal/vault"
	"sidecard/migrations"
)

// world is a whole Sidecard with a simulated LiveSupporti and one tenant that has walked the tour.
type world struct {
	t      *testing.T
	app    *app.App
	live   *livesupportitest.Server
	redis  *servertest.Server // nil when embedded
	mails  *mail.Mailbox
	client *tour.Client
	desk   contract.Desk
	secret string
	log    *safeBuffer

	ownerURL string // of the database; empty when embedded
}

var newcomer = tour.Newcomer{
	Company: "Brightwater", Name: "Dana", Email: "dana@brightwater.example", Password: "trekker-in-the-rain",
	DeskEmail: "dana@brightwater.example", APIKey: "key-of-brightwater-4f1c",
}

// onEach runs a story on the embedded backends and on PostgreSQL with Redis.
func onEach(t *testing.T, story func(t *testing.T, w *world), tweak ...func(*app.Config)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		story(t, newWorld(t, nil, tweak...))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		story(t, newWorld(t, servertest.Redis(t), tweak...))
	})
}

func newWorld(t *testing.T, redis *servertest.Server, tweak ...func(*app.Config)) *world {
	t.Helper()
	w := &world{t: t, log: &safeBuffer{}, redis: redis}
	w.live = livesupportitest.New(livesupportitest.Options{Speed: 600, Accounts: []livesupportitest.Account{
		{Email: newcomer.DeskEmail, APIKey: newcomer.APIKey}, {Email: "other@elsewhere.example", APIKey: "key-of-another"},
	}})
	live := w.serve(w.live)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := vault.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c := app.Config{
		PublicURL: "http://" + front.Addr().String(), MasterKey: key, LiveSupporti: live + "/api", AllowCIDRs: "127.0.0.0/8",
		ChatDeadline: 10 * time.Minute, LookupDeadline: 2 * time.Second, MaxUploadMiB: 10, DatabaseConns: 4,
	}
	for _, f := range tweak {
		f(&c)
	}
	backends := w.backends()
	w.mails = backends.Mailbox
	w.app, err = app.New(t.Context(), c, backends, w.logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.app.Close)
	handler, err := w.app.Handler()
	if err != nil {
		t.Fatal(err)
	}
	w.background(func(ctx context.Context) error { return app.Serve(ctx, front, handler) })
	w.background(w.app.Hub.Courier)
	w.client = w.walk(c.PublicURL, newcomer)
	if w.desk, err = w.client.Desk(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// walk signs a newcomer up and sets everything up.
func (w *world) walk(url string, n tour.Newcomer) *tour.Client {
	w.t.Helper()
	c := tour.NewClient(url)
	register := func(ctx context.Context, callbackURL, secret string) error {
		w.secret = secret
		_, err := w.live.RegisterWebHook(ctx, n.DeskEmail, livesupportitest.Registration{CallbackURL: callbackURL, Secret: secret})
		return err
	}
	if err := c.Walk(w.t.Context(), n, w.inbox, register, func(string) {}); err != nil {
		w.t.Fatalf("%v\nlog: %s", err, w.log)
	}
	return c
}

// inbox waits for a mail.
func (w *world) inbox(ctx context.Context, to, kind string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	m, err := w.mails.Wait(ctx, to, kind)
	return m.Text, err
}

// neighbour signs another tenant up.
func (w *world) neighbour(email, apiKey string) *tour.Client {
	w.t.Helper()
	return w.walk(w.client.Base, tour.Newcomer{Company: "Elsewhere", Name: "Olga", Email: email, Password: "umbrella-under-the-bridge", DeskEmail: email, APIKey: apiKey})
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(w.log, nil)) }

func (w *world) backends() app.Backends {
	w.t.Helper()
	if w.redis == nil {
		b, err := embedded.Open(w.t.Context(), w.t.TempDir(), w.logger())
		if err != nil {
			w.t.Fatal(err)
		}
		return b
	}
	const login = "sidecard_story"
	cluster := servertest.Postgres(w.t)
	cluster.Template(w.t, "sidecard_story", migrations.Postgres)
	owner := cluster.NewDatabase(w.t, "sidecard_story")
	if err := migrations.GrantLogin(w.t.Context(), owner, login, login); err != nil {
		w.t.Fatal(err)
	}
	w.ownerURL = owner
	u, err := url.Parse(owner)
	if err != nil {
		w.t.Fatal(err)
	}
	u.User = url.UserPassword(login, login)
	s, err := store.OpenPostgres(w.t.Context(), store.Options{URL: u.String(), MaxConns: 4, Log: w.logger()})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := queue.Client(w.redis.URL())
	if err != nil {
		w.t.Fatal(err)
	}
	return app.Backends{Store: s, Redis: r, Mailbox: mail.NewMailbox(), Close: func() { _ = r.Close(); s.Close() }}
}

// serve answers with h until the test ends.
func (w *world) serve(h http.Handler) (url string) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }()
	w.t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// background runs f until the test ends, and waits for it.
func (w *world) background(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("background: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

// work starts a worker.
func (w *world) work() (stop func()) { return w.background(w.app.Work) }

// chat starts a chat and waits until LiveSupporti's notification was answered.
func (w *world) chat(v livesupportitest.Visitor) livesupportitest.Chat {
	w.t.Helper()
	return w.chatAt(newcomer.DeskEmail, v)
}

// chatAt does so at another account.
func (w *world) chatAt(account string, v livesupportitest.Visitor) livesupportitest.Chat {
	w.t.Helper()
	c, err := w.live.StartChat(w.t.Context(), account, v)
	if err == nil {
		c, err = w.live.WaitAnnounced(w.t.Context(), c.ID)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// until reads the newest chat until it fits.
func (w *world) until(fits func(contract.ChatPage) bool) contract.ChatPage {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var page contract.ChatPage
	for {
		list, err := w.client.Chats(ctx)
		if err == nil && len(list.Chats) > 0 {
			page, err = w.client.Chat(ctx, list.Chats[0].Id.String())
		}
		if err == nil && len(list.Chats) > 0 && fits(page) {
			return page
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("chat never fitted (%v); last seen: %+v\nlog: %s", err, page, w.log)
		case <-tick.C:
		}
	}
}

// ends waits until the newest chat has an outcome and checks its name.
func (w *world) ends(name contract.OutcomeName) contract.ChatPage {
	w.t.Helper()
	page := w.until(func(p contract.ChatPage) bool { return p.Chat.Outcome.Name != contract.OutcomeNameWaiting })
	if got := page.Chat.Outcome; got.Name != name || got.Title == "" || got.Message == "" {
		w.t.Fatalf("outcome = %+v, want %s with words", got, name)
	}
	return page
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
