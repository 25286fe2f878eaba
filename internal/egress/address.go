package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"code.dny.dev/ssrf"
)

// azureHost is the address at which Azure's virtual machines reach their host's
// metadata and DNS. It is a public address, so the IANA registries don't list it.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

// newGuard refuses all special-purpose ranges of the IANA registries. Of IPv6
// only 2000::/3 is public, which also rules out NAT64 (64:ff9b::/96 and
// 64:ff9b:1::/48), unique local and link-local addresses; 6to4 and Teredo, which
// carry an IPv4 address inside, are refused within it.
func newGuard(allow []netip.Prefix) *ssrf.Guardian {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(azureHost),
	)
}

// Forbidden reports whether the door keeps a closed. An IPv4 address inside an
// IPv6 one is judged as well, so that neither ::ffff:a.b.c.d nor a translator's
// address in an allowed network leads around what is closed. The unspecified
// address, which the system takes for this machine, an address with a zone, and
// the zero Addr are always forbidden.
func (d *Door) Forbidden(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return true
	}
	a = a.Unmap()
	if a.IsUnspecified() {
		return true
	}
	for _, p := range d.deny {
		if p.Contains(a) {
			return true
		}
	}
	if inner, ok := carried(a); ok && d.Forbidden(inner) {
		return true
	}
	return d.guard.SafeAddr(a) != nil
}

// Translators and tunnels that put an IPv4 address into an IPv6 one: NAT64 (RFC
// 6052, and RFC 8215 used the same way), 6to4 (RFC 3056), Teredo (RFC 4380).
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// carried gives the IPv4 address to which traffic for a is handed on.
func carried(a netip.Addr) (inner netip.Addr, ok bool) {
	b := a.As16()
	switch {
	case nat64.Contains(a), nat64Local.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(a):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return netip.Addr{}, false
}

// resolve turns a host, an IP literal or a DNS name, into addresses that may be
// dialled, IPv4 ones in their own form.
func (d *Door) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if d.Forbidden(addr) {
			return nil, ErrForbidden
		}
		return []netip.Addr{addr.Unmap()}, nil
	}
	switch {
	case isLocalhost(host):
		return d.resolve(ctx, "127.0.0.1")
	case !isName(host):
		return nil, ErrForbidden
	}
	return d.lookUp(ctx, host)
}

// lookUp resolves a name and refuses it whole if one address is forbidden:
// choosing among the answers would leave the choice to whoever owns the name.
//
// The name is asked for as it is, never below the search domains of this
// machine, and an inner name that is unknown is refused like one that leads
// inside: else the difference would list what runs beside Sidecard.
func (d *Door) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	name = strings.TrimSuffix(name, ".")
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", name+".")
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no address", Name: name, IsNotFound: true}
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound && isInner(name) {
		return nil, ErrForbidden
	}
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	safe := make([]netip.Addr, len(addrs))
	for i, a := range addrs {
		if d.Forbidden(a) {
			return nil, ErrForbidden
		}
		safe[i] = a.Unmap()
	}
	return safe, nil
}

// isInner reports whether a name can exist in private networks alone: it has one
// label, or ends in a domain that is reserved for them (RFC 6762 with appendix
// G, RFC 8375, and ICANN's resolution of 2024 on .internal).
func isInner(name string) bool {
	labels := strings.Split(strings.ToLower(name), ".")
	switch last := labels[len(labels)-1]; last {
	case "local", "internal", "intranet", "private", "corp", "home", "lan":
		return true
	case "arpa":
		return len(labels) > 1 && labels[len(labels)-2] == "home"
	}
	return len(labels) == 1
}

// isLocalhost recognises the names that mean this machine and that the DNS is
// never asked for (RFC 6761, section 6.3).
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// isName reports whether host has the form of a DNS name. A name whose last
// label is a number is none: some resolvers read 127.1, 0x7f000001 or
// 2130706433 as an address, others ask the DNS, and the door treats all alike.
func isName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	return !isNumber(labels[len(labels)-1])
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for _, c := range []byte(label) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// isNumber accepts what inet_aton(3) reads as a number: decimal and octal
// digits, or 0x with any number of hexadecimal digits.
func isNumber(label string) bool {
	digits := "0123456789"
	if rest, ok := strings.CutPrefix(strings.ToLower(label), "0x"); ok {
		label, digits = rest, "0123456789abcdef"
	}
	return strings.Trim(label, digits) == ""
}

// ParseCIDRs reads networks separated by commas, for example
// "10.20.0.0/16, fd12::/48"; a single address stands for itself. Empty text
// is no network. The error names the entry that could not be read.
func ParseCIDRs(s string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for entry := range strings.SplitSeq(s, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		p, err := parseCIDR(entry)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func parseCIDR(entry string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(entry)
	if a, addrErr := netip.ParseAddr(entry); addrErr == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is not a network: write it like 10.20.0.0/16", entry)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is IPv4 written as IPv6: write it like 10.20.0.0/16", entry)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%q starts inside its network: did you mean %s?", entry, p.Masked())
	}
	return p, nil
}
