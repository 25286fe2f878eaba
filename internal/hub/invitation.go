package hub

import (
	"context"
	"errors"
	"strings"
	"time"

	"sidecard/internal/auth"
)

// Invitations keeps who was invited into a tenant. Of an invitation's token only the SHA-256 is known.
type Invitations interface {
	// Invitations lists those that are still good, newest first.
	Invitations(ctx context.Context, now time.Time) ([]Invitation, error)
	// Invite stores an invitation with its mail, in place of an earlier one of the same address. CodeConflict: they
	// belong to the tenant already.
	Invite(ctx context.Context, in Invitation, hash [32]byte, mail SealedMail) error
	// WithdrawInvitation removes one unless check fails.
	WithdrawInvitation(ctx context.Context, id ID, check func(Invitation) error) error
	// AcceptInvitation uses an invitation up and makes the user a member with its role; a new user is stored with it.
	// ErrNotFound: it is not good any more. ErrEmailTaken: the user is not new. CodeConflict: they are a member.
	AcceptInvitation(ctx context.Context, id ID, u User, isNew bool, now time.Time) error
}

// Invited finds an invitation before a tenant is known.
type Invited interface {
	// InvitationByHash gives one that is still good; ErrNotFound when there is none.
	InvitationByHash(ctx context.Context, hash [32]byte, now time.Time) (Invitation, error)
}

// Invitation asks somebody to join a tenant.
type Invitation struct {
	ID        ID
	TenantID  ID
	Email     string // folded
	Role      Role
	InvitedBy string // name or address
	CreatedAt time.Time
	Until     time.Time
}

// InvitationView is an invitation for the invited.
type InvitationView struct {
	Invitation
	Company    string
	HasAccount bool // then the account's own password is asked for
}

// Acceptance is what the invited give.
type Acceptance struct {
	Token    string
	Name     string // of a new user; may be empty
	Password string // the account's, or the one that a new user chooses
	Code     string // of the second factor, when the account has one
}

const (
	invitationPrefix = "sci_"
	maxInvitations   = 100 // by a tenant, in an hour
)

var errInvitationEnded = fail(CodeLinkEnded, "This invitation was used, withdrawn or replaced, or is older than seven days. Ask for a new one.")

// ListInvitations lists the tenant's invitations that wait for an answer.
func (h *Hub) ListInvitations(ctx context.Context, a Actor) ([]Invitation, error) {
	return h.Store.Tenant(a.TenantID).Invitations(ctx, h.Now())
}

// Invite sends somebody a link that lets them join with a role. Inviting again replaces the link.
func (h *Hub) Invite(ctx context.Context, a Actor, email string, role Role) (Invitation, error) {
	email = FoldEmail(email)
	if _, _, err := splitEmail(email); err != nil {
		return Invitation{}, err
	}
	if !role.Known() {
		return Invitation{}, invalid("/role", "Choose viewer, member, admin or owner.")
	}
	if !a.Role.AtLeast(role) {
		return Invitation{}, errAbove
	}
	if err := h.limit(ctx, "invite/"+a.TenantID.String(), maxInvitations, time.Hour); err != nil {
		return Invitation{}, err
	}
	t := h.Store.Tenant(a.TenantID)
	company, err := t.Tenant(ctx)
	if err != nil {
		return Invitation{}, err
	}
	secret, err := auth.RandomToken(256)
	if err != nil {
		return Invitation{}, err
	}
	token := invitationPrefix + secret
	now := h.Now()
	in := Invitation{
		ID: NewID(), TenantID: a.TenantID, Email: email, Role: role, InvitedBy: a.Name,
		CreatedAt: now, Until: now.Add(InvitationTTL),
	}
	mail, err := h.mail(ctx, invited(email, a.Name, company.Name, role, h.PublicURL+"/invitation?token="+token))
	if err != nil {
		return Invitation{}, err
	}
	ctx, entry := h.auditing(ctx, a, "invitation.created")
	entry.about(in.ID, in.Email)
	entry.After = map[string]any{"role": string(role)}
	if err := t.Invite(ctx, in, auth.HashToken(token), mail); err != nil {
		return Invitation{}, err
	}
	h.WakeCourier()
	return in, nil
}

// WithdrawInvitation makes an invitation's link worthless.
func (h *Hub) WithdrawInvitation(ctx context.Context, a Actor, id ID) error {
	ctx, entry := h.auditing(ctx, a, "invitation.withdrawn")
	return h.Store.Tenant(a.TenantID).WithdrawInvitation(ctx, id, func(in Invitation) error {
		entry.about(in.ID, in.Email)
		entry.Before = map[string]any{"role": string(in.Role)}
		if !a.Role.AtLeast(in.Role) {
			return errAbove
		}
		return nil
	})
}

// ShowInvitation says what an invitation is for.
func (h *Hub) ShowInvitation(ctx context.Context, token string) (InvitationView, error) {
	in, err := h.Store.InvitationByHash(ctx, auth.HashToken(token), h.Now())
	if errors.Is(err, ErrNotFound) {
		return InvitationView{}, errInvitationEnded
	}
	if err != nil {
		return InvitationView{}, err
	}
	tenant, err := h.Store.Tenant(in.TenantID).Tenant(ctx)
	if err != nil {
		return InvitationView{}, err
	}
	_, err = h.Store.UserByEmail(ctx, in.Email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return InvitationView{}, err
	}
	return InvitationView{Invitation: in, Company: tenant.Name, HasAccount: err == nil}, nil
}

// AcceptInvitation makes the invited a member and signs them in. The link proves the address of a new user; an
// account is proven as at every sign-in.
func (h *Hub) AcceptInvitation(ctx context.Context, in Acceptance) (SignedIn, error) {
	v, err := h.ShowInvitation(ctx, in.Token)
	if err != nil {
		return SignedIn{}, err
	}
	var user User
	if v.HasAccount {
		user, err = h.proveUser(ctx, v.Email, in.Password, in.Code)
	} else {
		user, err = h.newUser(ctx, v, in)
	}
	if err != nil {
		return SignedIn{}, err
	}
	actor := Actor{UserID: user.ID, TenantID: v.TenantID, Name: user.called(), Role: v.Role}
	audited, entry := h.auditing(ctx, actor, "invitation.accepted")
	entry.about(v.ID, v.Email)
	entry.After = map[string]any{"role": string(v.Role), "invited_by": v.InvitedBy}
	err = h.Store.Tenant(v.TenantID).AcceptInvitation(audited, v.ID, user, !v.HasAccount, h.Now())
	switch {
	case errors.Is(err, ErrNotFound):
		return SignedIn{}, errInvitationEnded
	case errors.Is(err, ErrEmailTaken):
		return SignedIn{}, fail(CodeConflict, "There is an account with this e-mail address by now. Open the link again and give its password.")
	case err != nil:
		return SignedIn{}, err
	}
	return h.signIn(ctx, user, v.TenantID)
}

func (h *Hub) newUser(ctx context.Context, v InvitationView, in Acceptance) (User, error) {
	local, domain, err := splitEmail(v.Email)
	if err != nil {
		return User{}, err
	}
	if err := auth.CheckPassword(in.Password, v.Company, local, domain); err != nil {
		return User{}, invalid("/password", err.Error())
	}
	hash, err := h.Passwords.Hash(ctx, in.Password)
	if err != nil {
		return User{}, busy(err)
	}
	return User{ID: NewID(), Email: v.Email, Name: strings.TrimSpace(in.Name), PasswordHash: hash, CreatedAt: h.Now()}, nil
}
