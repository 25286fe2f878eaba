package housetest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func securityDocuments(t *testing.T) (page, list string, tests map[string]bool) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tests, err := testNames(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	return read("security.md"), read("asvs.csv"), tests
}

func TestWhatTheSecurityPageNamesExists(t *testing.T) {
	t.Parallel()
	page, list, tests := securityDocuments(t)
	if len(tests) < 500 || strings.Count(list, "\n") != 254 { // 70 of level 1, 183 of level 2, and the heading
		t.Errorf("%d tests and %d lines: this looked at something else", len(tests), strings.Count(list, "\n"))
	}
	for _, sentence := range checkSecurity(page, list, tests) {
		t.Error(sentence)
	}
}

func TestTheSecurityPageIsCaughtWhenItIsWrong(t *testing.T) {
	t.Parallel()
	page, list, tests := securityDocuments(t)
	for what, c := range map[string]struct{ page, list, want string }{
		"a made-up test":         {strings.Replace(page, "TestARotatedSecretOverlaps", "TestMadeUp", 1), list, "there is no test TestMadeUp"},
		"an attack less":         {strings.Replace(page, "\n| T31 |", "\n| X |", 1), list, "the attacks are"},
		"an attack without test": {strings.Replace(page, "TestARotatedSecretOverlaps", "-", 1), list, "T16 has"},
		"an unknown state":       {page, strings.Replace(list, ",met,", ",fine,", 1), "unknown state"},
		"a requirement twice":    {page, strings.Replace(list, "V2.1.2,", "V2.1.1,", 1), "twice"},
		"another number":         {strings.Replace(page, " met with a test", "0 met with a test", 1), list, "does not say"},
	} {
		wrong := checkSecurity(c.page, c.list, tests)
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s: %v", what, wrong)
		}
	}
}
