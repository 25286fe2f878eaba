package hubspottest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

const (
	redirect  = "https://sidecard.example/oauth/callback"
	tokenPath = "/oauth/2026-09/token"
)

// tokens are what a login gives.
type tokens struct {
	Access  string   `json:"access_token"`
	Refresh string   `json:"refresh_token"`
	Type    string   `json:"token_type"`
	Use     string   `json:"token_use"`
	Expires int      `json:"expires_in"`
	Hub     int64    `json:"hub_id"`
	Scopes  []string `json:"scopes"`
}

// ask is an authorize query; edits are pairs that replace its members.
func ask(edits ...string) url.Values {
	q := url.Values{"client_id": {"app"}, "redirect_uri": {redirect}, "scope": {"oauth crm.objects.contacts.read"}, "state": {"st4te"}}
	for i := 0; i+1 < len(edits); i += 2 {
		q.Set(edits[i], edits[i+1])
	}
	return q
}

// allow registers the app, allows it on the page and gives the code.
func (p *portal) allow(edits ...string) string {
	p.t.Helper()
	back := p.decide("allow", edits...)
	code := back.Query().Get("code")
	if code == "" || back.Query().Get("state") != "st4te" {
		p.t.Fatalf("sent to %s", back)
	}
	return code
}

func (p *portal) decide(decision string, edits ...string) *url.URL {
	p.t.Helper()
	p.Register("app", "secret", "Sidecard", redirect)
	a := p.do(http.MethodPost, "/oauth/authorize", "application/x-www-form-urlencoded", url.Values{"query": {ask(edits...).Encode()}, "decision": {decision}}.Encode())
	back, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusSeeOther || !strings.HasPrefix(back.String(), redirect+"?") {
		p.t.Fatalf("%d to %q: %v", a.status, back, err)
	}
	return back
}

