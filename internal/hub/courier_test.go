package hub_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/mail"
	"sidecard/internal/mail/mailtest"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// postOffice is a hub with a real mail server over one database.
type postOffice struct {
	*testing.T
	hub    *hub.Hub
	server *mailtest.Server
	owner  *sql.DB
	store  hub.Store
	logs   sync.Mutex
	log    bytes.Buffer
}

func (o *postOffice) Write(line []byte) (int, error) {
	o.logs.Lock()
	defer o.logs.Unlock()
	return o.log.Write(line)
}

func (o *postOffice) logged() string {
	o.logs.Lock()
	defer o.logs.Unlock()
	return o.log.String()
}

// onPostOffices runs a story on both databases. Whatever happens, no address is in the log.
func onPostOffices(t *testing.T, story func(o *postOffice)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		o := &postOffice{T: t, owner: db.Owner, store: db.Store, server: mailtest.Start(t, mailtest.Options{})}
		master, err := vault.NewKey()
		must(t, err)
		seal, err := vault.New(master)
		must(t, err)
		mailer, err := mail.NewSMTP(mail.Server{Host: o.server.Host, Port: o.server.Port, Security: mail.None}, "no-reply@sidecard.example.com")
		must(t, err)
		o.hub = hub.New(hub.Config{Store: db.Store, Vault: seal, Mailer: mailer, Log: slog.New(slog.NewJSONHandler(o, nil))})
		t.Cleanup(o.hub.Close)
		story(o)
		if strings.Contains(o.logged(), "customer.example") || strings.Contains(o.logged(), "token=") {
			t.Errorf("an address or a link is in the log: %s", o.logged())
		}
	})
}

const maya = "maya@customer.example"

func (o *postOffice) post() hub.Mail {
	o.Helper()
	m := hub.Mail{ID: hub.NewID(), Kind: hub.MailResetPassword, To: maya, Subject: "Choose a new password", Text: "Hello,\n\nChoose:\nhttps://sidecard.example.com/reset?token=x\n"}
	must(o.T, o.hub.Post(o.Context(), m))
	return m
}

// courier starts one; stop waits for its end.
func (o *postOffice) courier() (stop func()) {
	o.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(o.Context()))
	done := make(chan error, 1)
	go func() { done <- o.hub.Courier(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			o.Errorf("Courier: %v", err)
		}
	})
	o.Cleanup(stop)
	return stop
}

// arrive waits for n messages in all.
func (o *postOffice) arrive(n int) []mailtest.Received {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 20*time.Second)
	defer cancel()
	received, err := o.server.Wait(ctx, n)
	if err != nil {
		o.Fatalf("%d messages arrived, want %d: %v\nlog: %s", len(received), n, err, o.logged())
	}
	return received
}

// until waits until so many mails of the outbox fit.
func (o *postOffice) until(n int, where string) {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		found := -1
		err := o.owner.QueryRowContext(ctx, "select count(*) from mails where "+where).Scan(&found)
		if err == nil && found == n {
			return
		}
		select {
		case <-ctx.Done():
			o.Fatalf("%d mails are %s (%v), want %d\nlog: %s", found, where, err, n, o.logged())
		case <-tick.C:
		}
	}
}

func (o *postOffice) exec(statement string, args ...any) {
	o.Helper()
	_, err := o.owner.ExecContext(o.Context(), statement, args...)
	must(o.T, err)
}

// due makes all mails due now, as if the time had passed.
func (o *postOffice) due() {
	o.Helper()
	o.exec("update mails set due_at = $1", time.Now().UTC().Add(-time.Second))
}

const (
	all     = "1 = 1"
	waiting = "busy_until is null and tries = 1"
)

func TestAPostedMailIsSentAndLeavesTheOutbox(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.courier()
		m := o.post()
		received := o.arrive(1)
		if received[0].To != maya || !strings.Contains(string(received[0].Data), m.Subject) {
			o.Errorf("received to %s: %s", received[0].To, received[0].Data)
		}
		o.until(0, all)
	})
}

