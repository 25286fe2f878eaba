package hub

import (
	"cmp"
	"context"
	"strings"
	"time"
)

// Tenant is a LiveSupporti customer who signed up.
type Tenant struct {
	ID        ID
	Name      string
	IndexKey  []byte  // sealed; keys the index of imported addresses
	DataKey   DataKey // the first one, to be stored by SignUp; not read again
	CreatedAt time.Time
	// FactorRequired: members without a second factor can only set one up.
	FactorRequired bool
	DeleteAt       time.Time // then everything of the tenant goes; zero = it stays
	Plan           string    // name of a Plan; set by the operator alone
	RetentionDays  int       // for which the details of a chat that ended are kept, 1 to 365
}

// User is a person who can sign in.
type User struct {
	ID           ID
	Email        string // folded
	Name         string
	PasswordHash string
	CreatedAt    time.Time
}

// called is how others know the user.
func (u User) called() string { return cmp.Or(u.Name, u.Email) }

// Membership is a user's place in a tenant.
type Membership struct {
	TenantID  ID
	UserID    ID
	Role      Role
	CreatedAt time.Time
}

// SigningKey is a sealed key for access tokens.
type SigningKey struct {
	KeyID     string
	Sealed    []byte
	CreatedAt time.Time
	SignsAt   time.Time // it verifies before; zero = signs from the beginning
	EndsAt    time.Time // it is good for nothing then; zero = no newer one takes its place
}

// TenantChange changes what is not nil.
type TenantChange struct {
	Name           *string
	FactorRequired *bool
	RetentionDays  *int
}

// GetTenant gives the actor's tenant.
func (h *Hub) GetTenant(ctx context.Context, a Actor) (Tenant, error) {
	return h.Store.Tenant(a.TenantID).Tenant(ctx)
}

// UpdateTenant changes the tenant's name and rules. Only who has a second factor can require one of everybody:
// nobody locks themselves out.
func (h *Hub) UpdateTenant(ctx context.Context, a Actor, c TenantChange) (Tenant, error) {
	if c.FactorRequired != nil && *c.FactorRequired {
		has := false
		if !a.IsToken() {
			var err error
			if has, err = h.hasFactor(ctx, a.UserID); err != nil {
				return Tenant{}, err
			}
		}
		if !has {
			return Tenant{}, invalid("/second_factor_required", "Set up a second factor for yourself first, under your account.")
		}
	}
	ctx, entry := h.auditing(ctx, a, "tenant.updated")
	t, err := h.Store.Tenant(a.TenantID).UpdateTenant(ctx, func(t *Tenant) error {
		entry.about(t.ID, t.Name)
		before := *t
		if c.Name != nil {
			if t.Name = strings.TrimSpace(*c.Name); t.Name == "" {
				return invalid("/name", "Give your company's name.")
			}
		}
		if c.FactorRequired != nil {
			t.FactorRequired = *c.FactorRequired
		}
		if c.RetentionDays != nil {
			if err := checkRetention(*c.RetentionDays); err != nil {
				return err
			}
			t.RetentionDays = *c.RetentionDays
		}
		entry.changed("name", before.Name, t.Name)
		entry.changed("second_factor_required", before.FactorRequired, t.FactorRequired)
		entry.changed("retention_days", before.RetentionDays, t.RetentionDays)
		return nil
	})
	h.standings.forget()
	return t, err
}
