package mail

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/mail"
	"net/url"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"sidecard/internal/hub"
)

// message makes what is sent: the text, and the same words as HTML. Its id follows from the mail's, so that a mail
// that is sent twice can be told to be one.
func (s *SMTP) message(m hub.Mail) (*gomail.Msg, error) {
	to, err := addressOf(m.To)
	if err != nil {
		return nil, err
	}
	html, err := HTML(m)
	if err != nil {
		return nil, fmt.Errorf("lay out mail: %w", err)
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(&mail.Address{Name: oneLine(s.from.Name), Address: s.from.Address})
	message.ToMailAddress(&mail.Address{Address: to})
	message.Subject(oneLine(m.Subject))
	message.SetMessageIDWithValue(m.ID.String() + "@" + domain)
	message.SetDate()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice shall answer
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, html)
	return message, nil
}

// addressOf gives an address in the form in which servers take it, its domain in ASCII.
func addressOf(text string) (string, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Name != "" || address.Address != text {
		return "", fmt.Errorf("%w: the address is no address", hub.ErrMailRefused)
	}
	at := strings.LastIndexByte(text, '@')
	domain, err := idna.Lookup.ToASCII(text[at+1:])
	if err != nil {
		return "", fmt.Errorf("%w: the address has no domain name", hub.ErrMailRefused)
	}
	return text[:at+1] + domain, nil
}

// oneLine leaves nothing in a text that could begin another header.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' }), " ")
}

//go:embed message.html
var layoutText string

var layout = template.Must(template.New("message").Parse(layoutText))

// paragraph is one of a mail's, as a layout shows it.
type paragraph struct {
	Lines []string
	Does  string // what Link does; empty when there is no link
	Link  string
	Main  bool // the mail's first link
}

// paragraphs reads a mail's text as hub.Mail describes it.
func paragraphs(text string) []paragraph {
	var all []paragraph
	linked := false
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		p := paragraph{Lines: strings.Split(part, "\n")}
		if len(p.Lines) == 2 && strings.HasSuffix(p.Lines[0], ":") && isLink(p.Lines[1]) {
			p.Does, p.Link, p.Main = strings.TrimSuffix(p.Lines[0], ":"), p.Lines[1], !linked
			linked = true
		}
		all = append(all, p)
	}
	return all
}

func isLink(line string) bool {
	u, err := url.Parse(line)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(line, " \t")
}

// HTML lays a mail out: the words of its text, the first link as a button. It loads nothing from anywhere.
func HTML(m hub.Mail) (string, error) {
	var b bytes.Buffer
	err := layout.Execute(&b, struct {
		Subject    string
		Paragraphs []paragraph
	}{oneLine(m.Subject), paragraphs(m.Text)})
	return b.String(), err
}
