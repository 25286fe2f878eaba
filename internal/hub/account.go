package hub

import (
	"context"
	"errors"
	"strings"
	"time"

	"sidecard/internal/auth"
)

// FoldEmail gives the form in which addresses are compared: trimmed and lower case.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Rename changes the actor's name.
func (h *Hub) Rename(ctx context.Context, a Actor, name string) (Me, error) {
	if err := h.Store.RenameUser(ctx, a.UserID, strings.TrimSpace(name)); err != nil {
		return Me{}, err
	}
	h.standings.forget()
	return h.Me(ctx, a)
}

// ChangePassword sets the actor's password and ends the other sessions.
func (h *Hub) ChangePassword(ctx context.Context, a Actor, current, next string) error {
	user, err := h.provePassword(ctx, a, current, "/current")
	if err != nil {
		return err
	}
	hash, err := h.newPassword(ctx, user, next, "/new")
	if err != nil {
		return err
	}
	notice, err := h.mail(ctx, passwordChanged(user.Email, h.Now(), OriginOf(ctx).Address))
	if err != nil {
		return err
	}
	if err := h.Store.SetPassword(ctx, user.ID, hash, a.SessionID, h.Now(), notice); err != nil {
		return err
	}
	h.standings.forget()
	h.WakeCourier()
	return h.auditUser(ctx, a, "user.password_changed")
}

// newPassword hashes a password that is fit for a user.
func (h *Hub) newPassword(ctx context.Context, user User, password, pointer string) (string, error) {
	local, domain, _ := strings.Cut(user.Email, "@")
	if err := auth.CheckPassword(password, user.Name, local, domain); err != nil {
		return "", invalid(pointer, err.Error())
	}
	hash, err := h.Passwords.Hash(ctx, password)
	return hash, busy(err)
}

// AskReset mails a link to set a new password, if the address has an account. Nobody else learns whether it has.
func (h *Hub) AskReset(ctx context.Context, email string) error {
	email = FoldEmail(email)
	if err := h.limit(ctx, "reset/from/"+addressBlock(OriginOf(ctx).Address), h.Limits.AddressTries, addressPer); err != nil {
		return err
	}
	if err := h.limitMails(ctx, email); err != nil {
		return err
	}
	defer evenly(ctx, time.Now())
	user, err := h.Store.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	kind := LinkReset
	if err != nil {
		kind = LinkNothing
	}
	l, address, err := h.newLink(ctx, kind, "/reset/confirm", email, user.ID, nil)
	if err != nil {
		return err
	}
	m := resetPassword(email, address)
	if kind == LinkReset {
		return h.addLink(ctx, l, m)
	}
	if _, err := h.mail(ctx, m); err != nil { // sealed as any other, and kept by nobody
		return err
	}
	return h.Store.AddLink(ctx, l, SealedMail{})
}

// ConfirmReset follows the link of a reset: it sets the password and ends every session. A second factor stays.
func (h *Hub) ConfirmReset(ctx context.Context, token, password string) error {
	l, err := h.findLink(ctx, token, LinkReset, nil)
	if err != nil {
		return err
	}
	user, err := h.Store.User(ctx, l.UserID)
	if err != nil {
		return linkEnded(err)
	}
	hash, err := h.newPassword(ctx, user, password, "/password")
	if err != nil {
		return err
	}
	notice, err := h.mail(ctx, passwordChanged(user.Email, h.Now(), OriginOf(ctx).Address))
	if err != nil {
		return err
	}
	if user, err = h.Store.ResetPassword(ctx, l.Hash, hash, h.Now(), notice); err != nil {
		return linkEnded(err)
	}
	h.forgive(ctx, "password", user.Email) // who reads the account's mail did not guess
	h.standings.forget()
	h.WakeCourier()
	return h.auditEverywhere(ctx, user, "user.password_reset")
}

// ChangeEmail mails a link to a new address, which takes the place of the actor's when the link is followed.
func (h *Hub) ChangeEmail(ctx context.Context, a Actor, email, password string) error {
	email = FoldEmail(email)
	if _, _, err := splitEmail(email); err != nil {
		return err
	}
	user, err := h.provePassword(ctx, a, password, "/password")
	if err != nil {
		return err
	}
	if email == user.Email {
		return invalid("/email", "This is your address already.")
	}
	if err := h.limitMails(ctx, email); err != nil {
		return err
	}
	l, address, err := h.newLink(ctx, LinkEmail, "/email/confirm", email, user.ID, nil)
	if err != nil {
		return err
	}
	return h.addLink(ctx, l, changeEmail(email, address))
}

// ConfirmEmail follows the link of a change of address. The old address is told.
func (h *Hub) ConfirmEmail(ctx context.Context, token string) error {
	l, err := h.findLink(ctx, token, LinkEmail, nil)
	if err != nil {
		return err
	}
	was, err := h.Store.User(ctx, l.UserID)
	if err != nil {
		return linkEnded(err)
	}
	notice, err := h.mail(ctx, emailChanged(was.Email))
	if err != nil {
		return err
	}
	user, err := h.Store.TakeEmail(ctx, l.Hash, h.Now(), notice)
	if errors.Is(err, ErrEmailTaken) {
		return fail(CodeLinkEnded, "This address has an account of its own by now.")
	}
	if err != nil {
		return linkEnded(err)
	}
	h.standings.forget()
	h.WakeCourier()
	return h.auditEverywhere(ctx, user, "user.email_changed")
}

// auditUser notes what somebody did to their own account, in the tenant that they work in.
func (h *Hub) auditUser(ctx context.Context, a Actor, action string) error {
	ctx, entry := h.auditing(ctx, a, action)
	entry.about(a.UserID, a.Name)
	return h.Store.Tenant(a.TenantID).AddAudit(ctx, entry)
}

// auditEverywhere notes in all of a user's tenants what was done to the account by a link.
func (h *Hub) auditEverywhere(ctx context.Context, user User, action string) error {
	memberships, err := h.Store.Memberships(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		if err := h.auditUser(ctx, Actor{UserID: user.ID, TenantID: m.TenantID, Name: user.called()}, action); err != nil {
			return err
		}
	}
	return nil
}
