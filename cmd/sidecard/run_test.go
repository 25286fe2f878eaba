package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

// binary is the real program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sidecard-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "sidecard")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build: %v\n%s", err, out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// running is one `sidecard run`.
type running struct {
	cmd             *exec.Cmd
	portal, console string
	mailbox         string
}

func startRun(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(binary, append([]string{"run"}, args...)...)}
	r.cmd.Stderr = os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.end(syscall.SIGKILL) })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "Portal":
			r.portal = strings.TrimSpace(value)
		case "Console":
			r.console = strings.TrimSpace(value)
		case "Mailbox":
			r.mailbox = strings.TrimSpace(value)
		case "Stop": // the last line: everything is set up
			go func() {
				for lines.Scan() {
				}
			}()
			return r
		}
	}
	t.Fatalf("the program ended before it was set up: %v", lines.Err())
	return nil
}

func (r *running) end(signal syscall.Signal) {
	_ = r.cmd.Process.Signal(signal)
	_, _ = r.cmd.Process.Wait()
}

func signedIn(t *testing.T, portal string) *tour.Client {
	t.Helper()
	c := tour.NewClient(portal)
	if _, err := c.SignIn(t.Context(), contract.SignIn{Email: demoTenant.Email, Password: demoTenant.Password}); err != nil {
		t.Fatal(err)
	}
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestAnAcceptedChatOutlivesKillMinusNine(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := []string{"--data", t.TempDir(), "--listen", freeAddress(t), "--simulator-listen", freeAddress(t), "--hubspot-listen", freeAddress(t), "--mailbox-listen", freeAddress(t)}

	first := startRun(t, args...)
	live := livesupportitest.Control{BaseURL: first.console}
	if err := live.Misbehave(ctx, livesupportitest.Fault{Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeStatus, Status: 503}); err != nil {
		t.Fatal(err)
	}
	chat, err := live.StartChat(ctx, demoTenant.DeskEmail, livesupportitest.Visitor{Email: tour.SampleEmails[0]})
	if err == nil {
		chat, err = live.WaitAnnounced(ctx, chat.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	first.end(syscall.SIGKILL)

	startRun(t, args...)
	shown, err := live.WaitShown(ctx, chat.ID)
	if err != nil {
		t.Fatal(err)
	}
	if shown.Shown.Times != 1 || len(shown.Shown.Fields) == 0 {
		t.Errorf("shown %d times with %v, want once with her details", shown.Shown.Times, shown.Shown.Fields)
	}
}

func TestTheDemoTenantIsMadeOnce(t *testing.T) {
	t.Parallel()
	args := []string{"--data", t.TempDir(), "--listen", freeAddress(t), "--simulator-listen", freeAddress(t), "--hubspot-listen", freeAddress(t), "--mailbox-listen", freeAddress(t)}
	for range 2 {
		r := startRun(t, args...)
		desk, err := signedIn(t, r.portal).Desk(t.Context())
		if err != nil || desk.HandshakeAt == nil || !desk.ApiKeySet {
			t.Fatalf("desk = %+v, %v, want the demo tenant's, connected", desk, err)
		}
		r.end(syscall.SIGTERM)
	}
}

func TestTheMailboxShowsTheMailsOfThisRun(t *testing.T) {
	t.Parallel()
	r := startRun(t, "--data", t.TempDir(), "--listen", freeAddress(t), "--simulator-listen", freeAddress(t), "--hubspot-listen", "", "--mailbox-listen", freeAddress(t))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.mailbox+"/mailbox/mails.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var mails []hub.Mail
	if err := json.NewDecoder(answer.Body).Decode(&mails); err != nil {
		t.Fatal(err)
	}
	if len(mails) != 1 || mails[0].To != demoTenant.Email || mails[0].Kind != hub.MailConfirmSignUp {
		t.Errorf("mails = %+v, want the one that confirmed the demo tenant's address", mails)
	}
}

func TestTheDemoShowsACard(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), binary, "demo").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Maya Lindqvist") || !strings.Contains(string(out), "The agent saw it") {
		t.Errorf("demo: %v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), binary, "demo", "--email", "stranger@example.com").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "No customer with this e-mail") {
		t.Errorf("demo of a stranger: %v, want a failure that says why\n%s", err, out)
	}
}
