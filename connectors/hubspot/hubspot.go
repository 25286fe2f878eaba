// Package hubspot is the connector for HubSpot: the visitor's contact, its company, and its deals and tickets.
//
// It reads and never writes. Contacts are asked for by batch, the address in the body: an address in a URL would end
// up in logs, and HubSpot counts a 404 for every unknown visitor against the app. The answers of HubSpot are bounded in
// length and depth before anything is made of them, and every value is typed by the tenant's own schema.
//
// What only makes a record more readable, such as names of owners, may fail without failing the lookup. The package
// keeps schemas and labels in memory for a quarter of an hour, and no visitor.
package hubspot

import (
	"context"
	_ "embed" // the settings and the guide
	"net/http"
	"slices"
	"strings"
	"time"

	"sidecard/connectors"
)

//go:embed settings.json
var settings []byte

//go:embed guide.md
var guide string

// Options say where HubSpot is. They are the operator's; tenants cannot choose the server.
type Options struct {
	API string // base of the API without a slash at the end [https://api.hubapi.com]
	App string // base of the pages for people [https://app.hubspot.com]
}

// New returns the connector.
func New(o Options) connectors.Connector {
	c := connector{api: strings.TrimRight(o.API, "/"), app: strings.TrimRight(o.App, "/")}
	if c.api == "" {
		c.api = defaultAPI
	}
	if c.app == "" {
		c.app = defaultApp
	}
	return c
}

type connector struct{ api, app string }

// The settings and their values.
const (
	settingAuth = "auth"
	settingKey  = "service_key"
	authOAuth   = "oauth"
	authKey     = "service_key"
)

// Spec implements connectors.Connector.
func (c connector) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "hubspot", Name: "HubSpot", Summary: "Shows visitors from HubSpot: contact, company, deals and tickets.", Version: 1,
		Settings: slices.Clone(settings), Guide: guide,
		OAuth: c.oauth(), Limits: []connectors.Limit{burst}, Batch: most, Fresh: 15 * time.Second, Sunset: sunset,
		Answer: maxBody + 1<<10, // the connector's own bound comes first, so that people are told which it is
	}
}

// Open implements connectors.Connector. Its errors are about settings that a schema cannot judge.
func (c connector) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	s := &source{connector: c, token: in.Token, calls: in.Calls, now: in.Now, client: guarded(in.HTTP)}
	if in.Settings.String(settingAuth, authOAuth) == authKey {
		key := strings.TrimSpace(in.Settings.String(settingKey, ""))
		if err := judgeKey(key); err != nil {
			return nil, err
		}
		s.byKey = true
		s.token = func(context.Context) (string, error) { return key, nil }
	}
	if s.token == nil {
		s.token = func(context.Context) (string, error) { return "", notConnected() }
	}
	if s.calls == nil {
		s.calls = unlimited{}
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.schemas = map[objectType]*memo[schema]{contacts: {}, companies: {}, deals: {}, tickets: {}}
	s.pipelines = map[objectType]*memo[pipelines]{deals: {}, tickets: {}}
	s.life = connectors.NewLife()
	return s, nil
}

// judgeKey refuses what cannot be a key, so that nobody has to ask HubSpot to find out.
func judgeKey(key string) error {
	switch {
	case key == "":
		return &connectors.Error{
			Class: connectors.Misconfigured, Code: "hubspot.no_key", Field: settingKey, Message: "There is no service key.",
			Fix: "Enter the service key, or choose to connect with HubSpot's login.",
		}
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &connectors.Error{
			Class: connectors.Misconfigured, Code: "hubspot.not_a_key", Field: settingKey, Message: "This is not a HubSpot service key.",
			Fix: copyKey,
		}
	}
	return nil
}

// guarded gives the host's client, which does not follow redirects whatever the host has set.
func guarded(client *http.Client) *http.Client {
	own := http.Client{Transport: noDoor{}}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own
}

// noDoor stands for a host that gives no client.
type noDoor struct{}

// RoundTrip implements http.RoundTripper.
func (noDoor) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoDoor }

// unlimited stands for a host that counts no calls.
type unlimited struct{}

// Wait implements connectors.Limiter.
func (unlimited) Wait(ctx context.Context, _ string) error { return ctx.Err() }

// Learn implements connectors.Limiter.
func (unlimited) Learn(connectors.Limit) {}

// source is one tenant's HubSpot account.
type source struct {
	connector
	token  connectors.TokenFunc
	byKey  bool // the tenant gave a service key
	calls  connectors.Limiter
	client *http.Client
	now    func() time.Time

	schemas   map[objectType]*memo[schema]
	pipelines map[objectType]*memo[pipelines]
	owners    memo[owners]
	account   memo[account]

	life *connectors.Life
}

var (
	_ connectors.BatchLooker = (*source)(nil)
	_ connectors.Discoverer  = (*source)(nil)
)

// Lookup implements connectors.Source: it is a batch of one.
func (s *source) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	a := s.LookupBatch(ctx, []connectors.Query{q})[0]
	return a.Result, a.Err
}

// Close implements connectors.Source. It cancels what is under way and waits for it to end.
func (s *source) Close() error {
	s.life.End()
	return nil
}
