package hub

import (
	"context"
	"strconv"
	"strings"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/livesupporti"
)

// UnsignedPolicy says what happens to a notification without a signature.
type UnsignedPolicy string

// The policies.
const (
	RefuseUnsigned UnsignedPolicy = "refuse"
	AcceptUnsigned UnsignedPolicy = "accept"
)

// Desk is a tenant's link to LiveSupporti. Zero times mean never.
type Desk struct {
	ID                   ID
	TenantID             ID
	TokenHash            [32]byte // SHA-256 of the token in the callback URL
	TokenSealed          []byte   // so that the portal can show the URL again
	SecretSealed         []byte   // nil until there is one
	PreviousSecretSealed []byte
	PreviousSecretUntil  time.Time
	Email                string // LiveSupporti sign-in; empty until stored
	APIKeySealed         []byte // nil until stored
	APIKeyHint           string // its last four characters
	Unsigned             UnsignedPolicy
	HandshakeAt          time.Time
	FirstSignedAt        time.Time
	PausedAt             time.Time // since then details wait; zero = not paused
	ThrottledUntil       time.Time // LiveSupporti asked to be left alone until then
	Problem              *DeskProblem
}

// DeskProblem is the last thing that went wrong between LiveSupporti and a desk.
type DeskProblem struct {
	At   time.Time
	Code string // credentials_refused
}

// Rejection is one refused request to a callback URL. The body is not kept.
type Rejection struct {
	ID         ID
	At         time.Time
	Code       Code
	Reason     string
	Bytes      int64
	BodySHA256 []byte // nil when the body was too large to read
	Headers    map[string]string
}

// DeskView is a desk for people: without secrets, with the URL and the last problem in words.
type DeskView struct {
	Desk               Desk
	CallbackURL        string
	LastNotificationAt time.Time
	ProblemAt          time.Time // zero = there is none
	ProblemCode        string
	ProblemMessage     string
	ProblemFix         string
	Goal               time.Duration
	Deadline           time.Duration
}

// DeskChange changes what is not nil.
type DeskChange struct {
	Email    *string
	APIKey   *string
	Unsigned *UnsignedPolicy
}

// NewSecret is a webhook secret, shown this once.
type NewSecret struct {
	Secret        string
	PreviousUntil time.Time // zero = there was none before, or it ended at once
}

// DeskTest is what LiveSupporti said to the stored credentials.
type DeskTest struct {
	OK      bool
	Status  int // 0 = no answer
	Agents  int
	Message string
	Fix     string
	MS      float64
}

func (h *Hub) newDesk(ctx context.Context, tenant ID) (Desk, error) {
	token, err := auth.RandomToken(160)
	if err != nil {
		return Desk{}, err
	}
	d := Desk{ID: NewID(), TenantID: tenant, TokenHash: auth.HashToken(token), Unsigned: RefuseUnsigned}
	d.TokenSealed, err = h.seal(ctx, deskRef(d, "token"), []byte(token))
	return d, err
}

// DeskView shows the desk and how it is doing.
func (h *Hub) DeskView(ctx context.Context, a Actor) (DeskView, error) {
	d, err := h.Store.Tenant(a.TenantID).Desk(ctx)
	if err != nil {
		return DeskView{}, err
	}
	return h.viewDesk(ctx, d)
}

func (h *Hub) viewDesk(ctx context.Context, d Desk) (DeskView, error) {
	token, err := h.open(ctx, deskRef(d, "token"), d.TokenSealed)
	if err != nil {
		return DeskView{}, err
	}
	v := DeskView{Desk: d, CallbackURL: h.PublicURL + "/hooks/" + string(token), Goal: h.Limits.Goal, Deadline: h.Limits.ChatDeadline}
	t := h.Store.Tenant(d.TenantID)
	chats, err := t.Chats(ctx, ChatQuery{Limit: 1})
	if err != nil {
		return DeskView{}, err
	}
	if len(chats) > 0 {
		v.LastNotificationAt = chats[0].ReceivedAt
	}
	rejections, err := t.Rejections(ctx)
	if err != nil {
		return DeskView{}, err
	}
	v.describeProblem(rejections)
	return v, nil
}

