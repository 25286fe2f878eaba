package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"sidecard/internal/auth"
)

// Standings says where whoever asks stands now, in one tenant.
type Standings interface {
	// SessionStanding gives the member of a session that has not ended; ErrNotFound when it has, or the user is no
	// member any more.
	SessionStanding(ctx context.Context, session ID, now time.Time) (Standing, error)
	// TokenStanding gives a token that is neither revoked nor over, and notes its use, about once a minute.
	TokenStanding(ctx context.Context, token ID, now time.Time) (Standing, error)
}

// Standing is what a session or an API token may do now, whatever its JWT says.
type Standing struct {
	UserID        ID // the zero ID for a token
	Name          string
	Role          Role
	Scopes        []Scope
	FactorMissing bool
}

// standingFor is how long a standing is believed: what was revoked stops everywhere within it.
const standingFor = 3 * time.Second

// standings remembers, for some seconds, how sessions and tokens stand.
type standings struct {
	entries *lru.Cache[standingKey, knownStanding]
	loading singleflight.Group
}

// standingKey is a session or a token of a tenant: what a JWT says of its tenant counts as little as the rest of it.
type standingKey struct {
	tenant, id ID
	token      bool
}

type knownStanding struct {
	Standing
	at time.Time
}

func newStandings() *standings {
	entries, _ := lru.New[standingKey, knownStanding](16384) // fails only for a size below one
	return &standings{entries: entries}
}

// of gives a standing, loading it at most once at a time.
func (s *standings) of(k standingKey, now time.Time, load func() (Standing, error)) (Standing, error) {
	if known, ok := s.entries.Get(k); ok && now.Sub(known.at) < standingFor && !now.Before(known.at) {
		return known.Standing, nil
	}
	got, err, _ := s.loading.Do(fmt.Sprint(k), func() (any, error) {
		standing, err := load()
		if err != nil {
			s.entries.Remove(k)
			return Standing{}, err
		}
		s.entries.Add(k, knownStanding{standing, now})
		return standing, nil
	})
	return got.(Standing), err
}

// forget makes this process ask anew: somebody's standing has just changed here.
func (s *standings) forget() { s.entries.Purge() }

var errBadToken = fail(CodeUnauthenticated, "The access token is not valid. Please sign in.")

// Authenticate turns an access token or an API token into the actor it was issued to, as it stands now.
func (h *Hub) Authenticate(ctx context.Context, token string) (Actor, error) {
	if auth.IsAPIToken(token) {
		return h.authenticateToken(ctx, token)
	}
	c, err := h.Tokens.VerifyAccess(token)
	if errors.Is(err, auth.ErrTokenExpired) {
		return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The access token has ended. Exchange the refresh token for a new one.", Err: err}
	}
	if err != nil {
		return Actor{}, &Error{Code: errBadToken.Code, Message: errBadToken.Message, Err: err}
	}
	var a Actor
	if !read(&a.UserID, c.Subject) || !read(&a.TenantID, c.Tenant) || !read(&a.SessionID, c.Session) {
		return Actor{}, errBadToken
	}
	standing, err := h.standings.of(standingKey{tenant: a.TenantID, id: a.SessionID}, h.Now(), func() (Standing, error) {
		return h.Store.Tenant(a.TenantID).SessionStanding(context.WithoutCancel(ctx), a.SessionID, h.Now())
	})
	if errors.Is(err, ErrNotFound) || err == nil && standing.UserID != a.UserID {
		return Actor{}, errSignedOut
	}
	if err != nil {
		return Actor{}, err
	}
	a.Name, a.Role, a.FactorMissing = standing.Name, standing.Role, standing.FactorMissing
	return a, nil
}

func (h *Hub) authenticateToken(ctx context.Context, token string) (Actor, error) {
	c, err := h.Tokens.VerifyAPI(token)
	if errors.Is(err, auth.ErrTokenExpired) {
		return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The API token has ended. Make a new one.", Err: err}
	}
	var a Actor
	if err != nil || !read(&a.TokenID, c.ID) || !read(&a.TenantID, c.Tenant) {
		return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The API token is not valid.", Err: err}
	}
	standing, err := h.standings.of(standingKey{tenant: a.TenantID, id: a.TokenID, token: true}, h.Now(), func() (Standing, error) {
		return h.Store.Tenant(a.TenantID).TokenStanding(context.WithoutCancel(ctx), a.TokenID, h.Now())
	})
	if errors.Is(err, ErrNotFound) {
		return Actor{}, fail(CodeUnauthenticated, "The API token was revoked, or has ended. Make a new one.")
	}
	if err != nil {
		return Actor{}, err
	}
	a.Name, a.Role, a.Scopes = standing.Name, standing.Role, standing.Scopes
	return a, nil
}

func read(to *ID, text string) bool { return to.UnmarshalText([]byte(text)) == nil }
