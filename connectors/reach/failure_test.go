package reach_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// converse does with a TLS server on this machine what a driver does: shake hands, then read. The server sends one byte.
func converse(t *testing.T, server *tls.Config, client *tls.Config) (*tls.ConnectionState, error) {
	t.Helper()
	return converseWith(t, client, func(conn net.Conn) {
		secure := tls.Server(conn, server)
		if _, err := secure.Write([]byte("x")); err == nil { // shakes hands first
			_ = secure.Close()
		}
	})
}

func converseWith(t *testing.T, client *tls.Config, serve func(net.Conn)) (*tls.ConnectionState, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		serve(conn)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn) // or what the client still says would break the connection
		_ = conn.Close()
	}()
	defer func() { <-ended }()
	defer listener.Close()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, client)
	defer raw.Close()
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return nil, &reach.HandshakeError{Err: err}
	}
	state := conn.ConnectionState()
	_, err = conn.Read(make([]byte, 1))
	return &state, err
}

func TestTLSTroubleIsTold(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	good := ca.server(named("db.example.com", "192.0.2.1"))
	old := ca.server(named("db.example.com"))
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	asking := ca.server(named("db.example.com"))
	asking.ClientAuth, asking.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	asking.ClientCAs.AddCert(ca.cert)
	asking12 := asking.Clone()
	asking12.MaxVersion = tls.VersionTLS12
	cert, key := ca.issue(clientAuth)
	foreign, foreignKey := other.issue(clientAuth)
	anybody, err := kind.TLS(asSettings(t, map[string]any{"tls": "encrypt"}), "db.example.com")
	if err != nil {
		t.Fatal(err)
	}
	seen, err := converse(t, good, anybody)
	if err != nil {
		t.Fatal(err)
	}
	shown := reach.Fingerprint(seen)

	type settings = map[string]any
	for name, c := range map[string]struct {
		server   *tls.Config
		settings settings
		code     string // empty = it works
		field    string
		says     string
	}{
		"verified":                    {good, settings{"ca_pem": ca.pem()}, "", "", ""},
		"several authorities":         {good, settings{"ca_pem": other.pem() + "\n" + ca.pem()}, "", "", ""},
		"chain of another name":       {ca.server(named("x.example")), settings{"tls": "verify_ca", "ca_pem": ca.pem()}, "", "", ""},
		"anybody":                     {other.server(expired), settings{"tls": "encrypt"}, "", "", ""},
		"the trusted one":             {good, settings{"tls": "pin", "pin": shown}, "", "", ""},
		"the trusted one, grouped":    {good, settings{"tls": "pin", "pin": strings.ToUpper(shown[:2] + ":" + shown[2:32] + " " + shown[32:])}, "", "", ""},
		"with a client's certificate": {asking, settings{"ca_pem": ca.pem(), "client_cert_pem": cert, "client_key_pem": key}, "", "", ""},
		"public authorities":          {good, nil, "unknown_authority", "ca_pem", ""},
		"another authority":           {good, settings{"ca_pem": other.pem()}, "unknown_authority", "ca_pem", ""},
		"chain of another authority":  {good, settings{"tls": "verify_ca", "ca_pem": other.pem()}, "unknown_authority", "ca_pem", ""},
		"another name": {
			ca.server(named("a.example", "*.b.example", "192.0.2.9", "d.example")),
			settings{"ca_pem": ca.pem()},
			"name", "host", "for a.example, *.b.example, d.example, not",
		},
		"no name":                       {ca.server(), settings{"ca_pem": ca.pem()}, "name", "host", "for no name at all, not"},
		"names that are none":           {ca.server(named("secret words!")), settings{"ca_pem": ca.pem()}, "name", "host", "for no name at all, not"},
		"expired":                       {ca.server(named("db.example.com"), expired), settings{"ca_pem": ca.pem()}, "expired", "", ""},
		"chain expired":                 {ca.server(expired), settings{"tls": "verify_ca", "ca_pem": ca.pem()}, "expired", "", ""},
		"a client's certificate":        {ca.server(named("db.example.com"), clientAuth), settings{"ca_pem": ca.pem()}, "invalid", "ca_pem", ""},
		"old protocol":                  {old, settings{"ca_pem": ca.pem()}, "handshake", "tls", ""},
		"asks for a certificate":        {asking, settings{"ca_pem": ca.pem()}, "handshake", "tls", ""},
		"asks for one, TLS 1.2":         {asking12, settings{"ca_pem": ca.pem()}, "handshake", "tls", ""},
		"asks for one of its authority": {asking, settings{"ca_pem": ca.pem(), "client_cert_pem": foreign, "client_key_pem": foreignKey}, "handshake", "tls", ""},
		"not the trusted one":           {ca.server(), settings{"tls": "pin", "pin": shown}, "pin", "pin", ""},
		"none is trusted":               {good, settings{"tls": "pin"}, "no_pin", "pin", shown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := kind.TLS(asSettings(t, c.settings), "db.example.com")
			if err != nil {
				t.Fatal(err)
			}
			_, err = converse(t, c.server, client)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := mustFail(t, err, connectors.Misconfigured, "toy.tls."+c.code, c.field)
			if !strings.Contains(e.Message, c.says) {
				t.Errorf("it says %q, want %q in it", e.Message, c.says)
			}
			if c.code == "no_pin" && (len(e.Suggest) != 1 || e.Suggest[0].Setting != "pin" || e.Suggest[0].Value != shown) {
				t.Errorf("it suggests %+v, want %s", e.Suggest, shown)
			}
		})
	}
}

