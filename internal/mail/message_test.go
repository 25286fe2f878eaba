package mail_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"sidecard/internal/hub"
	"sidecard/internal/mail"
)

func TestTheHTMLHasTheWordsOfTheTextAndNoOthers(t *testing.T) {
	t.Parallel()
	m := hub.Mail{Subject: "Two ways", Text: "Hello,\n\n<b>Maya</b> & co.\nsecond line\n\nSign in:\nhttps://a.example/in?a=1&b=2\n\nOr choose a new one:\nhttps://a.example/reset\n\nYour Sidecard\n"}
	laidOut, err := mail.HTML(m)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(laidOut, "<body")
	_, body, _ = strings.Cut(body, ">")
	words := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))
	got := strings.Join(strings.Fields(words), " ")
	// The colon before a button is the button's shape.
	want := strings.Join(strings.Fields(strings.Replace(m.Text, "Sign in:", "Sign in", 1)), " ")
	if got != want {
		t.Errorf("words of the HTML:\n%s\nwant\n%s", got, want)
	}
	if n := strings.Count(laidOut, "inline-block"); n != 1 {
		t.Errorf("%d buttons, want 1", n)
	}
	for _, link := range []string{`href="https://a.example/in?a=1&amp;b=2"`, `href="https://a.example/reset"`} {
		if !strings.Contains(laidOut, link) {
			t.Errorf("no %s", link)
		}
	}
	for _, outside := range []string{"<img", "<script", "<link", "url(", "@import"} {
		if strings.Contains(laidOut, outside) {
			t.Errorf("the HTML has %s", outside)
		}
	}
}

func TestOnlyALinkAloneOnItsLineBecomesOne(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Look at https://evil.example/ now", "https://evil.example/", "Visit:\nhttps://evil.example/ and more", "Do this:\njavascript:alert(1)",
		"Do this:\n//evil.example", "no colon\nhttps://evil.example/", "a:\nb:\nhttps://evil.example/",
	} {
		laidOut, err := mail.HTML(hub.Mail{Subject: "x", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(laidOut, "<a ") {
			t.Errorf("%q became a link", text)
		}
	}
}
