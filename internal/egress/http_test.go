package egress

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
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// localClient is a client that may reach the servers of these tests.
func localClient(t *testing.T, o HTTPOptions) *http.Client {
	t.Helper()
	client := New(Options{AllowCIDRs: loopback}).HTTP(o)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// startServer closes open connections first, so that a handler which waits for
// its client to go away ends.
func startServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func get(t *testing.T, client *http.Client, target string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(req)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	targets := []string{
		"http://127.0.0.1:" + c.port + "/", "//127.0.0.1:" + c.port, "http://localhost:" + c.port + "/",
		"https://127.0.0.1:" + c.port + "/", "http://user:pass@127.0.0.1:" + c.port + "/",
	}
	s := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.URL.Query().Get("code"))
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(code)
	})
	client := localClient(t, HTTPOptions{})
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, to := range targets {
			query := url.Values{"code": {strconv.Itoa(code)}, "to": {to}}.Encode()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/?"+query, strings.NewReader("private"))
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth("agent@example.com", "key")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatalf("%d to %s: %v", code, to, err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != code || resp.Header.Get("Location") != to {
				t.Errorf("answer %d to %q, want %d to %q as it came", resp.StatusCode, resp.Header.Get("Location"), code, to)
			}
		}
	}
	c.expectUntouched(t)
}

func TestPrivateServerIsNotReachedByHTTP(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	client := New(Options{Resolver: answering("8.8.8.8 127.0.0.1")}).HTTP(HTTPOptions{})
	for _, host := range []string{"127.0.0.1", "rebind.example"} {
		if _, err := get(t, client, "http://"+host+":"+c.port); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", host, err)
		}
	}
	c.expectUntouched(t)
}

func TestProxySettingsAreIgnored(t *testing.T) {
	c := newCanary(t)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+c.port)
	}
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	if u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "http", Host: "api.example"}}); err != nil || u.Port() != c.port {
		t.Fatalf("proxy of the environment: %v, %v, want the canary", u, err)
	}
	client := New(Options{Resolver: answering("127.0.0.1"), AllowCIDRs: loopback}).HTTP(HTTPOptions{})
	s := startServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") })
	// Go never uses a proxy for loopback, so the server gets a name.
	resp, err := get(t, client, "http://api.example:"+portOf(t, s.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "direct" {
		t.Errorf("body %q, want the server's", body)
	}
	client.CloseIdleConnections()
	names := answering(outside)
	for _, u := range usersOf(t, New(Options{Resolver: names, AllowCIDRs: onlyOutside})) {
		_ = u.try(t.Context(), "api.example", c.port) // nothing listens there
	}
	if names.asked.Load() == 0 {
		t.Error("nobody asked for the name")
	}
	c.expectUntouched(t)
}

func portOf(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

func TestOnlyHTTPSchemes(t *testing.T) {
	t.Parallel()
	client := localClient(t, HTTPOptions{})
	for _, target := range []string{"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "unix:///tmp/s", "ws://127.0.0.1/"} {
		if _, err := get(t, client, target); err == nil {
			t.Errorf("%s was answered", target)
		}
	}
}

// startTLS starts a server that speaks at most the given TLS version, HTTP/2
// where that version allows it, and gives a client that trusts it.
func startTLS(t *testing.T, h http.HandlerFunc, version uint16) (*http.Client, string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = version >= tls.VersionTLS12
	s.TLS = &tls.Config{MaxVersion: version, MinVersion: tls.VersionTLS10} //nolint:gosec // plays an old server
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	client := localClient(t, HTTPOptions{})
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	client.Transport.(*transport).base.TLSClientConfig.RootCAs = roots
	return client, s.URL
}

func TestTLSIsModernAndHTTP2Works(t *testing.T) {
	t.Parallel()
	proto := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }
	client, target := startTLS(t, proto, tls.VersionTLS12)
	resp, err := get(t, client, target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "HTTP/2.0" {
		t.Errorf("spoke %s, want HTTP/2.0", body)
	}
	old, target := startTLS(t, proto, tls.VersionTLS11)
	if _, err := get(t, old, target); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestUnknownCertificateIsRefused(t *testing.T) {
	t.Parallel()
	_, target := startTLS(t, func(http.ResponseWriter, *http.Request) {}, tls.VersionTLS13)
	_, err := get(t, localClient(t, HTTPOptions{}), target)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("%v, want an unknown authority", err)
	}
}

// The name that was asked for is the one that is compared, not the address.
func TestCertificateOfAnotherNameIsRefused(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	client, target := startTLS(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, tls.VersionTLS13)
	base := client.Transport.(*transport).base
	base.DialContext = New(Options{Resolver: answering("127.0.0.1"), AllowCIDRs: loopback}).DialContext
	err := send(t.Context(), client, http.MethodPost, "https://api.hubapi.example:"+portOf(t, target))
	if _, ok := errors.AsType[x509.HostnameError](err); !ok || asked.Load() != 0 {
		t.Errorf("%v after %d requests, want the name refused before any", err, asked.Load())
	}
	if err := send(t.Context(), client, http.MethodPost, "https://example.com:"+portOf(t, target)); err != nil {
		t.Errorf("the certificate's own name: %v", err)
	}
}

// TestSharedConnectionCarriesNoCredentials lets one tenant's requests follow
// another's on the same connection.
func TestSharedConnectionCarriesNoCredentials(t *testing.T) {
	t.Parallel()
	type visit struct{ from, authorization, cookie, key, body string }
	visits := make(chan visit, 16)
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		visits <- visit{r.RemoteAddr, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("X-Api-Key"), string(body)}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "of the first", Path: "/"})
		w.Header().Set("WWW-Authenticate", `Basic realm="all"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
	plain := startServer(t, handler)
	secure, secureURL := startTLS(t, handler, tls.VersionTLS13)
	for _, c := range []struct {
		client *http.Client
		target string
	}{{localClient(t, HTTPOptions{}), plain.URL}, {secure, secureURL}} {
		if err := send(t.Context(), c.client, http.MethodPost, c.target); err != nil {
			t.Fatal(err)
		}
		first := <-visits
		resp, err := get(t, c.client, c.target)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		second := <-visits
		if first.authorization == "" || first.key == "" || first.body == "" {
			t.Errorf("the first came without its own: %+v", first)
		}
		if second != (visit{from: first.from}) {
			t.Errorf("the second is %+v, want the connection %s and nothing else", second, first.from)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	client := localClient(t, HTTPOptions{})
	seen := map[string]bool{}
	for range 5 {
		resp, err := get(t, client, s.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		seen[string(body)] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d connections for 5 requests, want 1", len(seen))
	}
}

// net/http dials without the request's deadline; the door's own ends it.
func TestDialHasADeadlineOfItsOwn(t *testing.T) {
	t.Parallel()
	d := New(Options{Resolver: answering("8.8.8.8")})
	var bounded atomic.Bool
	d.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		_, ok := ctx.Deadline()
		bounded.Store(ok)
		return nil, errNoRoute
	}
	if _, err := get(t, d.HTTP(HTTPOptions{}), "http://api.example"); !errors.Is(err, errNoRoute) {
		t.Errorf("%v, want the dialer's error", err)
	}
	if !bounded.Load() {
		t.Error("the dial has no deadline")
	}
}

func TestAllowedNetworkIsReachedByHTTP(t *testing.T) {
	t.Parallel()
	s := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		_, _ = io.WriteString(w, user)
	})
	d := New(Options{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	client := d.HTTP(HTTPOptions{})
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("agent", "key")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "agent" {
		t.Errorf("body %q", body)
	}
}
