// Package http is the connector for any HTTP API that answers in JSON. The tenant describes the question, the
// sign-in and the place of the record in the answer; no code is written for the API.
//
// The visitor's address comes from a stranger. It is put into the question at places that the tenant marked, each
// time encoded for the place, and never where it could choose the server. What cannot be anybody's address, or could
// be read as syntax behind the encoding, is not sent at all. The answer is as little trusted: it is bounded in
// length, depth and number of values before anything is made of it, and redirects are not followed.
//
// The package reaches the API only through the client it is handed and keeps nothing but the OAuth2 token, in memory.
package http

import (
	"context"
	_ "embed" // the settings and the guide
	"net/http"
	"slices"
	"time"

	"sidecard/connectors"
)

//go:embed settings.json
var settings []byte

//go:embed guide.md
var guide string

// New returns the connector.
func New() connectors.Connector { return connector{} }

type connector struct{}

// Spec implements connectors.Connector.
func (connector) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "http", Name: "HTTP/JSON API", Summary: "Shows visitors from any API that answers in JSON.", Version: 1,
		Settings: slices.Clone(settings), Guide: guide,
	}
}

// Open implements connectors.Connector. Its errors are about settings that a schema cannot judge.
func (connector) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	s := &source{now: in.Now}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.question, err = newQuestion(in.Settings); err != nil {
		return nil, err
	}
	if s.signIn, err = newSignIn(in.Settings, s.question); err != nil {
		return nil, err
	}
	if s.choice, err = newChoice(in.Settings); err != nil {
		return nil, err
	}
	s.client = guarded(in.HTTP)
	s.life = connectors.NewLife()
	if s.signIn.kind == authOAuth2 {
		s.tokens = &tokens{ask: s.askToken, now: s.now, life: s.life}
	}
	return s, nil
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

// source is one tenant's API.
type source struct {
	question *question
	signIn   signIn
	choice   choice
	client   *http.Client
	tokens   *tokens // nil unless the sign-in is OAuth2
	now      func() time.Time

	life *connectors.Life
}

var _ connectors.Discoverer = (*source)(nil)

// Lookup implements connectors.Source.
func (s *source) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	ctx, end, err := s.life.Begin(ctx)
	if err != nil {
		return connectors.Result{}, err
	}
	defer end()
	found, err := s.find(ctx, q.Email)
	if err != nil {
		return connectors.Result{}, failure(ctx, err)
	}
	return s.choice.result(found.records, q.Fields), nil
}

// find asks for one address and reads the answer.
func (s *source) find(ctx context.Context, email string) (reading, error) {
	a, err := s.ask(ctx, email)
	if err != nil {
		return reading{}, err
	}
	return s.choice.read(a, email)
}

// Discover implements connectors.Discoverer: it lists the fields of the sample address's record.
func (s *source) Discover(ctx context.Context) (connectors.Catalog, error) {
	ctx, end, err := s.life.Begin(ctx)
	if err != nil {
		return connectors.Catalog{}, err
	}
	defer end()
	if s.choice.sample == "" {
		return connectors.Catalog{}, misconfigured("http.no_sample", "sample_email", "Sidecard learns the fields from the record of somebody the API knows.", enterSample)
	}
	found, err := s.find(ctx, s.choice.sample)
	if err != nil {
		return connectors.Catalog{}, failure(ctx, err)
	}
	if len(found.records) == 0 {
		return connectors.Catalog{}, sampleUnknown(found, s.choice)
	}
	return catalogOf(found.records[0]), nil
}

// Close implements connectors.Source. It cancels what is under way and waits for it to end.
func (s *source) Close() error {
	s.life.End()
	return nil
}
