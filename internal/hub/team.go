package hub

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Team keeps who belongs to a tenant, and what holds for all of them.
type Team interface {
	// Members lists them, the longest there first.
	Members(ctx context.Context) ([]Member, error)
	// ChangeMember reads the members under a lock, lets change edit one and stores its role unless change fails; the
	// empty role removes it, with its sessions here, and the user when they belong to no tenant any more. It gives the
	// member as it was left. ErrNotFound: there is no such member.
	ChangeMember(ctx context.Context, user ID, change func(members []Member, m *Member) error) (Member, error)
	// UpdateTenant reads the tenant under a lock, lets change edit its name, rules and end, and stores those unless
	// change fails, with mails that tell of it. ErrNotFound once it is being deleted.
	UpdateTenant(ctx context.Context, change func(*Tenant) error, mails ...SealedMail) (Tenant, error)
}

// Member is a user in a tenant.
type Member struct {
	UserID    ID
	Name      string // empty when they gave none
	Email     string
	Role      Role
	HasFactor bool
	Since     time.Time
}

func (m Member) called() string { return cmp.Or(m.Name, m.Email) }

var (
	errLastOwner = fail(CodeConflict, "A tenant needs an owner, and this is its last one. Make somebody else an owner first.")
	errAbove     = fail(CodeForbidden, "Nobody gives or takes a role above their own. Ask an owner.")
)

// Members lists who belongs to the tenant.
func (h *Hub) Members(ctx context.Context, a Actor) ([]Member, error) {
	return h.Store.Tenant(a.TenantID).Members(ctx)
}

// ChangeRole gives a member another role.
func (h *Hub) ChangeRole(ctx context.Context, a Actor, user ID, role Role) (Member, error) {
	if !role.Known() {
		return Member{}, invalid("/role", "Choose viewer, member, admin or owner.")
	}
	ctx, entry := h.auditing(ctx, a, "member.role_changed")
	return h.changeMember(ctx, a, user, role, entry)
}

// RemoveMember takes somebody out of the tenant; their sessions here end. What they made stays, API tokens too: those
// are the tenant's.
func (h *Hub) RemoveMember(ctx context.Context, a Actor, user ID) error {
	ctx, entry := h.auditing(ctx, a, "member.removed")
	_, err := h.changeMember(ctx, a, user, "", entry)
	return err
}

// Leave takes the actor out of the tenant.
func (h *Hub) Leave(ctx context.Context, a Actor) error {
	ctx, entry := h.auditing(ctx, a, "member.left")
	_, err := h.changeMember(ctx, a, a.UserID, "", entry)
	return err
}

// changeMember gives a role, or takes the membership with the empty one. Roles are judged as they are under the
// store's lock, not as they were when the request came.
func (h *Hub) changeMember(ctx context.Context, a Actor, user ID, role Role, entry *AuditEntry) (Member, error) {
	m, err := h.Store.Tenant(a.TenantID).ChangeMember(ctx, user, func(members []Member, m *Member) error {
		own, err := roleOf(a, members)
		if err != nil {
			return err
		}
		if !own.AtLeast(m.Role) || role != "" && !own.AtLeast(role) {
			return errAbove
		}
		if m.Role == RoleOwner && role != RoleOwner && owners(members) == 1 {
			return errLastOwner
		}
		entry.about(m.UserID, m.called())
		if role == "" {
			entry.Before = map[string]any{"role": string(m.Role), "email": m.Email}
		} else {
			entry.changed("role", string(m.Role), string(role))
		}
		m.Role = role
		return nil
	})
	h.standings.forget()
	return m, err
}

// roleOf gives the actor's role among the members; a token has its own.
func roleOf(a Actor, members []Member) (Role, error) {
	if a.IsToken() {
		return a.Role, nil
	}
	i := slices.IndexFunc(members, func(m Member) bool { return m.UserID == a.UserID })
	if i < 0 {
		return "", errSignedOut
	}
	return members[i].Role, nil
}

func owners(members []Member) (n int) {
	for _, m := range members {
		if m.Role == RoleOwner {
			n++
		}
	}
	return n
}
