package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"sidecard/connectors"
	"sidecard/internal/vault"
)

// Login is a connection's OAuth login.
type Login struct {
	Connection  ID
	Tokens      []byte // sealed
	Generation  int64  // grows with each new token
	Account     string // the tenant's account at the vendor, as it calls it; may be empty
	Scopes      []string
	ConnectedAt time.Time
	RevokedAt   time.Time // when the vendor refused to renew it; zero = it did not
}

// LoginAttempt is a way to a login that somebody is on.
type LoginAttempt struct {
	Connection ID
	State      [32]byte // hash of what comes back with the browser
	User       ID
	Verifier   []byte // sealed
	Until      time.Time
}

// OAuthClient is the operator's registration at a vendor.
type OAuthClient struct {
	ID     string
	Secret string
}

// tokens are what a vendor gave.
type tokens struct {
	Access    string    `json:"access"`
	Refresh   string    `json:"refresh,omitempty"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"` // zero = never
}

// due reports whether the access token shall be renewed: after four fifths of its life.
func (t tokens) due(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && t.Refresh != "" && now.After(t.IssuedAt.Add(t.ExpiresAt.Sub(t.IssuedAt)*4/5))
}

// good reports whether the access token will be good for a call that begins now.
func (t tokens) good(now time.Time) bool {
	return t.ExpiresAt.IsZero() || now.Add(5*time.Second).Before(t.ExpiresAt)
}

func loginRef(tenant, connection ID, column string) vault.Ref {
	return vault.Ref{Tenant: tenant.String(), Table: "logins", Column: column, Row: connection.String()}
}

const (
	// renewLease is how long others leave a login to who renews it.
	renewLease = 10 * time.Second
	// renewTime is what a renewal may take; it ends before its lease.
	renewTime = 8 * time.Second
	// renewLook is how often others look whether it is done.
	renewLook = 50 * time.Millisecond
)

// login keeps one connection's access token good, in this process. Renewals are made by one process at a time.
type login struct {
	hub        *Hub
	tenant     ID
	connection ID
	oauth      connectors.OAuth
	kind       string
	http       *http.Client
	flight     singleflight.Group

	mu         sync.Mutex
	tokens     tokens
	generation int64 // of tokens; 0 = none were read yet
}

// newLogin gives the login of a connection, nil when its settings use none.
func (h *Hub) newLogin(tenant ID, c Connection, spec connectors.Spec) (*login, error) {
	uses, err := usesLogin(c, spec)
	if err != nil || !uses {
		return nil, err
	}
	l := &login{hub: h, tenant: tenant, connection: c.ID, oauth: *spec.OAuth, kind: spec.Kind}
	if h.Way.HTTP != nil {
		l.http = h.Way.HTTP(maxTokenAnswer)
	}
	return l, nil
}

// usesLogin reports whether a connection's settings choose the login.
func usesLogin(c Connection, spec connectors.Spec) (bool, error) {
	if spec.OAuth == nil {
		return false, nil
	}
	schema, err := readSchema(spec)
	if err != nil {
		return false, err
	}
	open := connectors.Settings{}
	if err := json.Unmarshal(c.Settings, &open); err != nil {
		return false, err
	}
	chosen, err := json.Marshal(spec.OAuth.Value)
	return err == nil && sameJSON(schema.value(open, spec.OAuth.Setting), chosen), err
}

// Token implements connectors.TokenFunc. A token that is due but still good is given at once and renewed
// behind the scenes, so that no visitor waits for it.
func (l *login) Token(ctx context.Context) (string, error) {
	held, generation := l.held()
	now := l.hub.Now()
	switch {
	case generation > 0 && held.good(now) && !held.due(now):
		return held.Access, nil
	case generation > 0 && held.good(now):
		l.flight.DoChan("renew", func() (any, error) { return nil, l.renew(context.WithoutCancel(ctx), generation) })
		return held.Access, nil
	}
	if err := l.Renew(ctx, generation); err != nil {
		return "", err
	}
	held, _ = l.held()
	return held.Access, nil
}

