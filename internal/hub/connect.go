package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sidecard/connectors"
)

// LoginView is a connection's login for people.
type LoginView struct {
	State       string // none, connected, needs_reconnect
	Account     string
	Scopes      []string
	ConnectedAt time.Time // zero when there is none
}

// LoginReturn is what a vendor sent back with the browser.
type LoginReturn struct {
	State, Code, Error string
}

// attemptTime is how long somebody may take at the vendor's.
const attemptTime = 10 * time.Minute

var errAttempt = fail(CodeConflict, "This way to connect has ended, or somebody else began it. Press Connect again.")

// CanConnect reports whether the operator registered Sidecard with the vendor of a kind.
func (h *Hub) CanConnect(kind string) bool {
	_, ok := h.OAuth[kind]
	return ok
}

// BeginLogin gives the address at the vendor where the user consents. A login that is there stays until the
// new one replaces it.
func (h *Hub) BeginLogin(ctx context.Context, a Actor, id ID) (string, error) {
	c, spec, err := h.loginConnection(ctx, a, id)
	if err != nil {
		return "", err
	}
	state, verifier := secretText(), secretText()
	sealed, err := h.seal(ctx, loginRef(a.TenantID, c.ID, "verifier"), []byte(verifier))
	if err != nil {
		return "", err
	}
	attempt := LoginAttempt{Connection: c.ID, State: sha256.Sum256([]byte(state)), User: a.UserID, Verifier: sealed, Until: h.Now().Add(attemptTime)}
	audited, entry := h.auditing(ctx, a, "connection.login_begun")
	entry.about(c.ID, c.Name)
	if err := h.Store.Tenant(a.TenantID).BeginLogin(audited, attempt); err != nil {
		return "", err
	}
	return h.authorizeURL(spec, state, verifier)
}

// loginConnection gives a connection that can be connected by OAuth.
func (h *Hub) loginConnection(ctx context.Context, a Actor, id ID) (Connection, connectors.Spec, error) {
	c, err := h.Store.Tenant(a.TenantID).Connection(ctx, id)
	if err != nil {
		return c, connectors.Spec{}, err
	}
	connector, ok := h.Connectors.Find(c.Kind)
	if !ok {
		return c, connectors.Spec{}, fmt.Errorf("connection %s has unknown kind %q", c.ID, c.Kind)
	}
	spec := connector.Spec()
	uses, err := usesLogin(c, spec)
	switch {
	case err != nil:
		return c, spec, err
	case !uses:
		return c, spec, fail(CodeNotReady, "The settings of this connection use no login. Change how it signs in first.")
	case !h.CanConnect(c.Kind):
		return c, spec, fail(CodeNotReady, "The operator of this Sidecard has not set up the login with "+spec.Name+". Use another way to sign in.")
	}
	return c, spec, nil
}

