package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// quitTime is what the server gets to answer a farewell.
const quitTime = 2 * time.Second

// line is the connection for one mail; it can be cut from outside at any time.
type line struct {
	server Server

	mu   sync.Mutex
	conn net.Conn
	cut  bool
}

// dial connects, and begins TLS at once where the server wants that.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	//nolint:forbidigo // to the operator's own mail server, which egress keeps tenants from
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if !l.keep(conn) {
		return nil, errors.Join(context.Canceled, conn.Close())
	}
	if l.server.Security != TLS {
		return conn, nil
	}
	private := tls.Client(conn, l.server.tls())
	if err := private.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return private, nil
}

func (l *line) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return !l.cut
}

// hangUp cuts the line.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// hurry leaves only the time for a farewell.
func (l *line) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.SetDeadline(time.Now().Add(quitTime))
	}
}
