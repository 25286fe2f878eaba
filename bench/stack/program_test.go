package stack

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sidecard/internal/servertest"
)

// The test binary plays the program when this is set: it listens there, or ends at once when the file that it names
// is not there.
const (
	playAddr = "SIDECARD_STACK_PLAY"
	needFile = "SIDECARD_STACK_NEEDS"
)

func TestMain(m *testing.M) {
	addr := os.Getenv(playAddr)
	if addr == "" {
		os.Exit(m.Run())
	}
	if need := os.Getenv(needFile); need != "" {
		if _, err := os.Stat(need); err != nil {
			os.Exit(1)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/end", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	server := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

func programOf(t *testing.T, environ ...string) *Program {
	t.Helper()
	addr, err := servertest.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{
		Name: "api", Addr: addr, LogFile: filepath.Join(t.TempDir(), "api.log"), binary: binary,
		environ: append(environ, playAddr+"="+addr),
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestAProgramKeepsItsAddressOverItsDeaths(t *testing.T) {
	t.Parallel()
	p := programOf(t)
	for _, end := range []func() error{p.Kill, func() error { return p.Stop(t.Context()) }, p.Kill} {
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.PID() == 0 || !p.Ready(t.Context()) {
			t.Fatal("started and not there")
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if p.PID() != 0 || p.Ready(t.Context()) {
			t.Fatal("ended and still there")
		}
	}
	if told := p.Unasked(); len(told) > 0 {
		t.Errorf("ends that were asked for: %q", told)
	}
}

func TestAProgramThatEndsByItselfIsTold(t *testing.T) {
	t.Parallel()
	p := programOf(t)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	gone := p.process.gone
	p.mu.Unlock()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr+"/end", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("it answered %s", resp.Status)
	}
	<-gone
	if told := p.Unasked(); len(told) != 1 || !strings.Contains(told[0], "api ended by itself (exit status 3)") {
		t.Errorf("told %q", told)
	}
	if told := p.Unasked(); len(told) != 0 {
		t.Errorf("told again: %q", told)
	}
}

func TestAProgramIsStartedAgainUntilWhatItNeedsIsThere(t *testing.T) {
	t.Parallel()
	need := filepath.Join(t.TempDir(), "need")
	p := programOf(t, needFile+"="+need)
	started := make(chan error)
	go func() { started <- p.Start(t.Context()) }()
	failed := 0
	for failed == 0 { // Start itself gives up when it takes too long
		select {
		case err := <-started:
			t.Fatalf("it got ready without what it needs: %v", err)
		case <-time.After(time.Millisecond):
			failed = p.FailedStarts()
		}
	}
	if err := os.WriteFile(need, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if told := p.Unasked(); len(told) > 0 {
		t.Errorf("a start that failed is no end by itself: %q", told)
	}
}

func TestAFrozenProgramAnswersOnceThawed(t *testing.T) {
	t.Parallel()
	p := programOf(t)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Freeze(); err != nil {
		t.Fatal(err)
	}
	if p.Ready(t.Context()) {
		t.Error("a frozen program answers")
	}
	if err := p.Thaw(); err != nil {
		t.Fatal(err)
	}
	if !p.Ready(t.Context()) {
		t.Error("a thawed program does not answer")
	}
}
