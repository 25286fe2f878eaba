package livesupportitest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxWire is how many exchanges of one chat are kept.
const maxWire = 20

// Exchange is one request and its answer as they went over the wire.
type Exchange struct {
	At time.Time `json:"at"`
	// AfterMS counts from the start of the chat.
	AfterMS float64 `json:"after_ms"`
	// Outbound is true for a notification and false for a details request.
	Outbound bool    `json:"outbound"`
	Request  string  `json:"request"` // the request line and the header lines
	Body     string  `json:"body"`
	Answer   string  `json:"answer"` // the status line and the header lines
	Text     string  `json:"text"`   // the answer's body
	TookMS   float64 `json:"took_ms"`
	// Problem says why there was no answer.
	Problem string `json:"problem,omitempty"`
	// Note says which fault was played.
	Note string `json:"note,omitempty"`
}

// Wire returns what went over the wire for a chat, oldest first. It is kept for
// the newest chats only; see Options.KeepWire.
func (s *Server) Wire(chatID string) []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.chats[chatID]
	if !ok {
		return nil
	}
	return slices.Clone(c.wire)
}

func (s *Server) addWire(c *chat, exchange Exchange) {
	if s.opts.KeepWire <= 0 {
		return
	}
	exchange.AfterMS = milliseconds(exchange.At.Sub(c.StartedAt))
	if len(c.wire) == maxWire {
		c.wire = slices.Delete(c.wire, 0, 1)
	}
	c.wire = append(c.wire, exchange)
}

func (e *Exchange) describeRequest(r *http.Request) {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	e.Request = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s", r.Method, r.URL.RequestURI(), host, headerLines(r.Header))
	if r.ContentLength > 0 && r.Header.Get("Content-Length") == "" {
		e.Request += "Content-Length: " + strconv.FormatInt(r.ContentLength, 10) + "\r\n"
	}
}

func (e *Exchange) describeAnswer(status int, header http.Header, text []byte) {
	e.Answer = "HTTP/1.1 " + statusText(status) + "\r\n" + headerLines(header)
	e.Text = strings.ToValidUTF8(string(text), "\uFFFD")
}

// headerLines writes header fields in the order of their names. Credentials are
// not shown.
func headerLines(header http.Header) string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		for _, value := range header[name] {
			if value == "" {
				continue
			}
			if scheme, _, ok := strings.Cut(value, " "); ok && name == "Authorization" {
				value = scheme + " " + strings.Repeat("\u2022", 8)
			}
			fmt.Fprintf(&out, "%s: %s\r\n", name, value)
		}
	}
	return out.String()
}
