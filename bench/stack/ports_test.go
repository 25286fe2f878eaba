package stack

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEachProgramListensOnItsOnePort(t *testing.T) {
	s, err := Start(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(false); err != nil {
			t.Error(err)
		}
	})
	for _, p := range slices.Concat(s.APIs, s.Workers) {
		want := netip.MustParseAddrPort(p.Addr).Port()
		got, err := listens(p.process.cmd.Process.Pid)
		if err != nil || !slices.Equal(got, []uint16{want}) {
			t.Errorf("%s listens on %v (%v), want %d alone", p.Name, got, err, want)
		}
	}
	if own, err := listens(os.Getpid()); err != nil || len(own) == 0 { // the front, the simulated LiveSupporti
		t.Errorf("listens found %v (%v) of this process", own, err)
	}
}

// listens finds the TCP ports that a process accepts connections on, see proc_net_tcp in the kernel's documentation.
func listens(pid int) (ports []uint16, err error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return nil, err
	}
	open := map[string]bool{}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(proc, "fd", f.Name())); err == nil {
			open[to] = true
		}
	}
	const listening = "0A"
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(proc, "net", table))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line) // number, local address:port, remote address:port, state, six more, inode
			if len(f) < 10 || f[3] != listening || !open["socket:["+f[9]+"]"] {
				continue
			}
			_, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", table, err)
			}
			ports = append(ports, uint16(n))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}
