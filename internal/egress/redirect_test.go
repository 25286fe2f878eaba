package egress

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"sidecard/internal/livesupporti"
)

// startOutside starts a server at the address that the door lets through.
func startOutside(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort(outside, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// locations are redirects to the canary, with all of its spellings, and to the
// redirecting server itself.
func locations(c *canary) []string {
	to := []string{
		"/elsewhere", "?again", "//" + outside + "/", "//127.0.0.1:" + c.port, "https://127.0.0.1:" + c.port + "/", "http:\\\\127.0.0.1:" + c.port,
		"http://user:pass@127.0.0.1:" + c.port + "/", "HTTP://127.0.0.1:" + c.port, " http://127.0.0.1:" + c.port, "ftp://127.0.0.1:" + c.port,
		"file:///etc/passwd", "gopher://127.0.0.1:" + c.port + "/_x", "unix:///tmp/s", "javascript:0", "http://", "http://[", "http://%zz/", ":",
		"http://127.0.0.1:" + c.port + "/#fragment", "http://127.0.0.1:0" + c.port + "/", "http://127.0.0.1:" + c.port + "?a=b\u00fc",
	}
	for _, host := range append(append(notations("127.0.0.1"), c.hosts...), "localhost", "db.localhost", "0.0.0.0", "::", "10.0.0.1",
		"169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "255.255.255.255", "rebind.attempt.example") {
		to = append(to, "http://"+urlHost(host)+":"+c.port+"/")
	}
	return to
}

// redirector answers /code/i with the i-th location, and counts.
func redirector(t *testing.T, to []string) (s *httptest.Server, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	s = startOutside(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		part := strings.Split(r.URL.Path, "/")
		if len(part) < 3 {
			return
		}
		code, _ := strconv.Atoi(part[1])
		i, _ := strconv.Atoi(part[2])
		w.Header()["Location"] = []string{to[i]}
		w.WriteHeader(code)
	})
	return s, requests
}

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	to := locations(c)
	s, requests := redirector(t, to)
	client := New(Options{Resolver: everyName(t).resolver(), AllowCIDRs: onlyOutside}).HTTP(HTTPOptions{})
	t.Cleanup(client.CloseIdleConnections)
	attempts := int64(0)
	for _, code := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		for i := range to {
			base := s.URL + "/" + strconv.Itoa(code) + "/" + strconv.Itoa(i)
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				attempts++
				expectUnfollowed(t, client, method, base, code, to[i])
			}
			attempts++
			cred := livesupporti.Credentials{Email: "agent@example.com", APIKey: "key"}
			answer, err := livesupporti.NewClient(base, client).PostDetails(t.Context(), cred, "7", []byte("[]"))
			if err != nil || answer.Status != code || answer.Verdict() != livesupporti.Refused {
				t.Errorf("details, %d to %q: %+v, %v, want it refused", code, to[i], answer, err)
			}
		}
	}
	t.Logf("%d attempts", attempts)
	if attempts < 1000 {
		t.Errorf("%d attempts, want at least 1000", attempts)
	}
	if n := requests.Load(); n != attempts {
		t.Errorf("the redirecting server saw %d requests for %d attempts", n, attempts)
	}
	c.expectUntouched(t)
}

func expectUnfollowed(t *testing.T, client *http.Client, method, target string, code int, to string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader("private"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("agent@example.com", "key")
	req.Header.Set("X-Api-Key", "key")
	req.Header.Set("Cookie", "session=1")
	resp, err := client.Do(req)
	if err != nil {
		t.Errorf("%s, %d to %q: %v, want the answer", method, code, to, err)
		return
	}
	_ = resp.Body.Close()
	to = strings.TrimSpace(to)
	if _, err := url.Parse(to); err != nil {
		to = ""
	}
	if got := resp.Header.Get("Location"); resp.StatusCode != code || got != to {
		t.Errorf("answer %d to %q, want %d to %q", resp.StatusCode, got, code, to)
	}
}

// Go's own client follows, with the credentials and with the body.
func TestRedirectsAreFollowedWithoutTheDoor(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	to := locations(c)
	s, _ := redirector(t, to)
	b := newBare(everyName(t).resolver(), c.port)
	reached := 0
	for i, location := range to {
		if u, err := url.Parse(location); err != nil || !c.mayMean(u.Hostname()) || u.Port() != c.port {
			continue
		}
		for _, code := range []int{301, 302, 303, 307, 308} {
			if b.reaches(t.Context(), s.URL+"/"+strconv.Itoa(code)+"/"+strconv.Itoa(i)) {
				reached++
			}
		}
	}
	t.Logf("%d redirects reach the canary", reached)
	if reached < 100 {
		t.Errorf("%d redirects reach the canary even without the door, want at least 100", reached)
	}
}
