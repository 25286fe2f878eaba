package hub

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"sidecard/internal/auth"
)

// SignUp is what somebody gives to become a tenant's owner.
type SignUp struct {
	Company, Name, Email, Password string
}

// signUpKept is a sign-up that waits for its link to be followed.
type signUpKept struct {
	Company, Name, PasswordHash string
}

// SignUp asks for a tenant. Nothing is there until the link in the mail is followed; whether the address has an
// account already is told by mail alone, and costs the same.
func (h *Hub) SignUp(ctx context.Context, in SignUp) error {
	in.Company, in.Name, in.Email = strings.TrimSpace(in.Company), strings.TrimSpace(in.Name), FoldEmail(in.Email)
	if in.Company == "" {
		return invalid("/company", "Give your company's name.")
	}
	local, domain, err := splitEmail(in.Email)
	if err != nil {
		return err
	}
	if err := auth.CheckPassword(in.Password, in.Company, local, domain); err != nil {
		return invalid("/password", err.Error())
	}
	if err := h.limit(ctx, "signup/from/"+addressBlock(OriginOf(ctx).Address), h.Limits.SignUps, time.Hour); err != nil {
		return err
	}
	if err := h.limitMails(ctx, in.Email); err != nil {
		return err
	}
	hash, err := h.Passwords.Hash(ctx, in.Password)
	if err != nil {
		return busy(err)
	}
	_, err = h.Store.UserByEmail(ctx, in.Email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	kind := LinkSignUp
	if err == nil {
		kind = LinkNothing
	}
	l, address, err := h.newLink(ctx, kind, "/confirm", in.Email, ID{}, signUpKept{in.Company, in.Name, hash})
	if err != nil {
		return err
	}
	if kind == LinkNothing {
		return h.addLink(ctx, l, alreadySignedUp(in.Email, h.PublicURL+"/signin", h.PublicURL+"/reset"))
	}
	return h.addLink(ctx, l, confirmSignUp(in.Email, in.Company, address))
}

// splitEmail parts an address, or says that it is none.
func splitEmail(email string) (local, domain string, err error) {
	local, domain, ok := strings.Cut(email, "@")
	unfit := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(email, unfit) {
		return "", "", invalid("/email", "Give a full e-mail address, such as dana@example.com.")
	}
	return local, domain, nil
}

// ConfirmSignUp follows the link of a sign-up: it creates the tenant with its owner and desk, and signs the owner in.
func (h *Hub) ConfirmSignUp(ctx context.Context, token string) (SignedIn, error) {
	var kept signUpKept
	l, err := h.findLink(ctx, token, LinkSignUp, &kept)
	if err != nil {
		return SignedIn{}, err
	}
	now := h.Now()
	tenant := Tenant{ID: NewID(), Name: kept.Company, CreatedAt: now, Plan: cmp.Or(h.DefaultPlan, Unlimited), RetentionDays: DefaultRetention}
	user := User{ID: NewID(), Email: l.Email, Name: kept.Name, PasswordHash: kept.PasswordHash, CreatedAt: now}
	if err := h.newKeys(ctx, &tenant); err != nil {
		return SignedIn{}, err
	}
	desk, err := h.newDesk(ctx, tenant.ID)
	if err != nil {
		return SignedIn{}, err
	}
	audited, _ := h.auditing(ctx, Actor{UserID: user.ID, Name: user.called()}, "tenant.created")
	err = h.Store.SignUp(audited, l.Hash, tenant, user, desk)
	if errors.Is(err, ErrEmailTaken) {
		return SignedIn{}, fail(CodeLinkEnded, "This address has an account by now. Sign in with it instead.")
	}
	if err != nil {
		return SignedIn{}, linkEnded(err)
	}
	return h.signIn(ctx, user, tenant.ID)
}

// SignIn is what somebody gives to begin a session.
type SignIn struct {
	Email, Password string
	Code            string // of the second factor; empty = not given
}

var errWrongLogin = fail(CodeWrongLogin, "The e-mail address or the password is not right.")

// SignIn begins a session. An unknown address costs as much time as a wrong password.
func (h *Hub) SignIn(ctx context.Context, in SignIn) (SignedIn, error) {
	user, err := h.proveUser(ctx, FoldEmail(in.Email), in.Password, in.Code)
	if err != nil {
		return SignedIn{}, err
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

// proveUser finds the user with an address, if the password and, where the user has a second factor, the code are
// right. It fails with CodeWrongLogin, CodeCodeRequired or CodeTooMany, and says nothing about who has an account.
func (h *Hub) proveUser(ctx context.Context, email, password, code string) (User, error) {
	if err := h.guess(ctx, "password", email); err != nil {
		return User{}, err
	}
	user, err := h.Store.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	right, err := h.Passwords.Verify(ctx, user.PasswordHash, password)
	if err != nil {
		return User{}, busy(err)
	}
	h.guessed(ctx, "password", email, user.ID, right)
	if !right {
		return User{}, errWrongLogin
	}
	return user, h.proveFactor(ctx, user, code)
}

// provePassword checks the password of somebody who is signed in.
func (h *Hub) provePassword(ctx context.Context, a Actor, password, pointer string) (User, error) {
	user, err := h.Store.User(ctx, a.UserID)
	if err != nil {
		return User{}, err
	}
	if err := h.guess(ctx, "password", user.Email); err != nil {
		return User{}, err
	}
	right, err := h.Passwords.Verify(ctx, user.PasswordHash, password)
	if err != nil {
		return User{}, busy(err)
	}
	h.guessed(ctx, "password", user.Email, user.ID, right)
	if !right {
		return User{}, invalid(pointer, "This is not your password.")
	}
	return user, nil
}

func busy(err error) error {
	if errors.Is(err, auth.ErrBusy) {
		return &Error{Code: CodeBusy, Message: "Many people are signing in right now. Please try again in a moment.", Err: err}
	}
	return err
}
