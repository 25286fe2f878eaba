package hubspot_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/hubspot"
)

func TestSpecFollowsTheOperatorsServers(t *testing.T) {
	t.Parallel()
	spec := hubspot.New(hubspot.Options{}).Spec()
	if spec.OAuth.AuthorizeURL != "https://app.hubspot.com/oauth/authorize" || spec.OAuth.TokenURL != "https://api.hubapi.com/oauth/2026-09/token" ||
		spec.OAuth.RevokeURL != "https://api.hubapi.com/oauth/2026-09/token/revoke" {
		t.Errorf("got %+v", spec.OAuth)
	}
	spec = hubspot.New(hubspot.Options{API: "http://127.0.0.1:8091/", App: "http://127.0.0.1:8092"}).Spec()
	if spec.OAuth.AuthorizeURL != "http://127.0.0.1:8092/oauth/authorize" || spec.OAuth.TokenURL != "http://127.0.0.1:8091/oauth/2026-09/token" {
		t.Errorf("got %+v", spec.OAuth)
	}
	if spec.Batch != 100 || spec.Fresh != 15*time.Second || spec.OAuth.Setting != "auth" || spec.OAuth.Value != "oauth" || spec.OAuth.PKCE {
		t.Errorf("got %+v", spec)
	}
	if left := spec.Sunset.Sub(noon); left < 120*24*time.Hour {
		t.Errorf("HubSpot ends this version of its API within %s", left)
	}
}

func TestTheGuideAndTheFormTellNobodyToMakeAPrivateApp(t *testing.T) {
	t.Parallel()
	spec := hubspot.New(hubspot.Options{}).Spec()
	for _, said := range []string{spec.Guide, string(spec.Settings), spec.Summary} {
		if strings.Contains(strings.ToLower(said), "private app") {
			t.Error("new private apps cannot be made")
		}
	}
	for _, scope := range append(spec.OAuth.Scopes[1:], spec.OAuth.Optional...) {
		if !strings.Contains(spec.Guide, "`"+scope+"`") {
			t.Errorf("the guide does not name %s", scope)
		}
	}
	if n := strings.Count(spec.Guide, "\n"); n > 60 {
		t.Errorf("the guide has %d lines", n)
	}
}

func TestWhatCannotBeAKeyIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	c := hubspot.New(hubspot.Options{})
	for key, code := range map[string]string{
		"": "hubspot.no_key", "  ": "hubspot.no_key", "two words": "hubspot.not_a_key", "pat\r\nX-Injected: 1": "hubspot.not_a_key", "päßword": "hubspot.not_a_key",
	} {
		_, err := c.Open(t.Context(), connectors.OpenInput{Settings: keySettings(key)})
		if e := connectors.AsError(err); e == nil || e.Code != code || e.Field != "service_key" || e.Class != connectors.Misconfigured {
			t.Errorf("%q: %v", key, err)
		}
	}
	if _, err := c.Open(t.Context(), connectors.OpenInput{Settings: connectors.Settings{"auth": json.RawMessage(`"service_key"`)}}); err == nil {
		t.Error("no key was taken for one")
	}
}

func TestTheLoginsTokenIsAskedForEachTime(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example"})
	asked := 0
	src := open(t, p, func(in *connectors.OpenInput) {
		in.Settings = connectors.Settings{"auth": json.RawMessage(`"oauth"`)}
		in.Token = func(context.Context) (string, error) {
			asked++
			return theKey, nil
		}
	})
	for range 2 {
		record(t, lookup(t, src, "ana@toy.example", "email"))
	}
	if asked != len(p.got()) || asked < 2 {
		t.Errorf("asked for %d tokens", asked)
	}
}
