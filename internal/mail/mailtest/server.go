// Package mailtest is a mail server for tests and benchmarks. It speaks real SMTP on the loopback interface, keeps what it takes
// over, and misbehaves as it is told to.
package mailtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Received is a message that the server has taken over, or was given before it misbehaved.
type Received struct {
	From, To string // of the envelope
	User     string // who signed in; empty = nobody
	TLS      bool
	Data     []byte // as it came
}

// Options say what kind of server it is. The zero value is a plain one that asks for no sign-in and knows no TLS.
type Options struct {
	StartTLS       bool // offers it
	TLS            bool // from the first byte
	User, Password string
	WrongName      bool // its certificate is for another host
}

// Server is a running mail server.
type Server struct {
	Host  string
	Port  int
	Roots *x509.CertPool // trusts it

	options Options
	server  *smtp.Server
	ended   chan struct{} // closed by Close
	served  chan struct{} // closed when nothing is accepted any more

	mu       sync.Mutex
	fault    Fault
	received []Received
	arrived  chan struct{}
}

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Open runs a server until Close.
func Open(ctx context.Context, o Options) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start mailtest: %w", err)
	}
	s := &Server{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, options: o,
		ended: make(chan struct{}), served: make(chan struct{}), arrived: make(chan struct{}),
	}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if err := s.at(Greeting, c); err != nil {
			return nil, err
		}
		return &session{server: s, conn: c}, nil
	}))
	s.server.Domain = "mail.test"
	s.server.ErrorLog = silent{}
	s.server.ReadTimeout, s.server.WriteTimeout = time.Minute, time.Minute
	s.server.AllowInsecureAuth = !o.StartTLS && !o.TLS
	if o.StartTLS || o.TLS {
		certificate, roots, err := newCertificate(o.WrongName)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		s.Roots = roots
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if o.TLS {
			l = tls.NewListener(l, config)
		} else {
			s.server.TLSConfig = config
		}
	}
	go func() { defer close(s.served); _ = s.server.Serve(l) }()
	return s, nil
}

// Close ends the server. It is called once.
func (s *Server) Close() {
	close(s.ended)
	_ = s.server.Close()
	<-s.served
}

// Address is host:port.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Received lists what came, oldest first.
func (s *Server) Received() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.received...)
}

// Wait gives all that came as soon as they are n.
func (s *Server) Wait(ctx context.Context, n int) ([]Received, error) {
	for {
		s.mu.Lock()
		received, arrived := append([]Received(nil), s.received...), s.arrived
		s.mu.Unlock()
		if len(received) >= n {
			return received, nil
		}
		select {
		case <-ctx.Done():
			return received, ctx.Err()
		case <-arrived:
		}
	}
}

func (s *Server) keep(r Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// session is one connection.
type session struct {
	server   *Server
	conn     *smtp.Conn
	user     string
	from, to string
}

var _ smtp.AuthSession = (*session)(nil)

func (s *session) AuthMechanisms() []string {
	if s.server.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.options.User || password != s.server.options.Password {
			// Some servers repeat what they were told.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "not " + user + " with " + password}
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return s.server.at(Sender, s.conn)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.server.at(Recipient, s.conn)
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, private := s.conn.TLSConnectionState()
	received := Received{From: s.from, To: s.to, User: s.user, TLS: private, Data: data}
	if err := s.server.at(Message, s.conn); err != nil {
		if errors.Is(err, errDropped) {
			s.server.keep(received)
		}
		return err
	}
	s.server.keep(received)
	return nil
}

func (s *session) Reset() {}

func (s *session) Logout() error { return nil }

type silent struct{}

func (silent) Printf(string, ...any) {}

func (silent) Println(...any) {}
