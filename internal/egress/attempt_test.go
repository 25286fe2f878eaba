package egress

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// outside stands for the internet: an address that the door of these tests lets
// through, on a machine that would be reached if it let more through.
const outside = "127.0.0.2"

var onlyOutside = []netip.Prefix{netip.MustParsePrefix(outside + "/32")}

// everyName is a name server that gives the canary's address for every name.
func everyName(t *testing.T) *nameServer {
	t.Helper()
	return newNameServer(t, &script{sets: []string{"127.0.0.1 ::1"}})
}

// TestNoSpellingReachesTheCanary tries every spelling of this machine's own and
// of other forbidden addresses, with resolvers that know nothing and with one
// that finds the canary under each name, as the C library does for numbers.
func TestNoSpellingReachesTheCanary(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	hosts := append(forbiddenHosts(), c.hosts...)
	hosts = append(hosts, notations("127.255.255.254")...)
	for name, resolver := range map[string]Resolver{"offline": offline(), "every name": everyName(t).resolver()} {
		t.Run(name, func(t *testing.T) {
			users := usersOf(t, New(Options{Resolver: resolver}))
			counts := newTally()
			for _, host := range hosts {
				counts.attempt(t, users, host, c.port)
			}
			counts.expect(t, 1000)
			c.expectUntouched(t)
		})
	}
}

// Without the door the same spellings lead to the canary, so that not seeing
// anybody means something. Addresses of other machines are left alone.
func TestSpellingsReachTheCanaryWithoutTheDoor(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	b := newBare(everyName(t).resolver(), c.port)
	var reached []string
	tried := 0
	for _, host := range append(forbiddenHosts(), c.hosts...) {
		if !c.mayMean(host) {
			continue
		}
		tried++
		if b.reaches(t.Context(), "http://"+urlHost(host)+":"+c.port) {
			reached = append(reached, host)
		}
	}
	t.Logf("%d of %d spellings reach the canary: %q", len(reached), tried, reached)
	for _, host := range append([]string{
		"127.0.0.1", "0x7f000001", "0x7f.0x0.0x0.0x1", circled("127.0.0.1"), fullWidth("127.0.0.1"), "127\u30020\u30020\u30021",
		"127\uff0e0\uff0e0\uff0e1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001",
		"0.0.0.0", "localhost", "LOCALHOST", "localhost.", "db.localhost", "\uff4c\uff4f\uff43\uff41\uff4chost", "loc\u00adalhost",
		"user@127.0.0.1", "8.8.8.8@127.0.0.1", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
	}, c.hosts...) {
		if !slices.Contains(reached, host) {
			t.Errorf("%q does not reach the canary even without the door", host)
		}
	}
	if hits := c.settled(t); hits < int64(len(reached)) {
		t.Errorf("the canary saw %d connections, want at least %d", hits, len(reached))
	}
}

// insides are forbidden addresses as a name server may give them.
var insides = strings.Fields(`127.0.0.1 127.8.8.8 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 168.63.129.16 100.64.0.1
	192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
	::1 :: ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::7f00:1 fd00:ec2::254 fc00::1 fe80::1 fec0::1 ff02::1 64:ff9b::7f00:1
	64:ff9b:1::7f00:1 2002:7f00:1::1 2001::1 2001:db8::1 3fff::1 100::1`)

// scripts are the ways in which a name may lead inside.
func scripts(inside string) map[string]script {
	return map[string]script{
		"alone":          {sets: []string{inside}},
		"last":           {sets: []string{outside + " " + inside}},
		"first":          {sets: []string{inside + " " + outside}},
		"one of many":    {sets: []string{strings.Repeat(outside+" ", 20) + inside}},
		"alias":          {sets: []string{inside}, chain: 1},
		"aliases":        {sets: []string{outside + " " + inside}, chain: 8},
		"from the third": {sets: []string{outside, outside, inside}},
	}
}

