package hub

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var updateMails = flag.Bool("update-mails", false, "write testdata/mails anew")

// sampleMails are all kinds, with names as given.
func sampleMails(person, company string) []Mail {
	const to, link = "dana@brightwater.example", "https://sidecard.example.com/confirm?token=scl_4f1c"
	at := time.Date(2026, 11, 23, 14, 5, 0, 0, time.FixedZone("CET", 3600))
	return []Mail{
		confirmSignUp(to, company, link),
		alreadySignedUp(to, "https://sidecard.example.com/signin", "https://sidecard.example.com/reset"),
		resetPassword(to, link),
		changeEmail(to, link),
		emailChanged(to),
		invited(to, person, company, RoleOwner, link),
		passwordChanged(to, at, "2001:db8::17"),
		sessionStolen(to),
		totpOn(to),
		totpOff(to),
		recoveryCodeUsed(to, 9),
		apiTokenCreated(to, person),
		tenantDeleteScheduled(to, company, at, link),
		tenantDeleteCancelled(to, company),
		tenantExported(to, person, company),
	}
}

func TestEachMailSaysWhatItAlwaysSaid(t *testing.T) {
	t.Parallel()
	for _, m := range sampleMails("Dana Okafor", "Brightwater Bikes") {
		got := "Subject: " + m.Subject + "\nTo: " + m.To + "\n\n" + m.Text
		path := filepath.Join("testdata", "mails", m.Kind+".txt")
		if *updateMails {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v):\n%s\nwant\n%s", m.Kind, err, got, want)
		}
	}
}

func TestEachMailIsFitToBeSent(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range sampleMails("Dana Okafor", "Brightwater Bikes") {
		if m.ID == (ID{}) || seen[m.Kind] {
			t.Errorf("%s: no id, or a kind that another has", m.Kind)
		}
		seen[m.Kind] = true
		if len(m.Subject) > 120 || strings.ContainsAny(m.Subject, "\r\n") || !strings.HasSuffix(m.Text, "\n") || strings.Contains(m.Text, "\r") {
			t.Errorf("%s: subject or text is not as hub.Mail promises", m.Kind)
		}
		if strings.Contains(m.Text, "scl_") && !strings.Contains(m.Text, "The link works for ") && m.Kind != MailTenantDeleteScheduled {
			t.Errorf("%s does not say how long its link works", m.Kind)
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "mails"))
	if err != nil || len(files) != len(seen) {
		t.Errorf("%d kinds, but %d kept texts (%v)", len(seen), len(files), err)
	}
}

// Names come from whoever signs up: a mail to a stranger must not carry their message.
func TestNoNameBecomesALinkAHeaderOrALine(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`(?i)://|www\.\S|\S[.。．｡]\S*[a-z]{2,}|\S@\S`)
	for _, name := range []string{
		"Win at https://evil.example/prize now", "evil.example", "www.evil.example", "mail info@evil.example", "evil。example",
		"a\r\nBcc: victim@evil.example", "Confirm:\nhttps://evil.example/", "x\u2028https://evil.example", "evil\u200b.example", "\u202eelpmaxe.live",
		"ev\u00adil.example", strings.Repeat("spam ", 100), strings.Repeat("ä", 500), "\xff\xfe.evil.example", "<a href='https://evil.example'>x</a>", `\\evil.example\x`, "",
	} {
		for i, m := range sampleMails(name, name) {
			plain := sampleMails("Dana", "Brightwater")[i]
			if strings.Count(m.Text, "\n") != strings.Count(plain.Text, "\n") {
				t.Errorf("%q gave %s more lines", name, m.Kind)
			}
			if !utf8.ValidString(m.Text) || utf8.RuneCountInString(m.Subject) > 200 || strings.ContainsFunc(m.Subject, unicode.IsControl) {
				t.Errorf("%q gave %s the subject %q", name, m.Kind, m.Subject)
			}
		}
		for _, limit := range []int{personInMail, companyInMail} {
			got := tame(name, limit)
			if found := link.FindString(got); found != "" || utf8.RuneCountInString(got) > limit || got == "" {
				t.Errorf("tame(%q) = %q, in which %q is a link or which is too long", name, got, found)
			}
		}
	}
}

func TestOrdinaryNamesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Brightwater Bikes": "Brightwater Bikes", "Müller & Söhne GmbH": "Müller & Söhne GmbH", "O'Neill": "O'Neill", "東京自転車": "東京自転車",
		"Dr. J. R. Smith": "Dr. J. R. Smith", "  Dana   Okafor ": "Dana Okafor", "Smith, Inc.": "Smith, Inc.", "Bright\u00adwater\u200b": "Brightwater", "Räder: neu + alt (2026)": "Räder: neu + alt (2026)",
	} {
		if got := tame(name, companyInMail); got != want {
			t.Errorf("tame(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestTheLastRecoveryCodesAreCounted(t *testing.T) {
	t.Parallel()
	for left, want := range map[int]string{0: "the last one", 1: "one recovery code left", 2: "2 recovery codes left"} {
		if text := recoveryCodeUsed("dana@brightwater.example", left).Text; !strings.Contains(text, want) {
			t.Errorf("%d left: %s", left, text)
		}
	}
}
