package stack

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// echo is an api that answers every line with its own name.
func echo(t *testing.T, name string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if _, err := io.WriteString(conn, name+"\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l
}

func frontOf(t *testing.T, apis ...net.Listener) *Front {
	t.Helper()
	f, err := startFront(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	for _, l := range apis {
		f.add(l.Addr().String())
	}
	return f
}

func dial(t *testing.T, f *Front) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// asks returns who answers on a new connection, "" when nobody does.
func asks(t *testing.T, f *Front) string {
	t.Helper()
	conn, err := net.Dial("tcp", f.Addr())
	if err != nil { // it may hang up on us before we know that it picked up
		return ""
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "who?\n"); err != nil {
		return ""
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return ""
	}
	return line[:len(line)-1]
}

func TestTheFrontSpreadsConnectionsOverTheAPIsThatAccept(t *testing.T) {
	t.Parallel()
	one, two := echo(t, "one"), echo(t, "two")
	f := frontOf(t, one, two)
	by := map[string]int{}
	for range 10 {
		by[asks(t, f)]++
	}
	if by["one"] != 5 || by["two"] != 5 {
		t.Errorf("ten connections went to %v", by)
	}
	f.Shut(0)
	for range 4 {
		if who := asks(t, f); who != "two" {
			t.Errorf("%q answered while one was shut", who)
		}
	}
	f.Open(0)
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if who := asks(t, f); who != "one" {
			t.Errorf("%q answered while two was away", who)
		}
	}
	f.Shut(0)
	if who := asks(t, f); who != "" {
		t.Errorf("%q answered while nobody was there", who)
	}
}

func TestHeldAnswersNeverArrive(t *testing.T) {
	t.Parallel()
	f := frontOf(t, echo(t, "one"))
	asked, held := f.NextRequest(0), f.Hold(0)
	conn := dial(t, f)
	if _, err := io.WriteString(conn, "who?\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, signal := range []<-chan struct{}{asked, held.Caught} {
		select {
		case <-signal:
		case <-ctx.Done():
			t.Fatal("the request or its answer was not noticed")
		}
	}
	f.Drop(0)
	if n, err := conn.Read(make([]byte, 10)); err == nil || n > 0 {
		t.Errorf("%d bytes of the held answer arrived, %v", n, err)
	}
	if who := asks(t, f); who != "one" {
		t.Errorf("after the drop %q answers", who)
	}
}
