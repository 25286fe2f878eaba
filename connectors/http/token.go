package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"sidecard/connectors"
)

const (
	// tokenTime is what getting a token may take. It is not the lookup's own time: others wait for it, too.
	tokenTime = 10 * time.Second
	// usualLife is believed of tokens whose answer does not tell (RFC 6749, section 5.1, only recommends it).
	usualLife = 5 * time.Minute
	longLife  = 24 * time.Hour
	// maxToken is the longest token in bytes.
	maxToken = 8 << 10
)

// tokens keeps the OAuth2 token and renews it once for all who need it.
type tokens struct {
	ask  func(ctx context.Context) (token string, life time.Duration, err error)
	now  func() time.Time
	life *connectors.Life // of the source; who calls get is one of its users

	mu      sync.Mutex
	token   string
	until   time.Time
	renewal *renewal // nil = none is under way
}

// renewal is a token request; token and err are set before done is closed.
type renewal struct {
	done  chan struct{}
	token string
	err   error
}

// get gives a token that is not the refused one: the kept one while it is young, else a new one. However many
// ask, one request is under way.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	if t.token != "" && t.token != refused && t.now().Before(t.until) {
		defer t.mu.Unlock()
		return t.token, nil
	}
	if t.renewal == nil {
		r := &renewal{done: make(chan struct{})}
		t.renewal = r
		t.life.Go(func(ctx context.Context) { t.renew(ctx, r) })
	}
	r := t.renewal
	t.mu.Unlock()
	select {
	case <-r.done:
		return r.token, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (t *tokens) renew(ctx context.Context, r *renewal) {
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	token, life, err := t.ask(ctx)
	if err != nil {
		r.err = failure(ctx, err)
	}
	r.token = token
	t.mu.Lock()
	t.renewal = nil
	t.token, t.until = token, t.now().Add(life/5*4) // before it ends, so that no lookup meets its end
	t.mu.Unlock()
	close(r.done)
}

// tokenAnswer is what a token endpoint says (RFC 6749, sections 5.1 and 5.2). Some write numbers as texts.
type tokenAnswer struct {
	Token   string          `json:"access_token"`
	Type    string          `json:"token_type"`
	Expires json.RawMessage `json:"expires_in"`
	Error   string          `json:"error"`
}

// askToken gets a token by client credentials.
func (s *source) askToken(ctx context.Context) (string, time.Duration, error) {
	in := s.signIn
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, in.oauth.url, strings.NewReader(in.tokenForm().Encode()))
	if err != nil {
		return "", 0, fmt.Errorf("token request: %T", errors.Unwrap(err))
	}
	present(r)
	r.Header.Set("Content-Type", formType)
	if !in.oauth.inBody { // RFC 6749, section 2.3.1: both are form-encoded first
		r.Header.Set("Authorization", basic(url.QueryEscape(in.user), url.QueryEscape(in.secret)))
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return "", 0, atTokenURL(networkFailure(ctx, err))
	}
	defer resp.Body.Close()
	body, err := readBody(ctx, resp)
	if err != nil {
		return "", 0, atTokenURL(failure(ctx, err))
	}
	var a tokenAnswer
	decoded := json.Unmarshal(body, &a) == nil
	switch {
	case resp.StatusCode == http.StatusOK && decoded && a.Token != "":
		return a.use()
	case resp.StatusCode < 500 && decoded && a.Error != "":
		return "", 0, tokenRefusal(a.Error)
	case resp.StatusCode == http.StatusUnauthorized:
		return "", 0, tokenRefusal("invalid_client")
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return "", 0, misconfigured("http.token.answer", "oauth_url", "What answers at the token URL gives no token.", "Check the token URL with the API's documentation.")
	}
	return "", 0, atTokenURL(s.statusFailure(resp))
}

// use judges the token that was given.
func (a tokenAnswer) use() (string, time.Duration, error) {
	if a.Type != "" && !strings.EqualFold(a.Type, "bearer") {
		return "", 0, misconfigured("http.token.type", "auth", "The API gives tokens of a kind that Sidecard cannot use.", "Ask the API's owner for bearer tokens.")
	}
	if len(a.Token) > maxToken || strings.ContainsFunc(a.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", 0, misconfigured("http.token.form", "oauth_url", "What the token URL gives cannot be a token.", "Check the token URL with the API's documentation.")
	}
	life := usualLife
	seconds, err := strconv.ParseFloat(strings.Trim(string(a.Expires), `"`), 64)
	if err == nil && seconds >= 0 {
		life = time.Duration(min(seconds, longLife.Seconds()) * float64(time.Second))
	}
	return a.Token, life, nil
}

// tokenRefusals are the errors of RFC 6749, section 5.2.
var tokenRefusals = map[string]connectors.Error{
	"invalid_client":         {Class: connectors.AuthRevoked, Field: "secret", Message: "Client ID or client secret is wrong, or was revoked.", Fix: "Enter both again. If they are right, choose the other way under “How the token is asked for”."},
	"invalid_grant":          {Class: connectors.AuthRevoked, Field: "secret", Message: "The API does not accept the client ID and secret any more.", Fix: "Enter both again, or ask the API's owner for new ones."},
	"unauthorized_client":    {Class: connectors.Misconfigured, Field: "user", Message: "This client may not sign in by client credentials.", Fix: "Ask the API's owner to allow the client credentials grant for it."},
	"unsupported_grant_type": {Class: connectors.Misconfigured, Field: "oauth_url", Message: "The token URL does not offer client credentials.", Fix: "Check the token URL, and whether the API wants another sign-in."},
	"invalid_scope":          {Class: connectors.Misconfigured, Field: "scope", Message: "The API does not give out the scope.", Fix: "Check the scope letter by letter, and that the client may ask for it."},
	"invalid_request":        {Class: connectors.Misconfigured, Field: "client_auth", Message: "The token URL does not understand the request.", Fix: "Choose the other way under “How the token is asked for”, and check the scope."},
}

func tokenRefusal(name string) *connectors.Error {
	e, ok := tokenRefusals[name]
	if !ok {
		return misconfigured("http.token.refused", "oauth_url", "The token URL refuses to give a token.", "Check token URL, client ID, client secret and scope with the API's documentation.")
	}
	e.Code = "http.token." + name
	return &e
}

// atTokenURL makes an error of the way to the API one of the way to its tokens.
func atTokenURL(e *connectors.Error) *connectors.Error {
	if e.Class == connectors.Forbidden || e.Class == connectors.Canceled {
		return e
	}
	e.Code = "http.token." + strings.TrimPrefix(e.Code, "http.")
	e.Message = "Getting a token: " + e.Message
	if e.Field == "url" || e.Field == "auth" {
		e.Field = "oauth_url"
	}
	return e
}
