package hub

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/vault"
)

// Sessions keeps sign-ins, which belong to a user and work in one tenant.
type Sessions interface {
	// CreateSession stores a session with its first refresh token, and removes those of the user that are over.
	CreateSession(ctx context.Context, s Session, refresh [32]byte) error
	// RotateSession marks the old refresh token as used, adds the next one and gives the session with its new end.
	// When the old one was used a moment ago, not longer than r.Grace, nothing changes and the successor that was
	// sealed then is given. ErrNotFound: unknown, ended or past its end. ErrReused, with the session: it was used
	// before that; the session has been ended by this call.
	RotateSession(ctx context.Context, r Exchange) (s Session, successor []byte, err error)
	// EndSession ends the session of a refresh token. Not finding one is no error.
	EndSession(ctx context.Context, refresh [32]byte, now time.Time) error
	// Sessions lists a user's sessions that are not over, the latest used first.
	Sessions(ctx context.Context, userID ID, now time.Time) ([]Session, error)
	// EndSessionOf ends one session of a user; ErrNotFound when there is none to end.
	EndSessionOf(ctx context.Context, userID, session ID, now time.Time) error
	// EndSessionsOf ends all of a user's sessions but one; the zero ID spares none.
	EndSessionsOf(ctx context.Context, userID, but ID, now time.Time) error
}

// Session is one sign-in: a family of refresh tokens of which the newest is good.
type Session struct {
	ID        ID
	UserID    ID
	TenantID  ID // the tenant it works in
	Origin    Origin
	CreatedAt time.Time
	UsedAt    time.Time // when tokens were last renewed
	ExpiresAt time.Time
}

// Exchange is one of a refresh token for the next.
type Exchange struct {
	Old, Next [32]byte // hashes
	Successor []byte   // the next token, sealed for the old one's row
	Now       time.Time
	TTL       time.Duration // until the end from its last use
	Longest   time.Duration // until the end from its beginning
	Grace     time.Duration
}

// ErrReused is returned by a store when a refresh token comes again after its grace.
var ErrReused = errors.New("refresh token was used before")

var errSignedOut = fail(CodeUnauthenticated, "You are signed out. Please sign in again.")

const (
	refreshGrace   = 10 * time.Second // two tabs, or an answer that was lost
	longestSession = 90 * 24 * time.Hour
)

// SignedIn is the answer to whatever begins or renews a session.
type SignedIn struct {
	AccessToken  string
	ExpiresIn    time.Duration
	RefreshToken string
	RefreshEnds  time.Time
	Me           Me
}

// Me is an actor in words.
type Me struct {
	User          User
	Tenant        Tenant
	Role          Role
	Places        []Place // all tenants of the user, oldest membership first
	HasFactor     bool
	FactorMissing bool // the tenant requires a second factor; nothing else works until there is one
}

// Place is a tenant that a user belongs to.
type Place struct {
	Tenant Tenant
	Role   Role
}

// signIn begins a session of a user in a tenant.
func (h *Hub) signIn(ctx context.Context, user User, tenant ID) (SignedIn, error) {
	refresh, hash, err := auth.NewRefreshToken()
	if err != nil {
		return SignedIn{}, err
	}
	now := h.Now()
	s := Session{
		ID: NewID(), UserID: user.ID, TenantID: tenant, Origin: OriginOf(ctx),
		CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(h.Limits.RefreshTTL),
	}
	if err := h.Store.CreateSession(ctx, s, hash); err != nil {
		return SignedIn{}, err
	}
	return h.issue(ctx, s, refresh)
}

// RefreshSession exchanges a refresh token for a new pair. Whoever asks twice within some seconds, as two tabs do,
// gets the same successor; later than that it was stolen, by whoever came first or second, and the session ends.
func (h *Hub) RefreshSession(ctx context.Context, token string) (SignedIn, error) {
	next, hash, err := auth.NewRefreshToken()
	if err != nil {
		return SignedIn{}, err
	}
	old := auth.HashToken(token)
	sealed, err := h.seal(ctx, successorRef(old), []byte(next))
	if err != nil {
		return SignedIn{}, err
	}
	s, successor, err := h.Store.RotateSession(ctx, Exchange{
		Old: old, Next: hash, Successor: sealed,
		Now: h.Now(), TTL: h.Limits.RefreshTTL, Longest: longestSession, Grace: refreshGrace,
	})
	switch {
	case errors.Is(err, ErrReused):
		h.standings.forget()
		return SignedIn{}, h.tellOfTheft(ctx, s)
	case errors.Is(err, ErrNotFound):
		return SignedIn{}, errSignedOut
	case err != nil:
		return SignedIn{}, err
	}
	if successor != nil {
		plain, err := h.open(ctx, successorRef(old), successor)
		if err != nil {
			return SignedIn{}, err
		}
		next = string(plain)
	}
	return h.issue(ctx, s, next)
}