func (l *login) held() (tokens, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tokens, l.generation
}

// Generation names the token that Token gives.
func (l *login) Generation() int64 {
	_, generation := l.held()
	return generation
}

// Renew sees to it that the token is a newer one than that of the generation, which the vendor did not take any
// more. Whoever asks meanwhile gets the same new token.
func (l *login) Renew(ctx context.Context, seen int64) error {
	done := l.flight.DoChan("renew", func() (any, error) { return nil, l.renew(context.WithoutCancel(ctx), seen) })
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew takes what is stored, if it is newer than what was seen, or else renews it; or waits for who does.
func (l *login) renew(ctx context.Context, seen int64) error {
	ctx, cancel := context.WithTimeout(ctx, renewLease+renewTime)
	defer cancel()
	store := l.hub.Store.Tenant(l.tenant)
	for {
		stored, held, err := l.read(ctx)
		if err != nil {
			return err
		}
		if stored.Generation != seen && held.good(l.hub.Now()) {
			l.hold(held, stored.Generation)
			return nil
		}
		leased, err := store.LeaseLogin(ctx, l.connection, stored.Generation, renewLease)
		if err != nil {
			return err
		}
		if leased {
			return l.exchange(ctx, stored.Generation, held)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(renewLook):
		}
	}
}

// read gives the stored login and its tokens; *connectors.Error when there is none to use.
func (l *login) read(ctx context.Context) (Login, tokens, error) {
	stored, err := l.hub.Store.Tenant(l.tenant).Login(ctx, l.connection)
	switch {
	case errors.Is(err, ErrNotFound):
		return Login{}, tokens{}, &connectors.Error{
			Class: connectors.AuthRevoked, Code: "login.none", Message: "The source is not connected yet.",
			Fix: "Open the connection and press Connect.",
		}
	case err != nil:
		return Login{}, tokens{}, err
	case !stored.RevokedAt.IsZero():
		return Login{}, tokens{}, revokedLogin(nil)
	}
	held, err := l.hub.openTokens(ctx, l.tenant, stored)
	return stored, held, err
}

func revokedLogin(err error) error {
	return &connectors.Error{
		Class: connectors.AuthRevoked, Code: "login.revoked", Message: "The source does not accept the login any more.",
		Fix: "Open the connection and connect again. Its settings and the card stay as they are.", Err: err,
	}
}

func (l *login) hold(t tokens, generation int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens, l.generation = t, generation
}

// exchange renews the tokens under the lease.
func (l *login) exchange(ctx context.Context, generation int64, held tokens) error {
	asked, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	store := l.hub.Store.Tenant(l.tenant)
	answer, err := l.hub.refresh(asked, l.http, l.kind, l.oauth, held)
	if class := connectors.AsError(err); class != nil && class.Class == connectors.AuthRevoked {
		return errors.Join(err, store.RevokeLogin(ctx, l.connection, generation, l.hub.Now()))
	}
	if err != nil {
		return errors.Join(err, store.RenewLogin(ctx, l.connection, generation, nil))
	}
	sealed, err := l.hub.sealTokens(ctx, l.tenant, l.connection, answer)
	if err != nil {
		return err
	}
	if err := store.RenewLogin(ctx, l.connection, generation, sealed); err != nil {
		return err
	}
	l.hold(answer, generation+1)
	return nil
}

func (h *Hub) sealTokens(ctx context.Context, tenant, connection ID, t tokens) ([]byte, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return h.seal(ctx, loginRef(tenant, connection, "tokens"), plain)
}

func (h *Hub) openTokens(ctx context.Context, tenant ID, l Login) (t tokens, err error) {
	plain, err := h.open(ctx, loginRef(tenant, l.Connection, "tokens"), l.Tokens)
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(plain, &t)
}
