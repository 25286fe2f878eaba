package hub

import (
	"context"
	"slices"
	"strings"
	"time"

	"sidecard/internal/auth"
)

// APITokens keeps a tenant's API tokens; the tokens themselves are nowhere.
type APITokens interface {
	APITokens(ctx context.Context, now time.Time) ([]APIToken, error) // newest first, without those that were revoked, or ended a month before now
	AddAPIToken(ctx context.Context, t APIToken) error
	// RevokeAPIToken fails with ErrNotFound when there is none to revoke.
	RevokeAPIToken(ctx context.Context, id ID, now time.Time) error
}

// APIToken is what is known about an API token.
type APIToken struct {
	ID         ID // its jti
	Name       string
	Scopes     []Scope
	Role       Role   // the most that it may do: the role of who made it
	CreatedBy  string // name or address
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time // up to a minute late; zero = never
}

// NewAPIToken asks for one.
type NewAPIToken struct {
	Name   string
	Scopes []Scope
	TTL    time.Duration
}

// maxAPITokens is how many a tenant may have at a time.
const maxAPITokens = 50

// APITokens lists the tenant's tokens.
func (h *Hub) APITokens(ctx context.Context, a Actor) ([]APIToken, error) {
	return h.Store.Tenant(a.TenantID).APITokens(ctx, h.Now())
}

// CreateAPIToken makes a token and gives its text, which is nowhere else.
func (h *Hub) CreateAPIToken(ctx context.Context, a Actor, in NewAPIToken) (string, APIToken, error) {
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" {
		return "", APIToken{}, invalid("/name", "Give the token a name, such as what will use it.")
	}
	tenant := h.Store.Tenant(a.TenantID)
	have, err := tenant.APITokens(ctx, h.Now())
	if err != nil {
		return "", APIToken{}, err
	}
	if len(have) >= maxAPITokens {
		return "", APIToken{}, fail(CodeQuota, "There are 50 API tokens, which is the most. Revoke one that nobody uses.")
	}
	now := h.Now()
	t := APIToken{
		ID: NewID(), Name: in.Name, Scopes: in.Scopes, Role: a.Role,
		CreatedBy: a.Name, CreatedAt: now, ExpiresAt: now.Add(in.TTL),
	}
	scopes := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	text, err := h.Tokens.IssueAPI(auth.APIClaims{ID: t.ID.String(), Tenant: a.TenantID.String(), Scopes: scopes, ExpiresAt: t.ExpiresAt})
	if err != nil {
		return "", APIToken{}, err
	}
	ctx, entry := h.auditing(ctx, a, "token.created")
	entry.SubjectID, entry.Subject = t.ID.String(), t.Name
	entry.After = map[string]any{"scopes": scopes, "role": string(t.Role), "expires_at": t.ExpiresAt}
	return text, t, tenant.AddAPIToken(ctx, t)
}

// RevokeAPIToken stops a token: here at once, everywhere within five seconds.
func (h *Hub) RevokeAPIToken(ctx context.Context, a Actor, id ID) error {
	list, err := h.APITokens(ctx, a)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t APIToken) bool { return t.ID == id })
	if i < 0 {
		return ErrNotFound
	}
	ctx, entry := h.auditing(ctx, a, "token.revoked")
	entry.about(id, list[i].Name)
	defer h.standings.forget()
	return h.Store.Tenant(a.TenantID).RevokeAPIToken(ctx, id, h.Now())
}
