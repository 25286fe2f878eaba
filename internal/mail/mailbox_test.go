package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"sidecard/internal/hub"
	"sidecard/internal/mail"
)

func TestWaitGivesEachMailOnceOldestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := mail.NewMailbox()
		first, second, other := letter(), letter(), letter()
		other.Kind = hub.MailTOTPOn
		waited := make(chan hub.Mail, 1)
		go func() {
			m, err := b.Wait(t.Context(), strings.ToUpper(to), hub.MailResetPassword)
			if err != nil {
				t.Error(err)
			}
			waited <- m
		}()
		synctest.Wait()
		for _, m := range []hub.Mail{other, first, first, second} { // one comes twice
			if err := b.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-waited; got != first {
			t.Errorf("waited for %v, got %v", first.ID, got.ID)
		}
		for _, want := range []hub.Mail{other, second} {
			if got, err := b.Wait(t.Context(), to, ""); err != nil || got != want {
				t.Errorf("Wait = %v, %v, want %v", got.ID, err, want.ID)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Wait(ctx, to, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait for a mail that never comes: %v", err)
		}
	})
}

func TestTheMailboxKeepsTheNewestMails(t *testing.T) {
	t.Parallel()
	b := mail.NewMailbox()
	for i := range 205 {
		m := letter()
		m.Subject = fmt.Sprint(i)
		if err := b.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	kept := b.Mails()
	if len(kept) != 200 || kept[0].Subject != "204" || kept[199].Subject != "5" {
		t.Errorf("kept %d, from %s to %s", len(kept), kept[0].Subject, kept[len(kept)-1].Subject)
	}
}

func TestTheMailboxIsShownToPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	b := mail.NewMailbox()
	if got := get(t, b, "/mailbox").Body.String(); !strings.Contains(got, "No mail yet") {
		t.Errorf("empty page: %s", got)
	}
	if got := strings.TrimSpace(get(t, b, "/mailbox/mails.json").Body.String()); got != "[]" {
		t.Errorf("empty list = %s", got)
	}
	older, newer := letter(), letter()
	older.Subject, newer.Subject = "older <script>", "newer"
	for _, m := range []hub.Mail{older, newer} {
		if err := b.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	page := get(t, b, "/mailbox")
	text := page.Body.String()
	if i, j := strings.Index(text, ">newer<"), strings.Index(text, "older &lt;script&gt;"); i < 0 || j < i {
		t.Errorf("newer at %d, older at %d", i, j)
	}
	for _, want := range []string{`<a href="https://sidecard.example.com/reset?token=abc&amp;x=1"`, to, `http-equiv="refresh"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy = %s", policy)
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "style=") {
		t.Error("the page has a script or a style inside")
	}
	if kind := get(t, b, "/mailbox/page.css").Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/css") {
		t.Errorf("style sheet is %s", kind)
	}
	var list []hub.Mail
	if err := json.Unmarshal(get(t, b, "/mailbox/mails.json").Body.Bytes(), &list); err != nil || len(list) != 2 || list[0] != newer || list[1] != older {
		t.Errorf("list = %v, %v", list, err)
	}
	var fields []map[string]any
	if err := json.Unmarshal(get(t, b, "/mailbox/mails.json").Body.Bytes(), &fields); err != nil || len(fields) == 0 {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "to", "subject", "text", "kind"} {
		if fields[0][name] == nil {
			t.Errorf("the list has no %s", name)
		}
	}
}

func TestWithoutAServerMailsWait(t *testing.T) {
	t.Parallel()
	if err := (mail.Waiting{}).Send(t.Context(), letter()); err == nil || errors.Is(err, hub.ErrMailRefused) {
		t.Errorf("error = %v, want one that may pass", err)
	}
}

func get(t *testing.T, b *mail.Mailbox, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d", path, w.Code)
	}
	return w
}
