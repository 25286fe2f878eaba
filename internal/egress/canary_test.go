package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

var errNoRoute = errors.New("no route")

// canary listens on loopback and counts who gets through to it.
type canary struct {
	port      string
	addresses []string
	hits      atomic.Int64
}

// newCanary listens on 127.0.0.1 and, where the machine has IPv6, on [::1] at
// the same port.
func newCanary(t *testing.T) *canary {
	t.Helper()
	v4, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{port: strconv.Itoa(v4.Addr().(*net.TCPAddr).Port)}
	c.serve(t, v4)
	if v6, err := net.Listen("tcp6", net.JoinHostPort("::1", c.port)); err == nil {
		c.serve(t, v6)
	}
	return c
}

func (c *canary) serve(t *testing.T, l net.Listener) {
	c.addresses = append(c.addresses, l.Addr().String())
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

// expectUntouched fails if anybody connected. Connections are accepted in order,
// so one of the test's own behind them proves that none is still waiting.
func (c *canary) expectUntouched(t *testing.T) {
	t.Helper()
	for _, address := range c.addresses {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Read(make([]byte, 1)) // ends when the canary hangs up
		_ = conn.Close()
	}
	if hits := c.hits.Load() - int64(len(c.addresses)); hits != 0 {
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
