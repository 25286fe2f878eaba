package csv

import (
	"strings"
	"testing"

	"sidecard/connectors/address"
)

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
		strings.Repeat("mailto:", 9000) + "ana@x.example": "bad_email",
		"a\xff@x.example": "bad_email", string(long) + "@x.example": "bad_email",
	} {
		if got := addressProblem(address.Fold(given)); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
