//go:build cgo

package egress

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The C library reads all of the numbers as loopback; then the answer is
// refused. The resolver is chosen once per process, so this runs in its own.
func TestNumbersReadByTheCLibraryAreRefused(t *testing.T) {
	t.Parallel()
	const choice = "netdns=cgo"
	if os.Getenv("GODEBUG") != choice {
		runAgain(t, "GODEBUG="+choice)
		return
	}
	d := New(Options{})
	for _, host := range numbers {
		if addrs, err := d.lookUp(t.Context(), host); !errors.Is(err, ErrForbidden) {
			t.Errorf("%q: %v, %v, want ErrForbidden", host, addrs, err)
		}
	}
}

// runAgain runs the calling test in a process of its own with one more variable
// in its environment.
func runAgain(t *testing.T, variable string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("with %s: %v\n%s", variable, err, out)
	}
}
