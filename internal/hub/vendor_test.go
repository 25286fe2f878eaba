package hub_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/connectors"
)

const (
	clientID     = "sidecard-at-the-vendor"
	clientSecret = "canary-client-secret"
)

// vendor is a strict OAuth vendor with an API that knows everybody.
type vendor struct {
	url string
	now func() time.Time

	mu        sync.Mutex
	challenge map[string]string    // by code, used once
	good      map[string]time.Time // access tokens and when they end
	grant     string               // the refresh token that is good
	rotates   bool
	says      int // status of the token endpoint instead of an answer; 0 = none
	issued    int
	refreshes int
	revoked   []string
	wrong     []string // what a client must not do
}

func newVendor(t *testing.T, now func() time.Time) *vendor {
	t.Helper()
	v := &vendor{now: now, challenge: map[string]string{}, good: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", v.token)
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.revoked = append(v.revoked, r.PostFormValue("token"))
	})
	mux.HandleFunc("GET /people", v.people)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	v.url = s.URL
	t.Cleanup(func() {
		for _, w := range v.wrong {
			t.Error("the vendor was asked wrongly:", w)
		}
	})
	return v
}

// consent is what a user does at the vendor's: they allow, and the browser comes back with state and code.
func (v *vendor) consent(t *testing.T, authorize string) (state, code string) {
	t.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"client_id": clientID, "response_type": "code", "scope": "people.read offline", "optional_scope": "deals.read",
		"redirect_uri": "https://sidecard.example.com/connect/callback", "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("the authorize URL has %s=%q, want %q", name, got, want)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.issued++
	code = fmt.Sprintf("canary-code-%d", v.issued)
	v.challenge[code] = q.Get("code_challenge")
	return q.Get("state"), code
}

func (v *vendor) token(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.RawQuery != "" || r.PostFormValue("client_id") != clientID || r.PostFormValue("client_secret") != clientSecret {
		v.wrong = append(v.wrong, "query "+r.URL.RawQuery+", client "+r.PostFormValue("client_id"))
	}
	if v.says != 0 {
		w.WriteHeader(v.says)
		_, _ = w.Write([]byte("<html>canary</html>"))
		return
	}
	ok := false
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		code := r.PostFormValue("code")
		ok = v.challenge[code] == base64.RawURLEncoding.EncodeToString(sum[:])
		delete(v.challenge, code)
		v.grant = "canary-refresh-of-" + code
	case "refresh_token":
		v.refreshes++
		ok = r.PostFormValue("refresh_token") == v.grant
		if ok && v.rotates {
			v.grant += "+"
		}
	}
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN"}`))
		return
	}
	v.issued++
	access := fmt.Sprintf("canary-access-%d", v.issued)
	v.good[access] = v.now().Add(30 * time.Minute)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": access, "refresh_token": v.grant, "expires_in": 1800, "hub_id": 62515, "scopes": []string{"people.read"},
	})
}

func (v *vendor) people(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	access := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if end, ok := v.good[access]; !ok || v.now().After(end) {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// forget makes the vendor refuse all access tokens, though their time is not over.
func (v *vendor) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.good)
}

// set changes the vendor.
func (v *vendor) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

// people is the vendor's kind of source.
type people struct{ url string }

func (p people) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "people", Name: "People", Version: 1,
		Settings: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"auth":{"type":"string","default":"oauth"}}}`),
		OAuth: &connectors.OAuth{
			AuthorizeURL: p.url + "/authorize", TokenURL: p.url + "/token", RevokeURL: p.url + "/revoke",
			Scopes: []string{"people.read", "offline"}, Optional: []string{"deals.read"}, PKCE: true,
			Account: []string{"hub_domain", "hub_id"}, Setting: "auth", Value: "oauth",
		},
	}
}

func (p people) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	return peopleSource{p, in}, nil
}

type peopleSource struct {
	people
	in connectors.OpenInput
}

func (s peopleSource) Lookup(ctx context.Context, _ connectors.Query) (connectors.Result, error) {
	access, err := s.in.Token(ctx)
	if err != nil {
		return connectors.Result{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/people", nil)
	if err != nil {
		return connectors.Result{}, err
	}
	r.Header.Set("Authorization", "Bearer "+access)
	answer, err := s.in.HTTP.Do(r)
	if err != nil {
		return connectors.Result{}, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return connectors.Result{}, &connectors.Error{Class: connectors.AuthExpired, Code: "people.401", Message: "The login has expired."}
	}
	return connectors.Result{Match: connectors.Found, Records: []connectors.Record{{}}, MatchedOn: "email"}, nil
}

func (peopleSource) Check(context.Context) (connectors.Report, error) {
	return connectors.Report{Steps: []connectors.Step{{Name: "Sign in", State: connectors.StepOK, Detail: "Signed in."}}}, nil
}

func (peopleSource) Close() error { return nil }
