package hubspottest_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

func TestEveryFaultHasItsStatusAndForm(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for _, c := range []struct {
		fault         hubspottest.Fault
		status        int
		has           string
		header, value string
	}{
		{hubspottest.ExpiredToken, 401, `"category":"EXPIRED_AUTHENTICATION"`, "", ""},
		{hubspottest.UndecodableToken, 401, "1970-01-01T00:00:00Z", "", ""},
		{hubspottest.UnknownToken, 401, `"category":"INVALID_AUTHENTICATION"`, "X-Hubspot-Auth-Failure", "401 Unauthorized"},
		{hubspottest.OldPermission, 403, "does not have proper permissions!", "", ""},
		{hubspottest.MissingScopes(false, "tickets"), 403, `"errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["tickets"]}}]`, "", ""},
		{hubspottest.MissingScopes(true, "tickets"), 403, `"context":{"requiredScopes":["tickets"]}`, "", ""},
		{hubspottest.NoSuchRecord, 404, `"message":"resource not found"`, "", ""},
		{hubspottest.NotNumeric, 404, `"category":"OBJECT_NOT_FOUND"`, "", ""},
		{hubspottest.NoSuchType, 404, "Unable to infer object type from: x", "", ""},
		{hubspottest.NoSuchRoute, 404, "<html>", "Content-Type", "text/html;charset=utf-8"},
		{hubspottest.Invalid, 400, `"category":"VALIDATION_ERROR"`, "", ""},
		{hubspottest.TooLong, 414, "URI too long", "", ""},
		{hubspottest.Locked, 423, "locked", "Content-Type", "application/json;charset=utf-8"},
		{hubspottest.Broken, 500, "internal error", "", ""},
		{hubspottest.BadGateway, 502, "<h1>502 Bad Gateway</h1>", "Content-Type", "text/html;charset=utf-8"},
		{hubspottest.GatewayTimeout, 504, "cloudflare", "", ""},
		{hubspottest.Unreachable, 523, "<h1>523</h1>", "", ""},
		{hubspottest.TooMany(hubspottest.PolicyTenSeconds, 0), 429, `"policyName":"TEN_SECONDLY_ROLLING"`, "Retry-After", ""},
		{hubspottest.TooMany(hubspottest.PolicySecond, 3*time.Second), 429, `"policyName":"SECONDLY"`, "Retry-After", "3"},
		{hubspottest.TooMany(hubspottest.PolicyDaily, 0), 429, `"policyName":"DAILY"`, "Retry-After", ""},
		{hubspottest.Moving(2 * time.Hour), 477, "migrated", "Retry-After", "7200"},
		{hubspottest.NotJSON, 200, "Please sign in", "Content-Type", "text/html"},
		{hubspottest.Answer(418, "text/plain", "teapot"), 418, "teapot", "Content-Type", "text/plain"},
	} {
		p.Fail("GET /account-info/details", c.fault)
		a := p.get(details)
		refused(t, a, c.status, c.has)
		if c.fault.Status != c.status || c.header != "" && a.header.Get(c.header) != c.value {
			t.Errorf("%s: status %d, %s %q", c.fault.Name, c.fault.Status, c.header, a.header.Get(c.header))
		}
	}
}

func TestAScriptIsPlayedInOrderAndForItsRouteOnly(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Fail("GET /account-info/details", hubspottest.Broken, hubspottest.Locked)
	for i, want := range []int{500, 423, 200} {
		if a := p.get("/crm/owners/2026-09"); a.status != 200 {
			t.Errorf("another route: %d", a.status)
		}
		if a := p.get(details); a.status != want {
			t.Errorf("call %d: %d, want %d", i, a.status, want)
		}
	}
	p.Fail("", hubspottest.Broken)
	if a := p.get("/crm/owners/2026-09"); a.status != 500 {
		t.Errorf("every route: %d", a.status)
	}
	if n := p.Count("GET /account-info/details", 0); n != 3 {
		t.Errorf("%d counted", n)
	}
	if n := p.Count("GET /account-info/details", 423); n != 1 {
		t.Errorf("%d counted with 423", n)
	}
}

func TestAnswersCanBeCutOrHuge(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Fail("", hubspottest.Cut, hubspottest.Huge)
	if a := p.get(details); a.status != 200 || json.Valid([]byte(a.body)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := p.get(details); a.status != 200 || len(a.body) < 10<<20 {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}
}

func TestHangAndDripEndWithTheClient(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Fail("", hubspottest.Hang, hubspottest.Drip)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if response, err := p.raw(ctx); err == nil {
		_ = response.Body.Close()
		t.Errorf("hang answered %d", response.StatusCode)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	response, err := p.raw(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadFull(response.Body, make([]byte, 2)); err != nil {
		t.Errorf("drip: %v", err)
	}
	cancel()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("drip ended by itself")
	}
}

func TestResetBreaksInTheBody(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Fail("", hubspottest.Reset)
	response, err := p.raw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("whole: %s", body)
	}
}

// raw asks with the portal's key and leaves the body unread.
func (p *portal) raw(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+details, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	return p.client.Do(r)
}

func TestGzipIsForClientsThatTakeIt(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Gzip(true)
	a := p.do("GET", details, "", "", "Authorization", "Bearer "+p.key, "Accept-Encoding", "gzip")
	if a.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", a.header)
	}
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !json.Valid(body) {
		t.Errorf("%v %s", err, body)
	}
	plain := p.do("GET", details, "", "", "Authorization", "Bearer "+p.key, "Accept-Encoding", "identity")
	if plain.header.Get("Content-Encoding") != "" || !json.Valid([]byte(plain.body)) {
		t.Errorf("%v %s", plain.header, plain.body)
	}
}

func TestNotedRequestsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	tokens := p.connect()
	p.getAs(tokens.Access, details)
	noted, err := json.Marshal(p.Requests())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{tokens.Access, tokens.Refresh, "client_secret"} {
		if strings.Contains(string(noted), secret) {
			t.Errorf("%q is noted", secret)
		}
	}
}
