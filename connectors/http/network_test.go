package http_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"sidecard/connectors"
	source "sidecard/connectors/http"
	"sidecard/internal/egress"
)

// trip is a way out that answers as told.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func TestNetworkErrorsAreTold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const transient = connectors.Transient
	op := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		err   error
		class connectors.Class
		code  string
	}{
		{op(&net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}), transient, "http.host_not_found"},
		{op(&net.DNSError{Err: "server misbehaving", Name: "api.example.com"}), transient, "http.dns"},
		{op(syscall.ECONNREFUSED), transient, "http.refused"},
		{op(syscall.EHOSTUNREACH), transient, "http.unreachable"},
		{op(syscall.ENETUNREACH), transient, "http.unreachable"},
		{op(timeoutError{}), transient, "http.no_answer"},
		{op(syscall.ECONNRESET), transient, "http.connection_lost"},
		{io.EOF, transient, "http.connection_lost"},
		{errors.New(`malformed HTTP response "ana@toy.example"`), connectors.Misconfigured, "http.protocol"},
		{errors.New("net/http: TLS handshake timeout"), connectors.Misconfigured, "http.tls.handshake"},
		{x509.CertificateInvalidError{Reason: x509.CANotAuthorizedForThisName, Cert: &x509.Certificate{}}, connectors.Misconfigured, "http.tls.invalid"},
		{x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{}}, connectors.Misconfigured, "http.tls.expired"},
	} {
		src := open(t, a.settings(nil), func(in *connectors.OpenInput) {
			in.HTTP = &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) { return nil, c.err })}
		})
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, c.class, c.code)
		if s := step(t, check(t, src), "Find the server"); s.State != connectors.StepFail || s.Detail != e.Message {
			t.Errorf("%s: %+v", c.code, s)
		}
	}
}

func TestCertificatesAreJudged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.add("ana@toy.example", ana)
	secure := httptest.NewUnstartedServer(a)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	old := httptest.NewUnstartedServer(a)
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} //nolint:gosec // an old server is what is tested
	old.StartTLS()
	t.Cleanup(old.Close)
	trusting := func(in *connectors.OpenInput) {
		in.HTTP = &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone(),
		}}
	}
	for _, c := range []struct {
		url, code string
		edits     []func(*connectors.OpenInput)
	}{
		{secure.URL, "", []func(*connectors.OpenInput){trusting}},
		{secure.URL, "http.tls.unknown_authority", nil},
		{strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), "http.tls.name", []func(*connectors.OpenInput){trusting}},
		{"https" + strings.TrimPrefix(a.URL, "http"), "http.tls.none", nil},
		{old.URL, "http.tls.handshake", nil},
	} {
		src := open(t, a.settings(map[string]any{"url": c.url + "/customers?email={{email}}"}), c.edits...)
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if c.code != "" {
			mustFail(t, err, connectors.Misconfigured, c.code)
			continue
		}
		if s := step(t, check(t, src), "Find the server"); err != nil || s.State != connectors.StepOK {
			t.Errorf("a good server: %v, %+v", err, s)
		}
	}
}

func TestASilentAPIIsToldApartFromASlowLookup(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data": `)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	src := open(t, a.settings(nil), func(in *connectors.OpenInput) { in.HTTP.Timeout = 100 * time.Millisecond })
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "http.no_answer") // the host's client gave up
	src = open(t, a.settings(nil))
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = src.Lookup(short, connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "timeout") // the lookup's time was over
}

func TestAnAnswerThatBreaksOffMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"data": `)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := open(t, a.settings(nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Transient, "http.broken_off")
}

func TestAHostWithoutAClientIsTold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	src, err := source.New().Open(t.Context(), connectors.OpenInput{Settings: a.settings(nil)})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Bug, "http.no_client")
}

// TestPrivateAddressesAllReadAlike goes through the real door of Sidecard.
func TestPrivateAddressesAllReadAlike(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	port := a.URL[strings.LastIndex(a.URL, ":"):]
	door := func(in *connectors.OpenInput) { in.HTTP = egress.New(egress.Options{}).HTTP(egress.HTTPOptions{}) }
	generic := connectors.ForbiddenError(nil)
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "168.63.129.16", "①②⑦.0.0.1",
	} {
		there := "http://" + host + port
		for _, settings := range []map[string]any{
			{"url": there + "/customers?email={{email}}"},
			{"auth": "oauth2", "user": theClient, "oauth_url": there + "/token", "key_name": nil},
		} {
			src := open(t, a.settings(settings), door)
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			if e := mustFail(t, err, connectors.Forbidden, generic.Code); e.Message != generic.Message || e.Fix != generic.Fix {
				t.Errorf("%s: %s %s", host, e.Message, e.Fix)
			}
			report := check(t, src)
			if last := report.Steps[len(report.Steps)-1]; last.Detail != generic.Message || last.Advice != generic.Fix || len(report.Steps) != 1 {
				t.Errorf("%s: %+v", host, report.Steps)
			}
		}
	}
	if n := len(a.got()); n != 0 {
		t.Errorf("the canary was asked %d times", n)
	}
}
