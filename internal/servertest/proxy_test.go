package servertest

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// aMoment is how long silence is listened to before it counts as silence.
const aMoment = 100 * time.Millisecond

func TestProxyForwardsBothWaysAndAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	conn := dial(t, proxy)
	long := strings.Repeat("sidecard ", 100_000)
	go func() {
		_, _ = io.WriteString(conn, long) // what is missing shows in the answer
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != long {
		t.Errorf("%d of %d bytes came back (%v)", len(got), len(long), err)
	}
}

func TestProxyCutResetsConnectionsAndTakesNewOnes(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	old := dial(t, proxy)
	say(t, old, "hello")
	proxy.Cut()
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after Cut: %v, want a reset", err)
	}
	say(t, dial(t, proxy), "hello again")
}

func TestProxyFreezeHoldsBytesUntilThaw(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	old := dial(t, proxy)
	say(t, old, "hello")
	proxy.Freeze()
	young := dial(t, proxy) // accepted, as by a server that hangs
	for _, conn := range []net.Conn{old, young} {
		send(t, conn, "anyone?")
		if err := conn.SetReadDeadline(time.Now().Add(aMoment)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read while frozen: %v, want silence", err)
		}
	}
	proxy.Thaw()
	for _, conn := range []net.Conn{old, young} {
		hear(t, conn, "anyone?")
	}
}

func TestProxyCutReachesFrozenConnections(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	conn := dial(t, proxy)
	say(t, conn, "hello")
	proxy.Freeze()
	send(t, conn, "anyone?")
	proxy.Cut()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after Cut: %v, want a reset", err)
	}
}

func TestProxyDelayHoldsBackEachWay(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	conn := dial(t, proxy)
	const delay = 40 * time.Millisecond
	proxy.Delay(delay)
	start := time.Now()
	say(t, conn, "hello")
	if took := time.Since(start); took < 2*delay {
		t.Errorf("there and back took %s, want at least %s", took, 2*delay)
	}
	if err := proxy.Heal(); err != nil {
		t.Fatal(err)
	}
	say(t, conn, "hello again")
}

func TestProxyRefusesUntilItHeals(t *testing.T) {
	t.Parallel()
	proxy := NewProxy(t, echoServer(t))
	old := dial(t, proxy)
	say(t, old, "hello")
	proxy.Refuse()
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after Refuse: %v, want a reset", err)
	}
	if _, err := net.Dial("tcp", proxy.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want it refused", err)
	}
	for range 2 {
		if err := proxy.Heal(); err != nil {
			t.Fatal(err)
		}
	}
	say(t, dial(t, proxy), "hello again")
}

func TestProxyResetsWhenTheTargetIsGone(t *testing.T) {
	t.Parallel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	// The reset may come before the client notices that it was connected.
	conn, err := net.Dial("tcp", NewProxy(t, localAddr(port)).Addr())
	if err == nil {
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("dial and read: %v, want a reset", err)
	}
}

// echoServer sends back what it gets, until the test ends.
func echoServer(t *testing.T) string {
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
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

func dial(t *testing.T, proxy *Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", proxy.Addr(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	send(t, conn, text)
	hear(t, conn, text)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("heard %q (%v), want %q", got, err, want)
	}
}
