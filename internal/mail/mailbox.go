package mail

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sidecard/internal/hub"
)

// mailboxSize is how many mails a mailbox keeps.
const mailboxSize = 200

// Mailbox is a mailer that keeps the newest mails in this process and sends none: for the first minutes,
// demonstrations and tests. It is safe for concurrent use.
type Mailbox struct {
	mu      sync.Mutex
	mails   []received // oldest first
	arrived chan struct{}
}

var _ hub.Mailer = (*Mailbox)(nil)

type received struct {
	hub.Mail
	At    time.Time
	given bool // to a Wait
}

// NewMailbox makes an empty one.
func NewMailbox() *Mailbox { return &Mailbox{arrived: make(chan struct{})} }

// Send implements hub.Mailer. A mail that comes a second time changes nothing.
func (b *Mailbox) Send(_ context.Context, m hub.Mail) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.mails {
		if r.ID == m.ID {
			return nil
		}
	}
	b.mails = append(b.mails, received{Mail: m, At: time.Now()})
	if over := len(b.mails) - mailboxSize; over > 0 {
		b.mails = append([]received(nil), b.mails[over:]...)
	}
	close(b.arrived)
	b.arrived = make(chan struct{})
	return nil
}

// Wait gives the oldest mail to an address, of a kind or of any (""), that no Wait has given yet, as soon as there is
// one. The address is compared without regard to case. Its error is the end of ctx.
func (b *Mailbox) Wait(ctx context.Context, to, kind string) (hub.Mail, error) {
	for {
		m, found, arrived := b.take(to, kind)
		if found {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return hub.Mail{}, fmt.Errorf("wait for a mail of kind %q: %w", kind, ctx.Err())
		case <-arrived:
		}
	}
}

func (b *Mailbox) take(to, kind string) (hub.Mail, bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range b.mails {
		if !r.given && strings.EqualFold(r.To, to) && (kind == "" || r.Kind == kind) {
			b.mails[i].given = true
			return r.Mail, true, nil
		}
	}
	return hub.Mail{}, false, b.arrived
}

// Mails lists what is kept, newest first.
func (b *Mailbox) Mails() []hub.Mail {
	kept := b.kept()
	mails := make([]hub.Mail, len(kept))
	for i, r := range kept {
		mails[i] = r.Mail
	}
	return mails
}

// kept is Mails with what else is known.
func (b *Mailbox) kept() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	newest := make([]received, 0, len(b.mails))
	for i := len(b.mails) - 1; i >= 0; i-- {
		newest = append(newest, b.mails[i])
	}
	return newest
}
