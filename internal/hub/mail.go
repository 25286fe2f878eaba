package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sidecard/internal/vault"
)

// Mail is a message to one person. Text is the whole truth, plain text with \n: paragraphs are set apart by an
// empty line, and a link stands alone on its line below a line that says what it does and ends in a colon. How it
// looks is the Mailer's affair. The functions in mails.go make them.
type Mail struct {
	ID      ID     `json:"id"`
	Kind    string `json:"kind"`    // one of the Mail constants
	To      string `json:"to"`      // one address, without a name
	Subject string `json:"subject"` // one line
	Text    string `json:"text"`
}

// The kinds of mail.
const (
	MailConfirmSignUp         = "confirm_sign_up"
	MailAlreadySignedUp       = "already_signed_up"
	MailResetPassword         = "reset_password"
	MailChangeEmail           = "change_email"
	MailEmailChanged          = "email_changed"
	MailInvitation            = "invitation"
	MailPasswordChanged       = "password_changed"
	MailSessionStolen         = "session_stolen"
	MailTOTPOn                = "totp_on"
	MailTOTPOff               = "totp_off"
	MailRecoveryCodeUsed      = "recovery_code_used"
	MailAPITokenCreated       = "api_token_created"
	MailTenantDeleteScheduled = "tenant_delete_scheduled"
	MailTenantDeleteCancelled = "tenant_delete_cancelled"
	MailTenantExported        = "tenant_exported"
)

// How long the links in mails work; the mails say so.
const (
	MailLinkTTL   = 30 * time.Minute
	InvitationTTL = 7 * 24 * time.Hour
)

// ErrMailRefused is what a Mailer's error wraps when trying again cannot help: there is no such address, or the
// mail itself is not taken. Every other error of a Mailer may pass.
var ErrMailRefused = errors.New("mail refused for good")

// SealedMail is a mail as the outbox keeps it: nobody reads an address or a link in the database.
type SealedMail struct {
	ID     ID
	Kind   string
	Sealed []byte // JSON of Mail
}

// ClaimedMail is a mail in a courier's hands until the lease runs out.
type ClaimedMail struct {
	SealedMail
	Tries int           // how often it was claimed, this time included
	Age   time.Duration // since it was put into the outbox, by the database's clock
}

// mail seals a mail for the outbox. Flows hand the result to the store's method that changes what the mail speaks
// of, so that both are kept or neither, and call WakeCourier afterwards.
func (h *Hub) mail(ctx context.Context, m Mail) (SealedMail, error) {
	if m.ID == (ID{}) {
		m.ID = NewID()
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return SealedMail{}, fmt.Errorf("mail %s: %w", m.Kind, err)
	}
	sealed, err := h.seal(ctx, mailRef(m.ID), plain)
	return SealedMail{ID: m.ID, Kind: m.Kind, Sealed: sealed}, err
}

// openMail is the way back. Damaged or foreign bytes are an error.
func (h *Hub) openMail(ctx context.Context, s SealedMail) (Mail, error) {
	plain, err := h.open(ctx, mailRef(s.ID), s.Sealed)
	if err != nil {
		return Mail{}, err
	}
	var m Mail
	if err := json.Unmarshal(plain, &m); err != nil {
		return Mail{}, fmt.Errorf("mail %s: %w", s.Kind, err)
	}
	return m, nil
}

// Post puts a mail into the outbox by itself, for a notice about something that is already stored. When it returns
// nil the mail is kept until it is sent or given up.
func (h *Hub) Post(ctx context.Context, m Mail) error {
	sealed, err := h.mail(ctx, m)
	if err != nil {
		return err
	}
	if err := h.Store.AddMail(ctx, sealed); err != nil {
		return err
	}
	h.WakeCourier()
	return nil
}

func mailRef(id ID) vault.Ref {
	return vault.Ref{Table: "mails", Column: "sealed", Row: id.String()}
}
