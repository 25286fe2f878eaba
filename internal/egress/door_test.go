package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestAllowedNetworkIsReached(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	d := New(Options{AllowCIDRs: loopback, Resolver: everywhere()})
	for _, address := range []string{"127.0.0.1:" + c.port, "[::ffff:127.0.0.1]:" + c.port, "localhost:" + c.port, "database.internal:" + c.port} {
		conn, err := d.DialContext(t.Context(), "tcp4", address)
		if err != nil {
			t.Fatalf("dial %s: %v", address, err)
		}
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if hits := c.hits.Load(); hits != 4 {
		t.Errorf("the canary saw %d connections, want 4", hits)
	}
}

func TestDeniedNetworkWinsOverAllowed(t *testing.T) {
	t.Parallel()
	d := New(Options{
		AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		DenyCIDRs:  []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("8.8.8.8/32")},
	})
	for text, want := range map[string]bool{
		"10.0.0.1": false, "10.9.0.1": true, "::ffff:10.9.0.1": true, "8.8.8.8": true, "8.8.4.4": false, "192.168.0.1": true,
	} {
		if got := d.Forbidden(netip.MustParseAddr(text)); got != want {
			t.Errorf("Forbidden(%s) = %v, want %v", text, got, want)
		}
	}
}

func TestNameIsResolvedOnceAndTheCheckedAddressDialled(t *testing.T) {
	t.Parallel()
	resolver := answering("8.8.8.8", "127.0.0.1")
	d := New(Options{Resolver: resolver})
	dialled := recordDials(d)
	if _, err := d.DialContext(t.Context(), "tcp", "rebind.example:5432"); !errors.Is(err, errNoRoute) {
		t.Fatalf("first dial: %v, want it tried", err)
	}
	if !slices.Equal(*dialled, []string{"8.8.8.8:5432"}) || resolver.asked.Load() != 1 {
		t.Errorf("dialled %v after %d lookups, want the public address after one", *dialled, resolver.asked.Load())
	}
	if _, err := d.DialContext(t.Context(), "tcp", "rebind.example:5432"); !errors.Is(err, ErrForbidden) {
		t.Errorf("second dial: %v, want ErrForbidden", err)
	}
	if len(*dialled) != 1 {
		t.Errorf("the private address was dialled: %v", *dialled)
	}
}

func TestOneForbiddenAnswerRefusesTheName(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		"127.0.0.1", "8.8.8.8 127.0.0.1", "127.0.0.1 8.8.8.8", "2606:4700::1 ::1", "8.8.8.8 ::ffff:10.0.0.1",
		"8.8.8.8 8.8.4.4 1.1.1.1 9.9.9.9 1.0.0.1 169.254.169.254", "8.8.8.8 64:ff9b::7f00:1", "8.8.8.8 fe80::1%lo",
	} {
		d := New(Options{Resolver: answering(set)})
		dialled := recordDials(d)
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			if _, err := d.DialContext(t.Context(), network, "mixed.example:443"); !errors.Is(err, ErrForbidden) {
				t.Errorf("%s %q: %v, want ErrForbidden", network, set, err)
			}
		}
		if addrs, err := d.LookupHost(t.Context(), "mixed.example"); !errors.Is(err, ErrForbidden) {
			t.Errorf("LookupHost %q: %v, %v, want ErrForbidden", set, addrs, err)
		}
		if len(*dialled) != 0 {
			t.Errorf("%q: dialled %v", set, *dialled)
		}
	}
}

// A database driver looks up and dials in two steps; between them the name may
// have changed, but the address that was checked is what is dialled.
func TestLookupThenDialUsesTheAddressLookedUp(t *testing.T) {
	t.Parallel()
	resolver := answering("8.8.8.8 2606:4700::1 ::ffff:8.8.4.4", "127.0.0.1")
	d := New(Options{Resolver: resolver})
	dialled := recordDials(d)
	addrs, err := d.LookupHost(t.Context(), "db.example")
	if err != nil || !slices.Equal(addrs, []string{"8.8.8.8", "2606:4700::1", "8.8.4.4"}) {
		t.Fatalf("LookupHost: %v, %v", addrs, err)
	}
	for _, a := range addrs {
		if _, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(a, "5432")); !errors.Is(err, errNoRoute) {
			t.Errorf("dial %s: %v", a, err)
		}
	}
	if resolver.asked.Load() != 1 || len(*dialled) != 3 {
		t.Errorf("%d lookups and dials %v, want one lookup", resolver.asked.Load(), *dialled)
	}
}

// The socket's own check holds even when every earlier one is passed by.
func TestSocketRefusesItsFinalAddress(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	d := New(Options{})
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "localhost"} {
		conn, err := d.dial(t.Context(), "tcp", net.JoinHostPort(host, c.port))
		if err == nil {
			_ = conn.Close()
		}
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("socket to %s: %v, want ErrForbidden", host, err)
		}
	}
	c.expectUntouched(t)
	if err := d.control("udp4", "8.8.8.8:53", nil); !errors.Is(err, ErrForbidden) {
		t.Errorf("udp socket: %v, want ErrForbidden", err)
	}
	if err := d.control("tcp4", "8.8.8.8:53", nil); err != nil {
		t.Errorf("public socket: %v, want nil", err)
	}
}

func TestDialTriesFewAddressesOfTheAskedFamily(t *testing.T) {
	t.Parallel()
	for network, want := range map[string][]string{
		"tcp":  {"1.0.0.1:1", "[2606:4700::1]:1", "1.0.0.2:1", "1.0.0.3:1"},
		"tcp4": {"1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1", "1.0.0.4:1"},
		"tcp6": {"[2606:4700::1]:1"},
	} {
		d := New(Options{Resolver: answering("1.0.0.1 2606:4700::1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5")})
		dialled := recordDials(d)
		if _, err := d.DialContext(t.Context(), network, "many.example:1"); !errors.Is(err, errNoRoute) {
			t.Errorf("%s: %v", network, err)
		}
		if !slices.Equal(*dialled, want) {
			t.Errorf("%s dialled %v, want %v", network, *dialled, want)
		}
	}
	d := New(Options{Resolver: answering("1.0.0.1")})
	if _, err := d.DialContext(t.Context(), "tcp6", "four.example:1"); err == nil || errors.Is(err, ErrForbidden) {
		t.Errorf("no address of the family: %v", err)
	}
}

func TestSilentAddressesShareTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Resolver: answering("1.0.0.1 1.0.0.2")})
		var took []time.Duration
		d.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			start := time.Now()
			<-ctx.Done()
			took = append(took, time.Since(start))
			return nil, ctx.Err()
		}
		_, err := d.DialContext(t.Context(), "tcp", "silent.example:1")
		if !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(took, []time.Duration{dialTimeout / 2, dialTimeout / 2}) {
			t.Errorf("%v after %v, want the deadline shared by both", err, took)
		}
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	d := New(Options{Resolver: answering("1.0.0.1 1.0.0.2")})
	tries := 0
	d.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		tries++
		cancel()
		return nil, ctx.Err()
	}
	if _, err := d.DialContext(ctx, "tcp", "gone.example:1"); !errors.Is(err, context.Canceled) || tries != 1 {
		t.Errorf("%v after %d tries, want one try cancelled", err, tries)
	}
}

func TestUnknownNameIsAResolverError(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Resolver{"empty": answering(""), "failing": offline()} {
		_, err := New(Options{Resolver: r}).DialContext(t.Context(), "tcp", "nowhere.example:1")
		if _, ok := errors.AsType[*net.DNSError](err); !ok || errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v, want a *net.DNSError", name, err)
		}
	}
}
