package hubspottest

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The times of tokens [spec] and codes [mem].
const (
	accessTime = 30 * time.Minute
	codeTime   = 5 * time.Minute
)

// client is an app that is registered.
type client struct {
	secret    string
	name      string
	redirects []string
}

// code is one consent on its way to a token.
type code struct {
	client, redirect, challenge string
	scopes                      []string
	ends                        time.Time
}

// grant is one consent that lasts.
type grant struct {
	client  string
	refresh string
	scopes  []string
	revoked bool
	counter *counter
}

// Register makes an app known, by the name that people see.
func (s *Server) Register(id, secret, name string, redirects ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[id] = client{secret, name, redirects}
}

// RevokeAll takes all consents back, as somebody does who uninstalls the app in HubSpot.
func (s *Server) RevokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		g.revoked = true
	}
	for token, c := range s.creds {
		if c.grant != nil {
			delete(s.creds, token)
		}
	}
	s.keep()
}

// Consent allows what an authorize URL asks for, without the page, and gives the URL to which the browser is sent. It
// fails with the text of the page for a URL that the page refuses.
func (s *Server) Consent(authorize string) (back string, err error) {
	u, err := url.Parse(authorize)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong := s.wrongAsk(u.Query()); wrong != "" {
		return "", errors.New(wrong)
	}
	return s.consent(u.Query()).String(), nil
}

//go:embed authorize.html
var authorizeHTML string

var authorizeTemplate = template.Must(template.New("authorize").Parse(authorizeHTML))

// wrongAsk says what is wrong with an authorize request; "" = nothing. Wrong clients and redirects get a page, and
// the browser is sent nowhere. The caller holds mu.
func (s *Server) wrongAsk(q url.Values) string {
	c, ok := s.clients[q.Get("client_id")]
	switch {
	case !ok:
		return "We couldn't find that app. Its client id is unknown."
	case !slices.Contains(c.redirects, q.Get("redirect_uri")):
		return "The redirect URL in this link is not one of the app's."
	case q.Get("scope") == "":
		return "The app asks for no scopes."
	}
	for _, scope := range strings.Fields(q.Get("scope")) { // a required scope that the account lacks fails it all [doc]
		if !slices.Contains(AllScopes, scope) {
			return "This account cannot grant the scope " + scope + "."
		}
	}
	return ""
}

func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	view := struct {
		Wrong, App, Account string
		Scopes, Optional    []string
		Query               string
	}{
		Wrong: s.wrongAsk(q), App: s.clients[q.Get("client_id")].name, Account: s.world.account.UIDomain,
		Scopes: strings.Fields(q.Get("scope")), Optional: s.granted(q.Get("optional_scope")), Query: r.URL.RawQuery,
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	if view.Wrong != "" {
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = authorizeTemplate.Execute(w, view)
}

// granted keeps what the account can grant.
func (s *Server) granted(scopes string) []string {
	return slices.DeleteFunc(strings.Fields(scopes), func(scope string) bool { return !slices.Contains(AllScopes, scope) })
}

// decide is the answer to the page.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.PostFormValue("query"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.wrongAsk(q) != "" {
		page(w, http.StatusBadRequest, "This page is no longer good. Go back and begin again.")
		return
	}
	to := s.consent(q)
	if r.PostFormValue("decision") != "allow" {
		to, _ = url.Parse(q.Get("redirect_uri"))
		to.RawQuery = url.Values{"error": {"access_denied"}, "state": {q.Get("state")}}.Encode()
	}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusSeeOther)
}

// consent makes a code. The caller holds mu.
func (s *Server) consent(q url.Values) *url.URL {
	id := random(16)
	s.codes[id] = code{
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), ends: s.now().Add(codeTime),
		scopes: append(strings.Fields(q.Get("scope")), s.granted(q.Get("optional_scope"))...),
	}
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		to = &url.URL{Path: "/"}
	}
	to.RawQuery = url.Values{"code": {id}, "state": {q.Get("state")}}.Encode()
	return to
}

