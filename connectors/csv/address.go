package csv

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors/address"
)

// maxAddress is the longest address in bytes, the bound of RFC 5321 section 4.5.3.1.3 less its brackets.
const maxAddress = 254

// addressProblem says why folded text cannot be an address, as the code of a reject; "" when it can.
// It asks for little, since only the tenant knows which addresses exist: one @ with something on both
// sides, and nothing that no mail program sends.
func addressProblem(folded string) string {
	if folded == "" {
		return "no_email"
	}
	local, domain, _ := strings.Cut(folded, "@")
	switch {
	case local == "" || domain == "" || strings.Contains(domain, "@"),
		len(folded) > maxAddress,
		!utf8.ValidString(folded),
		strings.ContainsFunc(folded, func(r rune) bool { return address.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }):
		return "bad_email"
	}
	return ""
}

func isAddress(cell string) bool { return addressProblem(address.Fold(cell)) == "" }
