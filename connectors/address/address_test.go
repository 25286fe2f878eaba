package address_test

import (
	"strings"
	"testing"

	"sidecard/connectors/address"
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
		if got := address.Fold(given); got != want {
			t.Errorf("Fold(%q) is %q, want %q", given, got, want)
		}
	}
}

// Each wrapping costs a walk over the text, so a cell of nothing else must not be unwrapped to its end.
func TestFoldUnwrapsOnlyWhatIsShort(t *testing.T) {
	t.Parallel()
	wrapped := func(times int) string { return strings.Repeat("mailto:", times) + "ana@visitor.example" }
	if got := address.Fold(wrapped(100)); got != "ana@visitor.example" {
		t.Errorf("a hundred wrappings leave %q", got)
	}
	if got := address.Fold(" " + wrapped(9000) + "\n"); got != wrapped(9000) {
		t.Errorf("nine thousand wrappings leave %d bytes, want them as they were", len(got))
	}
}

func FuzzFoldTwiceIsFoldOnce(f *testing.F) {
	for _, seed := range []string{"Ana <ana@x.example>", "mailto:mailto:a@b?c", "<<a@b>>", "\u0130@\u212a", " a@b ", "<mailto:a@b?x>", strings.Repeat("mailto:", 150) + "a@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		once := address.Fold(email)
		if twice := address.Fold(once); twice != once {
			t.Errorf("Fold(%q) is %q, folded again %q", email, once, twice)
		}
	})
}
