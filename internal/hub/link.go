package hub

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/vault"
)

// Links keeps what the links in mails are for. What a link is for happens in the transaction that takes the link, so
// that it happens once or not at all.
type Links interface {
	// AddLink stores a link with its mail; the zero SealedMail is none. It removes links that are over, and the oldest beyond a few of the same
	// kind to the same address.
	AddLink(ctx context.Context, l Link, m SealedMail) error
	// Link gives a link of a kind that is not over at now, without taking it; ErrNotFound when there is none.
	Link(ctx context.Context, hash [32]byte, kind LinkKind, now time.Time) (Link, error)
	// SignUp takes a link and creates tenant, its data key, user, owner membership and desk, or does nothing: ErrNotFound when the
	// link is gone, ErrEmailTaken when there is a user with the address.
	SignUp(ctx context.Context, link [32]byte, t Tenant, u User, d Desk) error
	// ResetPassword takes a link, sets its user's password, ends all sessions and removes the user's other links.
	ResetPassword(ctx context.Context, link [32]byte, passwordHash string, now time.Time, m SealedMail) (User, error)
	// TakeEmail takes a link and gives its user its address, or ErrEmailTaken. It gives the user as it was.
	TakeEmail(ctx context.Context, link [32]byte, now time.Time, m SealedMail) (User, error)
}

// LinkKind says what a link is for.
type LinkKind string

// The kinds of links.
const (
	LinkSignUp LinkKind = "sign_up"
	LinkReset  LinkKind = "reset"
	LinkEmail  LinkKind = "email"
	// LinkNothing stands for a link that an address does not get, because it has an account or has none, so that both
	// cost the same.
	LinkNothing LinkKind = "nothing"
)

// Link is a link in a mail. Its token is only there.
type Link struct {
	Hash      [32]byte
	Kind      LinkKind
	Email     string // folded
	UserID    ID     // the zero ID: nobody yet
	Sealed    []byte // what else it is for; nil = nothing
	CreatedAt time.Time
	Until     time.Time
}

// errLinkEnded says nothing of who the link was for.
var errLinkEnded = fail(CodeLinkEnded, "This link was used, or has ended. Ask for a new one.")

func linkRef(hash [32]byte) vault.Ref {
	return vault.Ref{Table: "links", Column: "sealed", Row: hex.EncodeToString(hash[:])}
}

// newLink draws a link and gives the address that goes into the mail.
func (h *Hub) newLink(ctx context.Context, kind LinkKind, page, email string, user ID, more any) (Link, string, error) {
	token, hash, err := auth.NewLinkToken()
	if err != nil {
		return Link{}, "", err
	}
	now := h.Now()
	l := Link{Hash: hash, Kind: kind, Email: email, UserID: user, CreatedAt: now, Until: now.Add(MailLinkTTL)}
	if more != nil {
		plain, err := json.Marshal(more)
		if err != nil {
			return Link{}, "", err
		}
		if l.Sealed, err = h.seal(ctx, linkRef(hash), plain); err != nil {
			return Link{}, "", err
		}
	}
	return l, h.PublicURL + page + "?token=" + token, nil
}

// addLink stores a link and mails it.
func (h *Hub) addLink(ctx context.Context, l Link, m Mail) error {
	sealed, err := h.mail(ctx, m)
	if err != nil {
		return err
	}
	if err := h.Store.AddLink(ctx, l, sealed); err != nil {
		return err
	}
	h.WakeCourier()
	return nil
}

// findLink reads a link by its token and, into more, what else it is for.
func (h *Hub) findLink(ctx context.Context, token string, kind LinkKind, more any) (Link, error) {
	if err := h.limit(ctx, "link/from/"+addressBlock(OriginOf(ctx).Address), h.Limits.AddressTries, addressPer); err != nil {
		return Link{}, err
	}
	l, err := h.Store.Link(ctx, auth.HashToken(token), kind, h.Now())
	if err != nil {
		return Link{}, linkEnded(err)
	}
	if more == nil {
		return l, nil
	}
	plain, err := h.open(ctx, linkRef(l.Hash), l.Sealed)
	if err != nil {
		return Link{}, err
	}
	return l, json.Unmarshal(plain, more)
}

// linkEnded tells of a link that somebody else took meanwhile, or that never was.
func linkEnded(err error) error {
	if errors.Is(err, ErrNotFound) {
		return errLinkEnded
	}
	return err
}

// mailTries is how many mails one address may be sent because somebody typed it in, per hour.
const mailTries = 25 // five at once

// limitMails keeps strangers from filling a mailbox. Whether the address has an account makes no difference.
func (h *Hub) limitMails(ctx context.Context, email string) error {
	_, account := guessKeys("mail", email, "")
	return h.limit(ctx, account, mailTries, time.Hour)
}
