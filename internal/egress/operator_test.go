package egress

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
)

// special are the ranges that a door without settings keeps closed.
var special = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", "::/3", "4000::/2", "8000::/1", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// somewhere is a random address inside a network.
func somewhere(random *rand.Rand, p netip.Prefix) netip.Addr {
	b, mask := p.Addr().AsSlice(), lastOf(p).AsSlice()
	for i := range b {
		b[i] |= byte(random.Uint32()) & (mask[i] ^ p.Addr().AsSlice()[i])
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// TestOperatorOpensExactlyTheNamedNetworks compares the door with the rule, for
// random addresses in and around all ranges: what is denied stays closed, what
// is allowed is open, and of the rest what is special stays closed.
func TestOperatorOpensExactlyTheNamedNetworks(t *testing.T) {
	t.Parallel()
	allow := prefixes("10.20.0.0/16", "192.168.7.7/32", "127.0.0.0/30", "fd12::/48", "fe80::/64", "::1/128")
	deny := prefixes("10.20.9.0/24", "127.0.0.1/32", "8.8.8.0/24", "fd12::5/128", "2a00::/32", "::1/128")
	d := New(Options{AllowCIDRs: allow, DenyCIDRs: deny})
	random := rand.New(rand.NewPCG(20, 26))
	everywhere := append(prefixes("0.0.0.0/0", "::/0", "2000::/3", "10.0.0.0/11", "127.0.0.0/28", "fd12::/45", "fd12::/125"), special...)
	everywhere = append(append(everywhere, allow...), deny...)
	tried := map[bool]int{}
	for _, p := range everywhere {
		for range 200 {
			a := somewhere(random, p)
			want := within(deny, a) || !within(allow, a) && within(special, a)
			tried[want]++
			if got := d.Forbidden(a); got != want && a.Is4() {
				t.Errorf("Forbidden(%s) = %v, want %v", a, got, want)
			} else if want && !got {
				t.Errorf("Forbidden(%s) = false, want true", a) // small ranges that IANA reserved within 2000::/3 may be closed, too
			}
			if a.Is4() && d.Forbidden(netip.AddrFrom16(a.As16())) != want {
				t.Errorf("%s is judged otherwise inside IPv6", a)
			}
		}
	}
	t.Logf("%d forbidden and %d open addresses", tried[true], tried[false])
	for _, p := range append(append(everywhere, allow...), deny...) {
		for _, a := range []netip.Addr{p.Addr(), lastOf(p), p.Addr().Prev(), lastOf(p).Next()} {
			if a.IsValid() && !d.Forbidden(a) && (within(deny, a) || !within(allow, a) && within(special, a)) {
				t.Errorf("%s beside or at the end of %s is let through", a, p)
			}
		}
	}
}

// TestDeniedAddressIsOutOfReachInEverySpelling opens all there is, translators
// included, but for the address of, say, Sidecard's own database.
func TestDeniedAddressIsOutOfReachInEverySpelling(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	front := newFront(t, c.port)
	names := newNameServer(t, nil)
	d := New(Options{
		Resolver:   names.resolver(),
		AllowCIDRs: prefixes("0.0.0.0/0", "::1/128", "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
		DenyCIDRs:  prefixes("127.0.0.1/32", "::1/128"),
	})
	users := usersOf(t, d)
	counts := newTally()
	for _, host := range append(notations("127.0.0.1"), "0.0.0.0", "::", "0", "::1", "localhost", "localhost.", "db.localhost",
		names.name(script{sets: []string{"127.0.0.1"}}), names.name(script{sets: []string{outside + " ::1"}}),
		names.name(script{sets: []string{outside + " 64:ff9b::7f00:1"}}), names.name(script{sets: []string{"0.0.0.0"}, chain: 3}),
		names.name(script{sets: []string{outside + " ::"}}), names.name(script{sets: []string{"::ffff:127.0.0.1"}})) {
		counts.attempt(t, users, host, c.port)
	}
	counts.expect(t, 300)
	c.expectUntouched(t)
	for _, host := range []string{outside, "::ffff:" + outside, names.name(script{sets: []string{outside}})} {
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, c.port))
		if err != nil {
			t.Errorf("what is allowed beside it, %s: %v", host, err)
			continue
		}
		_ = conn.Close()
	}
	if hits := front.settled(t); hits != 3 {
		t.Errorf("%d connections to what is allowed, want 3", hits)
	}
}

// An address that a translator hands on is open only if both are.
func TestTranslatedAddressIsJudgedTwice(t *testing.T) {
	t.Parallel()
	translators := prefixes("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
	public := []string{"64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:f7f7:f7f7"}
	private := []string{"64:ff9b::10.0.0.1", "64:ff9b:1::169.254.169.254", "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "64:ff9b::"}
	for _, text := range public {
		a := netip.MustParseAddr(text)
		if New(Options{AllowCIDRs: translators}).Forbidden(a) {
			t.Errorf("%s is closed although its translator is allowed", a)
		}
		if !New(Options{}).Forbidden(a) || !New(Options{AllowCIDRs: translators, DenyCIDRs: prefixes("8.8.8.0/24")}).Forbidden(a) {
			t.Errorf("%s is open although its translator is not allowed or its target is denied", a)
		}
	}
	for _, text := range private {
		if !New(Options{AllowCIDRs: translators}).Forbidden(netip.MustParseAddr(text)) {
			t.Errorf("%s is open although its target is private", text)
		}
	}
	if New(Options{AllowCIDRs: append(translators, prefixes("10.0.0.0/8")...)}).Forbidden(netip.MustParseAddr("64:ff9b::10.0.0.1")) {
		t.Error("a private target stays closed although both are allowed")
	}
}

// The system takes the unspecified address for this machine, so it would lead
// around a denied loopback.
func TestUnspecifiedAddressIsNeverOpened(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	d := New(Options{AllowCIDRs: prefixes("0.0.0.0/0", "::/0"), DenyCIDRs: prefixes("127.0.0.0/8", "::1/128")})
	for _, host := range []string{"0.0.0.0", "::", "::ffff:0.0.0.0"} {
		if _, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, c.port)); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", host, err)
		}
	}
	c.expectUntouched(t)
}
