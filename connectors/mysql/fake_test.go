package mysql_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sidecard/connectors"
)

// fake is one connection of a server that follows a script.
type fake struct {
	net.Conn
	sequence byte
	heard    bytes.Buffer // all that the client said, packet by packet, without heads
}

// Flags of a server, from the protocol's documentation. fakeFlags are those of a server without TLS.
const (
	flagTLS   = 1 << 11
	fakeFlags = 1 | 1<<3 | 1<<7 | 1<<9 | 1<<15 | 1<<19 | 1<<21
)

// newFake starts a server that greets and then follows the script, and gives its port. The test waits for the script
// to end.
func newFake(t *testing.T, script func(*fake)) int {
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
				script(&fake{Conn: conn})
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}

func fakeSettings(t *testing.T, port int, replace map[string]any) connectors.Settings {
	t.Helper()
	return with(t, asSettings(t, map[string]any{
		"host": "127.0.0.1", "port": port, "database": "shop", "user": "app", "password": "long secret", "tls": "off",
		"table": "people", "email_column": "email",
	}), replace)
}

// send writes a packet; a client that is gone is no fault of the script.
func (f *fake) send(payload ...byte) bool {
	head := []byte{byte(len(payload)), byte(len(payload) >> 8), byte(len(payload) >> 16), f.sequence}
	f.sequence++
	_, err := f.Write(append(head, payload...))
	return err == nil
}

// receive reads a packet; nil when the client is gone.
func (f *fake) receive() []byte {
	head := make([]byte, 4)
	if _, err := io.ReadFull(f, head); err != nil {
		return nil
	}
	f.sequence = head[3] + 1
	payload := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	if _, err := io.ReadFull(f, payload); err != nil {
		return nil
	}
	f.heard.Write(payload)
	return payload
}

// greeting is the first packet of a server.
func greeting(version, method string, flags uint32) []byte {
	b := append([]byte{10}, version...)
	b = append(b, 0, 1, 0, 0, 0)
	b = append(b, "12345678\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(flags))
	b = append(b, 45, 2, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(flags>>16))
	b = append(b, 21)
	b = append(b, make([]byte, 10)...)
	b = append(b, "123456789012\x00"...)
	return append(append(b, method...), 0)
}

// meet greets and reads the client's answer; with an identity, TLS comes in between.
func (f *fake) meet(method string, secure *identity) bool {
	flags := uint32(fakeFlags)
	if secure != nil {
		flags |= flagTLS
	}
	if !f.send(greeting("8.4.2", method, flags)...) {
		return false
	}
	if secure != nil {
		if f.receive() == nil {
			return false
		}
		conn := tls.Server(f.Conn, secure.config())
		if conn.Handshake() != nil {
			return false
		}
		f.Conn = conn
	}
	return f.receive() != nil
}

var okPacket = []byte{0, 0, 0, 2, 0, 0, 0}

func errorPacket(number uint16, text string) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{0xff}, number)
	return append(append(b, "#HY000"...), text...)
}

// welcome lets the client in and says yes to all it asks in simple commands, until it prepares a statement: that is
// the first question about the tenant's data.
func (f *fake) welcome() (statement string, ok bool) {
	if !f.meet("mysql_native_password", nil) || !f.send(okPacket...) {
		return "", false
	}
	for {
		command := f.receive()
		switch {
		case len(command) == 0:
			return "", false
		case command[0] == 0x16:
			return string(command[1:]), true
		case !f.send(okPacket...):
			return "", false
		}
	}
}

// prepared says that the statement was prepared: it takes three arguments and gives six columns.
func (f *fake) prepared() bool {
	f.send(0, 1, 0, 0, 0, 6, 0, 3, 0, 0, 0, 0)
	for range 3 {
		f.send(columnPacket("?")...)
	}
	f.send(0xfe, 0, 0, 2, 0)
	for range 6 {
		f.send(columnPacket("v")...)
	}
	return f.send(0xfe, 0, 0, 2, 0) && f.receive() != nil
}

// columnPacket describes a column of text.
func columnPacket(name string) []byte {
	var b []byte
	for _, s := range []string{"def", "", "", "", name, ""} {
		b = append(append(b, byte(len(s))), s...)
	}
	return append(b, 0x0c, 45, 0, 255, 255, 0, 0, 0xfd, 0, 0, 0, 0, 0)
}