// tellOfTheft lets the user and the log know why a session ended.
func (h *Hub) tellOfTheft(ctx context.Context, s Session) error {
	h.Log.WarnContext(ctx, "refresh token used twice, session ended", "tenant", s.TenantID, "user", s.UserID)
	user, err := h.Store.User(ctx, s.UserID)
	if err != nil {
		return err
	}
	ctx, _ = h.auditing(ctx, Actor{UserID: user.ID, TenantID: s.TenantID, Name: user.called()}, "session.ended_as_stolen")
	if err := h.Store.Tenant(s.TenantID).AddAudit(ctx, AuditIn(ctx)); err != nil {
		return err
	}
	if err := h.Post(ctx, sessionStolen(user.Email)); err != nil {
		return err
	}
	return errSignedOut
}

// successorRef is the place of a refresh token's successor.
func successorRef(old [32]byte) vault.Ref {
	return vault.Ref{Table: "refresh_tokens", Column: "successor", Row: hex.EncodeToString(old[:])}
}

// SignOut ends the session of a refresh token.
func (h *Hub) SignOut(ctx context.Context, token string) error {
	return h.Store.EndSession(ctx, auth.HashToken(token), h.Now())
}

// Sessions lists where the actor is signed in.
func (h *Hub) Sessions(ctx context.Context, a Actor) ([]Session, error) {
	return h.Store.Sessions(ctx, a.UserID, h.Now())
}

// EndSession ends one of the actor's sessions.
func (h *Hub) EndSession(ctx context.Context, a Actor, session ID) error {
	defer h.standings.forget()
	return h.Store.EndSessionOf(ctx, a.UserID, session, h.Now())
}

// EndOtherSessions ends the actor's sessions but the one that asks.
func (h *Hub) EndOtherSessions(ctx context.Context, a Actor) error {
	return h.endSessions(ctx, a.UserID, a.SessionID)
}

// endSessions ends a user's sessions but one; the zero ID spares none. This process knows at once, others within
// standingFor.
func (h *Hub) endSessions(ctx context.Context, user, but ID) error {
	defer h.standings.forget()
	return h.Store.EndSessionsOf(ctx, user, but, h.Now())
}

// SwitchTenant begins a session in another of the actor's tenants and ends this one.
func (h *Hub) SwitchTenant(ctx context.Context, a Actor, tenant ID) (SignedIn, error) {
	memberships, err := h.Store.Memberships(ctx, a.UserID)
	if err != nil {
		return SignedIn{}, err
	}
	for _, m := range memberships {
		if m.TenantID != tenant {
			continue
		}
		in, err := h.signIn(ctx, User{ID: a.UserID}, tenant)
		if err != nil {
			return SignedIn{}, err
		}
		if err := h.EndSession(ctx, a, a.SessionID); err != nil && !errors.Is(err, ErrNotFound) {
			return SignedIn{}, err
		}
		return in, nil
	}
	return SignedIn{}, ErrNotFound
}

func (h *Hub) issue(ctx context.Context, s Session, refresh string) (SignedIn, error) {
	me, err := h.Me(ctx, Actor{UserID: s.UserID, TenantID: s.TenantID, SessionID: s.ID})
	if err != nil {
		return SignedIn{}, err
	}
	access, err := h.Tokens.IssueAccess(auth.Claims{
		Subject: s.UserID.String(), Tenant: s.TenantID.String(), Role: string(me.Role), Session: s.ID.String(),
	}, h.Limits.AccessTTL)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{AccessToken: access, ExpiresIn: h.Limits.AccessTTL, RefreshToken: refresh, RefreshEnds: s.ExpiresAt, Me: me}, nil
}

// Me tells an actor who it is.
func (h *Hub) Me(ctx context.Context, a Actor) (Me, error) {
	user, err := h.Store.User(ctx, a.UserID)
	if errors.Is(err, ErrNotFound) {
		return Me{}, errSignedOut
	}
	if err != nil {
		return Me{}, err
	}
	me := Me{User: user}
	if me.HasFactor, err = h.hasFactor(ctx, user.ID); err != nil {
		return Me{}, err
	}
	memberships, err := h.Store.Memberships(ctx, a.UserID)
	if err != nil {
		return Me{}, err
	}
	for _, m := range memberships {
		tenant, err := h.Store.Tenant(m.TenantID).Tenant(ctx)
		if err != nil {
			return Me{}, fmt.Errorf("tenant of %s: %w", user.ID, err)
		}
		me.Places = append(me.Places, Place{Tenant: tenant, Role: m.Role})
		if m.TenantID == a.TenantID {
			me.Tenant, me.Role = tenant, m.Role
			me.FactorMissing = tenant.FactorRequired && !me.HasFactor
		}
	}
	if me.Role == "" {
		return Me{}, errSignedOut
	}
	return me, nil
}
