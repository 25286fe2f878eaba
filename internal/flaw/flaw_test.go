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

// TestProductionHasNoTraceOfFlaws builds the programs as they are deployed, and one with the tag, to show that the
// search finds what is there.
func TestProductionHasNoTraceOfFlaws(t *testing.T) {
	t.Parallel()
	for _, program := range build(t, "", "./cmd/api", "./cmd/worker") {
		if found := traces(program); len(found) > 0 {
			t.Errorf("a program as it is deployed holds %q", found)
		}
	}
	for _, program := range build(t, "flaws", "./cmd/worker") {
		if len(traces(program)) == 0 {
			t.Error("a program with flaws holds no trace of them: the search finds nothing")
		}
	}
}

// build gives the programs, each as one text.
func build(t *testing.T, tags string, packages ...string) (programs [][]byte) {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"build", "-tags", tags, "-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for _, p := range packages {
		text, err := os.ReadFile(filepath.Join(dir, filepath.Base(p)))
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, text)
	}
	return programs
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
