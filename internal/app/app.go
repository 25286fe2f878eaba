package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

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
	"sidecard/internal/meter"
	"sidecard/internal/queue"
	"sidecard/internal/vault"
	"sidecard/web"
)

// Backends are what production and the embedded program do differently.
type Backends struct {
	Store hub.Store
	Redis redis.UniversalClient
	Close func()
}

// App is the composed program.
type App struct {
	Hub      *hub.Hub
	config   Config
	backends Backends
	ringer   *queue.Ringer
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
	tokens, err := signingTokens(ctx, c, b.Store, seal)
	if err != nil {
		return nil, err
	}
	where, err := c.door()
	if err != nil {
		return nil, err
	}
	door := egress.New(where)
	out := door.HTTP(egress.HTTPOptions{})
	ringer := queue.NewRinger(b.Redis, log)
	h := hub.New(hub.Config{
		Store: b.Store, Ringer: ringer, LiveSupporti: livesupporti.NewClient(c.LiveSupporti, out), Connectors: registry, Meter: meter.New(b.Redis),
		Way:   hub.Way{HTTP: func(maxBody int64) *http.Client { return door.HTTP(egress.HTTPOptions{MaxBody: maxBody}) }, Dial: door.DialContext, Resolve: door.LookupHost},
		OAuth: c.oauthClients(), Vault: seal, Passwords: auth.NewPasswords(2), Tokens: tokens, PublicURL: c.PublicURL,
		Limits: hub.Limits{ChatDeadline: c.ChatDeadline, LookupDeadline: c.LookupDeadline}, Now: flaw.Now, Log: log,
	})
	return &App{Hub: h, config: c, backends: b, ringer: ringer, log: log}, nil
}

// signingTokens reads the keys for access tokens, making the first one when there is none.
func signingTokens(ctx context.Context, c Config, s hub.Store, v *vault.Vault) (*auth.Tokens, error) {
	stored, err := s.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	if len(stored) == 0 {
		if err := addFirstKey(ctx, s, v); err != nil {
			return nil, err
		}
		if stored, err = s.SigningKeys(ctx); err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
	}
	keys := make([]auth.Key, len(stored))
	for i, k := range stored {
		seed, err := v.Open(hub.SigningKeyRef(k.KeyID), k.Sealed)
		if err != nil {
			return nil, errors.New("MASTER_KEY does not open this database; use the key the database was set up with")
		}
		if keys[i], err = auth.ParseKey(seed); err != nil {
			return nil, fmt.Errorf("signing key %s: %w", k.KeyID, err)
		}
	}
	return auth.NewTokens(c.PublicURL, c.PublicURL, nil, keys...)
}

func addFirstKey(ctx context.Context, s hub.Store, v *vault.Vault) error {
	key, err := auth.NewSigningKey()
	if err != nil {
		return err
	}
	sealed, err := v.Seal(hub.SigningKeyRef(key.ID), key.Seed())
	if err != nil {
		return err
	}
	return s.AddFirstSigningKey(ctx, hub.SigningKey{KeyID: key.ID, Sealed: sealed, CreatedAt: time.Now()})
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

// Work carries chats until ctx ends.
func (a *App) Work(ctx context.Context) error {
	return queue.NewWorker(a.backends.Redis, a.Hub, a.log).Run(ctx)
}

// Close ends what New began, and the backends.
func (a *App) Close() {
	a.ringer.Close()
	a.Hub.Close()
	a.backends.Close()
}

// Log makes the program's logger: JSON lines.
func Log(to io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
}
