package csv

import (
	"strings"
	"testing"
)

func TestFoldMakesAddressesComparable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"ana@visitor.example":                        "ana@visitor.example",
		" Ana@Visitor.Example\t":                     "ana@visitor.example",
		"mailto:Ana@visitor.example?subject=Hi":      "ana@visitor.example",
		"MAILTO:ana@visitor.example":                 "ana@visitor.example",
		"Ana Lima <ana@visitor.example>":             "ana@visitor.example",
		"<mailto:ana@visitor.example>":               "ana@visitor.example",
		"\ufeffana@visitor.example\u200b\u00a0":      "ana@visitor.example",
		"ana+shop@visitor.example":                   "ana+shop@visitor.example", // another mailbox, for all we know
		"a.na@visitor.example":                       "a.na@visitor.example",
		"JU\u0308RGEN@bu\u0308cher.example":          "j\u00fcrgen@b\u00fccher.example", // composed
		"<b>&amp;@visitor.example":                   "<b>&amp;@visitor.example",
		"ana@visitor.example <shop@visitor.example>": "shop@visitor.example",
		"":     "",
		" <> ": "",
	} {
		if got := Fold(given); got != want {
			t.Errorf("Fold(%q) is %q, want %q", given, got, want)
		}
	}
}

// Each wrapping costs a walk over the text, so a cell of nothing else must not be unwrapped to its end.
func TestFoldUnwrapsOnlyWhatIsShort(t *testing.T) {
	t.Parallel()
	wrapped := func(times int) string { return strings.Repeat("mailto:", times) + "ana@visitor.example" }
	if got := Fold(wrapped(100)); got != "ana@visitor.example" {
		t.Errorf("a hundred wrappings leave %q", got)
	}
	if got := Fold(" " + wrapped(9000) + "\n"); got != wrapped(9000) || addressProblem(got) != "bad_email" {
		t.Errorf("nine thousand wrappings leave %d bytes, want them as they were, and no address", len(got))
	}
}

func TestWhatCannotBeAnAddress(t *testing.T) {
	t.Parallel()
	long := make([]byte, maxAddress-len("@x.example")+1)
	for i := range long {
		long[i] = 'a'
	}
	for given, want := range map[string]string{
		"ana@x.example": "", "ana@localhost": "", `o'b"r;i,en@x.example`: "", string(long[1:]) + "@x.example": "",
		"": "no_email", "  ": "no_email",
		"ana": "bad_email", "@x.example": "bad_email", "ana@": "bad_email", "a@b@c": "bad_email",
		"a na@x.example": "bad_email", "ana@x.example, ben@x.example": "bad_email", "a\x00@x.example": "bad_email",
		"a\xff@x.example": "bad_email", string(long) + "@x.example": "bad_email",
	} {
		if got := addressProblem(Fold(given)); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func FuzzFoldTwiceIsFoldOnce(f *testing.F) {
	for _, seed := range []string{"Ana <ana@x.example>", "mailto:mailto:a@b?c", "<<a@b>>", "\u0130@\u212a", " a@b ", "<mailto:a@b?x>", strings.Repeat("mailto:", 150) + "a@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		once := Fold(email)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%q) is %q, folded again %q", email, once, twice)
		}
	})
}
