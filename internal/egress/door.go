// Package egress is the one door out of Sidecard. Tenants name the hosts that
// Sidecard connects to, so every connection that leaves, HTTP and databases
// alike, is made here.
//
// It refuses private, local and special addresses in every spelling, names
// that resolve to one of them even once, search domains, anything but TCP,
// redirects, proxies from the environment, and answers that are too long or
// take too long, and Sidecard's own servers. Of ports it knows nothing else:
// which make sense is for the connector to say.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	// dialTimeout bounds resolving and connecting together. net/http does not
	// hand a request's deadline to its dialer, so the door needs its own.
	dialTimeout = 10 * time.Second
	// maxTries bounds how many addresses of one name are tried: a name with a
	// thousand addresses must not turn Sidecard into a port scanner.
	maxTries = 4
)

// ErrForbidden says that the door does not lead to the address that was asked
// for. It is returned before anything is sent, so neither its text nor its
// timing tells whether something listens there. The text may be shown to people.
//
// It says so by behaviour, too: connectors tell it from other failures by its
// method Forbidden, without knowing this package.
var ErrForbidden error = forbidden{}

type forbidden struct{}

func (forbidden) Error() string   { return "that address is not allowed" }
func (forbidden) Forbidden() bool { return true }

// Resolver finds the addresses of a host name. [net.Resolver] is one; the
// network is always "ip".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options say what a [Door] lets through. The zero value allows the public
// internet and nothing else.
type Options struct {
	// AllowCIDRs are private networks that the operator opens, for example
	// the one in which the tenants' databases live. Default none.
	AllowCIDRs []netip.Prefix
	// DenyCIDRs are public addresses that the operator closes, for example
	// the control plane. They win over AllowCIDRs.
	DenyCIDRs []netip.Prefix
	// Own are Sidecard's own servers, "host:port", which nothing leads to.
	Own []string
	// Resolver defaults to [net.DefaultResolver].
	Resolver Resolver
}

// Door opens connections to the outside and is safe for concurrent use.
type Door struct {
	guard    *ssrf.Guardian
	deny     []netip.Prefix
	own      ownServers
	resolver Resolver
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes a door.
func New(o Options) *Door {
	d := &Door{
		guard:    newGuard(o.AllowCIDRs),
		deny:     slices.Clone(o.DenyCIDRs),
		resolver: o.Resolver,
	}
	if d.resolver == nil {
		d.resolver = net.DefaultResolver
	}
	d.own.names, d.own.resolver = slices.Clone(o.Own), d.resolver
	d.dial = (&net.Dialer{Control: d.control}).DialContext
	return d
}

// DialContext connects to address, "host:port" with a numeric port, over
// network "tcp", "tcp4" or "tcp6". It resolves the host once, without search
// domains (in Kubernetes a name has to be written in full), refuses the name if
// any of its addresses is forbidden, and connects to an address that it checked:
// the name is not resolved again. Its signature fits [net/http.Transport] and
// pgconn.Config.DialFunc.
//
// It returns [ErrForbidden], an error of the resolver or one of the connection;
// resolving and connecting take ten seconds at most.
func (d *Door) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := splitAddress(network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d.own.refresh(ctx)
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs = ofFamily(network, addrs)
	if len(addrs) == 0 {
		return nil, fmt.Errorf("dial %s: %s has no address of that family", network, host)
	}
	return d.dialFirst(ctx, network, addrs[:min(len(addrs), maxTries)], port)
}

// LookupHost returns the addresses of host as text, by the rules of
// [Door.DialContext]: if one of them is forbidden the answer is [ErrForbidden].
// Its signature fits pgconn.Config.LookupFunc.
func (d *Door) LookupHost(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return texts, nil
}

// dialFirst connects to the first address that answers. Each gets an equal
// share of the time that is left, so that a silent one leaves time for the next.
func (d *Door) dialFirst(ctx context.Context, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	var first error
	for i, addr := range addrs {
		conn, err := d.dialShare(ctx, network, netip.AddrPortFrom(addr, port), len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		if errors.Is(err, ErrForbidden) {
			return nil, ErrForbidden
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func (d *Door) dialShare(ctx context.Context, network string, to netip.AddrPort, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return d.dial(ctx, network, to.String())
}

// control is the last line: the operating system is about to connect this
// socket to this address, whatever was resolved and checked before.
func (d *Door) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return ErrForbidden
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil || d.Forbidden(to.Addr()) || d.own.include(to) {
		return ErrForbidden
	}
	return nil
}

func splitAddress(network, address string) (host string, port uint16, err error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return "", 0, ErrForbidden
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, ErrForbidden
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return "", 0, ErrForbidden
	}
	return host, uint16(n), nil
}

func ofFamily(network string, addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(addrs, func(a netip.Addr) bool {
		return network == "tcp4" && !a.Is4() || network == "tcp6" && a.Is4()
	})
}
