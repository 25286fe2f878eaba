package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"sidecard/internal/hub"
)

// stepTime bounds the connecting and each command; the whole is bounded by the caller's context.
const stepTime = 20 * time.Second

// SMTP hands mails to a mail server, one connection a mail. It is safe for concurrent use.
type SMTP struct {
	server Server
	from   mail.Address
}

var _ hub.Mailer = (*SMTP)(nil)

// NewSMTP makes a mailer. From is MAIL_FROM, such as "Sidecard <no-reply@example.com>".
func NewSMTP(s Server, from string) (*SMTP, error) {
	address, err := mail.ParseAddress(from)
	if err != nil {
		return nil, errors.New(`it must be an address such as "Sidecard <no-reply@example.com>"`)
	}
	return &SMTP{server: s, from: *address}, nil
}

// Send implements hub.Mailer. A mail is refused for good when there is no such address, or when the server has seen
// it and does not take it. What is wrong between us and the server, such as a password, may be mended.
func (s *SMTP) Send(ctx context.Context, m hub.Mail) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	line := &line{server: s.server}
	defer line.hangUp()
	client, err := s.client(line)
	if err != nil {
		return fmt.Errorf("prepare mail: %w", err)
	}
	// Whatever the server does, the end of ctx ends it.
	defer context.AfterFunc(ctx, line.hangUp)()
	connected, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.trouble(ctx, "connect to the mail server", err)
	}
	if err = client.SendWithSMTPClient(connected, message); err != nil {
		return s.trouble(ctx, "send mail", err)
	}
	line.hurry()
	_ = connected.Quit() // good manners; the mail is with the server
	return nil
}

func (s *SMTP) client(l *line) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.server.Port), gomail.WithTimeout(stepTime), gomail.WithDialContextFunc(l.dial),
		gomail.WithTLSConfig(s.server.tls()), gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	switch s.server.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.server.User != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&login{server: s.server}))
	}
	return gomail.NewClient(s.server.Host, options...)
}

func (s Server) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// trouble says what went wrong in the server's numbers. Its words are left out where they may quote an address.
func (s *SMTP) trouble(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	var sent *gomail.SendError
	if errors.As(err, &sent) {
		return refusal(doing, sent)
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return fmt.Errorf("%s: it answered %d", doing, answer.Code)
	}
	text := err.Error()
	if s.server.User != "" {
		text = strings.NewReplacer(s.server.Password, "***", s.server.User, "***").Replace(text)
	}
	return fmt.Errorf("%s: %s", doing, text)
}

// refusal tells what is final from what may pass. 5xx is final for the address or the mail, except where it is about
// us: class 5.7 and 530 to RCPT say that we may not send through this server.
func refusal(doing string, e *gomail.SendError) error {
	code, status := e.ErrorCode(), e.EnhancedStatusCode()
	err := fmt.Errorf("%s: %s: it answered %s", doing, e.Reason, strings.TrimSpace(fmt.Sprint(code, " ", status)))
	if code == 0 {
		return fmt.Errorf("%s: %s: the connection broke", doing, e.Reason)
	}
	ours := code == 530 || strings.HasPrefix(status, "5.7.")
	toAddress := e.Reason == gomail.ErrSMTPRcptTo && !ours
	toMail := e.Reason == gomail.ErrSMTPData || e.Reason == gomail.ErrSMTPDataClose || e.Reason == gomail.ErrWriteContent
	if code >= 500 && (toAddress || toMail) {
		return fmt.Errorf("%w: %w", hub.ErrMailRefused, err)
	}
	return err
}

// login proves who we are in the best way that the server offers.
type login struct {
	server Server
	smtp.Auth
}

// Start implements smtp.Auth.
func (l *login) Start(info *smtp.ServerInfo) (string, []byte, error) {
	offers := func(kind string) bool { return slices.Contains(info.Auth, kind) }
	user, password, host := l.server.User, l.server.Password, l.server.Host
	switch {
	case offers("SCRAM-SHA-256"):
		l.Auth = smtp.ScramSHA256Auth(user, password)
	case offers("PLAIN"):
		l.Auth = smtp.PlainAuth("", user, password, host, false)
	case offers("LOGIN"):
		l.Auth = smtp.LoginAuth(user, password, host, false)
	default:
		return "", nil, errors.New("it offers no way to sign in that Sidecard knows (SCRAM-SHA-256, PLAIN, LOGIN)")
	}
	return l.Auth.Start(info)
}
