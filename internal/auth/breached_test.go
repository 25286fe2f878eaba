package auth

import (
	"bufio"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var breachedList = flag.String("breached", "", "list of passwords, the most common first, to make breached.bin of")

const breachedCount = 20_000

func TestBreachedListIsSortedAndWhole(t *testing.T) {
	t.Parallel()
	if *breachedList != "" {
		breached = makeBreached(t, *breachedList)
	}
	if len(breached) != breachedCount*breachedBytes {
		t.Fatalf("%d bytes, want %d", len(breached), breachedCount*breachedBytes)
	}
	for i := breachedBytes; i < len(breached); i += breachedBytes {
		if breached[i-breachedBytes:i] >= breached[i:i+breachedBytes] {
			t.Fatalf("not sorted, or twice the same, at byte %d", i)
		}
	}
}

// Neither of these is refused for the words and rows of keys in it.
func TestBreachedPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"4815162342lost", "iseedeadpeople", "UnBelievable", "systemofadown", "ghjcnjgfhjkm", "thecakeisalie"} {
		if err := CheckPassword(password); !errors.Is(err, errBreached) {
			t.Errorf("%q: %v, want errBreached", password, err)
		}
		if err := CheckPassword(password + " of ours"); err != nil {
			t.Errorf("%q with words of one's own: %v", password, err)
		}
	}
}

func makeBreached(t *testing.T, list string) string {
	t.Helper()
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	seen := map[string]bool{}
	for lines := bufio.NewScanner(f); len(seen) < breachedCount && lines.Scan(); {
		if password := strings.ToLower(norm.NFKC.String(lines.Text())); utf8.RuneCountInString(password) >= minPasswordRunes {
			seen[breachedKey(password)] = true
		}
	}
	var keys []string
	for key := range seen {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	made := strings.Join(keys, "")
	if err := os.WriteFile("breached.bin", []byte(made), 0o644); err != nil {
		t.Fatal(err)
	}
	return made
}
