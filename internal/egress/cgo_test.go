//go:build cgo

package egress

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The C library reads all of the numbers as this machine: without the door they
// lead to the canary. The resolver is chosen once per process, so this runs in
// its own.
func TestNumbersReadByTheCLibraryAreRefused(t *testing.T) {
	t.Parallel()
	const choice = "netdns=cgo"
	if os.Getenv("GODEBUG") != choice {
		runAgain(t, "GODEBUG="+choice)
		return
	}
	c := newCanary(t)
	users := usersOf(t, New(Options{}))
	b := newBare(net.DefaultResolver, c.port)
	counts := newTally()
	for _, host := range append(loopbackNumbers(), "localhost", "LOCALHOST") {
		counts.attempt(t, users, host, c.port)
	}
	counts.expect(t, 200)
	c.expectUntouched(t)
	for _, host := range loopbackNumbers() {
		if !b.reaches(t.Context(), "http://"+host+":"+c.port) {
			t.Errorf("%q does not reach the canary even without the door", host)
		}
	}
}

// loopbackNumbers are the spellings of 127.0.0.1 that inet_aton(3) reads, and of
// the unspecified address.
func loopbackNumbers() []string {
	hosts := slices.Clone(numbers)
	for _, host := range notations("127.0.0.1") {
		if strings.Trim(strings.ToLower(host), "0123456789abcdefx.") == "" && !strings.HasSuffix(host, ".") {
			hosts = append(hosts, host)
		}
	}
	return append(hosts, "0x0", "0.0", "00000000", "127.00000000001")
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