func (p *portal) exchange(code string, more ...string) answer {
	p.t.Helper()
	return p.form(tokenPath, append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", redirect}, more...)...)
}

func (p *portal) connect() tokens {
	p.t.Helper()
	return decoded[tokens](p.t, p.exchange(p.allow()), 200)
}

func (p *portal) refresh(token string) tokens {
	p.t.Helper()
	return decoded[tokens](p.t, p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", token), 200)
}

// refusedGrant checks both forms of an error, the new one and the old one.
func refusedGrant(t *testing.T, a answer, kind, old string) {
	t.Helper()
	refused(t, a, 400, `"error":"`+kind+`"`, `"status":"`+old+`"`, `"error_description":"`, `"message":"`)
}

func TestThePageNamesTheAppAndItsScopes(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Register("app", "secret", "Sidecard", redirect)
	a := p.do("GET", "/oauth/authorize?"+ask("optional_scope", "tickets never.heard").Encode(), "", "")
	refused(t, a, 200, "Sidecard wants to connect", "crm.objects.contacts.read", "tickets")
	if strings.Contains(a.body, "<code>never.heard") {
		t.Error("a scope that the account cannot grant is offered")
	}
}

func TestAWrongLinkGetsAPageAndNoRedirect(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Register("app", "secret", "Sidecard", redirect)
	for want, q := range map[string]url.Values{
		"client id is unknown":   ask("client_id", "another"),
		"not one of the app":     ask("redirect_uri", "https://evil.example/"),
		"cannot grant the scope": ask("scope", "oauth never.heard"),
		"asks for no scopes":     ask("scope", ""),
	} {
		refused(t, p.do("GET", "/oauth/authorize?"+q.Encode(), "", ""), 400, want)
		a := p.do("POST", "/oauth/authorize", "application/x-www-form-urlencoded", url.Values{"query": {q.Encode()}, "decision": {"allow"}}.Encode())
		if a.status != 400 || a.header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", want, a.status, a.header.Get("Location"))
		}
		if back, err := p.Consent("https://app.hubspot.com/oauth/authorize?" + q.Encode()); err == nil {
			t.Errorf("%s: consent went to %q", want, back)
		}
	}
}

func TestCancelGoesBackWithAccessDenied(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	if q := p.decide("cancel").Query(); q.Get("error") != "access_denied" || q.Get("state") != "st4te" || q.Has("code") {
		t.Errorf("%v", q)
	}
}

func TestALoginGivesTokensAndTheAccount(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	got := decoded[tokens](t, p.exchange(p.allow("optional_scope", "tickets never.heard")), 200)
	if got.Access == "" || got.Refresh == "" || got.Type != "bearer" || got.Use != "access_token" || got.Expires != 1800 || got.Hub != 62515 {
		t.Errorf("%+v", got)
	}
	if s := strings.Join(got.Scopes, " "); s != "oauth crm.objects.contacts.read tickets" {
		t.Errorf("scopes %s", s)
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	code := p.allow()
	decoded[tokens](t, p.exchange(code), 200)
	refusedGrant(t, p.exchange(code), "invalid_grant", "BAD_AUTH_CODE")
}

func TestACodeIsGoodForFiveMinutesAndOneAppAndRedirect(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Register("other", "hush", "Other", redirect)
	refusedGrant(t, p.exchange(p.allow(), "client_id", "other", "client_secret", "hush"), "invalid_grant", "BAD_AUTH_CODE")
	refusedGrant(t, p.exchange(p.allow(), "redirect_uri", redirect+"/2"), "invalid_grant", "BAD_AUTH_CODE")
	code := p.allow()
	p.Advance(5*time.Minute + time.Second)
	refusedGrant(t, p.exchange(code), "invalid_grant", "BAD_AUTH_CODE")
}

func TestAChallengeNeedsItsVerifier(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	challenge := []string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256"}
	decoded[tokens](t, p.exchange(p.allow(challenge...), "code_verifier", verifier), 200)
	refusedGrant(t, p.exchange(p.allow(challenge...), "code_verifier", "wrong"), "invalid_grant", "BAD_AUTH_CODE")
	refusedGrant(t, p.exchange(p.allow(challenge...)), "invalid_grant", "BAD_AUTH_CODE")
}

func TestTokensAreAskedForInTheBodyOnly(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	code := p.allow()
	q := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "client_id": {"app"}, "client_secret": {"secret"}}.Encode()
	refused(t, p.do("POST", tokenPath+"?"+q, "application/x-www-form-urlencoded", ""), 400, "invalid_request")
	refused(t, p.do("POST", tokenPath, "application/json", `{"code":"`+code+`"}`), 400, "invalid_request")
	decoded[tokens](t, p.exchange(code), 200)
}

func TestAnAppProvesItself(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	refusedGrant(t, p.exchange(p.allow(), "client_secret", "wrong"), "invalid_client", "BAD_CLIENT_ID")
	refusedGrant(t, p.exchange(p.allow(), "client_id", "unknown"), "invalid_client", "BAD_CLIENT_ID")
	refusedGrant(t, p.form(tokenPath, "grant_type", "password"), "unsupported_grant_type", "BAD_GRANT_TYPE")
}

func TestARefreshTokenStaysTheSame(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	first := p.connect()
	second := p.refresh(first.Refresh)
	if second.Refresh != first.Refresh || second.Access == first.Access {
		t.Errorf("%+v after %+v", second, first)
	}
	refusedGrant(t, p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", "na1-unknown"), "invalid_grant", "BAD_REFRESH_TOKEN")
}

func TestRotateReplacesTheRefreshToken(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{Rotate: true})
	first := p.connect()
	second := p.refresh(first.Refresh)
	if second.Refresh == first.Refresh {
		t.Error("the same token")
	}
	refusedGrant(t, p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", first.Refresh), "invalid_grant", "BAD_REFRESH_TOKEN")
	p.refresh(second.Refresh)
}

func TestRefreshesAtTheSameTimeEachGiveAGoodToken(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	token := p.connect().Refresh
	answers := make([]answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", token) })
	}
	all.Wait()
	seen := map[string]bool{}
	for _, a := range answers {
		got := decoded[tokens](t, a, 200)
		if seen[got.Access] || p.getAs(got.Access, details).status != 200 {
			t.Errorf("%+v", got)
		}
		seen[got.Access] = true
	}
}

func TestIntrospectionKnowsBothTokens(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	got := p.connect()
	refused(t, p.form(tokenPath+"/introspect", "token", got.Access), 200, `"active":true`, `"token_use":"access_token"`, `"expires_in":1800`, `"hub_id":62515`, `"client_id":"app"`)
	refused(t, p.form(tokenPath+"/introspect", "token", got.Refresh), 200, `"active":true`, `"token_use":"refresh_token"`)
	p.Advance(31 * time.Minute)
	refused(t, p.form(tokenPath+"/introspect", "token", got.Access), 200, `"active":false`)
	refused(t, p.form(tokenPath+"/introspect", "token", "nonsense"), 200, `"active":false`)
}

func TestRevokeEndsAllTokensOfAConsent(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	gone, stays := p.connect(), p.connect()
	if a := p.form(tokenPath+"/revoke", "token", gone.Refresh); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused(t, p.getAs(gone.Access, details), 401, "INVALID_AUTHENTICATION")
	refusedGrant(t, p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", gone.Refresh), "invalid_grant", "BAD_REFRESH_TOKEN")
	refused(t, p.form(tokenPath+"/introspect", "token", gone.Refresh), 200, `"active":false`)
	p.refresh(stays.Refresh)
}

func TestRevokeAllEndsEveryConsentAndNoKey(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	got := p.connect()
	p.RevokeAll()
	refused(t, p.getAs(got.Access, details), 401, "INVALID_AUTHENTICATION")
	refusedGrant(t, p.form(tokenPath, "grant_type", "refresh_token", "refresh_token", got.Refresh), "invalid_grant", "BAD_REFRESH_TOKEN")
	if a := p.get(details); a.status != 200 {
		t.Errorf("a service key: %d", a.status)
	}
}

func TestOnlyConsentsThatLastAreRemembered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "consents.json")
	begin := func() *portal {
		p := start(t, hubspottest.Options{})
		p.Register("app", "secret", "Sidecard", redirect)
		if err := p.Remember(file); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := begin()
	token := first.connect().Refresh
	second := begin()
	second.refresh(token)
	second.RevokeAll()
	refusedGrant(t, begin().form(tokenPath, "grant_type", "refresh_token", "refresh_token", token), "invalid_grant", "BAD_REFRESH_TOKEN")
}

func TestEveryVersionOfTheLoginAnswers(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	token := p.connect().Refresh
	for _, path := range []string{"/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token", tokenPath} {
		decoded[tokens](t, p.form(path, "grant_type", "refresh_token", "refresh_token", token), 200)
	}
}
