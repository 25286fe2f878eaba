package hub

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	courierPoll  = time.Second      // another process may have put a mail into the outbox
	courierBatch = 4                // mails sent at once; mail servers allow few connections of one client
	courierLease = 2 * time.Minute  // longer than sendTimeout, so that a mail is in one courier's hands only
	sendTimeout  = 30 * time.Second // one mail
	mailLife     = 24 * time.Hour   // then it is given up
)

// mailDelays are the times between tries; the last one repeats.
var mailDelays = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// WakeCourier makes this process's courier look into the outbox at once. It never blocks.
func (h *Hub) WakeCourier() {
	select {
	case h.mailed <- struct{}{}:
	default: // it is awake, or will be
	}
}

// Courier sends what is due in the outbox until ctx ends, then returns nil. Several may run, in one process or many.
// Each mail is sent at least once: who dies between sending and noting it leaves a mail that is sent a second time.
// A mail that is refused, or not sent within a day, is dropped with a line in the log.
func (h *Hub) Courier(ctx context.Context) error {
	poll := time.NewTicker(courierPoll)
	defer poll.Stop()
	for ill := false; ; {
		n, err := h.sendDue(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !ill: // said once, not every second
			h.Log.Error("mails cannot be read", "error", err)
		case n == courierBatch: // there may be more
			continue
		}
		ill = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-h.mailed:
		case <-poll.C:
		}
	}
}

// sendDue sends a batch and gives its size.
func (h *Hub) sendDue(ctx context.Context) (int, error) {
	batch, err := h.Store.ClaimMails(ctx, courierBatch, courierLease)
	if err != nil {
		return 0, err
	}
	var sending sync.WaitGroup
	for _, c := range batch {
		sending.Go(func() { h.deliverMail(ctx, c) })
	}
	sending.Wait()
	return len(batch), nil
}

// deliverMail sends a mail and notes what became of it. A note that fails leaves the mail to its lease.
func (h *Hub) deliverMail(ctx context.Context, c ClaimedMail) {
	log := h.Log.With("kind", c.Kind, "mail", c.ID, "try", c.Tries)
	err := h.sendMail(ctx, c)
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	switch {
	case err == nil:
		log.Info("mail sent")
		err = h.Store.MailSent(note, c.ID)
	case errors.Is(err, ErrMailRefused):
		log.Warn("mail refused and dropped", "error", err)
		err = h.Store.MailSent(note, c.ID)
	case ctx.Err() != nil: // we are being stopped; that is no fault of the mail's
		err = h.Store.MailFailed(note, c.ID, c.Tries, 0)
	case c.Age >= mailLife:
		log.Error("mail given up after a day", "error", err)
		err = h.Store.MailSent(note, c.ID)
	default:
		delay := mailDelays[min(c.Tries, len(mailDelays))-1]
		log.Warn("mail not sent yet", "error", err, "again", delay.String())
		err = h.Store.MailFailed(note, c.ID, c.Tries, delay)
	}
	if err != nil {
		log.Error("mail's state not noted, it will be sent again", "error", err)
	}
}

// sendMail opens a mail and hands it to the mailer. One that cannot be opened stays until its time is over: the
// right key may come back.
func (h *Hub) sendMail(ctx context.Context, c ClaimedMail) error {
	m, err := h.openMail(ctx, c.SealedMail)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return h.Mailer.Send(ctx, m)
}
