package mail_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sidecard/internal/hub"
	"sidecard/internal/mail"
	"sidecard/internal/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "sidecard"
	password = "sesame-opens-4f1c"
	to       = "maya@customer.example"
)

func letter() hub.Mail {
	return hub.Mail{
		ID: hub.NewID(), Kind: hub.MailResetPassword, To: to, Subject: "Choose a new password",
		Text: "Hello,\n\nsomebody asked for it — hopefully you.\n\nChoose a new password:\nhttps://sidecard.example.com/reset?token=abc&x=1\n\nYour Sidecard\n",
	}
}

func mailer(t *testing.T, s *mailtest.Server, tweak ...func(*mail.Server)) *mail.SMTP {
	t.Helper()
	server := mail.Server{Host: s.Host, Port: s.Port, Roots: s.Roots}
	for _, f := range tweak {
		f(&server)
	}
	m, err := mail.NewSMTP(server, "Sidecard <no-reply@sidecard.example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func signedIn(s *mail.Server) { s.User, s.Password = user, password }

func inTheClear(s *mail.Server) { s.Security = mail.None }

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAMailArrivesInEachKindOfPrivacy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options mailtest.Options
		tweak   func(*mail.Server)
	}{
		"STARTTLS": {mailtest.Options{StartTLS: true, User: user, Password: password}, signedIn},
		"TLS": {mailtest.Options{TLS: true, User: user, Password: password}, func(s *mail.Server) {
			signedIn(s)
			s.Security = mail.TLS
		}},
		"this machine": {mailtest.Options{}, inTheClear},
		"this machine, signed in": {mailtest.Options{User: user, Password: password}, func(s *mail.Server) {
			signedIn(s)
			inTheClear(s)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, c.options)
			if err := mailer(t, s, c.tweak).Send(soon(t), letter()); err != nil {
				t.Fatal(err)
			}
			got := s.Received()
			if len(got) != 1 {
				t.Fatalf("received %d messages, want 1", len(got))
			}
			if got[0].From != "no-reply@sidecard.example.com" || got[0].To != to || got[0].User != c.options.User {
				t.Errorf("envelope = %s to %s by %q", got[0].From, got[0].To, got[0].User)
			}
			if got[0].TLS != (c.options.TLS || c.options.StartTLS) {
				t.Errorf("TLS = %t", got[0].TLS)
			}
		})
	}
}

func TestAMessageSaysWhatTheMailSays(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t, mailtest.Options{})
	m := letter()
	if err := mailer(t, s, inTheClear).Send(soon(t), m); err != nil {
		t.Fatal(err)
	}
	received, err := s.WaitTo(soon(t), strings.ToUpper(to))
	if err != nil {
		t.Fatal(err)
	}
	message := read(t, received.Data)
	for name, want := range map[string]string{
		"From": `"Sidecard" <no-reply@sidecard.example.com>`, "To": "<" + to + ">", "Subject": m.Subject,
		"Message-Id": "<" + m.ID.String() + "@sidecard.example.com>", "Auto-Submitted": "auto-generated",
	} {
		if got := message.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if _, err := message.header.Date(); err != nil {
		t.Errorf("Date: %v", err)
	}
	for _, name := range []string{"List-Unsubscribe", "User-Agent", "X-Mailer"} {
		if got := message.header.Get(name); got != "" {
			t.Errorf("%s = %q, want none", name, got)
		}
	}
	if text, err := received.Text(); err != nil || text != m.Text {
		t.Errorf("Text of mailtest = %q, %v", text, err)
	}
	if message.text != m.Text {
		t.Errorf("text = %q, want %q", message.text, m.Text)
	}
	if !strings.Contains(message.html, `href="https://sidecard.example.com/reset?token=abc&amp;x=1"`) {
		t.Errorf("HTML has no button for the link:\n%s", message.html)
	}
}

func TestOnlyWhatCannotPassIsRefusedForGood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault mailtest.Fault
		final bool
	}{
		"no such address":        {mailtest.Fault{At: mailtest.Recipient, Code: 550, Status: [3]int{5, 1, 1}}, true},
		"address is elsewhere":   {mailtest.Fault{At: mailtest.Recipient, Code: 551, Status: [3]int{5, 1, 6}}, true},
		"come again":             {mailtest.Fault{At: mailtest.Recipient, Code: 451, Status: [3]int{4, 7, 1}}, false},
		"mailbox full":           {mailtest.Fault{At: mailtest.Recipient, Code: 452, Status: [3]int{4, 2, 2}}, false},
		"we may not relay":       {mailtest.Fault{At: mailtest.Recipient, Code: 550, Status: [3]int{5, 7, 1}}, false},
		"sign in first":          {mailtest.Fault{At: mailtest.Recipient, Code: 530, Status: [3]int{5, 5, 1}}, false},
		"sender not allowed":     {mailtest.Fault{At: mailtest.Sender, Code: 553, Status: [3]int{5, 1, 8}}, false},
		"mail is not wanted":     {mailtest.Fault{At: mailtest.Message, Code: 554, Status: [3]int{5, 7, 1}}, true},
		"mail not taken now":     {mailtest.Fault{At: mailtest.Message, Code: 452, Status: [3]int{4, 3, 1}}, false},
		"server is closing":      {mailtest.Fault{At: mailtest.Greeting, Code: 421, Status: [3]int{4, 3, 2}}, false},
		"dropped at the start":   {mailtest.Fault{At: mailtest.Greeting, Drop: true}, false},
		"dropped at the address": {mailtest.Fault{At: mailtest.Recipient, Drop: true}, false},
		"dropped after the mail": {mailtest.Fault{At: mailtest.Message, Drop: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, mailtest.Options{})
			m := mailer(t, s, inTheClear)
			s.Misbehave(c.fault)
			err := m.Send(soon(t), letter())
			if err == nil || errors.Is(err, hub.ErrMailRefused) != c.final {
				t.Errorf("error = %v, want one that is final: %t", err, c.final)
			}
			tellsNothing(t, err)
			s.Misbehave(mailtest.Fault{})
			if err := m.Send(soon(t), letter()); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestAServerThatHangsIsLeftWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]mailtest.Step{
		"greeting": mailtest.Greeting, "sender": mailtest.Sender, "recipient": mailtest.Recipient, "message": mailtest.Message,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, mailtest.Options{})
			s.Misbehave(mailtest.Fault{At: step, Hang: true})
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			m, sent := mailer(t, s, inTheClear), make(chan error, 1)
			go func() { sent <- m.Send(ctx, letter()) }()
			var err error
			select {
			case err = <-sent:
			case <-soon(t).Done():
				t.Fatal("it waits on after its time")
			}
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, hub.ErrMailRefused) {
				t.Errorf("error = %v, want that the time was over", err)
			}
			tellsNothing(t, err)
		})
	}
}

