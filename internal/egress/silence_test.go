package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestNoSocketOfTheSystemIsReached tries a socket in the file system.
func TestNoSocketOfTheSystemIsReached(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".s.PGSQL.5432")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(reached)
				return
			}
			reached <- struct{}{}
			_ = conn.Close()
		}
	}()
	knock := func() {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		<-reached
	}
	knock() // it can be reached
	d := New(Options{AllowCIDRs: loopback, Resolver: everywhere()})
	client := d.HTTP(HTTPOptions{})
	for _, network := range []string{"unix", "unixpacket", "unixgram", "tcp"} {
		if _, err := d.DialContext(t.Context(), network, path); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", network, err)
		}
	}
	for _, target := range []string{"unix://" + path, "http+unix://" + path, "unix:" + path, "http://unix:" + path, "file://" + path} {
		if err := send(t.Context(), client, http.MethodGet, target); err == nil {
			t.Errorf("GET %s was answered", target)
		}
	}
	for _, host := range []string{path, filepath.Dir(path), "@" + path} {
		if err := onPostgres.check(t.Context(), d, host, "5432"); !errors.Is(err, errUnsayable) {
			t.Errorf("postgres at %s: %v, want it refused by the form", host, err)
		}
	}
	knock()
	_ = l.Close()
	if _, more := <-reached; more {
		t.Error("somebody reached the socket")
	}
}

// TestRefusalTakesTheSameTime compares addresses at which something listens
// with such that are away, and with numbers that are none. Nothing is sent, so
// there is nothing to wait for: the fastest of many tries differ by parsing.
func TestRefusalTakesTheSameTime(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	names := newNameServer(t, nil)
	d := New(Options{Resolver: names.resolver(), AllowCIDRs: onlyOutside})
	byName := func(addresses string) string { return names.name(script{sets: []string{addresses}}) }
	for what, hosts := range map[string][]string{
		"literals": {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "localhost", "2130706433", "255.255.255.255"},
		"names":    {byName("127.0.0.1"), byName("10.0.0.1"), byName("169.254.169.254"), byName("::1"), byName("fd00::1"), byName(outside + " 10.0.0.1")},
	} {
		fastest := map[string]time.Duration{}
		for range 25 {
			for _, host := range hosts {
				start := time.Now()
				_, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, c.port))
				took := time.Since(start)
				if !errors.Is(err, ErrForbidden) {
					t.Fatalf("%s: %v, want ErrForbidden", host, err)
				}
				if before, ok := fastest[host]; !ok || took < before {
					fastest[host] = took
				}
			}
		}
		low, high := time.Hour, time.Duration(0)
		for _, took := range fastest {
			low, high = min(low, took), max(high, took)
		}
		t.Logf("%s: refused within %v to %v", what, low, high)
		if high > 30*low {
			t.Errorf("%s: times tell addresses apart: %v", what, fastest)
		}
	}
	c.expectUntouched(t)
}

// The context of the caller ends a lookup whose name server is silent.
func TestSilentNameServerEndsWithTheContext(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d := New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", silent.LocalAddr().String())
	}}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := d.DialContext(ctx, "tcp", "silent.attempt.example:80"); err == nil || errors.Is(err, ErrForbidden) {
		t.Errorf("%v, want a failed lookup", err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestUnknownInnerNamesLookLikeKnownOnes keeps tenants from listing what runs
// beside Sidecard; names of the internet are told apart, for people mistype.
func TestUnknownInnerNamesLookLikeKnownOnes(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	users := usersOf(t, New(Options{Resolver: newNameServer(t, nil).resolver()}))
	known := usersOf(t, New(Options{Resolver: everyName(t).resolver()}))
	counts := newTally()
	for _, host := range []string{
		"redis", "Postgres", "db.", "redis.default.svc.cluster.local", "metadata.google.internal", "metadata.google.internal.", "ip-10-0-0-5.EC2.internal",
		"nas.home", "router.lan", "wiki.corp", "printer.home.arpa", "git.intranet", "db.private",
	} {
		counts.attempt(t, users, host, c.port)
		counts.attempt(t, known, host, c.port)
	}
	counts.expect(t, 200)
	c.expectUntouched(t)
	for _, host := range []string{"db.example.com", "local.example", "internal.example.", "in-addr.arpa", "redis.default.svc"} {
		for _, u := range users[:1] {
			err := u.try(t.Context(), host, c.port)
			if unknown, ok := errors.AsType[*net.DNSError](err); !ok || !unknown.IsNotFound {
				t.Errorf("%s of %q: %v, want it not found", u.name, host, err)
			}
		}
	}
}

// asked notes the names that a resolver is asked for.
type asked struct{ names []string }

func (a *asked) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	a.names = append(a.names, host)
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

// A name with a dot at its end is not looked for below search domains.
func TestSearchDomainsAreNotUsed(t *testing.T) {
	t.Parallel()
	r := &asked{}
	d := New(Options{Resolver: r})
	for _, host := range []string{"redis", "redis.default", "db.example.", "db.example"} {
		if _, err := d.LookupHost(t.Context(), host); err == nil {
			t.Errorf("%s was found", host)
		}
	}
	if want := []string{"redis.", "redis.default.", "db.example.", "db.example."}; !slices.Equal(r.names, want) {
		t.Errorf("asked for %q, want %q", r.names, want)
	}
}
