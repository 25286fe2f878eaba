package hub

import "time"

// Tenant is a LiveSupporti customer who signed up.
type Tenant struct {
	ID        ID
	Name      string
	IndexKey  []byte // sealed; keys the index of imported addresses
	CreatedAt time.Time
}

// User is a person who can sign in.
type User struct {
	ID           ID
	Email        string // folded
	Name         string
	PasswordHash string
	CreatedAt    time.Time
}

// Role is what a member may do in a tenant.
type Role string

// RoleOwner may do everything. More roles follow with teams.
const RoleOwner Role = "owner"

// Membership is a user's place in a tenant.
type Membership struct {
	TenantID  ID
	UserID    ID
	Role      Role
	CreatedAt time.Time
}

// Session is one sign-in: a family of refresh tokens of which the newest is good.
type Session struct {
	ID        ID
	UserID    ID
	TenantID  ID // the tenant it works in
	CreatedAt time.Time
	ExpiresAt time.Time
}

// SigningKey is a sealed key for access tokens.
type SigningKey struct {
	KeyID     string
	Sealed    []byte
	CreatedAt time.Time
}