// describeProblem names what is wrong now: refused credentials, or else the newest rejected request that
// nothing good came after.
func (v *DeskView) describeProblem(rejections []Rejection) {
	if p := v.Desk.Problem; p != nil && !v.Desk.PausedAt.IsZero() {
		v.ProblemAt, v.ProblemCode = p.At, p.Code
		v.ProblemMessage = "LiveSupporti refused the e-mail or the API key. Details wait until it is put right."
		v.ProblemFix = "Copy the API key from your LiveSupporti profile page again and store it here."
		return
	}
	if len(rejections) == 0 || rejections[0].At.Before(v.LastNotificationAt) {
		return
	}
	r := rejections[0]
	v.ProblemAt, v.ProblemCode, v.ProblemMessage = r.At, string(r.Code), r.Reason
	v.ProblemFix = rejectionFixes[r.Code]
}

// UpdateDesk stores credentials and the rule for unsigned requests. New credentials end a pause.
func (h *Hub) UpdateDesk(ctx context.Context, a Actor, c DeskChange) (DeskView, error) {
	if err := h.keys.Hold(ctx, a.TenantID); err != nil {
		return DeskView{}, err
	}
	audited, entry := h.auditing(ctx, a, "desk.updated")
	d, err := h.Store.Tenant(a.TenantID).UpdateDesk(audited, func(d *Desk) error {
		before := *d
		if c.Email != nil {
			d.Email = strings.TrimSpace(*c.Email)
			d.resume()
		}
		if c.APIKey != nil {
			key := strings.TrimSpace(*c.APIKey)
			if key == "" {
				return invalid("/api_key", "Give the API key from your LiveSupporti profile page.")
			}
			sealed, err := h.seal(ctx, deskRef(*d, "api_key"), []byte(key))
			if err != nil {
				return err
			}
			d.APIKeySealed, d.APIKeyHint = sealed, key[max(0, len(key)-4):]
			d.resume()
		}
		if c.Unsigned != nil {
			if *c.Unsigned != RefuseUnsigned && *c.Unsigned != AcceptUnsigned {
				return invalid("/unsigned", "Choose refuse or accept.")
			}
			d.Unsigned = *c.Unsigned
		}
		entry.changed("email", before.Email, d.Email)
		if c.APIKey != nil {
			entry.changedSecret("api_key", len(before.APIKeySealed) > 0)
		}
		entry.changed("unsigned", string(before.Unsigned), string(d.Unsigned))
		return nil
	})
	if err != nil {
		return DeskView{}, err
	}
	h.desks.forget(d.TokenHash)
	if c.Email != nil || c.APIKey != nil {
		h.hasten(ctx, a.TenantID)
	}
	return h.viewDesk(ctx, d)
}

func (d *Desk) resume() { d.PausedAt, d.ThrottledUntil, d.Problem = time.Time{}, time.Time{}, nil }

// hasten sends out what waited for the desk, once the reason is gone. If it cannot, the chats come when
// they are due.
func (h *Hub) hasten(ctx context.Context, tenant ID) {
	n, err := h.Store.Tenant(tenant).Hasten(ctx)
	if err != nil {
		h.Log.WarnContext(ctx, "waiting chats not hastened", "tenant", tenant, "error", err)
	}
	if n > 0 {
		h.Ringer.Ring(LaneDelivery)
		h.Ringer.Ring(LaneLookup)
	}
}

// RotateSecret stores a new webhook secret: the tenant's own, or a made one when own is empty. The one
// before stays valid for keepPrevious.
func (h *Hub) RotateSecret(ctx context.Context, a Actor, own string, keepPrevious time.Duration) (NewSecret, error) {
	secret := own
	if secret == "" {
		made, err := auth.RandomToken(285) // 48 characters
		if err != nil {
			return NewSecret{}, err
		}
		secret = made
	}
	if len(secret) < 32 || len(secret) > 64 {
		return NewSecret{}, invalid("/secret", "LiveSupporti wants a secret of 32 to 64 characters.")
	}
	if err := h.keys.Hold(ctx, a.TenantID); err != nil {
		return NewSecret{}, err
	}
	audited, entry := h.auditing(ctx, a, "desk.secret_rotated")
	d, err := h.Store.Tenant(a.TenantID).UpdateDesk(audited, func(d *Desk) error {
		entry.changedSecret("secret", len(d.SecretSealed) > 0)
		if err := h.retireSecret(ctx, d, keepPrevious); err != nil {
			return err
		}
		sealed, err := h.seal(ctx, deskRef(*d, "secret"), []byte(secret))
		d.SecretSealed = sealed
		if !d.PreviousSecretUntil.IsZero() {
			entry.After["previous_until"] = d.PreviousSecretUntil.UTC()
		}
		return err
	})
	if err != nil {
		return NewSecret{}, err
	}
	h.desks.forget(d.TokenHash)
	return NewSecret{Secret: secret, PreviousUntil: d.PreviousSecretUntil}, nil
}

