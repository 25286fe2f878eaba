package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"sidecard/connectors"
)

// newFake starts a server that answers with the script, and gives its port.
func newFake(t *testing.T, script func(net.Conn)) int {
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
				if _, err := startup(conn); err == nil {
					script(conn)
				}
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

// send writes messages; a client that is gone is no fault of the script.
func send(conn net.Conn, messages ...pgproto3.BackendMessage) {
	backend := pgproto3.NewBackend(conn, conn)
	for _, m := range messages {
		backend.Send(m)
	}
	_ = backend.Flush()
}

// welcome lets the client in and waits for its first question.
func welcome(conn net.Conn, parameters ...string) bool {
	messages := []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}}
	for i := 0; i+1 < len(parameters); i += 2 {
		messages = append(messages, &pgproto3.ParameterStatus{Name: parameters[i], Value: parameters[i+1]})
	}
	send(conn, append(messages, &pgproto3.BackendKeyData{ProcessID: 1, SecretKey: make([]byte, 4)}, &pgproto3.ReadyForQuery{TxStatus: 'I'})...)
	_, err := conn.Read(make([]byte, 64<<10))
	return err == nil
}

// failWith answers the first question with an error of the server.
func failWith(e pgproto3.ErrorResponse) func(net.Conn) {
	return func(conn net.Conn) {
		if welcome(conn) {
			send(conn, &e, &pgproto3.ReadyForQuery{TxStatus: 'E'})
			_, _ = io.Copy(io.Discard, conn)
		}
	}
}

// refuseWith answers the start with an error of the server.
func refuseWith(e pgproto3.ErrorResponse) func(net.Conn) {
	return func(conn net.Conn) { send(conn, &e) }
}

// bigMessage announces a message of so many bytes and sends them.
func bigMessage(kind byte, announced uint32) func(net.Conn) {
	return func(conn net.Conn) {
		head := binary.BigEndian.AppendUint32([]byte{kind}, announced)
		if _, err := conn.Write(head); err != nil {
			return
		}
		chunk := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	}
}

func TestHostileServersAreSurvived(t *testing.T) {
	t.Parallel()
	const canary = "ana.canary@toy.example"
	for name, c := range map[string]struct {
		script func(net.Conn)
		class  connectors.Class
		code   string
	}{
		"endless message at sign-in": {bigMessage('R', 1<<31-1), connectors.Misconfigured, "postgres.too_large"},
		"endless message after it": {func(conn net.Conn) {
			if welcome(conn) {
				bigMessage('D', 1<<31-1)(conn)
			}
		}, connectors.Transient, "postgres.connection_lost"}, // pgx forgets why it hung up
		"not the protocol": {func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, connectors.Misconfigured, "postgres.too_large"},
		"wrong message":    {func(conn net.Conn) { send(conn, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}) }, connectors.Misconfigured, "postgres.protocol"},
		"garbage state":    {refuseWith(pgproto3.ErrorResponse{Severity: "FATAL", Code: canary, Message: canary}), connectors.AuthRevoked, "postgres.invalid"},
		"no state":         {failWith(pgproto3.ErrorResponse{Severity: "ERROR"}), connectors.Bug, "postgres.invalid"},
		"address in texts": {failWith(pgproto3.ErrorResponse{
			Severity: "ERROR", Code: "22P02", Message: canary, Detail: canary, Where: canary, Hint: canary,
			TableName: canary, ColumnName: canary,
		}), connectors.Misconfigured, "postgres.22P02"},
		"pooler without the user":     {refuseWith(pgproto3.ErrorResponse{Severity: "FATAL", Code: "XX000", Message: "Tenant or user not found"}), connectors.AuthRevoked, "postgres.XX000"},
		"pooler without the database": {refuseWith(pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "no such database"}), connectors.AuthRevoked, "postgres.08P01"},
		"unknown method":              {func(conn net.Conn) { send(conn, &pgproto3.AuthenticationGSS{}) }, connectors.Misconfigured, "postgres.protocol"},
		"hangs up":                    {func(net.Conn) {}, connectors.Transient, "postgres.connection_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := open(t, fakeSettings(t, newFake(t, c.script), nil))
			_, err := src.Lookup(within(t), connectors.Query{Email: canary})
			e := mustFail(t, err, c.class, c.code)
			for _, text := range []string{err.Error(), e.Message, e.Fix, e.Code} {
				if strings.Contains(text, canary) {
					t.Errorf("the visitor's address is told: %s", text)
				}
			}
		})
	}
}

// TestManyRowsAreNotKept lets a server answer with more rows than were asked for. Not parallel, for the heap.
func TestManyRowsAreNotKept(t *testing.T) {
	row := &pgproto3.DataRow{Values: [][]byte{[]byte(`{"v":"` + strings.Repeat("x", 60<<10) + `"}`)}}
	port := newFake(t, func(conn net.Conn) {
		if !welcome(conn) {
			return
		}
		send(conn, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, &pgproto3.CommandComplete{CommandTag: []byte("BEGIN")},
			&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")},
			&pgproto3.ParseComplete{}, &pgproto3.BindComplete{},
			&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("to_jsonb"), DataTypeOID: 3802}}})
		backend := pgproto3.NewBackend(conn, conn)
		for {
			backend.Send(row)
			if backend.Flush() != nil {
				return
			}
		}
	})
	src := open(t, fakeSettings(t, port, nil))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	runtime.ReadMemStats(&after)
	mustFail(t, err, connectors.Bug, "postgres.unexpected")
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}
