package hub

import (
	"context"
	"slices"
)

// Actor is who asks, in one tenant: a member by a session, or an API token.
type Actor struct {
	TenantID  ID
	UserID    ID     // the zero ID for a token
	SessionID ID     // the zero ID for a token
	TokenID   ID     // the zero ID for a person
	Name      string // of the person or the token; the address of a person without a name
	Role      Role
	Scopes    []Scope // of a token; a person has none and needs none
	// FactorMissing says that the tenant requires a second factor and the person has none yet.
	FactorMissing bool
}

// IsToken reports whether a program asks.
func (a Actor) IsToken() bool { return a.TokenID != (ID{}) }

// May reports whether the actor may do what needs a role and, of a token, a scope. An empty scope is for
// people only.
func (a Actor) May(role Role, scope Scope) bool {
	if !a.Role.AtLeast(role) {
		return false
	}
	return !a.IsToken() || scope != "" && slices.Contains(a.Scopes, scope)
}

// Origin is where a request came from, as far as it can be known.
type Origin struct {
	Address string // IP address; empty for none
	Client  string // the User-Agent, cut to 200 bytes of printable text
}

type originKey struct{}

// WithOrigin notes where a request came from.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf gives what WithOrigin noted; the zero Origin when nothing was.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
