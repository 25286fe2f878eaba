package livesupporti

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxExcerpt is the length of Answer.Excerpt in bytes.
const maxExcerpt = 300

const removed = "[removed]"

// excerpt makes the beginning of an answer's body fit to be kept and shown.
// The credentials go first, before anything is cut, so that no half of one can
// stay. For the same reason a body that was not read to its end loses as many
// bytes as the beginning of a credential could have.
func excerpt(body []byte, complete bool, cred Credentials) string {
	if len(body) == 0 {
		return ""
	}
	text, longest := string(body), 0
	for _, secret := range cred.spellings() {
		text, longest = cutOut(text, secret), max(longest, len(secret))
	}
	if !complete {
		text = text[:max(len(text)-longest, 0)]
	}
	return clip(oneLine(strings.ToValidUTF8(text, "\uFFFD")), maxExcerpt)
}

// spellings lists the forms in which a server may send credentials back.
func (c Credentials) spellings() []string {
	basic := base64.StdEncoding.EncodeToString([]byte(c.Email + ":" + c.APIKey))
	spellings := []string{strings.TrimRight(basic, "=")}
	for _, secret := range []string{c.APIKey, c.Email} {
		spellings = append(spellings, secret, url.QueryEscape(secret), url.PathEscape(secret),
			html.EscapeString(secret), escapeAsDotNet(secret))
	}
	return spellings
}

// escapeAsDotNet writes a string's characters as .NET's JSON writer does by
// default, which escapes these six and everything outside ASCII.
func escapeAsDotNet(s string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		if unit < utf8.RuneSelf && !strings.ContainsRune(`"&'+<>`, rune(unit)) {
			out.WriteByte(byte(unit))
			continue
		}
		fmt.Fprintf(&out, `\u%04X`, unit)
	}
	return out.String()
}

// cutOut replaces each occurrence of secret in either letter case.
func cutOut(text, secret string) string {
	if secret == "" {
		return text
	}
	folded, target := lowerASCII(text), lowerASCII(secret)
	var out strings.Builder
	for {
		at := strings.Index(folded, target)
		if at < 0 {
			break
		}
		out.WriteString(text[:at])
		out.WriteString(removed)
		text, folded = text[at+len(target):], folded[at+len(target):]
	}
	if out.Len() == 0 {
		return text
	}
	out.WriteString(text)
	return out.String()
}

// lowerASCII keeps every byte in its place, which strings.ToLower does not.
func lowerASCII(s string) string {
	lower := []byte(s)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// clip cuts text to at most n bytes without splitting a character.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