// secretText is 256 random bits.
func secretText() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (h *Hub) authorizeURL(spec connectors.Spec, state, verifier string) (string, error) {
	u, err := url.Parse(spec.OAuth.AuthorizeURL)
	if err != nil {
		return "", fmt.Errorf("authorize URL of %s: %w", spec.Kind, err)
	}
	q := u.Query()
	q.Set("response_type", "code")
	q.Set("client_id", h.OAuth[spec.Kind].ID)
	q.Set("redirect_uri", h.redirectURI())
	q.Set("scope", strings.Join(spec.OAuth.Scopes, " "))
	if len(spec.OAuth.Optional) > 0 {
		q.Set("optional_scope", strings.Join(spec.OAuth.Optional, " "))
	}
	q.Set("state", state)
	if spec.OAuth.PKCE {
		challenge := sha256.Sum256([]byte(verifier))
		q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
		q.Set("code_challenge_method", "S256")
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // some vendors take a plus for itself
	return u.String(), nil
}

// redirectURI is the portal's page to which vendors send the browser back.
func (h *Hub) redirectURI() string { return h.PublicURL + "/connect/callback" }

// FinishLogin makes a login of what the vendor sent back. Only the user who began can finish, once. Connecting
// again keeps the connection, and so the card.
func (h *Hub) FinishLogin(ctx context.Context, a Actor, r LoginReturn) (ConnectionView, error) {
	t := h.Store.Tenant(a.TenantID)
	attempt, err := t.TakeLoginAttempt(ctx, sha256.Sum256([]byte(r.State)), a.UserID, h.Now())
	if errors.Is(err, ErrNotFound) {
		return ConnectionView{}, errAttempt
	}
	if err != nil {
		return ConnectionView{}, err
	}
	switch {
	case r.Error == "access_denied":
		return ConnectionView{}, fail(CodeNotReady, "The login was not allowed at the vendor's. Press Connect again if that was a mistake.")
	case r.Error != "" || r.Code == "":
		return ConnectionView{}, fail(CodeNotReady, "The vendor broke off the login. Press Connect again; if it stays so, ask the operator.")
	}
	c, spec, err := h.loginConnection(ctx, a, attempt.Connection)
	if err != nil {
		return ConnectionView{}, err
	}
	verifier, err := h.open(ctx, loginRef(a.TenantID, c.ID, "verifier"), attempt.Verifier)
	if err != nil {
		return ConnectionView{}, err
	}
	if err := h.takeCode(ctx, a, c, spec, r.Code, string(verifier)); err != nil {
		return ConnectionView{}, err
	}
	return h.GetConnection(ctx, a, c.ID)
}

// takeCode exchanges a code for tokens and stores them.
func (h *Hub) takeCode(ctx context.Context, a Actor, c Connection, spec connectors.Spec, code, verifier string) error {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {h.redirectURI()}}
	if spec.OAuth.PKCE {
		form.Set("code_verifier", verifier)
	}
	ctx, cancel := context.WithTimeout(ctx, h.Limits.CheckTimeout)
	defer cancel()
	now := h.Now()
	answer, err := h.askForTokens(ctx, h.Way.HTTP(maxTokenAnswer), c.Kind, *spec.OAuth, form)
	if e := connectors.AsError(err); e != nil {
		if e.Class == connectors.AuthRevoked { // invalid_grant: here it is the code that is no good
			return &Error{Code: CodeNotReady, Message: "The vendor did not take the login any more. Press Connect again.", Err: err}
		}
		return sourceRefusal(err)
	}
	sealed, err := h.sealTokens(ctx, a.TenantID, c.ID, answer.tokens(now, ""))
	if err != nil {
		return err
	}
	l := Login{
		Connection: c.ID, Tokens: sealed, Account: answer.account(spec.OAuth.Account),
		Scopes: append([]string{}, answer.scopes()...), ConnectedAt: now,
	}
	audited, entry := h.auditing(ctx, a, "connection.login_finished")
	entry.about(c.ID, c.Name)
	entry.After = map[string]any{"account": l.Account, "scopes": l.Scopes}
	return h.Store.Tenant(a.TenantID).ReplaceLogin(audited, l)
}

// EndLogin forgets a login and has the vendor revoke it. Settings and card stay.
func (h *Hub) EndLogin(ctx context.Context, a Actor, id ID) (ConnectionView, error) {
	t := h.Store.Tenant(a.TenantID)
	c, err := t.Connection(ctx, id)
	if err != nil {
		return ConnectionView{}, err
	}
	stored, err := t.Login(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return h.GetConnection(ctx, a, id)
	}
	if err != nil {
		return ConnectionView{}, err
	}
	audited, entry := h.auditing(ctx, a, "connection.login_ended")
	entry.about(c.ID, c.Name)
	entry.Before = map[string]any{"account": stored.Account, "scopes": stored.Scopes}
	if err := t.DeleteLogin(audited, id); err != nil {
		return ConnectionView{}, err
	}
	h.revokeLogin(ctx, a.TenantID, c, stored)
	return h.GetConnection(ctx, a, id)
}

// revokeLogin has the vendor revoke a login that is forgotten already.
func (h *Hub) revokeLogin(ctx context.Context, tenant ID, c Connection, stored Login) {
	connector, ok := h.Connectors.Find(c.Kind)
	if !ok || connector.Spec().OAuth == nil {
		return
	}
	held, err := h.openTokens(ctx, tenant, stored)
	if err != nil {
		h.Log.ErrorContext(ctx, "revoke login", "connection", c.ID, "err", err)
		return
	}
	h.revoke(ctx, c.Kind, *connector.Spec().OAuth, held)
}

// viewLogin shows the login of a connection that uses one; nil for others.
func (h *Hub) viewLogin(c Connection, logins []Login) *LoginView {
	connector, ok := h.Connectors.Find(c.Kind)
	if !ok {
		return nil
	}
	if uses, err := usesLogin(c, connector.Spec()); err != nil || !uses {
		return nil
	}
	for _, l := range logins {
		if l.Connection != c.ID {
			continue
		}
		v := &LoginView{State: "connected", Account: l.Account, Scopes: l.Scopes, ConnectedAt: l.ConnectedAt}
		if !l.RevokedAt.IsZero() {
			v.State = "needs_reconnect"
		}
		return v
	}
	return &LoginView{State: "none"}
}
