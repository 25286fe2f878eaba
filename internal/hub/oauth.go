package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sidecard/connectors"
)

// tokenAnswer is what a token endpoint says, RFC 6749 sections 5.1 and 5.2. Members that vendors add are kept
// apart, to find the account's name.
type tokenAnswer struct {
	Access    string  `json:"access_token"`
	Refresh   string  `json:"refresh_token"`
	ExpiresIn float64 `json:"expires_in"` // seconds; 0 = not said
	Scope     string  `json:"scope"`      // separated by spaces
	Scopes    any     `json:"scopes"`     // a list, where vendors say so instead
	Error     string  `json:"error"`
	members   map[string]any
}

// maxTokenAnswer bounds a token endpoint's answer.
const maxTokenAnswer = 64 << 10

// tokens gives what is kept of an answer. A refresh token that is not given again stays good.
func (a tokenAnswer) tokens(now time.Time, refresh string) tokens {
	t := tokens{Access: a.Access, Refresh: a.Refresh, IssuedAt: now}
	if t.Refresh == "" {
		t.Refresh = refresh
	}
	if seconds := min(a.ExpiresIn, (365 * 24 * time.Hour).Seconds()); seconds > 0 {
		t.ExpiresAt = now.Add(time.Duration(seconds * float64(time.Second)))
	}
	return t
}

// scopes gives what was granted.
func (a tokenAnswer) scopes() []string {
	scopes := strings.Fields(a.Scope)
	if list, ok := a.Scopes.([]any); ok {
		for _, s := range list {
			if text, ok := s.(string); ok {
				scopes = append(scopes, text)
			}
		}
	}
	return scopes
}

// account gives the first member that names the account.
func (a tokenAnswer) account(names []string) string {
	for _, name := range names {
		switch v := a.members[name].(type) {
		case string:
			if v != "" {
				return truncate(printable(v), maxLabel)
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// refresh asks a vendor for a new access token.
func (h *Hub) refresh(ctx context.Context, client *http.Client, kind string, o connectors.OAuth, held tokens) (tokens, error) {
	if held.Refresh == "" {
		return tokens{}, revokedLogin(errors.New("there is no refresh token"))
	}
	began := h.Now()
	a, err := h.askForTokens(ctx, client, kind, o, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held.Refresh}})
	if err != nil {
		return tokens{}, err
	}
	return a.tokens(began, held.Refresh), nil
}

// askForTokens posts a form to the token endpoint, with the client's credentials in the body. Errors are
// *connectors.Error: AuthRevoked when the grant is no good, Transient when asking again may help.
func (h *Hub) askForTokens(ctx context.Context, client *http.Client, kind string, o connectors.OAuth, form url.Values) (tokenAnswer, error) {
	registered, ok := h.OAuth[kind]
	if !ok || client == nil {
		return tokenAnswer{}, &connectors.Error{
			Class: connectors.Misconfigured, Code: "login.no_client", Message: "This Sidecard is not registered with the vendor any more.",
			Fix: "Ask the operator to set the client id and secret again.",
		}
	}
	form.Set("client_id", registered.ID)
	form.Set("client_secret", registered.Secret)
	status, body, err := postForm(ctx, client, o.TokenURL, form)
	if err != nil {
		return tokenAnswer{}, err
	}
	a, readable := readTokens(body)
	switch {
	case status == http.StatusOK && readable && a.Access != "":
		return a, nil
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return a, busyVendor(fmt.Errorf("token endpoint answered %d", status))
	case a.Error == "invalid_grant":
		return a, revokedLogin(errors.New("invalid_grant"))
	case a.Error == "invalid_client" || a.Error == "unauthorized_client":
		return a, &connectors.Error{
			Class: connectors.Misconfigured, Code: "login.client_refused", Message: "The vendor refused Sidecard's own client id or secret.",
			Fix: "Ask the operator to check them.", Err: fmt.Errorf("token endpoint answered %d", status),
		}
	}
	return a, &connectors.Error{
		Class: connectors.Bug, Code: "login.answer", Message: "The vendor answered the login in a way Sidecard does not understand.",
		Fix: "Try again; if it stays, tell us the reference.", Err: fmt.Errorf("token endpoint answered %d", status),
	}
}

func busyVendor(err error) error {
	return &connectors.Error{
		Class: connectors.Transient, Code: "login.unavailable", Message: "The vendor's login does not answer at the moment.",
		Fix: "Try again in a minute.", Err: err,
	}
}

// postForm posts a form and reads the bounded answer. No error holds what was posted.
func postForm(ctx context.Context, client *http.Client, to string, form url.Values) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		if connectors.IsForbidden(err) {
			return 0, nil, connectors.ForbiddenError(err)
		}
		return 0, nil, busyVendor(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxTokenAnswer))
	if err != nil {
		return 0, nil, busyVendor(err)
	}
	return answer.StatusCode, body, nil
}

// readTokens reads an answer, which may be no JSON at all.
func readTokens(body []byte) (a tokenAnswer, ok bool) {
	if json.Unmarshal(body, &a) != nil {
		return tokenAnswer{}, false
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	return a, d.Decode(&a.members) == nil
}

// revoke tells the vendor that a login is not wanted any more, as well as it can.
func (h *Hub) revoke(ctx context.Context, kind string, o connectors.OAuth, held tokens) {
	registered, ok := h.OAuth[kind]
	if !ok || o.RevokeURL == "" || h.Way.HTTP == nil {
		return
	}
	form := url.Values{"client_id": {registered.ID}, "client_secret": {registered.Secret}}
	form.Set("token", held.Refresh)
	form.Set("token_type_hint", "refresh_token")
	if held.Refresh == "" {
		form.Set("token", held.Access)
		form.Set("token_type_hint", "access_token")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if status, _, err := postForm(ctx, h.Way.HTTP(maxTokenAnswer), o.RevokeURL, form); err != nil || status >= http.StatusBadRequest {
		h.Log.WarnContext(ctx, "revoke login", "kind", kind, "status", status, "err", err)
	}
}
