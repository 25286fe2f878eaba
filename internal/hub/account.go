package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"sidecard/internal/auth"
)

// SignUp is what somebody gives to become a tenant's owner.
type SignUp struct {
	Company, Name, Email, Password string
}

// Actor is who asks: a member, in one tenant, by one session.
type Actor struct {
	UserID    ID
	TenantID  ID
	SessionID ID
	Role      Role
}

// Me is an actor in words.
type Me struct {
	User   User
	Tenant Tenant
	Role   Role
}

// SignedIn is the answer to signing up, signing in and refreshing.
type SignedIn struct {
	AccessToken  string
	ExpiresIn    time.Duration
	RefreshToken string
	Me           Me
}

// ErrReused is returned by a store when a refresh token comes a second time.
var ErrReused = errors.New("refresh token was used before")

var (
	errWrongLogin = fail(CodeWrongLogin, "The e-mail address or the password is not right.")
	errSignedOut  = fail(CodeUnauthenticated, "You are signed out. Please sign in again.")
)

// FoldEmail gives the form in which addresses are compared: trimmed and lower case.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// SignUp creates a tenant with its owner and desk, and signs the owner in.
func (h *Hub) SignUp(ctx context.Context, in SignUp) (SignedIn, error) {
	in.Company, in.Name, in.Email = strings.TrimSpace(in.Company), strings.TrimSpace(in.Name), FoldEmail(in.Email)
	if in.Company == "" {
		return SignedIn{}, invalid("/company", "Give your company's name.")
	}
	local, domain, ok := strings.Cut(in.Email, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(domain, "@ ") {
		return SignedIn{}, invalid("/email", "Give a full e-mail address, such as dana@example.com.")
	}
	if err := auth.CheckPassword(in.Password, in.Company, local, domain); err != nil {
		return SignedIn{}, invalid("/password", err.Error())
	}
	hash, err := h.Passwords.Hash(ctx, in.Password)
	if err != nil {
		return SignedIn{}, busy(err)
	}
	tenant := Tenant{ID: NewID(), Name: in.Company, CreatedAt: h.Now()}
	user := User{ID: NewID(), Email: in.Email, Name: in.Name, PasswordHash: hash, CreatedAt: h.Now()}
	if tenant.IndexKey, err = h.newIndexKey(tenant.ID); err != nil {
		return SignedIn{}, err
	}
	desk, err := h.newDesk(tenant.ID)
	if err != nil {
		return SignedIn{}, err
	}
	if err := h.Store.SignUp(ctx, tenant, user, desk); err != nil {
		return SignedIn{}, err
	}
	return h.signIn(ctx, user, tenant.ID)
}

// SignIn opens a session. An unknown address costs as much time as a wrong password.
func (h *Hub) SignIn(ctx context.Context, email, password string) (SignedIn, error) {
	user, err := h.Store.UserByEmail(ctx, FoldEmail(email))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return SignedIn{}, err
	}
	ok, err := h.Passwords.Verify(ctx, user.PasswordHash, password)
	if err != nil {
		return SignedIn{}, busy(err)
	}
	if !ok {
		return SignedIn{}, errWrongLogin
	}
	memberships, err := h.Store.Memberships(ctx, user.ID)
	if err != nil {
		return SignedIn{}, err
	}
	if len(memberships) == 0 {
		return SignedIn{}, errWrongLogin
	}
	return h.signIn(ctx, user, memberships[0].TenantID)
}

func (h *Hub) signIn(ctx context.Context, user User, tenant ID) (SignedIn, error) {
	refresh, hash, err := auth.NewRefreshToken()
	if err != nil {
		return SignedIn{}, err
	}
	now := h.Now()
	s := Session{ID: NewID(), UserID: user.ID, TenantID: tenant, CreatedAt: now, ExpiresAt: now.Add(h.Limits.RefreshTTL)}
	if err := h.Store.CreateSession(ctx, s, hash); err != nil {
		return SignedIn{}, err
	}
	return h.issue(ctx, s, refresh)
}

// RefreshSession exchanges a refresh token for a new pair.
func (h *Hub) RefreshSession(ctx context.Context, token string) (SignedIn, error) {
	next, hash, err := auth.NewRefreshToken()
	if err != nil {
		return SignedIn{}, err
	}
	now := h.Now()
	s, err := h.Store.RotateSession(ctx, auth.HashToken(token), hash, now, now.Add(h.Limits.RefreshTTL))
	switch {
	case errors.Is(err, ErrReused):
		h.Log.WarnContext(ctx, "refresh token used twice, session ended")
		return SignedIn{}, errSignedOut
	case errors.Is(err, ErrNotFound):
		return SignedIn{}, errSignedOut
	case err != nil:
		return SignedIn{}, err
	}
	return h.issue(ctx, s, next)
}

// SignOut ends the session of a refresh token.
func (h *Hub) SignOut(ctx context.Context, token string) error {
	return h.Store.EndSession(ctx, auth.HashToken(token), h.Now())
}

func (h *Hub) issue(ctx context.Context, s Session, refresh string) (SignedIn, error) {
	a := Actor{UserID: s.UserID, TenantID: s.TenantID, SessionID: s.ID, Role: RoleOwner}
	me, err := h.Me(ctx, a)
	if err != nil {
		return SignedIn{}, err
	}
	access, err := h.Tokens.IssueAccess(auth.Claims{
		Subject: s.UserID.String(), Tenant: s.TenantID.String(), Role: string(me.Role), Session: s.ID.String(),
	}, h.Limits.AccessTTL)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{AccessToken: access, ExpiresIn: h.Limits.AccessTTL, RefreshToken: refresh, Me: me}, nil
}

// Authenticate turns an access token into the actor it was issued to.
func (h *Hub) Authenticate(token string) (Actor, error) {
	c, err := h.Tokens.VerifyAccess(token)
	if errors.Is(err, auth.ErrTokenExpired) {
		return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The access token has ended. Exchange the refresh token for a new one.", Err: err}
	}
	if err != nil {
		return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The access token is not valid. Please sign in.", Err: err}
	}
	var a Actor
	for _, part := range []struct {
		to   *ID
		from string
	}{{&a.UserID, c.Subject}, {&a.TenantID, c.Tenant}, {&a.SessionID, c.Session}} {
		if err := part.to.UnmarshalText([]byte(part.from)); err != nil {
			return Actor{}, &Error{Code: CodeUnauthenticated, Message: "The access token is not valid. Please sign in.", Err: err}
		}
	}
	a.Role = Role(c.Role)
	return a, nil
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
	memberships, err := h.Store.Memberships(ctx, a.UserID)
	if err != nil {
		return Me{}, err
	}
	for _, m := range memberships {
		if m.TenantID != a.TenantID {
			continue
		}
		tenant, err := h.Store.Tenant(a.TenantID).Tenant(ctx)
		return Me{User: user, Tenant: tenant, Role: m.Role}, err
	}
	return Me{}, errSignedOut
}

func (h *Hub) newIndexKey(tenant ID) ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return h.seal(tenantRef(tenant, "index_key"), key)
}

func busy(err error) error {
	if errors.Is(err, auth.ErrBusy) {
		return &Error{Code: CodeBusy, Message: "Many people are signing in right now. Please try again in a moment.", Err: err}
	}
	return err
}
