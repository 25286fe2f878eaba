package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// relay stands before the real server as a pooler or a TLS terminator does.
type relay struct {
	t        *testing.T
	target   string
	listener net.Listener
	running  sync.WaitGroup

	// tls is what an SSLRequest is answered with; nil refuses it.
	tls *tls.Config
	// pooler refuses what poolers in transaction mode refuse.
	pooler bool
}

// newRelay starts a relay and gives its port.
func newRelay(t *testing.T, target string, edit func(*relay)) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, target: target, listener: listener}
	edit(r)
	r.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.running.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}

const sslRequest = 80877103

func (r *relay) serve(client net.Conn) {
	defer client.Close()
	message, err := startup(client)
	if err == nil && binary.BigEndian.Uint32(message[4:]) == sslRequest {
		answer := byte('N')
		if r.tls != nil {
			answer = 'S'
		}
		if _, err := client.Write([]byte{answer}); err != nil || r.tls == nil {
			return
		}
		secure := tls.Server(client, r.tls)
		defer secure.Close()
		client = secure
		message, err = startup(client)
	}
	if err != nil {
		return
	}
	if r.pooler && !r.accepts(client, message) {
		return
	}
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(message); err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server)
		client.Close()
	})
	if r.pooler {
		r.forward(server, client)
	} else {
		_, _ = io.Copy(server, client)
	}
	server.Close()
	back.Wait()
}

// startup reads the first message of a connection, which has a length and no type.
func startup(conn net.Conn) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	message := append(head, make([]byte, binary.BigEndian.Uint32(head)-4)...)
	_, err := io.ReadFull(conn, message[4:])
	return message, err
}

// accepts refuses start parameters as PgBouncer does with its default ignore_startup_parameters.
func (r *relay) accepts(client net.Conn, message []byte) bool {
	var start pgproto3.StartupMessage
	if err := start.Decode(message[4:]); err != nil {
		return true // a cancel request
	}
	for name := range start.Parameters {
		switch name {
		case "user", "database", "client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name":
		default:
			backend := pgproto3.NewBackend(client, client)
			backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: " + name})
			_ = backend.Flush() // the client may be gone
			return false
		}
	}
	return true
}

// forward passes messages on, and breaks off when one would not survive a change of the server behind a
// pooler: a named statement, or a SET that outlasts its transaction.
func (r *relay) forward(server io.Writer, client io.Reader) {
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if head[0] == 'P' && body[0] != 0 {
			r.t.Error("a statement has a name")
			return
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{t: t, key: key}
	a.cert = a.sign(template, template, &key.PublicKey)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

// server gives the configuration of a server with a certificate for the names.
func (a *authority) server(until time.Duration, names ...string) *tls.Config {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(until), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	cert := a.sign(template, a.cert, &key.PublicKey)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
}
