package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// notations spells an IPv4 address in the ways that some parser somewhere reads.
func notations(text string) []string {
	b := netip.MustParseAddr(text).As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	tail := n & 0xffffff
	forms := []string{
		text,
		text + ".",
		fmt.Sprintf("%d", n),
		fmt.Sprintf("0x%08x", n),
		fmt.Sprintf("0X%X", n),
		fmt.Sprintf("%#o", n),
		fmt.Sprintf("0%#o", n),
		fmt.Sprintf("%d.%d", b[0], tail),
		fmt.Sprintf("%d.%d.%d", b[0], b[1], n&0xffff),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%#o.%#o.%#o.%#o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%04o.%04o.%04o.%04o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d.0x%x.%#o.%d", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d.%#o", b[0], tail),
		fmt.Sprintf("0x%x.%d", b[0], tail),
		fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]),
		circled(text),
		fullWidth(text),
		strings.ReplaceAll(text, ".", "\u3002"),
		strings.ReplaceAll(text, ".", "\uff0e"),
		"::ffff:" + text,
		"::FFFF:" + text,
		fmt.Sprintf("::ffff:%x:%x", n>>16, n&0xffff),
		fmt.Sprintf("0:0:0:0:0:ffff:%02x%02x:%02x%02x", b[0], b[1], b[2], b[3]),
		"::" + text,
		fmt.Sprintf("::%x:%x", n>>16, n&0xffff),
		"64:ff9b::" + text,
		fmt.Sprintf("64:ff9b:1::%x:%x", n>>16, n&0xffff),
		fmt.Sprintf("2002:%x:%x::1", n>>16, n&0xffff),
		fmt.Sprintf("2001:0:4136:e378:8000:63bf:%x:%x", ^n>>16, ^n&0xffff),
		"::ffff:" + text + "%lo",
		text + "%lo",
	}
	return forms
}

func circled(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '0':
			return '\u24ea'
		case '1' <= r && r <= '9':
			return '\u2460' + r - '1'
		}
		return r
	}, text)
}

func fullWidth(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '\uff10' + r - '0'
		}
		return r
	}, text)
}

// forbiddenHosts is every spelling of some addresses, and one of many more.
func forbiddenHosts() []string {
	var hosts []string
	for _, a := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1", "168.63.129.16"} {
		hosts = append(hosts, notations(a)...)
	}
	return append(hosts,
		"0", "0.0.0.0", "00000000", "0x0", "0.0", "127.1", "127.0.1", "127.00000000001",
		"127.255.255.254", "100.64.0.1", "100.127.255.255", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::7f00:1",
		"::1%lo", "fe80::1", "fe80::1%lo", "fe80::1%1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254",
		"fd12:3456::1", "ff02::1", "ff05::2", "100::1", "2001:db8::1", "3fff::1", "2001::1", "2002:7f00:1::",
		"64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1", "4000::1", "5f00::1",
		"localhost", "LOCALHOST", "localhost.", "LocalHost.", "db.localhost", "\u24dbocalhost", "\uff4c\uff4f\uff43\uff41\uff4chost",
		"", ".", "..", "127.0.0.1..", " 127.0.0.1", "127.0.0.1 ", "127.0.0.1\x00", "127.0.0.1\n", "127.0.0.1/",
		"127.0.0.1,127.0.0.1", "[::1]", "0x7f.1", "0x7f000001.", "1.0x", "example.123", "example.0xff",
		strings.Repeat("a", 64)+".example", strings.Repeat("a.", 128)+"example",
		"user@127.0.0.1", "user:pass@127.0.0.1", "8.8.8.8@127.0.0.1", "8.8.8.8:80@127.0.0.1", "127.0.0.1#@8.8.8.8",
		"127.0.0.1?@8.8.8.8", "127.0.0.1\\@8.8.8.8", "127.0.0.1:80", "127.0.0.1:80:80", "[::ffff:127.0.0.1]", "[::1%25lo]",
		"%31%32%37.0.0.1", "127%2e0.0.1", "127.0.0.1%00", "127.0.0.1%2f", "%6c%6f%63%61%6c%68%6f%73%74",
		"%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1", "127\u00ad.0.0.1", "loc\u00adalhost",
		"\u0661\u0662\u0667.0.0.1", "127\uff610\uff610\uff611", "\u2025127.0.0.1", "xn--127-.0.0.1",
		"unix:/tmp/s", "\\\\127.0.0.1\\pipe",
		"metadata.localhost", "a.b.c.localhost", "LOCALHOST.", "foo.LocalHost.",
	)
}

// everywhere is a resolver for which each name is the canary.
func everywhere() Resolver { return answering("127.0.0.1 ::1") }

// offline is Go's own resolver without a name server.
func offline() Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errNoRoute },
	}
}

var numbers = []string{"127.1", "127.0.1", "0", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1"}

// Go's resolver finds no address for a number. Even if such a host passed the
// check of its form, nothing would be dialled.
func TestNumbersHaveNoAddressInGo(t *testing.T) {
	t.Parallel()
	d := New(Options{Resolver: offline()})
	for _, host := range numbers {
		if addrs, err := d.lookUp(t.Context(), host); err == nil {
			t.Errorf("%q resolved to %v", host, addrs)
		}
	}
}

func TestOnlyTCPIsDialled(t *testing.T) {
	t.Parallel()
	d := New(Options{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	dialled := recordDials(d)
	for _, network := range []string{"", "udp", "udp4", "unix", "unixgram", "ip", "ip4:icmp", "tcp5", "TCP"} {
		if _, err := d.DialContext(t.Context(), network, "127.0.0.1:80"); !errors.Is(err, ErrForbidden) {
			t.Errorf("network %q: %v, want ErrForbidden", network, err)
		}
	}
	for _, address := range []string{"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80", "::1:80", "/var/run/postgresql", "/var/run/postgresql:5432", "@abstract:1"} {
		if _, err := d.DialContext(t.Context(), "tcp", address); !errors.Is(err, ErrForbidden) {
			t.Errorf("address %q: %v, want ErrForbidden", address, err)
		}
	}
	if len(*dialled) != 0 {
		t.Errorf("dialled %v", *dialled)
	}
	if _, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:80"); !errors.Is(err, errNoRoute) {
		t.Errorf("the allowed address: %v, want it dialled", err)
	}
	if !slices.Equal(*dialled, []string{"127.0.0.1:80"}) {
		t.Errorf("dialled %v", *dialled)
	}
}
