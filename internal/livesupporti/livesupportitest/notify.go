package livesupportitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sidecard/internal/livesupporti"
)

// repeats is how long ASP.NET's sender waits before its second and its third
// and last attempt.
var repeats = []time.Duration{time.Minute, 4 * time.Minute}

// maxCallbackAnswer bounds what is read of a callback's answer.
const maxCallbackAnswer = 16 << 10

// announcement is one firing of one WebHook.
type announcement struct {
	hook  WebHook
	chats []*chat
	id    string
}

func (s *Server) hooksOf(accountID string) []*WebHook {
	var hooks []*WebHook
	for _, hook := range s.hooks {
		if hook.AccountID == accountID {
			hooks = append(hooks, hook)
		}
	}
	return hooks
}

// announce sends one attempt in the background. The caller holds the lock.
func (s *Server) announce(a *announcement, attempt int) {
	if s.closed {
		return
	}
	s.busy.Go(func() {
		select {
		case s.senders <- struct{}{}:
			defer func() { <-s.senders }()
			s.attempt(a, attempt)
		case <-s.ctx.Done():
		}
	})
}

func (s *Server) attempt(a *announcement, attempt int) {
	body := a.body(attempt)
	fault := s.takeNotificationFault(a.hook.AccountID)
	if fault.Mode == ModeDuplicate {
		s.busy.Go(func() { s.send(a, attempt, body, fault) })
	}
	notice, exchange := s.send(a, attempt, body, fault)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	notice.Outcome = NoticeAccepted
	if notice.Status < 200 || notice.Status > 299 {
		notice.Outcome = s.repeat(a, attempt, &notice)
	}
	for _, hook := range s.hooks {
		if hook.ID == a.hook.ID && hook.LastStatus != notice.Status {
			hook.LastStatus = notice.Status
			s.publishSetup()
		}
	}
	for _, c := range a.chats {
		c.Notices = append(c.Notices, notice)
		s.addWire(c, exchange)
		s.changedChat(c)
	}
}

// repeat decides what follows a failed attempt.
func (s *Server) repeat(a *announcement, attempt int, notice *Notice) (outcome string) {
	if notice.Status == http.StatusGone {
		return NoticeGone
	}
	if attempt > len(repeats) {
		return NoticeDropped
	}
	wait := time.Duration(float64(repeats[attempt-1]) / s.opts.Speed)
	notice.NextMS = milliseconds(wait)
	s.opts.Clock.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.announce(a, attempt+1)
	})
	return NoticeAgain
}

func (s *Server) send(a *announcement, attempt int, body []byte, fault Fault) (Notice, Exchange) {
	header := http.Header{"Content-Type": {livesupporti.ContentType}, "User-Agent": {""}}
	switch fault.Mode {
	case ModeUnsigned:
	case ModeWrongSignature:
		header[livesupporti.SignatureHeader] = []string{livesupporti.Sign(body, []byte("another secret than the one agreed on"))}
	default:
		header[livesupporti.SignatureHeader] = []string{livesupporti.Sign(body, []byte(a.hook.Secret))}
	}
	started := s.opts.Clock.Now()
	notice := Notice{WebHookID: a.hook.ID, Attempt: attempt, At: started}
	exchange := Exchange{At: started, Outbound: true, Note: fault.describe()}

	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, a.hook.CallbackURL, bytes.NewReader(body))
	if err != nil {
		notice.Problem = "the callback URI cannot be requested"
		return notice, exchange
	}
	req.Header = header
	if s.opts.KeepWire > 0 {
		exchange.describeRequest(req)
		exchange.Body = string(body)
	}
	resp, err := s.opts.HTTP.Do(req)
	took := s.opts.Clock.Now().Sub(started)
	notice.TookMS, exchange.TookMS = milliseconds(took), milliseconds(took)
	if err != nil {
		notice.Problem = problem(err)
		exchange.Problem = notice.Problem
		return notice, exchange
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxCallbackAnswer))
	notice.Status = resp.StatusCode
	if s.opts.KeepWire > 0 {
		exchange.describeAnswer(resp.StatusCode, resp.Header, text)
	}
	return notice, exchange
}

// body writes the notification as ASP.NET's sender does: indented by two
// spaces, lines ended by CR LF, text outside ASCII not escaped.
func (a *announcement) body(attempt int) []byte {
	variation := a.chats[0].Visitor.Variation
	elements := make(list, len(a.chats))
	for i, c := range a.chats {
		elements[i] = c.element()
	}
	firing := object{
		{"Id", a.id},
		{"Attempt", attempt},
		{"Properties", object{}},
		{"Notifications", elements},
	}
	l := newLayout(variation.Compact, variation.LowerCase)
	l.write(firing, 0)
	return l.out.Bytes()
}

func (c *chat) element() object {
	variation := c.Visitor.Variation
	visitor := object{{"Id", c.visitor}}
	switch {
	case variation.NoEmail:
	case variation.NullEmail:
		visitor = append(visitor, member{"Email", livesupporti.Scalar{}})
	default:
		visitor = append(visitor, member{"Email", c.Visitor.Email})
	}
	data := object{{"AccountId", c.account}}
	if !variation.NoAgent {
		data = append(data, member{"AgentId", c.agent})
	}
	if variation.Extras {
		visitor = append(visitor, member{"Country", "SE"})
		data = append(data, member{"StartedAt", c.StartedAt.UTC().Format(time.RFC3339)})
	}
	data = append(data, member{"Visitor", visitor})
	return object{{"Action", "ChatStarted"}, {"Data", data}}
}

// announcedID is an id as the notification writes it.
func announcedID(id string, numbers bool) livesupporti.Scalar {
	var number livesupporti.Scalar
	if _, err := strconv.ParseUint(id, 10, 63); numbers && err == nil && json.Unmarshal([]byte(id), &number) == nil {
		return number
	}
	return livesupporti.Text(id)
}

// problem words why a callback gave no answer.
func problem(err error) string {
	var wait net.Error
	switch {
	case errors.As(err, &wait) && wait.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection was closed before an answer came"
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return strings.TrimSuffix(err.Error(), ".")
}
