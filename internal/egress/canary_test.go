package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

var errNoRoute = errors.New("no route")

// canary listens on every address that this machine has, on one port, and
// counts who gets through to it.
type canary struct {
	port      string
	hosts     []string // of its listeners, the first is 127.0.0.1
	addresses []string // the same with the port
	hits      atomic.Int64
	own       atomic.Int64 // of the hits, those of settled
}

// newCanary listens on 127.0.0.1 and, where the machine has them and the port
// is free there, on [::1] and the addresses of its network cards. It leaves the
// rest of 127.0.0.0/8 to the tests.
func newCanary(t *testing.T) *canary {
	t.Helper()
	v4, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{port: strconv.Itoa(v4.Addr().(*net.TCPAddr).Port)}
	c.serve(t, v4, "127.0.0.1")
	for _, host := range localHosts(t) {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, c.port)); err == nil {
			c.serve(t, l, host)
		}
	}
	return c
}

// localHosts gives the addresses of this machine besides 127.0.0.1, link-local
// ones with their zone.
func localHosts(t *testing.T) []string {
	t.Helper()
	cards, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, card := range cards {
		addrs, err := card.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			switch {
			case err != nil || p.Addr() == netip.MustParseAddr("127.0.0.1"):
			case p.Addr().Is6() && p.Addr().IsLinkLocalUnicast():
				hosts = append(hosts, p.Addr().WithZone(card.Name).String())
			default:
				hosts = append(hosts, p.Addr().String())
			}
		}
	}
	return hosts
}

func (c *canary) serve(t *testing.T, l net.Listener, host string) {
	c.hosts = append(c.hosts, host)
	c.addresses = append(c.addresses, net.JoinHostPort(host, c.port))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.hits.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
}

// mayMean reports whether a client without the door may be led to the canary by
// host: addresses of other machines are left alone.
func (c *canary) mayMean(host string) bool {
	a, err := netip.ParseAddr(host)
	return err != nil || a.Unmap().IsLoopback() || a.IsUnspecified() || slices.Contains(c.hosts, host)
}

// settled is how many have connected. Connections are accepted in order, so one
// of the test's own behind them proves that none is still waiting.
func (c *canary) settled(t *testing.T) int64 {
	t.Helper()
	for _, address := range c.addresses {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Read(make([]byte, 1)) // ends when the canary hangs up
		_ = conn.Close()
	}
	own := c.own.Add(int64(len(c.addresses)))
	return c.hits.Load() - own
}

func (c *canary) expectUntouched(t *testing.T) {
	t.Helper()
	if hits := c.settled(t); hits != 0 {
		t.Errorf("the canary saw %d connections, want 0", hits)
	}
}

// answers is a resolver that gives one set of addresses after the other, and
// repeats the last.
type answers struct {
	sets  [][]netip.Addr
	asked atomic.Int64
}

func answering(sets ...string) *answers {
	a := &answers{}
	for _, set := range sets {
		var addrs []netip.Addr
		for _, field := range strings.Fields(set) {
			addrs = append(addrs, netip.MustParseAddr(field))
		}
		a.sets = append(a.sets, addrs)
	}
	return a
}

func (a *answers) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n := int(a.asked.Add(1)) - 1
	return a.sets[min(n, len(a.sets)-1)], nil
}

// recordDials replaces the socket: it notes each address and lets none succeed.
func recordDials(d *Door) *[]string {
	var dialled []string
	d.dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, errNoRoute
	}
	return &dialled
}
