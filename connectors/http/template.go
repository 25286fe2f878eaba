package http

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mark is the placeholder, as it is written after spaces inside it are gone.
const mark = "{{email}}"

var placeholder = regexp.MustCompile(`\{\{\s*email\s*\}\}`)

// marked normalises the placeholders of a text, and refuses others.
func marked(field, text string) (string, error) {
	text = placeholder.ReplaceAllString(strings.TrimSpace(text), mark)
	if strings.Contains(strings.ReplaceAll(text, mark, ""), "{{") {
		return "", misconfigured("http.placeholder", field, "There is a placeholder that Sidecard does not know.",
			"The only one is {{email}}, in lower case.")
	}
	return text, nil
}

// place is a position of the address in a question. Forms are encoded as queries are.
type place struct {
	encode func(string) string
	takes  func(string) bool // of an address as it is, not yet encoded
}

var (
	inPath   = place{func(s string) string { return percent(s, "@") }, hasNoDotSegment}
	inQuery  = place{func(s string) string { return percent(s, "") }, takesAll}
	inHeader = place{func(s string) string { return s }, fitsHeader}
	inJSON   = place{jsonInner, takesAll}
)

func takesAll(string) bool { return true }

// within narrows the place to one inside quotes, such as '{{email}}' in a filter. The API may take such a text
// apart once more, by rules that nobody here knows: an address which could end the quotation is not sent.
func (p place) within(around string) place {
	var quotes string
	for _, q := range []string{`"`, "'", "`"} {
		if strings.Contains(around, q) {
			quotes += q
		}
	}
	if quotes == "" {
		return p
	}
	takes := p.takes
	p.takes = func(s string) bool { return takes(s) && !strings.ContainsAny(s, quotes+`\`) }
	return p
}

// template is text with places for the address between its parts.
type template struct {
	texts  []string // one more than places
	places []place
}

// literal is a template without places.
func literal(text string) template { return template{texts: []string{text}} }

// newTemplate makes all marks of a text places of one kind. Its texts are used as they are.
func newTemplate(text string, at place) template {
	t := template{texts: strings.Split(text, mark)}
	for range len(t.texts) - 1 {
		t.places = append(t.places, at)
	}
	return t
}

// join appends another template.
func (t template) join(next template) template {
	if len(t.texts) == 0 {
		return next
	}
	last := len(t.texts) - 1
	texts := append(t.texts[:last:last], t.texts[last]+next.texts[0])
	return template{texts: append(texts, next.texts[1:]...), places: append(t.places[:len(t.places):len(t.places)], next.places...)}
}

// takes reports whether the address can be data at all places.
func (t template) takes(email string) bool {
	for _, p := range t.places {
		if !p.takes(email) {
			return false
		}
	}
	return true
}

// fill puts the address into all places.
func (t template) fill(email string) string {
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i < len(t.places) {
			b.WriteString(t.places[i].encode(email))
		}
	}
	return b.String()
}

// maxAddress is the longest address in bytes: RFC 5321 allows 254, and some systems keep a little more.
const maxAddress = 320

// canBeAddress tells apart what nobody's address is, and what therefore need not be asked: APIs take an empty
// value for "all", refuse line ends with an error that would look like a fault of the settings, and fail on 10 kB.
func canBeAddress(email string) bool {
	at := strings.LastIndexByte(email, '@')
	return at > 0 && at < len(email)-1 && len(email) <= maxAddress && utf8.ValidString(email) &&
		!strings.ContainsFunc(email, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
}

// percent encodes everything but letters, digits, -._~ and the given characters: RFC 3986 and the form encoding read
// it alike.
func percent(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if isUnreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// hasNoDotSegment refuses what web servers that decode a path before they route it take for a way up.
func hasNoDotSegment(email string) bool {
	for segment := range strings.FieldsFuncSeq(email, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// fitsHeader refuses what a header's value cannot hold.
func fitsHeader(email string) bool { return !strings.ContainsFunc(email, unicode.IsControl) }

// unescaped undoes the percent encoding as far as it can be undone.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