// TestNoNameReachesTheCanary asks a real name server for names that lead inside
// in all sorts of ways.
func TestNoNameReachesTheCanary(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	names := newNameServer(t, nil)
	d := New(Options{Resolver: names.resolver(), AllowCIDRs: onlyOutside})
	users := usersOf(t, d)
	counts := newTally()
	for _, inside := range insides {
		counts.attempt(t, users, names.name(script{sets: []string{inside}}), c.port)
		counts.attempt(t, users, names.name(script{sets: []string{outside + " " + inside}, chain: 2}), c.port)
		counts.attempt(t, users[:1], strings.ToUpper(names.name(script{sets: []string{inside}}))+".", c.port)
	}
	for _, inside := range append([]string{"10.0.0.1", "fd00:ec2::254"}, unzoned(c.hosts)...) {
		for _, told := range scripts(inside) {
			if len(told.sets) == 1 { // for the others see TestRebindingReachesNothing
				counts.attempt(t, users, names.name(told), c.port)
			}
		}
	}
	counts.expect(t, 1000)
	c.expectUntouched(t)
}

func unzoned(hosts []string) []string {
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return strings.Contains(host, "%") })
}

func TestNamesReachTheCanaryWithoutTheDoor(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	names := newNameServer(t, nil)
	b := newBare(names.resolver(), c.port)
	for _, inside := range append(unzoned(c.hosts), "0.0.0.0", "::ffff:127.0.0.1") {
		for how, told := range scripts(inside) {
			// Nothing listens outside, so the next address is tried, and the next time.
			target := "http://" + names.name(told) + ":" + c.port
			reached := false
			for range 3 {
				reached = b.reaches(t.Context(), target) || reached
			}
			if !reached {
				t.Errorf("%s, %s: the canary is not reached even without the door", inside, how)
			}
		}
	}
}

// TestRebindingReachesNothing lets a name lead outside at first and inside
// later. What was let through went outside; the next attempt is refused.
func TestRebindingReachesNothing(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	front := newFront(t, c.port)
	names := newNameServer(t, nil)
	d := New(Options{Resolver: names.resolver(), AllowCIDRs: onlyOutside})
	first, later := newTally(), newTally()
	through := 0
	for _, inside := range append([]string{"127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "fd00:ec2::254", "::ffff:127.0.0.1"}, unzoned(c.hosts)...) {
		for _, sets := range [][]string{{outside, inside}, {outside, outside + " " + inside}} {
			for _, u := range usersOf(t, d) {
				host := names.name(script{sets: sets})
				if err := u.try(t.Context(), host, c.port); isRefusal(err) {
					first.count(t, u.name, host, err) // looked up twice in one attempt
				} else {
					through++
				}
				for range 2 {
					later.count(t, u.name, host, u.try(t.Context(), host, c.port))
				}
			}
		}
	}
	later.expect(t, 200)
	if hits := front.settled(t); through == 0 || hits == 0 {
		t.Errorf("%d attempts were let through at first and %d went outside: nothing was rebound", through, hits)
	}
	c.expectUntouched(t)
}

// newFront listens outside at the canary's port.
func newFront(t *testing.T, port string) *canary {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort(outside, port))
	if err != nil {
		t.Fatal(err)
	}
	front := &canary{port: port}
	front.serve(t, l, outside)
	return front
}

// A connection that is kept open leads to where it was opened, whatever the
// name means by now, and a new one is not made.
func TestOpenConnectionOutlivesItsName(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	names := newNameServer(t, nil)
	s := startOutside(t, func(http.ResponseWriter, *http.Request) {})
	client := New(Options{Resolver: names.resolver(), AllowCIDRs: onlyOutside}).HTTP(HTTPOptions{})
	target := "http://" + names.name(script{sets: []string{outside, "127.0.0.1"}}) + ":" + portOf(t, s.URL)
	for range 3 {
		if err := send(t.Context(), client, http.MethodGet, target); err != nil {
			t.Errorf("over the open connection: %v", err)
		}
	}
	client.CloseIdleConnections()
	if err := send(t.Context(), client, http.MethodGet, target); !errors.Is(err, ErrForbidden) {
		t.Errorf("over a new connection: %v, want ErrForbidden", err)
	}
	c.expectUntouched(t)
}
