package livesupporti

import "strings"

const (
	// maxEcho is generous: the value is a GUID of 32 hexadecimal digits.
	maxEcho = 128
	// maxOrigin is above the longest name that DNS allows, with its scheme.
	maxOrigin = 272
)

// EchoValue says whether the value of an echo query parameter may be sent back:
// 1 to 128 characters out of letters, digits and "._~-". Whatever else arrives
// would turn the callback into a mirror for somebody's script.
func EchoValue(s string) bool {
	if s == "" || len(s) > maxEcho {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && !strings.ContainsRune("._~-", rune(c)) {
			return false
		}
	}
	return true
}

// OriginAllowed says whether a browser's Origin header names LiveSupporti:
// https://livesupporti.com or a subdomain of it, in the form in which browsers
// write an origin (lower case, no path), at the default port.
func OriginAllowed(origin string) bool {
	host, ok := strings.CutPrefix(origin, "https://")
	if !ok || len(origin) > maxOrigin {
		return false
	}
	host = strings.TrimSuffix(host, ":443")
	if host == "livesupporti.com" {
		return true
	}
	subdomain, ok := strings.CutSuffix(host, ".livesupporti.com")
	if !ok {
		return false
	}
	for label := range strings.SplitSeq(subdomain, ".") {
		if !hostLabel(label) {
			return false
		}
	}
	return true
}

func hostLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for i := range len(label) {
		if c := label[i]; !alphanumeric(c) && c != '-' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return label[0] != '-' && label[len(label)-1] != '-'
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
