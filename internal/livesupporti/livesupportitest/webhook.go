package livesupportitest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// WebHook is one of an account's WebHooks, subscribed to "Chat started and
// Visitor data".
type WebHook struct {
	ID          string    `json:"id"`
	AccountID   string    `json:"account_id"`
	CallbackURL string    `json:"callback_url"`
	Secret      string    `json:"-"`
	CreatedAt   time.Time `json:"created_at"`
	// LastStatus is what the callback answered to the latest notification, 0
	// before the first and after one that got no answer.
	LastStatus int `json:"last_status"`
}

// Registration is what a user enters under WebHooks, Add a WebHook.
type Registration struct {
	CallbackURL string `json:"callback_url"`
	Secret      string `json:"secret"`
	// BrowserCheck also requires what a browser would: that the callback
	// allows requests from LiveSupporti's web app, by CORS.
	BrowserCheck bool `json:"browser_check,omitempty"`
}

// HandshakeError says why a WebHook was not created, in a sentence for people.
type HandshakeError struct {
	Reason string
}

func (e *HandshakeError) Error() string { return e.Reason }

const (
	// appOrigin is where LiveSupporti's web app runs.
	appOrigin = "https://app.livesupporti.com"
	// handshakeWait bounds a handshake; a person is waiting for it.
	handshakeWait = 15 * time.Second
	// maxHandshake bounds what is read of an answer to a handshake.
	maxHandshake = 4 << 10
)

// RegisterWebHook creates a WebHook, or changes the secret of the account's
// WebHook with the same callback URL, after the callback has passed the echo
// handshake as ASP.NET's sender makes it: GET with the whole query string
// replaced by echo=<32 hexadecimal digits>; any 2xx, text/plain, and a body
// that is the value and nothing else. The account may be an id, an e-mail, or
// "" for the only one. A *HandshakeError says why it was not created.
func (s *Server) RegisterWebHook(ctx context.Context, account string, reg Registration) (WebHook, error) {
	s.mu.Lock()
	owner, err := s.account(account)
	s.mu.Unlock()
	if err != nil {
		return WebHook{}, err
	}
	callback, err := checkRegistration(reg)
	if err != nil {
		return WebHook{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeWait)
	defer cancel()
	if reg.BrowserCheck {
		if err := s.preflight(ctx, *callback); err != nil {
			return WebHook{}, err
		}
	}
	if err := s.echo(ctx, *callback, reg.BrowserCheck); err != nil {
		return WebHook{}, err
	}
	return s.keepWebHook(owner.ID, reg), nil
}

// RemoveWebHook deletes a WebHook and reports whether there was one.
func (s *Server) RemoveWebHook(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.hooks, func(h *WebHook) bool { return h.ID == id })
	if at < 0 {
		return false
	}
	s.hooks = slices.Delete(s.hooks, at, at+1)
	s.journal.write(record{Removed: id})
	s.publishSetup()
	return true
}

// WebHooks returns all WebHooks in the order of their creation.
func (s *Server) WebHooks() []WebHook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hookList()
}

func (s *Server) hookList() []WebHook {
	list := make([]WebHook, len(s.hooks))
	for i, hook := range s.hooks {
		list[i] = *hook
	}
	return list
}

func (s *Server) keepWebHook(accountID string, reg Registration) WebHook {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.hooks, func(h *WebHook) bool {
		return h.AccountID == accountID && h.CallbackURL == reg.CallbackURL
	})
	if at < 0 {
		at = len(s.hooks)
		s.hooks = append(s.hooks, &WebHook{ID: guidN(), AccountID: accountID, CallbackURL: reg.CallbackURL})
	}
	hook := s.hooks[at]
	hook.Secret, hook.CreatedAt = reg.Secret, s.opts.Clock.Now()
	s.journal.write(record{WebHook: hook, Secret: hook.Secret})
	s.publishSetup()
	return *hook
}

func checkRegistration(reg Registration) (*url.URL, error) {
	if n := utf8.RuneCountInString(reg.Secret); n < 32 || n > 64 {
		return nil, failed("The secret must have 32 to 64 characters; this one has %d.", n)
	}
	callback, err := url.Parse(reg.CallbackURL)
	if err != nil || callback.Host == "" || callback.Scheme != "http" && callback.Scheme != "https" {
		return nil, failed("The callback URI must be a full address that starts with https:// or http://.")
	}
	callback.Fragment = ""
	return callback, nil
}

// preflight asks as a browser does before a request across origins.
func (s *Server) preflight(ctx context.Context, callback url.URL) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, callback.String(), nil)
	if err != nil {
		return failed("The callback URI cannot be requested.")
	}
	req.Header.Set("Origin", appOrigin)
	req.Header.Set("Access-Control-Request-Method", http.MethodGet)
	resp, _, err := s.ask(req)
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failed("A browser's preflight request (OPTIONS) was answered %s; it needs a 2xx.", statusText(resp.StatusCode))
	}
	if !allowsOrigin(resp) {
		return failed("The answer to a browser's preflight request does not allow %s: Access-Control-Allow-Origin is %q.",
			appOrigin, resp.Header.Get("Access-Control-Allow-Origin"))
	}
	return nil
}

func (s *Server) echo(ctx context.Context, callback url.URL, browser bool) error {
	value := guidN()
	callback.RawQuery = "echo=" + value
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, callback.String(), nil)
	if err != nil {
		return failed("The callback URI cannot be requested.")
	}
	if browser {
		req.Header.Set("Origin", appOrigin)
	}
	resp, body, err := s.ask(req)
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failed("The callback answered %s; it needs a 2xx.", statusText(resp.StatusCode))
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "text/plain" {
		return failed("The callback answered with Content-Type %q; it must be text/plain.", resp.Header.Get("Content-Type"))
	}
	if browser && !allowsOrigin(resp) {
		return failed("The callback's answer does not allow %s: Access-Control-Allow-Origin is %q.",
			appOrigin, resp.Header.Get("Access-Control-Allow-Origin"))
	}
	if body != value {
		return failed("The callback's answer must be the echo value and nothing else; %s.", whatDiffers(body, value))
	}
	return nil
}

func (s *Server) ask(req *http.Request) (*http.Response, string, error) {
	resp, err := s.opts.HTTP.Do(req)
	if err != nil {
		return nil, "", failed("The callback could not be reached: %s.", problem(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHandshake))
	if err != nil {
		return nil, "", failed("The callback's answer broke off: %s.", problem(err))
	}
	return resp, string(body), nil
}

func allowsOrigin(resp *http.Response) bool {
	allowed := resp.Header.Get("Access-Control-Allow-Origin")
	return allowed == "*" || allowed == appOrigin
}

func whatDiffers(body, value string) string {
	switch {
	case body == "":
		return "it is empty"
	case strings.TrimSpace(body) == value:
		return "it has a line break or white space around it"
	case strings.Trim(body, `"`) == value:
		return "it has quotes around it"
	case strings.EqualFold(body, value):
		return "its letter case was changed"
	case strings.Contains(body, value):
		return "it has something else around it"
	default:
		return fmt.Sprintf("it has %d bytes and does not hold the value", len(body))
	}
}

func failed(format string, args ...any) *HandshakeError {
	return &HandshakeError{Reason: fmt.Sprintf(format, args...)}
}

func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// guidN returns a random GUID (RFC 9562, version 4) in what .NET calls the "N"
// form: 32 hexadecimal digits.
func guidN() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}
