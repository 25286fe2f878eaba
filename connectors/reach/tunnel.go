package reach

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
)

const (
	sshPort = 22
	// tunnelTime is what signing in at the other end may take.
	tunnelTime = 3 * time.Second
)

// hostKeys are the kinds of key that an SSH server may prove itself with, in the order in which OpenSSH itself asks for
// them. A server has several and one fingerprint is trusted, so the order must stay. Certificates are left out:
// their fingerprints are none that ssh-keygen prints.
var hostKeys = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// tunnel is one SSH connection to a server of the tenant, through which others lead on. It is opened at first use, and
// again when it broke.
type tunnel struct {
	kind   Kind
	way    *Way // to the SSH server: straight
	host   string
	port   string
	config *ssh.ClientConfig

	turn chan struct{} // whoever put one in may open the connection; the others wait, each as long as it likes
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex
	open    *ssh.Client
	probing atomic.Bool
}

// tunnel reads the settings tunnel (none or ssh), tunnel_host, tunnel_port, tunnel_user, tunnel_key or tunnel_password,
// and tunnel_host_key, the fingerprint of the only host key that is trusted. nil is none.
func (k Kind) tunnel(s connectors.Settings, way *Way) (*tunnel, error) {
	switch s.String("tunnel", "none") {
	case "ssh":
	case "none":
		return nil, nil
	default: // straight is not what was asked for
		return nil, k.BadSetting("tunnel", "There is no such tunnel.", "Choose one of the list.")
	}
	host, port := s.String("tunnel_host", ""), s.Int("tunnel_port", sshPort)
	if !isHost(host) || !colonsFit(host) {
		return nil, k.BadSetting("tunnel_host", "The SSH server is neither a name nor an IP address.", "Enter it alone, as in bastion.example.com.")
	}
	if port != sshPort && (port < lowestPort || port > 65535) {
		return nil, k.BadSetting("tunnel_port", "The port is neither 22 nor between 1024 and 65535.", "Enter the port of the SSH server.")
	}
	user := s.String("tunnel_user", "")
	if user == "" {
		return nil, k.BadSetting("tunnel_user", "There is no user for the SSH server.", "Enter the user that may open the tunnel.")
	}
	auth, err := k.tunnelAuth(s)
	if err != nil {
		return nil, err
	}
	trusted := strings.TrimSpace(s.String("tunnel_host_key", ""))
	life, end := context.WithCancel(context.Background())
	return &tunnel{
		kind: k, way: &Way{dial: way.dial, resolve: way.resolve}, host: host, port: strconv.Itoa(port),
		turn: make(chan struct{}, 1), life: life, end: end,
		config: &ssh.ClientConfig{
			User: user, Auth: auth, ClientVersion: "SSH-2.0-Sidecard", HostKeyAlgorithms: hostKeys,
			HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
				if shown := ssh.FingerprintSHA256(key); shown != trusted {
					return &hostKeyError{trusted: trusted, shown: shown}
				}
				return nil
			},
		},
	}, nil
}

func (k Kind) tunnelAuth(s connectors.Settings) ([]ssh.AuthMethod, error) {
	if key := s.String("tunnel_key", ""); key != "" {
		signer, err := ssh.ParsePrivateKey([]byte(strings.TrimSpace(key) + "\n"))
		if err != nil {
			return nil, k.BadSetting("tunnel_key", "The SSH key cannot be read.",
				"Paste the private key whole, with its lines BEGIN and END. It must have no passphrase.")
		}
		return []ssh.AuthMethod{ssh.PublicKeys(signer)}, nil
	}
	if password := s.String("tunnel_password", ""); password != "" {
		return []ssh.AuthMethod{ssh.Password(password)}, nil
	}
	return nil, k.BadSetting("tunnel_key", "There is neither a key nor a password for the SSH server.", "Enter one of them; a key is better.")
}

