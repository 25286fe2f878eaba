package egress

import (
	"net/netip"
	"strings"
	"testing"
)

// The ranges are those of the IANA special-purpose registries and of the
// carriers of IPv4 inside IPv6; the first and last address of each is tried.
func TestSpecialRangesAreForbidden(t *testing.T) {
	t.Parallel()
	d := New(Options{})
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
		"::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32",
		"2002::/16", "3fff::/20", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		p := netip.MustParsePrefix(text)
		for _, a := range []netip.Addr{p.Addr(), lastOf(p)} {
			if !d.Forbidden(a) {
				t.Errorf("%s of %s is let through", a, p)
			}
			if a.Is4() && !d.Forbidden(netip.AddrFrom16(a.As16())) {
				t.Errorf("%s inside IPv6 is let through", a)
			}
		}
	}
	for _, a := range []netip.Addr{{}, netip.MustParseAddr("::ffff:8.8.8.8%lo"), netip.MustParseAddr("2606:4700::1%lo")} {
		if !d.Forbidden(a) {
			t.Errorf("%v is let through", a)
		}
	}
}

func TestPublicAddressesBesideSpecialRangesAreAllowed(t *testing.T) {
	t.Parallel()
	d := New(Options{})
	for _, text := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "168.63.129.15", "168.63.129.17", "::ffff:8.8.8.8", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1",
	} {
		if d.Forbidden(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func TestHostNamesAreRecognised(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"api.hubapi.com": true, "api.hubapi.com.": true, "db": true, "_srv.example": true, "xn--bcher-kva.example": true,
		"3com.com": true, "1.2.3.4.example": true, "0xff.example": true, "db-1.internal": true, "example.0xfg": true,
		"1": false, "0x": false, "0xAF": false, "127.1": false, "a.09": false, "b\u00fccher.example": false, "a..b": false,
		"a b": false, "a/b": false, "a,b": false, "a:b": false, "": false, ".": false,
	} {
		if got := isName(host); got != want {
			t.Errorf("isName(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestParseCIDRs(t *testing.T) {
	t.Parallel()
	got, err := ParseCIDRs(" 10.20.0.0/16, fd12::/48,,127.0.0.1 ,::1 ")
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(got))
	for i, p := range got {
		texts[i] = p.String()
	}
	if s := strings.Join(texts, " "); s != "10.20.0.0/16 fd12::/48 127.0.0.1/32 ::1/128" {
		t.Errorf("parsed %s", s)
	}
	if none, err := ParseCIDRs("  "); err != nil || len(none) != 0 {
		t.Errorf("empty text: %v, %v", none, err)
	}
}

func TestParseCIDRsNamesTheBadOne(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.0.0.0/8, tomato":  `"tomato" is not a network`,
		"10.0.0.0/33":         `"10.0.0.0/33" is not a network`,
		"10.0.0.0/8;::1":      `"10.0.0.0/8;::1" is not a network`,
		"fe80::1%lo":          `"fe80::1%lo" is not a network`,
		"10.1.2.3/8":          "did you mean 10.0.0.0/8?",
		"::ffff:10.0.0.0/104": `"::ffff:10.0.0.0/104" is IPv4 written as IPv6`,
		"::ffff:10.0.0.1":     "IPv4 written as IPv6",
	} {
		if _, err := ParseCIDRs(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCIDRs(%q): %v, want %q in it", in, err, want)
		}
	}
}
