package http_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/connectors"
)

// giveToken is the token endpoint of RFC 6749, section 4.4.
func (a *api) giveToken(w http.ResponseWriter, r *http.Request, body string) {
	form, err := url.ParseQuery(body)
	if err != nil || r.Method != http.MethodPost || form.Get("grant_type") != "client_credentials" {
		tell(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	if id != theClient || secret != theSecret {
		tell(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	if scope := form.Get("scope"); scope != "" && scope != "read" {
		tell(w, http.StatusBadRequest, map[string]string{"error": "invalid_scope"})
		return
	}
	a.tokens++
	token := "token-" + strconv.Itoa(a.tokens)
	a.good[token] = true
	tell(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": a.life})
}

// given counts the tokens that were given out.
func (a *api) given() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens
}

func (a *api) revoke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.good)
}

func (a *api) oauthSettings(replace map[string]any) connectors.Settings {
	all := map[string]any{"auth": "oauth2", "user": theClient, "secret": theSecret, "oauth_url": a.URL + "/token", "key_name": nil}
	for name, v := range replace {
		all[name] = v
	}
	return a.settings(all)
}

// clock is a time that tests move.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(c.passed.Load()))
}

func (c *clock) pass(d time.Duration) { c.passed.Add(int64(d)) }

func (c *clock) edit(in *connectors.OpenInput) { in.Now = c.now }

// fifty looks the same address up in parallel.
func fifty(t *testing.T, src connectors.Source) {
	t.Helper()
	ctx := within(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			res, err := src.Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
			if err != nil || res.Match != connectors.Found {
				t.Errorf("%s, %v", res.Match, err)
			}
		})
	}
	all.Wait()
}

func TestFiftyLookupsRenewOneToken(t *testing.T) {
	t.Parallel()
	a, c := newAPI(t), &clock{}
	a.add("ana@toy.example", ana)
	src := open(t, a.oauthSettings(nil), c.edit)
	want := func(why string, tokens int) {
		t.Helper()
		fifty(t, src)
		if n := a.given(); n != tokens {
			t.Errorf("%s: %d tokens were asked for, want %d", why, n, tokens)
		}
	}
	want("at first", 1)
	c.pass(2879 * time.Second)
	want("before 80 % of its life", 1)
	c.pass(time.Second)
	want("at 80 % of its life", 2)
	a.revoke()
	want("revoked", 3)
	want("afterwards", 3)
}

func TestATokensLifeIsBelievedWithinReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life any
		good time.Duration // how long it is used
	}{
		"number":   {100, 80 * time.Second},
		"text":     {"100", 80 * time.Second},
		"fraction": {100.5, 80400 * time.Millisecond},
		"absent":   {nil, 4 * time.Minute},
		"junk":     {"soon", 4 * time.Minute},
		"negative": {-5, 4 * time.Minute},
		"absurd":   {json.Number("1e300"), 24 * time.Hour / 5 * 4},
	} {
		a, clk := newAPI(t), &clock{}
		a.life = c.life
		src := open(t, a.oauthSettings(nil), clk.edit)
		lookup(t, src, "ana@toy.example")
		clk.pass(c.good - time.Millisecond)
		lookup(t, src, "ana@toy.example")
		young := a.given()
		clk.pass(time.Millisecond)
		lookup(t, src, "ana@toy.example")
		if old := a.given(); young != 1 || old != 2 {
			t.Errorf("%s: %d tokens before %s, %d after", name, young, c.good, old)
		}
	}
}

func TestAFreshTokenThatIsRefusedEndsTheMatter(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			tell(w, http.StatusOK, map[string]any{"access_token": "useless", "expires_in": 3600})
			return
		}
		tell(w, http.StatusUnauthorized, nil)
	})
	src := open(t, a.oauthSettings(nil))
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.AuthRevoked, "http.401")
	var paths []string
	for _, r := range a.got() {
		paths = append(paths, r.path)
	}
	if got := strings.Join(paths, " "); got != "/token /customers /token /customers" {
		t.Errorf("asked %s", got)
	}
	if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail || !strings.Contains(s.Advice, "scope") {
		t.Errorf("%+v", s)
	}
}