func TestMailsPostedWhileNoCourierRunsAreSentLater(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		for range 9 {
			o.post()
		}
		o.courier()
		o.arrive(9)
		o.until(0, all)
		if n := len(o.server.Received()); n != 9 {
			o.Errorf("received %d, want each once", n)
		}
	})
}

func TestAMailThatCannotBeSentNowIsSentLater(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.server.Misbehave(mailtest.Fault{At: mailtest.Recipient, Code: 451})
		o.post()
		o.courier()
		o.until(1, waiting)
		var due time.Time
		must(o.T, o.owner.QueryRowContext(o.Context(), "select due_at from mails").Scan(&due))
		if in := time.Until(due); in <= 0 || in > 5*time.Second {
			o.Errorf("next try in %s, want about 5s", in)
		}
		o.server.Misbehave(mailtest.Fault{})
		o.due()
		o.arrive(1)
		o.until(0, all)
	})
}

func TestARefusedAddressIsDroppedAtOnce(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.server.Misbehave(mailtest.Fault{At: mailtest.Recipient, Code: 550, Status: [3]int{5, 1, 1}})
		m := o.post()
		o.courier()
		o.until(0, all)
		for _, want := range []string{"mail refused and dropped", m.ID.String(), m.Kind} {
			if !strings.Contains(o.logged(), want) {
				o.Errorf("the log does not say %q: %s", want, o.logged())
			}
		}
	})
}

func TestAMailIsGivenUpAfterADay(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.server.Misbehave(mailtest.Fault{At: mailtest.Sender, Code: 451})
		m := o.post()
		o.exec("update mails set created_at = $1, tries = 30", time.Now().UTC().Add(-25*time.Hour))
		o.courier()
		o.until(0, all)
		if log := o.logged(); !strings.Contains(log, "mail given up") || !strings.Contains(log, m.ID.String()) {
			o.Errorf("the log does not say that the mail was given up: %s", log)
		}
	})
}

func TestAMailOfADeadCourierIsSentByAnother(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.post()
		claimed, err := o.store.ClaimMails(o.Context(), 1, 300*time.Millisecond)
		if err != nil || len(claimed) != 1 {
			o.Fatalf("claimed %d, %v", len(claimed), err)
		}
		// Who claimed it is dead from here on, perhaps after it was sent.
		o.courier()
		o.arrive(1)
		o.until(0, all)
	})
}

// The server took the mail over and nobody heard of it: twice is better than never, and both are one message.
func TestAMailWhoseFateIsUnknownIsSentAgainAsTheSameMessage(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.server.Misbehave(mailtest.Fault{At: mailtest.Message, Drop: true})
		m := o.post()
		o.courier()
		o.until(1, waiting)
		o.server.Misbehave(mailtest.Fault{})
		o.due()
		for _, r := range o.arrive(2) {
			if !strings.Contains(string(r.Data), "Message-ID: <"+m.ID.String()+"@sidecard.example.com>") {
				o.Errorf("message of another id: %s", r.Data)
			}
		}
		o.until(0, all)
	})
}

func TestAStoppedCourierGivesItsMailBack(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.server.Misbehave(mailtest.Fault{At: mailtest.Message, Hang: true})
		o.post()
		stop := o.courier()
		o.until(1, "busy_until is not null")
		stop()
		o.until(1, waiting)
		if claimed, err := o.store.ClaimMails(o.Context(), 1, time.Minute); err != nil || len(claimed) != 1 {
			o.Errorf("another courier claims %d mails (%v), want it at once", len(claimed), err)
		}
	})
}

func TestTheOutboxIsUnreadableAndBoundToItsRow(t *testing.T) {
	onPostOffices(t, func(o *postOffice) {
		o.post()
		var sealed []byte
		must(o.T, o.owner.QueryRowContext(o.Context(), "select sealed from mails").Scan(&sealed))
		for _, word := range []string{maya, "customer", "https", "token", "Hello"} {
			if bytes.Contains(sealed, []byte(word)) {
				o.Errorf("%q can be read in the database", word)
			}
		}
		o.exec("update mails set id = $1", hub.NewID())
		o.courier()
		o.until(1, waiting)
		if n := len(o.server.Received()); n != 0 {
			o.Error("a mail that was put into another's row was sent")
		}
	})
}
