package mail

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle []byte

	page = template.Must(template.New("page").Parse(pageText))
)

// pagePolicy lets the page load its own style sheet and nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler shows the mailbox: GET /mailbox is a page that looks again by itself, GET /mailbox/mails.json the same for
// programs, a list of hub.Mail, newest first.
func (b *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/mailbox", http.StatusFound))
	mux.HandleFunc("GET /mailbox", b.show)
	mux.HandleFunc("GET /mailbox/mails.json", b.list)
	mux.HandleFunc("GET /mailbox/page.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(pageStyle)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// shownMail is a mail as the page shows it.
type shownMail struct {
	ID, To, Subject, Kind, At string
	Paragraphs                []paragraph
}

func (b *Mailbox) show(w http.ResponseWriter, _ *http.Request) {
	kept := b.kept()
	mails := make([]shownMail, len(kept))
	for i, r := range kept {
		mails[i] = shownMail{
			ID: r.ID.String(), To: r.To, Subject: r.Subject, Kind: r.Kind, At: r.At.Format(time.TimeOnly),
			Paragraphs: paragraphs(r.Text),
		}
	}
	var body bytes.Buffer
	if err := page.Execute(&body, mails); err != nil {
		http.Error(w, "The mailbox cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes())
}

func (b *Mailbox) list(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(b.Mails()) // to a client that may be gone
}
