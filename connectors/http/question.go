package http

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"sidecard/connectors"
)

// question is what is asked, with places for the address.
type question struct {
	method  string
	url     target
	headers []header
	body    *template // nil = none
	lower   bool
}

// header is one header of the question.
type header struct {
	name  string // canonical
	value template
}

func newQuestion(s connectors.Settings) (*question, error) {
	q := &question{method: s.String("method", http.MethodGet), lower: s.Bool("lower_case", true)}
	if q.method != http.MethodGet && q.method != http.MethodPost {
		return nil, misconfigured("http.method", "method", "Sidecard asks with GET or POST.", "Choose the one that the API's documentation names for finding a customer.")
	}
	var err error
	if q.url, err = newTarget("url", s.String("url", "")); err != nil {
		return nil, err
	}
	if err := q.addBody(s.String("body", ""), s.String("body_format", "json")); err != nil {
		return nil, err
	}
	for _, line := range s.Strings("headers") {
		if err := q.addHeader(line); err != nil {
			return nil, err
		}
	}
	if !q.asksForSomebody() {
		return nil, misconfigured("http.no_email", "url", "The visitor's address is nowhere in the question, so everybody would get the same answer.",
			"Write {{email}} where the API wants the address: in the URL, in the body or in a header.")
	}
	return q, nil
}

// templates lists all parts of the question.
func (q *question) templates() []template {
	all := []template{q.url.template}
	if q.body != nil {
		all = append(all, *q.body)
	}
	for _, h := range q.headers {
		all = append(all, h.value)
	}
	return all
}

func (q *question) asksForSomebody() bool {
	return slices.ContainsFunc(q.templates(), func(t template) bool { return len(t.places) > 0 })
}

func (q *question) addBody(text, format string) error {
	text, err := marked("body", text)
	if err != nil || text == "" {
		return err
	}
	if q.method == http.MethodGet {
		return misconfigured("http.get_body", "body", "A GET sends no body.", "Choose POST as the method, or remove the body.")
	}
	var body template
	kind := "application/json"
	if format == "form" {
		kind = formType
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "&")
		body, err = newParams("body", text)
	} else {
		body, err = newJSONBody(text)
	}
	if err != nil {
		return err
	}
	q.body = &body
	q.headers = append(q.headers, header{"Content-Type", literal(kind)})
	return nil
}

const formType = "application/x-www-form-urlencoded"

// newJSONBody reads JSON with places for the address inside its strings.
func newJSONBody(text string) (template, error) {
	refuse := func(code, message, fix string) (template, error) {
		return template{}, misconfigured("http.body."+code, "body", message, fix)
	}
	var all template
	for rest := text; rest != ""; {
		start := strings.IndexByte(rest, '"')
		if start < 0 {
			start = len(rest)
		}
		if strings.Contains(rest[:start], mark) {
			return refuse("unquoted", "{{email}} stands outside of quotation marks.", `Write "{{email}}", with the quotation marks.`)
		}
		length := stringLength(rest[start:])
		quoted := rest[start : start+length]
		all = all.join(literal(rest[:start])).join(newTemplate(quoted, inJSON.within(jsonText(quoted))))
		rest = rest[start+length:]
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, mark, "x")), new(json.RawMessage)); err != nil {
		return refuse("json", "The body is no valid JSON.", "Look for a comma too many, a missing bracket or a missing quotation mark; or choose Form as the form of the body.")
	}
	return all, nil
}

// stringLength measures the JSON string at the start of a text, quotation marks included.
func stringLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// jsonText decodes a JSON string; what is none stays as it is, and is refused with the whole body.
func jsonText(quoted string) string {
	var text string
	if json.Unmarshal([]byte(quoted), &text) != nil {
		return quoted
	}
	return text
}

// jsonInner encodes a text as what stands between the quotation marks of a JSON string.
func jsonInner(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return "" // never for a string
	}
	return string(quoted[1 : len(quoted)-1])
}

var (
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	// ownHeaders are those with which HTTP itself works, or that say who asks.
	ownHeaders = []string{
		"Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Expect", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding",
		"Upgrade", "User-Agent",
	}
	secretHeader = regexp.MustCompile(`(?i)(^authorization$|^cookie$|api-?key|secret|passw(or)?d|token$)`)
)

func (q *question) addHeader(line string) error {
	refuse := func(code, message, fix string) error {
		return misconfigured("http.header."+code, "headers", message, fix)
	}
	line, err := marked("headers", line)
	if err != nil {
		return err
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return refuse("form", "A line has no colon between the header's name and its value.", "Write one header a line, such as X-Region: eu.")
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if strings.Contains(name, mark) || !headerName.MatchString(name) {
		return refuse("name", "A header's name has characters that are not allowed.", "Use letters, digits and hyphens; {{email}} may only be in the value.")
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case isOwnHeader(name):
		return refuse("own", "Sidecard sets the header "+name+" itself.", "Remove the line.")
	case secretHeader.MatchString(name):
		return refuse("open_secret", "The header "+name+" looks like a secret, which everybody who sees the settings could read.",
			"Remove the line and enter the secret under Sign-in, where it is stored sealed.")
	case strings.ContainsFunc(value, unicode.IsControl):
		return refuse("value", "The value of "+name+" has characters that are not allowed.", "Write the value in one line of plain text.")
	}
	q.headers = slices.DeleteFunc(q.headers, func(h header) bool { return h.name == name && name == "Content-Type" })
	q.headers = append(q.headers, header{name, newTemplate(value, inHeader.within(value))})
	return nil
}

func isOwnHeader(name string) bool {
	return slices.Contains(ownHeaders, name) || strings.HasPrefix(name, "Proxy-")
}

// request puts the address into the question; false means that the API could take the address for more than data
// at one of its places, so that it must not be asked.
func (q *question) request(ctx context.Context, email string) (*http.Request, bool) {
	if q.lower {
		email = strings.ToLower(email)
	}
	for _, t := range q.templates() {
		if !t.takes(email) {
			return nil, false
		}
	}
	var body io.Reader
	if q.body != nil {
		body = bytes.NewReader([]byte(q.body.fill(email)))
	}
	r, err := http.NewRequestWithContext(ctx, q.method, q.url.fill(email), body)
	if err != nil {
		return nil, false // never, since Open has tried the URL
	}
	present(r)
	for _, h := range q.headers {
		if h.name == "Accept" {
			r.Header.Del(h.name)
		}
		r.Header.Add(h.name, h.value.fill(email))
	}
	return r, true
}

// present says who asks and what is understood.
func present(r *http.Request) {
	r.Header.Set("User-Agent", "Sidecard")
	r.Header.Set("Accept", "application/json")
}
