package reach_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
	"sidecard/connectors/reach"
	"sidecard/internal/servertest"
)

// daemon is a real OpenSSH server, and the user that it lets in.
type daemon struct {
	t        *testing.T
	dir      string
	owner    *syscall.Credential // nil is this process's own user
	user     string
	port     string
	hostKey  string // its fingerprint
	userKeys []string
}

// newDaemon starts an OpenSSH server that knows one user with these lines of authorized_keys, each with a key of its
// own. It ends with the test, even with one that is killed.
func newDaemon(t *testing.T, options ...string) *daemon {
	t.Helper()
	const program = "/usr/sbin/sshd" // it starts itself again, and wants to know where it is
	if _, err := os.Stat(program); err != nil {
		t.Fatal("OpenSSH's server is not installed: apt-get install openssh-server")
	}
	d := &daemon{t: t}
	d.makeHome()
	address, err := servertest.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, d.port, _ = net.SplitHostPort(address)
	hostKey := newKey(t)
	public, err := ssh.NewPublicKey(hostKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	d.hostKey = ssh.FingerprintSHA256(public)
	var authorized strings.Builder
	for _, line := range options {
		key := newKey(t)
		public, err := ssh.NewPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		d.userKeys = append(d.userKeys, keyPEM(t, key))
		fmt.Fprintf(&authorized, "%s %s", line, ssh.MarshalAuthorizedKey(public))
	}
	// Without PAM the user would count as locked, for it has no password.
	d.start(program, d.write("sshd_config", fmt.Sprintf(`ListenAddress 127.0.0.1:%s
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
`, d.port, d.write("host_key", keyPEM(t, hostKey)), d.write("authorized_keys", authorized.String()))))
	return d
}

// makeHome makes a folder for a server without any rights: as root it would want folders of the machine.
func (d *daemon) makeHome() {
	d.t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sidecard-test-") // the test's own folder is closed to others
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			d.t.Error(err)
		}
	})
	u, err := user.Current()
	if err == nil && u.Uid == "0" {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		d.t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
		d.t.Fatal(err)
	}
	d.dir, d.user = dir, u.Username
	if os.Getuid() == 0 {
		d.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
}

// write makes a file that only the server's user may read, and gives its path.
func (d *daemon) write(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	err := os.WriteFile(path, []byte(text), 0o600)
	if err == nil && d.owner != nil {
		err = os.Chown(path, int(d.owner.Uid), int(d.owner.Gid))
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return path
}

func (d *daemon) start(program, config string) {
	d.t.Helper()
	// The shell ends the server when this process is gone, however it ended.
	cmd := exec.Command("sh", "-c", `"$@" & read -r _; kill $!; wait $!`, "sh", program, "-D", "-e", "-f", config)
	cmd.Dir = d.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.owner}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	messages, err := cmd.StderrPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	d.t.Cleanup(func() {
		stdin.Close()
		<-ended
		_ = cmd.Wait() // by the signal
	})
	var log strings.Builder
	lines := bufio.NewScanner(io.TeeReader(messages, &log))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Server listening on ") {
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, messages) // a full pipe would stop it
			}()
			return
		}
	}
	close(ended)
	d.t.Fatalf("OpenSSH's server did not start:\n%s", log.String())
}

// way leads through the server with the first of the user's keys.
func (d *daemon) way(replace map[string]any) *reach.Way {
	d.t.Helper()
	port, err := strconv.Atoi(d.port)
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]any{
		"tunnel": "ssh", "tunnel_host": "127.0.0.1", "tunnel_port": port, "tunnel_user": d.user,
		"tunnel_key": d.userKeys[0], "tunnel_host_key": d.hostKey,
	}
	for name, v := range replace {
		all[name] = v
	}
	w, err := kind.Way(connectors.OpenInput{
		Settings: asSettings(d.t, all), Dial: (&net.Dialer{}).DialContext,
		Resolve: func(_ context.Context, host string) ([]string, error) { return []string{host}, nil },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(w.Close)
	return w
}

// echoServer gives the address of a server that says what it hears.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // ends with the connection
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

func TestOpenSSHLeadsOnToWhatIsPermitted(t *testing.T) {
	t.Parallel()
	open, closed, another := echoServer(t), "127.0.0.1:1", echoServer(t)
	d := newDaemon(t,
		fmt.Sprintf("restrict,port-forwarding,permitopen=%q,permitopen=%q", open, closed),
		"restrict",
	)
	w := d.way(nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			conn, err := w.Dial(t.Context(), "tcp", open)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			sent := make([]byte, 3<<20) // more than SSH lets one send unasked
			_, _ = rand.Read(sent)      // never fails
			go func() { _, _ = conn.Write(sent) }()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("what came back is not what was sent: %v", err)
			}
		})
	}
	all.Wait()

	_, err := w.Dial(t.Context(), "tcp", closed)
	mustFail(t, err, connectors.Transient, "toy.tunnel.no_way_on", "host")
	_, err = w.Dial(t.Context(), "tcp", another)
	mustFail(t, err, connectors.Misconfigured, "toy.tunnel.prohibited", "tunnel_user")
	_, err = d.way(map[string]any{"tunnel_key": d.userKeys[1]}).Dial(t.Context(), "tcp", open)
	mustFail(t, err, connectors.Misconfigured, "toy.tunnel.prohibited", "tunnel_user")
	_, err = d.way(map[string]any{"tunnel_key": keyPEM(t, newKey(t))}).Dial(t.Context(), "tcp", open)
	mustFail(t, err, connectors.AuthRevoked, "toy.tunnel.sign_in", "tunnel_user")
	_, err = d.way(map[string]any{"tunnel_key": "", "tunnel_password": password}).Dial(t.Context(), "tcp", open)
	mustFail(t, err, connectors.AuthRevoked, "toy.tunnel.sign_in", "tunnel_user")
	_, err = d.way(map[string]any{"tunnel_user": "nobody-of-this-name"}).Dial(t.Context(), "tcp", open)
	mustFail(t, err, connectors.AuthRevoked, "toy.tunnel.sign_in", "tunnel_user")
}

func TestOpenSSHsKeyIsSuggested(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, "restrict,port-forwarding")
	e := mustFail(t, d.way(map[string]any{"tunnel_host_key": ""}).Open(t.Context()), connectors.Misconfigured, "toy.tunnel.no_host_key", "tunnel_host_key")
	if len(e.Suggest) != 1 || e.Suggest[0].Value != d.hostKey {
		t.Fatalf("it suggests %+v, want %s", e.Suggest, d.hostKey)
	}
	if err := d.way(map[string]any{"tunnel_host_key": e.Suggest[0].Value}).Open(t.Context()); err != nil {
		t.Error(err)
	}
}
