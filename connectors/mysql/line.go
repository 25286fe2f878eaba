package mysql

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"

	driver "github.com/go-sql-driver/mysql"

	"sidecard/connectors/reach"
)

const (
	// maxAnswer bounds what the server may make us hold: one packet, and all packets that answer one command.
	maxAnswer = 8 << 20
	// maxGreeting bounds the first packet of a server, which has some hundred bytes.
	maxGreeting = 4 << 10
	// maxColumns is more than MySQL and MariaDB allow in one result, which is 4096.
	maxColumns = 4096
)

// Facts of the protocol, from "Client/Server Protocol" in MySQL's source documentation: packet headers are three bytes
// of length and one of sequence, and the sequence begins anew with each command.
const (
	headerSize      = 4
	sslRequestSize  = 32
	capLocalFiles   = 1 << 7
	capSSL          = 1 << 11
	protocolVersion = 10
	packetOK        = 0x00
	packetMore      = 0x01 // a further step of the sign-in
	packetFile      = 0xfb // the server asks for a file of the client
	packetSwitch    = 0xfe // to another way of signing in
	packetError     = 0xff
	comQuery        = 0x03
	comExecute      = 0x17
	moreResults     = 0x0008
)

var (
	errProtocol = errors.New("the server does not keep to the protocol")
	errTooLarge = errors.New("the answer is too large")
	errFile     = errors.New("the server asked for a file")
)

// line is a connection on which the driver speaks with a server. It stands between them because the driver trusts the
// server more than a tenant's server deserves: it makes room for as many columns and bytes as the server announces,
// which could end the whole process, and answers when the server asks for a file. The line reads the packets' heads,
// and breaks off at what an honest server never sends to a client that only asks for rows.
//
// It also encrypts, so that it sees the packets in clear: the driver is told that TLS is on without doing it itself.
// All but Close is used by one goroutine at a time.
type line struct {
	net.Conn                      // to the server; TLS is on top of it
	ctx      context.Context      // while the line is being opened
	secure   *tls.Config          // nil = no TLS
	live     *driver.Config       // the configuration that the driver goes by while it signs in
	seen     witness              // is told how far it got
	version  string               // as the server greets
	wire     net.Conn             // Conn, or TLS on top of it
	in       *bufio.Reader        // of wire
	broken   error                // why the line broke off
	turned   bool                 // TLS is on
	await    func(*line) error    // looks at the beginning of the next packet; nil = nothing to see
	head     []byte               // of the packet's head, what is still to be handed on
	body     int                  // bytes of the packet still to be handed on
	left     int                  // of maxAnswer for this command
	state    *tls.ConnectionState // when turned
}

// witness is told each stage that a line reached; the state is that of TLS, nil without it.
type witness func(s stage, state *tls.ConnectionState)

// stage is how far a line got.
type stage int

const (
	stageFound   stage = iota // the name has an address
	stageReached              // the server accepted the connection
	stageSecured              // TLS is agreed on, or not wanted
)

func newLine(ctx context.Context, conn net.Conn, secure *tls.Config, live *driver.Config, seen witness) *line {
	return &line{
		Conn: conn, ctx: ctx, secure: secure, live: live, seen: seen,
		wire: conn, in: bufio.NewReaderSize(conn, maxGreeting+headerSize), left: maxAnswer, await: (*line).greeted,
	}
}

// Read implements net.Conn for the driver.
func (l *line) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(l.head) == 0 && l.body == 0 {
		if err := l.next(); err != nil {
			return 0, l.breakOff(err)
		}
	}
	if len(l.head) > 0 {
		n := copy(p, l.head)
		l.head = l.head[n:]
		return n, nil
	}
	n, err := l.in.Read(p[:min(len(p), l.body)])
	l.body -= n
	if err != nil {
		return n, l.breakOff(err)
	}
	return n, nil
}

// next reads the head of the next packet.
func (l *line) next() error {
	head, err := l.in.Peek(headerSize)
	if err != nil {
		return err
	}
	size := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	l.head = append(l.head, head...)
	l.body = size
	if l.left -= headerSize + size; l.left < 0 {
		if l.commanding() {
			return errTooLarge
		}
		return errProtocol // so much belongs to no sign-in
	}
	if look := l.await; look != nil {
		l.await = nil
		if err := look(l); err != nil {
			return err
		}
	}
	if l.turned && !l.commanding() {
		l.head[3]-- // the driver does not know of the packet that asked for TLS
	}
	_, err = l.in.Discard(headerSize)
	return err
}

// commanding reports whether the line was opened: commands follow, each with a sequence of its own.
func (l *line) commanding() bool { return l.live == nil }

// beginning gives the first bytes of the packet whose head was read, at most so many.
func (l *line) beginning(most int) ([]byte, error) {
	packet, err := l.in.Peek(headerSize + min(l.body, most))
	if err != nil {
		return nil, err
	}
	if len(packet) == headerSize {
		return nil, errProtocol
	}
	return packet[headerSize:], nil
}

// Write implements net.Conn for the driver, which writes one packet at a time.
func (l *line) Write(p []byte) (int, error) {
	if err := l.send(p); err != nil {
		return 0, l.breakOff(err)
	}
	return len(p), nil
}

func (l *line) send(p []byte) error {
	if l.commanding() {
		l.left = maxAnswer
		if len(p) > headerSize && (p[headerSize] == comQuery || p[headerSize] == comExecute) {
			l.await = (*line).answered
		}
		_, err := l.wire.Write(p)
		return err
	}
	p = bytes.Clone(p)
	if p[3] == 1 { // the answer to the greeting
		if len(p) < headerSize+sslRequestSize {
			return errProtocol
		}
		p[headerSize] &^= capLocalFiles
		if l.secure != nil {
			if err := l.encrypt(p); err != nil {
				return err
			}
		}
		l.seen(stageSecured, l.state)
	}
	if l.turned {
		p[3]++
	}
	_, err := l.wire.Write(p)
	return err
}

// encrypt asks for TLS with the beginning of the driver's answer to the greeting, and turns to it.
func (l *line) encrypt(answer []byte) error {
	flags := binary.LittleEndian.Uint32(answer[headerSize:]) | capSSL
	binary.LittleEndian.PutUint32(answer[headerSize:], flags)
	request := bytes.Clone(answer[:headerSize+sslRequestSize])
	copy(request, []byte{sslRequestSize, 0, 0, 1})
	if _, err := l.wire.Write(request); err != nil {
		return err
	}
	if l.in.Buffered() > 0 {
		return errProtocol // it was said in clear, and would be taken for said in secret
	}
	secured := tls.Client(l.Conn, l.secure)
	if err := secured.HandshakeContext(l.ctx); err != nil {
		return &reach.HandshakeError{Err: err}
	}
	state := secured.ConnectionState()
	l.state, l.turned = &state, true
	l.wire = secured
	l.in.Reset(secured)
	// From here on the driver may send what only TLS protects.
	l.live.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	return nil
}

// opened tells that the server has let the driver in.
func (l *line) opened() {
	l.ctx, l.live, l.seen, l.await = nil, nil, nil, nil
}

// breakOff remembers the first error, which the driver does not pass on.
func (l *line) breakOff(err error) error {
	if l.broken == nil {
		l.broken = err
	}
	if errors.Is(err, io.EOF) {
		return err
	}
	l.Close()
	return err
}