// oauthError is the form of RFC 6749 beside HubSpot's older one [obs].
func oauthError(w http.ResponseWriter, status int, kind, old, message string) {
	write(w, status, map[string]string{"error": kind, "error_description": message, "status": old, "message": message})
}

// formOf reads a token request: a form in the body, never in the URL [spec]; and a client that proves itself. The
// caller holds mu.
func (s *Server) formOf(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		oauthError(w, http.StatusBadRequest, "invalid_request", "BAD_REQUEST", "send a form in the body")
		return nil, false
	}
	c, ok := s.clients[r.PostForm.Get("client_id")]
	if !ok || c.secret != r.PostForm.Get("client_secret") {
		oauthError(w, http.StatusBadRequest, "invalid_client", "BAD_CLIENT_ID", "missing or invalid client id or secret")
		return nil, false
	}
	return r.PostForm, true
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form, ok := s.formOf(w, r)
	if !ok {
		return
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		c, ok := s.codes[form.Get("code")]
		delete(s.codes, form.Get("code")) // single use
		if !ok || c.client != form.Get("client_id") || c.redirect != form.Get("redirect_uri") || s.now().After(c.ends) || !proves(c.challenge, form.Get("code_verifier")) {
			oauthError(w, http.StatusBadRequest, "invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
			return
		}
		g := &grant{client: c.client, refresh: "na1-" + random(20), scopes: c.scopes, counter: &counter{}}
		s.grants[g.refresh] = g
		s.issue(w, g)
	case "refresh_token":
		g, ok := s.grants[form.Get("refresh_token")]
		if !ok || g.revoked || g.client != form.Get("client_id") {
			oauthError(w, http.StatusBadRequest, "invalid_grant", "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
			return
		}
		if s.options.Rotate {
			delete(s.grants, g.refresh)
			g.refresh = "na1-" + random(20)
			s.grants[g.refresh] = g
		}
		s.issue(w, g)
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "BAD_GRANT_TYPE", "unknown grant type")
	}
}

// proves reports whether a verifier fits the challenge of RFC 7636. Who sent no challenge needs no verifier.
func proves(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return challenge == base64.RawURLEncoding.EncodeToString(sum[:])
}

// issue gives a new access token. The refresh token is the same again unless Options say otherwise [obs].
func (s *Server) issue(w http.ResponseWriter, g *grant) {
	access := "CK" + random(60)
	s.creds[access] = &credential{scopes: g.scopes, ends: s.now().Add(accessTime), grant: g, counter: g.counter}
	s.keep()
	write(w, http.StatusOK, map[string]any{
		"token_type": "bearer", "token_use": "access_token", "access_token": access, "refresh_token": g.refresh,
		"expires_in": int(accessTime.Seconds()), "hub_id": s.world.account.PortalID, "scopes": g.scopes, "user_id": 9001,
	})
}

func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form, ok := s.formOf(w, r)
	if !ok {
		return
	}
	c := s.creds[form.Get("token")]
	g := s.grants[form.Get("token")]
	if c != nil && s.now().Before(c.ends) {
		g = c.grant
	}
	if g == nil || g.revoked {
		write(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answer := map[string]any{
		"active": true, "hub_id": s.world.account.PortalID, "hub_domain": "brightwater-bikes.example", "client_id": g.client, "scopes": g.scopes,
		"user_id": 9001, "user": "dana@brightwater-bikes.example", "token_use": "refresh_token",
	}
	if c != nil {
		answer["token_use"], answer["expires_in"] = "access_token", int(c.ends.Sub(s.now()).Seconds())
	}
	write(w, http.StatusOK, answer)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form, ok := s.formOf(w, r)
	if !ok {
		return
	}
	if g := s.grants[form.Get("token")]; g != nil {
		g.revoked = true
		for token, c := range s.creds {
			if c.grant == g {
				delete(s.creds, token)
			}
		}
		s.keep()
	}
	w.WriteHeader(http.StatusOK)
}
