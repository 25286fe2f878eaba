package reach_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

var kind = reach.Kind{Name: "toy", Scheme: "toy://", Port: 5432, Server: "Toy", Listen: "listen_on"}

const (
	bastionHost = "bastion.example.com"
	bastionIP   = "192.0.2.22"
	database    = "db.internal:5432"
	password    = "long secret of the tunnel"
)

// bastion is an SSH server in memory with one user, and the network behind it. It also stands for the host's guarded
// ways out, and notes how they are used. With everything in memory its tests run in a bubble of synctest, which fails
// when a goroutine outlives them.
type bastion struct {
	t       *testing.T
	hostKey ssh.Signer
	userKey ed25519.PrivateKey

	// behind is what answers at an address that the bastion sees; nil takes the connection and never answers the request.
	behind     map[string]func(io.ReadWriteCloser)
	otherKeys  []ssh.Signer   // that it has beside its host key
	prohibited bool           // the user may lead on to nothing
	greet      func(net.Conn) // instead of SSH
	silent     atomic.Bool    // what is sent to it is lost on the way

	mu       sync.Mutex
	resolved []string
	dialled  []string
	asked    []string // addresses behind it
	links    []net.Conn
}

func newBastion(t *testing.T) *bastion {
	t.Helper()
	hostKey, err := ssh.NewSignerFromKey(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	echo := func(c io.ReadWriteCloser) {
		_, _ = io.Copy(c, c) // ends with the connection
		_ = c.Close()
	}
	return &bastion{t: t, hostKey: hostKey, userKey: newKey(t), behind: map[string]func(io.ReadWriteCloser){database: echo}}
}

func newKey(tb testing.TB) ed25519.PrivateKey {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func keyPEM(tb testing.TB, key ed25519.PrivateKey) string {
	tb.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// settings are those of a tunnel that opens.
func (b *bastion) settings(replace map[string]any) connectors.Settings {
	b.t.Helper()
	all := map[string]any{
		"tunnel": "ssh", "tunnel_host": bastionHost, "tunnel_user": "sidecard",
		"tunnel_key": keyPEM(b.t, b.userKey), "tunnel_host_key": ssh.FingerprintSHA256(b.hostKey.PublicKey()),
	}
	maps.Copy(all, replace)
	return asSettings(b.t, all)
}

func asSettings(tb testing.TB, all map[string]any) connectors.Settings {
	tb.Helper()
	s := make(connectors.Settings)
	for name, v := range all {
		raw, err := json.Marshal(v)
		if err != nil {
			tb.Fatal(err)
		}
		s[name] = raw
	}
	return s
}

// way leads through the bastion, and is closed with the test.
func (b *bastion) way(replace map[string]any, edits ...func(*connectors.OpenInput)) *reach.Way {
	b.t.Helper()
	in := connectors.OpenInput{Settings: b.settings(replace), Dial: b.dial, Resolve: b.resolve}
	for _, edit := range edits {
		edit(&in)
	}
	w, err := kind.Way(in)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(w.Close)
	return w
}

func (b *bastion) resolve(_ context.Context, host string) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resolved = append(b.resolved, host)
	return []string{bastionIP}, nil
}

func (b *bastion) dial(_ context.Context, network, address string) (net.Conn, error) {
	near, far := net.Pipe()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dialled = append(b.dialled, network+" "+address)
	b.links = append(b.links, far)
	go b.serve(far)
	return &lossy{near, &b.silent}, nil
}

// drop breaks the connections to the bastion.
func (b *bastion) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, link := range b.links {
		_ = link.Close()
	}
	b.links = nil
}

func (b *bastion) dials() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.dialled)
}

func (b *bastion) serve(raw net.Conn) {
	defer raw.Close()
	if b.greet != nil {
		b.greet(raw)
		return
	}
	config := &ssh.ServerConfig{}
	config.PasswordCallback = func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
		return nil, only(c.User() == "sidecard" && string(given) == password)
	}
	config.PublicKeyCallback = func(c ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
		own, err := ssh.NewPublicKey(b.userKey.Public())
		return nil, errors.Join(err, only(c.User() == "sidecard" && string(given.Marshal()) == string(own.Marshal())))
	}
	for _, key := range append([]ssh.Signer{b.hostKey}, b.otherKeys...) {
		config.AddHostKey(key)
	}
	conn, channels, requests, err := ssh.NewServerConn(newQueued(raw), config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests) // refuses them, which answers them
	for channel := range channels {
		go b.leadOn(conn, channel)
	}
}

func only(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("not let in")
}

// leadOn answers a request for a connection, see RFC 4254, section 7.2.
func (b *bastion) leadOn(conn ssh.Conn, channel ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(channel.ExtraData(), &to); err != nil || channel.ChannelType() != "direct-tcpip" {
		_ = channel.Reject(ssh.UnknownChannelType, "secret words of the server")
		return
	}
	address := net.JoinHostPort(to.Host, strconv.FormatUint(uint64(to.Port), 10))
	b.mu.Lock()
	b.asked = append(b.asked, address)
	b.mu.Unlock()
	answer, ok := b.behind[address]
	switch {
	case b.prohibited:
		_ = channel.Reject(ssh.Prohibited, "secret words of the server")
	case !ok:
		_ = channel.Reject(ssh.ConnectionFailed, "secret words of the server")
	case answer == nil:
		_ = conn.Wait() // as a server does that still tries to get through
	default:
		c, requests, err := channel.Accept()
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		answer(c)
	}
}

// lossy is a connection whose peer may vanish without a word.
type lossy struct {
	net.Conn
	silent *atomic.Bool
}

func (l *lossy) Write(p []byte) (int, error) {
	if l.silent.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// queued lets a pipe take what nobody reads yet, as a network does: both ends of SSH begin by writing.
type queued struct {
	net.Conn
	queue chan []byte
	ended chan struct{}
	end   func()
}

func newQueued(conn net.Conn) *queued {
	q := &queued{Conn: conn, queue: make(chan []byte, 64), ended: make(chan struct{})}
	q.end = sync.OnceFunc(func() { close(q.ended) })
	go func() {
		defer conn.Close()
		for {
			select {
			case p := <-q.queue:
				if _, err := conn.Write(p); err != nil {
					return
				}
			case <-q.ended:
				return
			}
		}
	}()
	return q
}

func (q *queued) Write(p []byte) (int, error) {
	select {
	case q.queue <- slices.Clone(p):
		return len(p), nil
	case <-q.ended:
		return 0, net.ErrClosed
	}
}

func (q *queued) Close() error {
	q.end()
	return q.Conn.Close()
}

// mustFail demands words for the error of this class and code, about this setting.
func mustFail(t *testing.T, err error, class connectors.Class, code, field string) connectors.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("it worked, want %s", code)
	}
	e := kind.Failure(err)
	if e == nil || e.Class != class || e.Code != code || e.Field != field {
		t.Fatalf("%v is told as %+v, want %s of class %s at %q", err, e, code, class, field)
	}
	if e.Message == "" || e.Fix == "" {
		t.Errorf("%s lacks a sentence or a way out: %+v", code, *e)
	}
	if said := e.Message + e.Fix + e.Error(); strings.Contains(strings.ToLower(said), "secret") {
		t.Errorf("%s tells too much: %s", code, said)
	}
	return *e
}
