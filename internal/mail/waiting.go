package mail

import (
	"context"
	"errors"

	"sidecard/internal/hub"
)

// Waiting is the mailer of a program that has no mail server yet: it sends nothing, so that mails wait in the outbox.
type Waiting struct{}

var _ hub.Mailer = Waiting{}

var errNoServer = errors.New("no mail server is set, see SMTP_URL in docs/configuration.md")

// Send implements hub.Mailer.
func (Waiting) Send(context.Context, hub.Mail) error { return errNoServer }