func TestServerErrorsHaveAClass(t *testing.T) {
	t.Parallel()
	const (
		misconfigured = connectors.Misconfigured
		transient     = connectors.Transient
		limited       = connectors.RateLimited
		revoked       = connectors.AuthRevoked
		bug           = connectors.Bug
	)
	for number, want := range map[uint16]connectors.Class{
		1021: transient, 1037: transient, 1040: limited, 1043: misconfigured, 1044: misconfigured, 1045: revoked, 1047: transient,
		1049: misconfigured, 1053: transient, 1064: bug, 1129: misconfigured, 1130: misconfigured, 1142: misconfigured,
		1143: misconfigured, 1146: misconfigured, 1054: misconfigured, 1193: misconfigured, 1203: limited, 1205: transient, 1213: transient,
		1226: limited, 1251: misconfigured, 1267: misconfigured, 1290: bug, 1317: transient, 1356: misconfigured, 1524: misconfigured,
		1698: revoked, 1792: bug, 1820: revoked, 1836: bug, 1862: revoked, 1927: transient, 1969: transient, 2006: transient,
		2013: transient, 3024: transient, 3118: revoked, 3159: misconfigured, 3955: revoked, 4031: transient, 4151: revoked, 9999: bug,
	} {
		code := "mysql." + strconv.Itoa(int(number))
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			port := newFake(t, func(f *fake) {
				if _, ok := f.welcome(); ok {
					f.send(errorPacket(number, "told to nobody")...)
					_, _ = io.Copy(io.Discard, f)
				}
			})
			_, err := open(t, fakeSettings(t, port, nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			e := mustFail(t, err, want, code)
			if (want == limited) != (e.RetryAfter > 0) {
				t.Errorf("retry after %s", e.RetryAfter)
			}
			if strings.Contains(err.Error(), "told to nobody") {
				t.Errorf("the server's own text is told: %v", err)
			}
		})
	}
}

// TestRefusalsBelongToTheSignIn answers the connection itself with an error.
func TestRefusalsBelongToTheSignIn(t *testing.T) {
	t.Parallel()
	for number, class := range map[uint16]connectors.Class{
		1040: connectors.RateLimited, 1129: connectors.Misconfigured, 1130: connectors.Misconfigured, 1045: connectors.AuthRevoked, 9001: connectors.AuthRevoked,
	} {
		port := newFake(t, func(f *fake) { f.send(errorPacket(number, "told to nobody")...) })
		src := open(t, fakeSettings(t, port, nil))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, class, "mysql."+strconv.Itoa(int(number)))
		if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail || s.Detail != e.Message {
			t.Errorf("%d: %+v", number, s)
		}
	}
}

// TestTheServerEndsLongQuestions looks at how the two kinds of server are told the limit.
func TestTheServerEndsLongQuestions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"8.4.2":                             "SELECT /*+ MAX_EXECUTION_TIME(3000) */ c.TABLE_NAME",
		"5.7.44-log":                        "SELECT /*+ MAX_EXECUTION_TIME(3000) */ c.TABLE_NAME",
		"5.5.5-10.4.34-MariaDB-1:10.4.34":   "SET STATEMENT max_statement_time = 3 FOR SELECT c.TABLE_NAME",
		"11.4.2-MariaDB-ubu2404-log":        "SET STATEMENT max_statement_time = 3 FOR SELECT c.TABLE_NAME",
		"8.0.36 (an odd build of mysql \t)": "SELECT /*+ MAX_EXECUTION_TIME(3000) */ c.TABLE_NAME",
	} {
		statements := make(chan string, 1)
		port := newFake(t, func(f *fake) {
			f.send(greeting(version, "mysql_native_password", fakeFlags)...)
			f.receive()
			f.send(okPacket...)
			for command := f.receive(); len(command) > 0; command = f.receive() {
				if command[0] == 0x16 {
					statements <- string(command[1:])
					return
				}
				f.send(okPacket...)
			}
		})
		_, err := open(t, fakeSettings(t, port, nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		mustFail(t, err, connectors.Transient, "mysql.connection_lost")
		if got := <-statements; !strings.HasPrefix(got, want) {
			t.Errorf("%s is asked %.80s", version, got)
		}
	}
}
