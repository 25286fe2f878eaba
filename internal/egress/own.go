package egress

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// ownServers are the operator's own database and the like. They often stand in
// a network that tenants' servers stand in, too, so closing the network is no
// way to keep tenants out of them.
type ownServers struct {
	names    []string // host:port
	resolver Resolver

	mu    sync.Mutex
	known []netip.AddrPort
	asked time.Time
}

// ownAge is how long resolved addresses of own servers are taken for current.
// They change with a failover.
const ownAge = 30 * time.Second

// refresh resolves the names again when that was long ago. A name that cannot
// be resolved keeps its addresses.
func (o *ownServers) refresh(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.names) == 0 || time.Since(o.asked) < ownAge {
		return
	}
	o.asked = time.Now()
	for _, name := range o.names {
		host, text, err := net.SplitHostPort(name)
		if err != nil {
			continue
		}
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			continue
		}
		for _, addr := range o.addresses(ctx, host) {
			if to := netip.AddrPortFrom(addr.Unmap(), uint16(port)); !slices.Contains(o.known, to) {
				o.known = append(o.known, to)
			}
		}
	}
}

func (o *ownServers) addresses(ctx context.Context, host string) []netip.Addr {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}
	}
	addrs, err := o.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	return addrs
}

func (o *ownServers) include(to netip.AddrPort) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.known, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
}