func TestNothingIsSentWithoutTheProtectionThatWasAskedFor(t *testing.T) {
	t.Parallel()
	trusting := func(s *mail.Server) { s.Roots = x509.NewCertPool() }
	for name, c := range map[string]struct {
		options mailtest.Options
		tweak   func(*mail.Server)
	}{
		"no STARTTLS":               {mailtest.Options{User: user, Password: password}, signedIn},
		"foreign certificate":       {mailtest.Options{StartTLS: true}, trusting},
		"foreign certificate, TLS":  {mailtest.Options{TLS: true}, func(s *mail.Server) { trusting(s); s.Security = mail.TLS }},
		"certificate of another":    {mailtest.Options{StartTLS: true, WrongName: true}, signedIn},
		"wrong password":            {mailtest.Options{StartTLS: true, User: user, Password: "another"}, signedIn},
		"no sign-in where required": {mailtest.Options{StartTLS: true, User: user, Password: password}, func(*mail.Server) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, c.options)
			err := mailer(t, s, c.tweak).Send(soon(t), letter())
			if err == nil || errors.Is(err, hub.ErrMailRefused) {
				t.Errorf("error = %v, want one that may be mended", err)
			}
			tellsNothing(t, err)
			if n := len(s.Received()); n != 0 {
				t.Errorf("received %d messages, want none", n)
			}
		})
	}
}

func TestNoTextBecomesAHeader(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t, mailtest.Options{})
	m := letter()
	m.Subject = "Hello\r\nBcc: victim@elsewhere.example\r\n\r\nbody\u2028X: y"
	if err := mailer(t, s, inTheClear).Send(soon(t), m); err != nil {
		t.Fatal(err)
	}
	message := read(t, s.Received()[0].Data)
	if message.header.Get("Bcc") != "" || message.header.Get("X") != "" || message.text != m.Text {
		t.Errorf("headers = %v", message.header)
	}
	if got := message.header.Get("Subject"); strings.ContainsAny(got, "\r\n") || !strings.HasPrefix(got, "Hello Bcc: victim") {
		t.Errorf("Subject = %q", got)
	}
	for _, address := range []string{
		"a@b.example\r\nRCPT TO:<victim@elsewhere.example>", "a@b.example, c@d.example", "Name <a@b.example>", "nobody", "",
		"a@b.example\x00", "a b@c.example", "a@-b-.example",
	} {
		m := letter()
		m.To = address
		if err := mailer(t, s, inTheClear).Send(soon(t), m); !errors.Is(err, hub.ErrMailRefused) {
			t.Errorf("to %q: %v, want it refused", address, err)
		}
	}
	if _, err := mail.NewSMTP(mail.Server{}, "Side\r\nBcc: x@y.example <no-reply@sidecard.example.com>"); err == nil {
		t.Error("a sender with a line break was accepted")
	}
	if n := len(s.Received()); n != 1 {
		t.Errorf("received %d messages, want the first alone", n)
	}
}

func TestADomainIsSentInASCII(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t, mailtest.Options{})
	m := letter()
	m.To = "maya@räder.example"
	if err := mailer(t, s, inTheClear).Send(soon(t), m); err != nil {
		t.Fatal(err)
	}
	if got := s.Received()[0].To; got != "maya@xn--rder-loa.example" {
		t.Errorf("to %s", got)
	}
}

// tellsNothing fails when an error holds what the log must not.
func tellsNothing(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{password, user + " ", to, "customer.example", "token=abc"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q holds %q", err, secret)
		}
	}
}

type readMessage struct {
	header     netmail.Header
	text, html string
}

// read takes a message apart, with header words decoded.
func read(t *testing.T, data []byte) readMessage {
	t.Helper()
	raw, err := netmail.ReadMessage(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	m := readMessage{header: raw.Header}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(raw.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	m.header["Subject"] = []string{subject}
	kind, params, err := mime.ParseMediaType(raw.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type = %s, %v", kind, err)
	}
	parts := multipart.NewReader(raw.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			m.html = text
		} else {
			m.text = text
		}
	}
}
