// Package mail carries mails to their people: by SMTP, or into a mailbox of this process that people and tests look
// into. It makes the two bodies of a message, plain text and the same words with a button, and refuses to send in
// the clear to anywhere but this machine. What mails say and when they are sent again is the hub's.
package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
)

// Security is how the connection to a mail server is kept private.
type Security int8

// The securities.
const (
	StartTLS Security = iota // begun in the clear, and given up unless the server turns to TLS at once
	TLS                      // from the first byte
	None                     // only to this machine
)

// Server is a mail server that takes mails over.
type Server struct {
	Host           string
	Port           int
	User, Password string // both empty when the server asks for none
	Security       Security
	Roots          *x509.CertPool // whom to trust; nil = whom the system trusts
}

// ParseServer reads SMTP_URL: smtp://user:password@host:587 (STARTTLS is required), smtps://user:password@host:465,
// or smtp://127.0.0.1:1025?tls=off for a server on this machine. The ports may be left out. Errors are sentences for
// the operator and hold nothing of the text, which has a password in it.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Server{}, errors.New("it must look like smtp://user:password@smtp.example.com:587 or smtps://user:password@smtp.example.com:465, with special characters of the password percent-encoded")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username()}
	s.Password, _ = u.User.Password()
	if (s.User == "") != (s.Password == "") {
		return Server{}, errors.New("give both a user and a password, or neither")
	}
	port := ""
	switch u.Scheme {
	case "smtp":
		port = "587"
	case "smtps":
		s.Security, port = TLS, "465"
	default:
		return Server{}, errors.New("it must begin with smtp:// or smtps://")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if s.Port, err = strconv.Atoi(port); err != nil || s.Port < 1 || s.Port > 65535 {
		return Server{}, errors.New("the port must be between 1 and 65535")
	}
	return s, s.readQuery(u)
}

func (s *Server) readQuery(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	if u.RawQuery != "tls=off" || u.Scheme != "smtp" {
		return errors.New("the only thing that may follow a question mark is tls=off, with smtp://")
	}
	if !isThisMachine(s.Host) {
		return fmt.Errorf("tls=off is for a mail server on this machine, such as 127.0.0.1; leave it out for %s", s.Host)
	}
	s.Security = None
	return nil
}

func isThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
