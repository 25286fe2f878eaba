package hub

import (
	"strings"
	"testing"
	"time"
)

func TestKeyFitsAnyText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", strings.Repeat("x", 5000), "nul\x00", "\xff\xfe", "sha256:" + strings.Repeat("0", 64)} {
		k := key(s)
		if k == "" || len(k) > 200 || strings.ContainsRune(k, 0) {
			t.Errorf("key(%.20q) = %q does not fit an index", s, k)
		}
		if s == "plain" && k != s {
			t.Errorf("key(%q) = %q, want a short text as it is", s, k)
		}
	}
	for _, ours := range []string{"sha256:x", "replay:x"} {
		if key(ours) == ours {
			t.Errorf("a stranger's %q must not stand for a key that we made", ours)
		}
	}
}

func TestMaskEmailKeepsTheFirstLetterAndTheDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"maya@lindqvist.se": "m…@lindqvist.se", "øya@x.no": "ø…@x.no", "a@b@c": "a…@b@c", "no-at": "…", "@x": "…", "": "",
	} {
		if got := maskEmail(in); got != want {
			t.Errorf("maskEmail(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBackoffBeginsAtAQuarterOfASecondAndGrows(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for n := range 10 {
		d := backoff(n)
		if n == 0 && d != 250*time.Millisecond {
			t.Errorf("first wait = %v, want 250ms", d)
		}
		if d < last {
			t.Errorf("wait %d = %v is shorter than the one before", n, d)
		}
		last = d
	}
}

func TestEveryOutcomeHasWords(t *testing.T) {
	t.Parallel()
	for i, name := range outcomeNames {
		o := Outcome(i)
		if back, ok := ParseOutcome(name); !ok || back != o || o.String() != name {
			t.Errorf("outcome %d and its name %q do not belong together", i, name)
		}
		sources := []SourceTime{{Name: "Shop", Match: "found"}, {Name: "CRM", Match: matchFailed, Problem: &SourceProblem{Message: "It is away.", Fix: "Wait."}}}
		e := story{Outcome: o, MS: 412, Trail: Trail{Sources: sources, Problem: "It said no."}}.words()
		if e.Outcome != o || e.Title == "" || e.Message == "" {
			t.Errorf("%s has no words: %+v", name, e)
		}
	}
}
