package egress

import (
	"context"
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
// IPv6 one (::ffff:a.b.c.d) is judged as the IPv4 address; an address with a
// zone, and the zero Addr, are always forbidden.
func (d *Door) Forbidden(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return true
	}
	a = a.Unmap()
	for _, p := range d.deny {
		if p.Contains(a) {
			return true
		}
	}
	return d.guard.SafeAddr(a) != nil
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
func (d *Door) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	addrs, err := d.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("resolve: %w", &net.DNSError{Err: "no address", Name: name, IsNotFound: true})
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
