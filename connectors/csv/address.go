package csv

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxAddress is the longest address in bytes, the bound of RFC 5321 section 4.5.3.1.3 less its brackets.
const maxAddress = 254

// maxWrapped is the longest text in bytes in which Fold looks for an address. Each "mailto:" costs a walk over the
// text, so that without a bound a cell of nothing else would keep a processor busy.
const maxWrapped = 1 << 10

// Fold brings an address into the form in which addresses are compared: lower case, Unicode NFC, without
// surrounding space, "mailto:" or the name of "Name <address>". It leaves alone what is inside the address:
// dots and "+tags" mean something to some mail servers. Folding twice changes nothing, and text that is no
// address is folded too. Text of more than maxWrapped bytes is none, and keeps what stands around.
func Fold(email string) string {
	s := strings.TrimFunc(norm.NFC.String(strings.ToLower(norm.NFC.String(email))), isSpace)
	for len(s) <= maxWrapped {
		before := s
		s = strings.TrimFunc(s, isSpace)
		if open := strings.LastIndexByte(s, '<'); open >= 0 && strings.HasSuffix(s, ">") {
			s = s[open+1 : len(s)-1]
		}
		if rest, ok := strings.CutPrefix(s, "mailto:"); ok {
			s, _, _ = strings.Cut(rest, "?")
		}
		if s == before {
			break
		}
	}
	return s
}

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
		strings.ContainsFunc(folded, func(r rune) bool { return isSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }):
		return "bad_email"
	}
	return ""
}

func isAddress(cell string) bool { return addressProblem(Fold(cell)) == "" }

// isSpace adds the invisible characters that are pasted along with text.
func isSpace(r rune) bool {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsSpace(r)
}
