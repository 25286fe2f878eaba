package hubspot_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
)

const (
	gone      = `{"status":"error","message":"Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com","correlationId":"5e1e-77","category":"INVALID_AUTHENTICATION"}`
	expired   = `{"status":"error","message":"The OAuth token used to make this call expired 12 second(s) ago.","correlationId":"5e1e-77","category":"EXPIRED_AUTHENTICATION","context":{"expire time":["2026-11-23T11:59:48Z"]}}`
	gibberish = `{"status":"error","message":"The OAuth token used to make this call expired 20705 day(s) ago.","correlationId":"5e1e-77","category":"EXPIRED_AUTHENTICATION","context":{"expire time":["1970-01-01T00:00:00Z"]}}`
	cloud     = `<!DOCTYPE html><html><body>cloudflare</body></html>`
)

func limited(policy, message string) string {
	return `{"status":"error","message":"` + message + `","errorType":"RATE_LIMIT","correlationId":"5e1e-77","policyName":"` + policy + `","requestId":"r"}`
}

func TestEveryRefusalHasAClassAndAWayOut(t *testing.T) {
	t.Parallel()
	type want struct {
		class connectors.Class
		code  string
		says  string
		wait  time.Duration
		field string
	}
	for name, c := range map[string]struct {
		status int
		retry  string
		body   string
		login  bool
		want   want
	}{
		"malformed":            {400, "", `{"status":"error","message":"Invalid input JSON on line 1, column 2: x","correlationId":"5e1e-77","category":"VALIDATION_ERROR"}`, false, want{connectors.Bug, "hubspot.400", "400", 0, ""}},
		"login expired":        {401, "", expired, true, want{connectors.AuthExpired, "hubspot.expired", "expired", 0, "auth"}},
		"key expired":          {401, "", expired, false, want{connectors.AuthRevoked, "hubspot.expired", "new service key", 0, "service_key"}},
		"not a token":          {401, "", gibberish, true, want{connectors.AuthRevoked, "hubspot.not_a_token", "log in", 0, "auth"}},
		"not a key":            {401, "", gibberish, false, want{connectors.AuthRevoked, "hubspot.not_a_key", "not a HubSpot service key", 0, "service_key"}},
		"login revoked":        {401, "", gone, true, want{connectors.AuthRevoked, "hubspot.revoked", "Connect", 0, "auth"}},
		"key revoked":          {401, "", gone, false, want{connectors.AuthRevoked, "hubspot.revoked", "Service keys", 0, "service_key"}},
		"401 without words":    {401, "", ``, true, want{connectors.AuthRevoked, "hubspot.revoked", "Connect", 0, "auth"}},
		"granular scopes":      {403, "", `{"category":"MISSING_SCOPES","message":"This app hasn't been granted all required scopes","correlationId":"5e1e-77","errors":[{"context":{"requiredGranularScopes":["crm.objects.custom.read"]}}],"links":{"scopes":"https://developers.hubspot.com/scopes"}}`, false, want{connectors.Misconfigured, "hubspot.missing_scopes", "crm.objects.custom.read", 0, "service_key"}},
		"required scopes":      {403, "", `{"category":"MISSING_SCOPES","message":"m","context":{"requiredScopes":["contacts-a","contacts-b"]}}`, true, want{connectors.Misconfigured, "hubspot.missing_scopes", "contacts-a, contacts-b", 0, "auth"}},
		"missing scopes":       {403, "", `{"category":"MISSING_SCOPES","message":"m","context":{"missingScopes":"crm.one.read"}}`, true, want{connectors.Misconfigured, "hubspot.missing_scopes", "crm.one.read", 0, "auth"}},
		"scopes without names": {403, "", `{"category":"MISSING_SCOPES","message":"m","errors":"odd","context":7}`, true, want{connectors.Misconfigured, "hubspot.missing_scopes", "crm.objects.contacts.read", 0, "auth"}},
		"older permissions":    {403, "", `{"status":"error","message":"This oauth-token (CJ) does not have proper permissions! (requires any of [contacts-read])","correlationId":"5e1e-77"}`, true, want{connectors.Misconfigured, "hubspot.missing_scopes", "crm.objects.contacts.read", 0, "auth"}},
		"403 of a page":        {403, "", cloud, true, want{connectors.Misconfigured, "hubspot.403", "addresses", 0, "auth"}},
		"not found":            {404, "", `{"status":"error","message":"resource not found","correlationId":"5e1e-77"}`, false, want{connectors.Bug, "hubspot.404", "reference", 0, ""}},
		"not numeric":          {404, "", `{"status":"error","message":"Object not found.  objectId are usually numeric.","correlationId":"5e1e-77","context":{"id":["x"]},"category":"OBJECT_NOT_FOUND"}`, false, want{connectors.Bug, "hubspot.404", "reference", 0, ""}},
		"bad object type":      {404, "", `{"status":"error","message":"Unable to infer object type from: x"}`, false, want{connectors.Bug, "hubspot.404", "reference", 0, ""}},
		"unknown route":        {404, "", cloud, false, want{connectors.Bug, "hubspot.404", "reference", 0, ""}},
		"URI too long":         {414, "", ``, false, want{connectors.Bug, "hubspot.414", "414", 0, ""}},
		"locked":               {423, "", ``, false, want{connectors.Transient, "hubspot.locked", "locked", 2 * time.Second, ""}},
		"moving":               {477, "7200", ``, false, want{connectors.Transient, "hubspot.moving", "data centre", 2 * time.Hour, ""}},
		"ten seconds":          {429, "", limited("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."), false, want{connectors.RateLimited, "hubspot.limit", "too often", 10 * time.Second, ""}},
		"a second":             {429, "", limited("SECONDLY", "You have reached your secondly limit."), false, want{connectors.RateLimited, "hubspot.limit", "too often", time.Second, ""}},
		"a day":                {429, "", limited("DAILY", "You have reached your daily limit."), false, want{connectors.RateLimited, "hubspot.daily_limit", "today", time.Hour, ""}},
		"a day, unnamed":       {429, "", `{"message":"You have reached your daily limit.","category":"RATE_LIMITS"}`, false, want{connectors.RateLimited, "hubspot.daily_limit", "today", time.Hour, ""}},
		"retry after":          {429, "3", limited("TEN_SECONDLY_ROLLING", ""), false, want{connectors.RateLimited, "hubspot.limit", "too often", 3 * time.Second, ""}},
		"retry at":             {429, "Mon, 23 Nov 2026 12:00:05 GMT", ``, false, want{connectors.RateLimited, "hubspot.limit", "too often", 5 * time.Second, ""}},
		"retry in the past":    {429, "Mon, 23 Nov 2026 11:00:00 GMT", ``, false, want{connectors.RateLimited, "hubspot.limit", "too often", 10 * time.Second, ""}},
		"retry next year":      {429, "99999999999999999999", ``, false, want{connectors.RateLimited, "hubspot.limit", "too often", 24 * time.Hour, ""}},
		"429 of a page":        {429, "soon", cloud, false, want{connectors.RateLimited, "hubspot.limit", "too often", 10 * time.Second, ""}},
		"500":                  {500, "", `{"status":"error","message":"internal error","correlationId":"5e1e-77"}`, false, want{connectors.Transient, "hubspot.500", "500", 0, ""}},
		"502 of a page":        {502, "", cloud, false, want{connectors.Transient, "hubspot.502", "502", 0, ""}},
		"503":                  {503, "9", ``, false, want{connectors.Transient, "hubspot.503", "503", 9 * time.Second, ""}},
		"504":                  {504, "", ``, false, want{connectors.Transient, "hubspot.504", "504", 0, ""}},
		"521":                  {521, "", cloud, false, want{connectors.Transient, "hubspot.521", "521", 0, ""}},
		"526":                  {526, "", cloud, false, want{connectors.Transient, "hubspot.526", "526", 0, ""}},
		"a redirect":           {302, "", ``, false, want{connectors.Bug, "hubspot.302", "302", 0, ""}},
		"conflict":             {409, "", `{"message":"Contact already exists. Existing ID: 5"}`, false, want{connectors.Bug, "hubspot.409", "409", 0, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPortal(t)
			p.script("", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://169.254.169.254/")
				if c.retry != "" {
					w.Header().Set("Retry-After", c.retry)
				}
				refuse(w, c.status, c.body)
			})
			edit := func(*connectors.OpenInput) {}
			if c.login {
				edit = byLogin("a token of HubSpot's")
			}
			e := refusal(t, open(t, p, edit))
			if got := (want{e.Class, e.Code, c.want.says, e.RetryAfter, e.Field}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if !strings.Contains(e.Message+" "+e.Fix, c.want.says) {
				t.Errorf("%q %q does not say %q", e.Message, e.Fix, c.want.says)
			}
			if strings.Contains(c.body, "5e1e-77") != (e.Reference == "5e1e-77") {
				t.Errorf("the reference is %q", e.Reference)
			}
			if len(p.got()) != 1 {
				t.Error("asked again")
			}
		})
	}
}

func TestTheReferenceMayComeInAHeader(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for header, want := range map[string]string{"5e1e-77": "5e1e-77", "<script>": "", strings.Repeat("a", 65): ""} {
		p.script("", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-HubSpot-Correlation-Id", header)
			refuse(w, 500, cloud)
		})
		if e := refusal(t, open(t, p)); e.Reference != want {
			t.Errorf("%q became %q", header, e.Reference)
		}
	}
}

func TestADaysLimitEndsAtTheAccountsMidnight(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example"})
	src := open(t, p)
	lookup(t, src, "ana@toy.example", "record_url") // the account's clock is an hour ahead
	p.script("", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 429, limited("DAILY", "")) })
	if e := refusal(t, src); e.RetryAfter != 11*time.Hour {
		t.Errorf("at noon in UTC, wait %s", e.RetryAfter)
	}
}