// hostKeyError tells that the SSH server showed another key than the trusted one.
type hostKeyError struct{ trusted, shown string }

func (*hostKeyError) Error() string { return "the SSH server's key is not the trusted one" }

// tunnelError marks what went wrong before the other end was reached: on the way to the SSH server, or beyond it.
type tunnelError struct {
	err    error
	beyond bool
}

func (e *tunnelError) Error() string { return "SSH tunnel: " + e.err.Error() }
func (e *tunnelError) Unwrap() error { return e.err }

// client gives the open connection, or makes one.
func (t *tunnel) client(ctx context.Context) (*ssh.Client, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, &tunnelError{err: ctx.Err()}
	case <-t.life.Done():
		return nil, net.ErrClosed
	}
	c := t.current()
	switch {
	case c != nil:
		return c, nil
	case t.life.Err() != nil: // a select takes any of what is ready
		return nil, net.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, tunnelTime)
	defer cancel()
	defer context.AfterFunc(t.life, cancel)()
	c, err := t.signIn(ctx)
	switch {
	case t.life.Err() != nil:
		return nil, net.ErrClosed
	case err != nil:
		return nil, &tunnelError{err: err}
	}
	go t.watch(c)
	return c, nil
}

func (t *tunnel) current() *ssh.Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// signIn opens a connection, and keeps it unless the tunnel was closed meanwhile.
func (t *tunnel) signIn(ctx context.Context) (*ssh.Client, error) {
	conn, err := t.reach(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	link, channels, requests, err := ssh.NewClientConn(conn, net.JoinHostPort(t.host, t.port), t.config)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := ssh.NewClient(link, channels, requests)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.life.Err() != nil {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	t.open = c
	return c, nil
}

// watch forgets a connection that broke, so that the next one is new.
func (t *tunnel) watch(c *ssh.Client) {
	_ = c.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == c {
		t.open = nil
	}
}

// reach connects to the SSH server by the guarded way.
func (t *tunnel) reach(ctx context.Context) (net.Conn, error) {
	addresses, err := t.way.Resolve(ctx, t.host)
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		var conn net.Conn
		if conn, err = t.way.Dial(ctx, "tcp", net.JoinHostPort(address, t.port)); err == nil {
			return conn, nil
		}
		if connectors.IsForbidden(err) {
			break
		}
	}
	return nil, err
}

// dial leads on to an address behind the SSH server.
func (t *tunnel) dial(ctx context.Context, address string) (net.Conn, error) {
	c, err := t.client(ctx)
	if err != nil {
		return nil, err
	}
	channel, err := c.DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
			go t.probe(c)
		}
		return nil, &tunnelError{err: err, beyond: true}
	}
	return withDeadlines(channel), nil
}

// probe ends a connection that looks open and is dead, so that the next one is new. Only the SSH server itself has to
// answer: what is slow may be behind it.
func (t *tunnel) probe(c *ssh.Client) {
	if !t.probing.CompareAndSwap(false, true) {
		return
	}
	defer t.probing.Store(false)
	timer := time.AfterFunc(tunnelTime, func() { _ = c.Close() })
	defer timer.Stop()
	_, _, _ = c.SendRequest("keepalive@openssh.com", true, nil) // a refusal is an answer too
}

// close ends the connection, and whoever is about to open one, without waiting for either.
func (t *tunnel) close() {
	t.end()
	t.mu.Lock()
	open := t.open
	t.open = nil
	t.mu.Unlock()
	if open != nil {
		_ = open.Close()
	}
}

// withDeadlines puts a pipe in front of an SSH channel, which knows no deadlines: drivers need them to give up.
func withDeadlines(channel net.Conn) net.Conn {
	near, far := net.Pipe()
	go func() {
		_, _ = io.Copy(far, channel)
		_ = far.Close()
		_ = channel.Close()
	}()
	go func() {
		_, _ = io.Copy(channel, far)
		_ = channel.Close()
		_ = far.Close()
	}()
	return near
}
