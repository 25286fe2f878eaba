// Package address makes e-mail addresses comparable, whoever typed them.
package address

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWrapped is the longest text in bytes in which Fold looks for an address. Each "mailto:" costs a walk over
// the text, so that without a bound a cell of nothing else would keep a processor busy.
const maxWrapped = 1 << 10

// Fold brings an address into the form in which addresses are compared: lower case, Unicode NFC, without
// surrounding space, "mailto:" or the name of "Name <address>". It leaves alone what is inside the address:
// dots and "+tags" mean something to some mail servers. Folding twice changes nothing, and text that is no
// address is folded too. Text of more than 1 KiB is none, and keeps what stands around.
func Fold(email string) string {
	s := strings.TrimFunc(norm.NFC.String(strings.ToLower(norm.NFC.String(email))), IsSpace)
	for len(s) <= maxWrapped {
		before := s
		s = strings.TrimFunc(s, IsSpace)
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

// IsSpace adds to white space the invisible characters that are pasted along with text.
func IsSpace(r rune) bool {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsSpace(r)
}
