package flaw_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sidecard/internal/flaw"
)

// TestProductionHasNoTraceOfFlaws builds the programs as they are deployed, and with the tag to show that the search
// finds what is there.
func TestProductionHasNoTraceOfFlaws(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"api", "worker"} {
		for _, tags := range []string{"", "flaws"} { // with the tag, so that it is known that traces would be found
			binary := filepath.Join(t.TempDir(), program)
			build := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-o", binary, "./cmd/"+program)
			build.Dir = "../.."
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build %s: %v\n%s", program, err, out)
			}
			machine, err := os.ReadFile(binary)
			if err != nil {
				t.Fatal(err)
			}
			if found, want := traces(machine), tags != ""; (len(found) > 0) != want {
				t.Errorf("%s with tags %q holds %q, want some: %v", program, tags, found, want)
			}
		}
	}
}

// traces lists what of the package is in a program: names of flaws, of its variables in the environment, of its
// functions.
func traces(machine []byte) (found []string) {
	needles := []string{"SIDECARD_FLAW", "SIDECARD_CLOCK_AHEAD", "sidecard/internal/flaw.On", "sidecard/internal/flaw.List"}
	for _, e := range flaw.List {
		needles = append(needles, string(e.Flaw), e.Breaks)
	}
	for _, needle := range needles {
		if bytes.Contains(machine, []byte(needle)) {
			found = append(found, needle)
		}
	}
	return found
}

func TestTheListSaysOfEachFlawWhatItBreaks(t *testing.T) {
	t.Parallel()
	seen := map[flaw.Flaw]bool{}
	for _, e := range flaw.List {
		if seen[e.Flaw] {
			t.Errorf("%s stands in the list twice", e.Flaw)
		}
		seen[e.Flaw] = true
		for _, sentence := range []string{e.Breaks, e.Promise} {
			if !strings.HasSuffix(sentence, ".") {
				t.Errorf("%s: %q is not a sentence", e.Flaw, sentence)
			}
		}
	}
	if len(seen) < 12 {
		t.Errorf("there are %d flaws", len(seen))
	}
}