func TestWhoSpeaksNoTLSIsTold(t *testing.T) {
	t.Parallel()
	client, err := kind.TLS(nil, "db.example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, err = converseWith(t, client, func(conn net.Conn) { _, _ = conn.Write([]byte("secret words of another protocol")) })
	mustFail(t, err, connectors.Misconfigured, "toy.tls.handshake", "tls")
	_, err = converseWith(t, client, func(net.Conn) {})
	mustFail(t, err, connectors.Transient, "toy.connection_lost", "")
	mustFail(t, fmt.Errorf("connect: %w", reach.ErrNoTLS), connectors.Misconfigured, "toy.tls.off", "tls")
	if kind.Failure(&reach.HandshakeError{Err: os.ErrDeadlineExceeded}).Code != "toy.no_answer" {
		t.Error("silence during the handshake is told as something else")
	}
}

func TestNetworkTroubleIsTold(t *testing.T) {
	t.Parallel()
	dialling := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for name, c := range map[string]struct {
		err         error
		code, field string
	}{
		"unknown name":  {&net.DNSError{Err: "no such host", Name: "db.example.com", IsNotFound: true}, "host_not_found", "host"},
		"no DNS":        {&net.DNSError{Err: "server misbehaving"}, "dns", "host"},
		"silent DNS":    {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, "dns", "host"},
		"refused":       {dialling(syscall.ECONNREFUSED), "refused", "port"},
		"no way":        {dialling(syscall.EHOSTUNREACH), "unreachable", "host"},
		"no net":        {dialling(syscall.ENETUNREACH), "unreachable", "host"},
		"time is over":  {context.DeadlineExceeded, "no_answer", "host"},
		"no answer":     {dialling(syscall.ETIMEDOUT), "no_answer", "host"},
		"read too long": {&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, "no_answer", "host"},
		"end":           {io.EOF, "connection_lost", ""},
		"sudden end":    {io.ErrUnexpectedEOF, "connection_lost", ""},
		"end of a pipe": {io.ErrClosedPipe, "connection_lost", ""},
		"closed here":   {net.ErrClosed, "connection_lost", ""},
		"reset":         {&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, "connection_lost", ""},
		"nobody reads":  {&net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}, "connection_lost", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustFail(t, fmt.Errorf("secret of a driver: %w", c.err), connectors.Transient, "toy."+c.code, c.field)
		})
	}
	for _, err := range []error{nil, errors.New("of the protocol"), context.Canceled} {
		if e := kind.Failure(err); e != nil {
			t.Errorf("%v is told as %+v", err, e)
		}
	}
}
