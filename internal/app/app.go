package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"sidecard/connectors"
	"sidecard/connectors/csv"
	httpapi "sidecard/connectors/http"
	"sidecard/connectors/hubspot"
	"sidecard/connectors/mysql"
	"sidecard/connectors/postgres"
	"sidecard/internal/api"
	"sidecard/internal/auth"
	"sidecard/internal/egress"
	"sidecard/internal/flaw"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti"
	"sidecard/internal/mail"
	"sidecard/internal/meter"
	"sidecard/internal/queue"
	"sidecard/internal/vault"
	"sidecard/web"
)

// Backends are what production and the embedded program do differently.
type Backends struct {
	Store   hub.Store
	Redis   redis.UniversalClient
	Mailbox *mail.Mailbox // takes all mails; nil = they go to the mail server
	Close   func()
}

// App is the composed program.
type App struct {
	Hub      *hub.Hub
	config   Config
	backends Backends
	ringer   *queue.Ringer
	signing  *signing
	log      *slog.Logger
	leaving  atomic.Bool // a stop was asked for; requests are still served
}

// kinds is the literal list of connectors, in the portal's order; adding one is adding a line.
func kinds(c Config) (*connectors.Registry, error) {
	return connectors.NewRegistry(
		hubspot.New(hubspot.Options{API: c.HubSpotAPI, App: c.HubSpotApp}),
		postgres.New(),
		mysql.New(),
		csv.New(),
		httpapi.New(),
	)
}

// New composes the program. It does not touch the network beyond the database.
func New(ctx context.Context, c Config, b Backends, log *slog.Logger) (*App, error) {
	registry, err := kinds(c)
	if err != nil {
		return nil, err
	}
	seal, err := vault.New(c.MasterKey)
	if err != nil {
		return nil, err
	}
	where, err := c.door()
	if err != nil {
		return nil, err
	}
	mailer, err := mailerOf(c, b, log)
	if err != nil {
		return nil, err
	}
	signing, err := startSigning(ctx, c, hub.NewKeyring(b.Store, seal, flaw.Now), log)
	if err != nil {
		return nil, err
	}
	door := egress.New(where)
	out := door.HTTP(egress.HTTPOptions{})
	ringer := queue.NewRinger(b.Redis, log)
	h := hub.New(hub.Config{
		Store: b.Store, Ringer: ringer, LiveSupporti: livesupporti.NewClient(c.LiveSupporti, out), Connectors: registry, Meter: meter.New(b.Redis), Mailer: mailer,
		Way:   hub.Way{HTTP: func(maxBody int64) *http.Client { return door.HTTP(egress.HTTPOptions{MaxBody: maxBody}) }, Dial: door.DialContext, Resolve: door.LookupHost},
		OAuth: c.oauthClients(), Vault: seal, Passwords: auth.NewPasswords(2), Tokens: signing.tokens, PublicURL: c.PublicURL,
		Limits: hub.Limits{
			ChatDeadline: c.ChatDeadline, LookupDeadline: c.LookupDeadline,
			AddressTries: c.TriesPerAddress, SignUps: c.SignUpsPerAddress, CallsPerMinute: c.CallsPerMinute,
		},
		DefaultPlan: c.DefaultPlan, Now: flaw.Now, Log: log,
	})
	return &App{Hub: h, config: c, backends: b, ringer: ringer, log: log, signing: signing}, nil
}

// mailerOf chooses where mails go.
func mailerOf(c Config, b Backends, log *slog.Logger) (hub.Mailer, error) {
	if b.Mailbox != nil {
		return b.Mailbox, nil
	}
	if c.SMTPURL == "" {
		log.Warn("no mail server is set: mails wait for SMTP_URL, and are given up after a day")
	}
	return c.mailer()
}

// Handler is the HTTP face: API, callbacks, portal and docs.
func (a *App) Handler() (http.Handler, error) {
	return api.New(api.Config{
		Hub: a.Hub, Portal: web.Handler(), Docs: web.Docs(), PublicURL: a.config.PublicURL, Ready: a.ready,
		TrustedProxies: a.config.TrustedProxies, MaxUpload: a.config.MaxUploadMiB << 20, Log: a.log,
	})
}

// ready says whether new requests should come here.
func (a *App) ready(ctx context.Context) error {
	if a.leaving.Load() {
		return &hub.Error{Code: hub.CodeUnavailable, Message: "This Sidecard is being stopped; another one serves."}
	}
	return a.Hub.Ready(ctx)
}

// Work carries chats and mails until ctx ends.
func (a *App) Work(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return queue.NewWorker(a.backends.Redis, a.Hub, a.log).Run(ctx) })
	both.Go(func() error { return a.Hub.Courier(ctx) })
	return both.Wait()
}

// Close ends what New began, and the backends.
func (a *App) Close() {
	a.signing.close()
	a.ringer.Close()
	a.Hub.Close()
	a.backends.Close()
}

// Log makes the program's logger: JSON lines.
func Log(to io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
}
