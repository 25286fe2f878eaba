package postgres_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
)

// bastion is an SSH server that leads on to anywhere, for one user with one key.
type bastion struct {
	config *ssh.ServerConfig
	port   string
	key    string // private, of the user
}

func newBastion(t *testing.T) *bastion {
	t.Helper()
	pair := func() (ssh.Signer, string) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.NewSignerFromKey(private)
		if err != nil {
			t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			t.Fatal(err)
		}
		return signer, string(pem.EncodeToMemory(block))
	}
	host, _ := pair()
	user, text := pair()
	b := &bastion{key: text, config: &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(user.PublicKey().Marshal()) {
				return nil, fmt.Errorf("unknown key")
			}
			return nil, nil
		},
	}}
	b.config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, b.port, _ = net.SplitHostPort(l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *bastion) serve(conn net.Conn) {
	link, channels, requests, err := ssh.NewServerConn(conn, b.config)
	if err != nil {
		_ = conn.Close()
		return
	}
	defer func() { _ = link.Close() }()
	go ssh.DiscardRequests(requests)
	for c := range channels {
		go lead(c)
	}
}

// lead connects a channel with where it wants to go, RFC 4254 section 7.2.
func lead(c ssh.NewChannel) {
	data := c.ExtraData()
	n := binary.BigEndian.Uint32(data)
	to := net.JoinHostPort(string(data[4:4+n]), strconv.Itoa(int(binary.BigEndian.Uint32(data[4+n:]))))
	server, err := net.Dial("tcp", to)
	if err != nil {
		_ = c.Reject(ssh.ConnectionFailed, "refused")
		return
	}
	channel, requests, err := c.Accept()
	if err != nil {
		_ = server.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(server, channel)
		_ = server.Close()
	}()
	_, _ = io.Copy(channel, server)
	_ = channel.Close()
}

// TestADatabaseBehindABastionIsReachedOnceItsKeyIsTrusted takes what the check offers. The guard lets the
// bastion alone through.
func TestADatabaseBehindABastionIsReachedOnceItsKeyIsTrusted(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	b := newBastion(t)
	s := with(t, d.settings(nil), map[string]any{
		"tunnel": "ssh", "tunnel_host": "127.0.0.1", "tunnel_port": json.Number(b.port), "tunnel_user": "sidecard", "tunnel_key": b.key,
	})
	guard := &recorder{to: "127.0.0.1:" + b.port}
	watched := func(in *connectors.OpenInput) { in.Dial = guard.dial }

	_, err := open(t, s, watched).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "postgres.tunnel.no_host_key")
	refused := step(t, check(t, open(t, s, watched)), "Open the tunnel")
	if refused.State != connectors.StepFail || len(refused.Suggest) != 1 {
		t.Fatalf("nothing is offered: %+v", refused)
	}
	s = with(t, s, map[string]any{refused.Suggest[0].Setting: refused.Suggest[0].Value})
	src := open(t, s, watched)
	report := check(t, src)
	if tunnel := step(t, report, "Open the tunnel"); !report.OK() || tunnel.State != connectors.StepOK {
		t.Fatalf("with a trusted key: %+v", report.Steps)
	}
	for range 20 {
		if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
			t.Fatalf("got %+v", res)
		}
	}
	if guard.calls == nil {
		t.Error("the guard saw nothing")
	}
}
