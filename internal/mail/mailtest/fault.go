package mailtest

import (
	"errors"

	"github.com/emersion/go-smtp"
)

// Step is a moment of a conversation.
type Step int8

// The steps.
const (
	Greeting  Step = iota + 1 // before the server has said anything
	Sender                    // MAIL FROM
	Recipient                 // RCPT TO
	Message                   // the message is there, to the last byte
)

// Fault is something that goes wrong at a step, until another one is set. Of Code, Hang and Drop one is set.
type Fault struct {
	At     Step
	Code   int    // answer with this; the words quote the recipient, as many servers do
	Status [3]int // enhanced status code, such as 5.1.1
	Hang   bool   // answer nothing more until the test ends
	Drop   bool   // cut the connection; a message that is there by then counts as received
}

// Misbehave sets the fault; the zero Fault ends it.
func (s *Server) Misbehave(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

var errDropped = errors.New("dropped")

// at does what the fault of a step asks for.
func (s *Server) at(step Step, c *smtp.Conn) error {
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	switch {
	case f.At != step:
		return nil
	case f.Hang:
		<-s.ended
		return errDropped
	case f.Drop:
		_ = c.Conn().Close()
		return errDropped
	}
	return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.EnhancedCode(f.Status), Message: "no, not for <maya@customer.example>"}
}