func TestTokenErrorsAreTold(t *testing.T) {
	t.Parallel()
	const (
		misconfigured = connectors.Misconfigured
		transient     = connectors.Transient
	)
	for _, c := range []struct {
		status int
		body   string
		class  connectors.Class
		code   string
		field  string
	}{
		{400, `{"error":"invalid_client"}`, connectors.AuthRevoked, "http.token.invalid_client", "secret"},
		{401, `nothing`, connectors.AuthRevoked, "http.token.invalid_client", "secret"},
		{400, `{"error":"invalid_grant"}`, connectors.AuthRevoked, "http.token.invalid_grant", "secret"},
		{400, `{"error":"unauthorized_client"}`, misconfigured, "http.token.unauthorized_client", "user"},
		{400, `{"error":"unsupported_grant_type"}`, misconfigured, "http.token.unsupported_grant_type", "oauth_url"},
		{400, `{"error":"invalid_scope"}`, misconfigured, "http.token.invalid_scope", "scope"},
		{400, `{"error":"invalid_request"}`, misconfigured, "http.token.invalid_request", "client_auth"},
		{400, `{"error":"canary"}`, misconfigured, "http.token.refused", "oauth_url"},
		{200, `{"error":"invalid_client"}`, connectors.AuthRevoked, "http.token.invalid_client", "secret"},
		{200, `<html>`, misconfigured, "http.token.answer", "oauth_url"},
		{200, `{}`, misconfigured, "http.token.answer", "oauth_url"},
		{200, `{"access_token":"x","token_type":"mac"}`, misconfigured, "http.token.type", "auth"},
		{200, `{"access_token":"x\r\nX: y"}`, misconfigured, "http.token.form", "oauth_url"},
		{200, `{"access_token":"` + strings.Repeat("x", 9000) + `"}`, misconfigured, "http.token.form", "oauth_url"},
		{200, strings.Repeat("x", 600<<10), misconfigured, "http.token.too_large", "oauth_url"},
		{302, ``, misconfigured, "http.token.302", "oauth_url"},
		{404, `{}`, misconfigured, "http.token.404", "oauth_url"},
		{429, `{}`, connectors.RateLimited, "http.token.429", ""},
		{500, `{"error":"invalid_client"}`, transient, "http.token.500", ""},
	} {
		a := newAPI(t)
		a.say(c.status, "application/json", c.body)
		src := open(t, a.oauthSettings(nil))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if e := mustFail(t, err, c.class, c.code); e.Field != c.field {
			t.Errorf("%s points at %q, want %q", c.code, e.Field, c.field)
		}
		if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail {
			t.Errorf("%s: %+v", c.code, s)
		}
	}
}

// TestAWaitingLookupDoesNotSpoilTheOthers cancels the lookup that has started the token request.
func TestAWaitingLookupDoesNotSpoilTheOthers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.add("ana@toy.example", ana)
	asked, release := make(chan struct{}, 9), make(chan struct{})
	a.answer(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		a.answer(nil)
		a.mu.Lock()
		a.good["late"] = true
		a.mu.Unlock()
		tell(w, http.StatusOK, map[string]any{"access_token": "late", "expires_in": 60})
	})
	src := open(t, a.oauthSettings(nil))
	first, cancel := contextWithCancel(t)
	gone := make(chan error, 1)
	go func() {
		_, err := src.Lookup(first, connectors.Query{Email: "ana@toy.example"})
		gone <- err
	}()
	<-asked
	cancel()
	if e := connectors.AsError(<-gone); e == nil || e.Class != connectors.Canceled {
		t.Errorf("the cancelled lookup: %v", e)
	}
	close(release)
	fifty(t, src)
	if len(asked) != 0 {
		t.Error("a second token was asked for")
	}
}
