package livesupporti_test

import (
	"strings"
	"testing"

	"sidecard/internal/livesupporti"
)

func TestEchoValue(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"0f8fad5bd9cb469fa16570867728950e": true,
		"a":                                true,
		"A-z_0.9~":                         true,
		strings.Repeat("x", 128):           true,
		strings.Repeat("x", 129):           false,
		"":                                 false,
		" a":                               false,
		"a\n":                              false,
		"a\x00":                            false,
		"<script>":                         false,
		"a&b":                              false,
		"a%41":                             false,
		"{guid}":                           false,
		"ä":                                false,
		"\xff":                             false,
	}
	for value, want := range tests {
		if got := livesupporti.EchoValue(value); got != want {
			t.Errorf("EchoValue(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestOriginAllowed(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"https://livesupporti.com":                                           true,
		"https://app.livesupporti.com":                                       true,
		"https://www.eu-1.livesupporti.com":                                  true,
		"https://app.livesupporti.com:443":                                   true,
		"":                                                                   false,
		"null":                                                               false,
		"http://livesupporti.com":                                            false,
		"https://livesupporti.com/":                                          false,
		"https://livesupporti.com.":                                          false,
		"https://livesupporti.com:8443":                                      false,
		"https://livesupporti.com:443:443":                                   false,
		"https://app.livesupporti.com:4433":                                  false,
		"https://.livesupporti.com":                                          false,
		"https://..livesupporti.com":                                         false,
		"https://a..livesupporti.com":                                        false,
		"https://-.livesupporti.com":                                         false,
		"https://evil-livesupporti.com":                                      false,
		"https://evillivesupporti.com":                                       false,
		"https://livesupporti.com.evil.com":                                  false,
		"https://livesupporti.com@evil.com":                                  false,
		"https://evil.com/.livesupporti.com":                                 false,
		"https://evil.com#.livesupporti.com":                                 false,
		"https://evil.com?.livesupporti.com":                                 false,
		"https://evil.com\\.livesupporti.com":                                false,
		"https://user@app.livesupporti.com":                                  false,
		"https://app.livesupporti.com, https://livesupporti.com":             false,
		"https://app.livesupporti.com\r\nX: y":                               false,
		"https://ａpp.livesupporti.com":                                       false,
		"https://livesupporti.co":                                            false,
		"livesupporti.com":                                                   false,
		"https://" + strings.Repeat("a", 64) + ".livesupporti.com":           false,
		"https://" + strings.Repeat("a.", 200) + "livesupporti.com":          false,
		"chrome-extension://livesupporti.com":                                false,
		"https://[::1].livesupporti.com":                                     false,
		"https://127.0.0.1":                                                  false,
		"https://app.livesupporti.com.livesupporti.com.evil.example.org:443": false,
	}
	for origin, want := range tests {
		if got := livesupporti.OriginAllowed(origin); got != want {
			t.Errorf("OriginAllowed(%q) = %v, want %v", origin, got, want)
		}
	}
}

func FuzzEcho(f *testing.F) {
	const markup = "<>&\"'`()=;:/\\%?#+,@![]{}|^*$ \t\r\n\x00\x7f\u2028\u212a"
	f.Add("0f8fad5bd9cb469fa16570867728950e")
	f.Add("<script>alert(1)</script>")
	f.Add("https://app.livesupporti.com")
	f.Add("https://livesupporti.com.evil.example")
	for _, c := range markup {
		f.Add("a" + string(c) + "b")
	}
	f.Fuzz(func(t *testing.T, value string) {
		if livesupporti.EchoValue(value) && strings.ContainsAny(value, markup) {
			t.Errorf("%q would be echoed", value)
		}
		if livesupporti.OriginAllowed(value) {
			host := strings.TrimSuffix(strings.TrimPrefix(value, "https://"), ":443")
			if host != "livesupporti.com" && !strings.HasSuffix(host, ".livesupporti.com") || strings.ContainsAny(host, "@/\\?#:, \r\n") {
				t.Errorf("origin %q is allowed", value)
			}
		}
	})
}