// retireSecret moves the present secret to the place of the previous one. It is sealed anew, since a
// value opens only in the place it was sealed for.
func (h *Hub) retireSecret(ctx context.Context, d *Desk, keep time.Duration) error {
	d.PreviousSecretSealed, d.PreviousSecretUntil = nil, time.Time{}
	if len(d.SecretSealed) == 0 || keep <= 0 {
		return nil
	}
	old, err := h.open(ctx, deskRef(*d, "secret"), d.SecretSealed)
	if err != nil {
		return err
	}
	d.PreviousSecretUntil = h.Now().Add(keep)
	d.PreviousSecretSealed, err = h.seal(ctx, deskRef(*d, "previous_secret"), old)
	return err
}

// TestDesk asks LiveSupporti for the account's agents with the stored credentials.
func (h *Hub) TestDesk(ctx context.Context, a Actor) (DeskTest, error) {
	d, err := h.Store.Tenant(a.TenantID).Desk(ctx)
	if err != nil {
		return DeskTest{}, err
	}
	cred, ok, err := h.credentials(ctx, d)
	if err != nil {
		return DeskTest{}, err
	}
	if !ok {
		return DeskTest{}, fail(CodeNotReady, "Store your LiveSupporti sign-in e-mail and API key first.")
	}
	ctx, cancel := context.WithTimeout(ctx, h.Limits.CheckTimeout)
	defer cancel()
	agents, answer, err := h.LiveSupporti.Agents(ctx, cred)
	test := describeTest(agents, answer, err)
	if test.OK && !d.PausedAt.IsZero() {
		audited, _ := h.auditing(ctx, a, "desk.resumed")
		_, err = h.Store.Tenant(a.TenantID).UpdateDesk(audited, func(d *Desk) error { d.resume(); return nil })
		h.hasten(ctx, a.TenantID)
		return test, err
	}
	return test, nil
}

func describeTest(agents int, a livesupporti.Answer, err error) DeskTest {
	t := DeskTest{Status: a.Status, Agents: agents, MS: milliseconds(a.Took)}
	switch {
	case err != nil:
		t.Message, t.Fix = livesupporti.Problem(err), "This is between Sidecard and LiveSupporti. Try again in a minute."
	case a.Verdict() == livesupporti.Accepted:
		t.OK, t.Message = true, "The API key works. "+count(agents, "agent", "agents")+" found."
	case a.Verdict() == livesupporti.Unauthorized:
		t.Message = "LiveSupporti refused the e-mail or the API key."
		t.Fix = "Use the e-mail you sign in to LiveSupporti with, and copy the API key from your profile page there again."
	default:
		t.Message = "LiveSupporti answered with status " + strconv.Itoa(a.Status) + "."
		t.Fix = "Try again in a minute."
	}
	return t
}

// credentials opens a desk's LiveSupporti credentials; ok is false when they are not complete.
func (h *Hub) credentials(ctx context.Context, d Desk) (cred livesupporti.Credentials, ok bool, err error) {
	key, err := h.open(ctx, deskRef(d, "api_key"), d.APIKeySealed)
	if err != nil {
		return cred, false, err
	}
	return livesupporti.Credentials{Email: d.Email, APIKey: string(key)}, d.Email != "" && len(key) > 0, nil
}

// Rejections lists the refused requests, newest first.
func (h *Hub) Rejections(ctx context.Context, a Actor) ([]Rejection, error) {
	return h.Store.Tenant(a.TenantID).Rejections(ctx)
}
