package reach_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors/reach"
)

// echoes demands that what is sent on a connection comes back.
func echoes(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("question"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "question" {
		t.Fatalf("got %q, %v", answer, err)
	}
}

func dial(t *testing.T, w *reach.Way) net.Conn {
	t.Helper()
	conn, err := w.Dial(t.Context(), "tcp", database)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestNothingIsReachedButTheBastion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replace map[string]any
		port    string
	}{
		"by key":            {nil, "22"},
		"by password":       {map[string]any{"tunnel_key": "", "tunnel_password": password}, "22"},
		"key before others": {map[string]any{"tunnel_password": "not that one"}, "22"},
		"another port":      {map[string]any{"tunnel_port": 2222}, "2222"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBastion(t)
				w := b.way(c.replace)
				if !w.Tunnelled() {
					t.Error("it says it goes straight")
				}
				host, _, _ := net.SplitHostPort(database)
				addresses, err := w.Resolve(t.Context(), host)
				if err != nil || !slices.Equal(addresses, []string{host}) {
					t.Fatalf("got %v, %v", addresses, err)
				}
				conn := dial(t, w)
				echoes(t, conn)
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				if !slices.Equal(b.resolved, []string{bastionHost}) || !slices.Equal(b.dials(), []string{"tcp " + bastionIP + ":" + c.port}) {
					t.Errorf("resolved %v and dialled %v", b.resolved, b.dials())
				}
				if !slices.Equal(b.asked, []string{database}) {
					t.Errorf("the bastion was asked for %v", b.asked)
				}
			})
		})
	}
}

func TestOpenIsEnoughToSignIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil)
		for range 2 {
			if err := w.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(b.dials()) != 1 || len(b.asked) != 0 {
			t.Errorf("dialled %v, and asked for %v", b.dials(), b.asked)
		}
	})
}

// TestTheSameHostKeyIsShownEachTime is about servers with several keys: the one that OpenSSH's own client asks for first
// is the one that people know.
func TestTheSameHostKeyIsShownEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		certificate := &ssh.Certificate{CertType: ssh.HostCert, Key: b.hostKey.PublicKey(), ValidBefore: ssh.CertTimeInfinity}
		if err := certificate.SignCert(rand.Reader, b.hostKey); err != nil {
			t.Fatal(err)
		}
		certified, err := ssh.NewCertSigner(certificate, b.hostKey)
		if err != nil {
			t.Fatal(err)
		}
		other, err := ssh.NewSignerFromKey(newECKey(t))
		if err != nil {
			t.Fatal(err)
		}
		b.otherKeys = []ssh.Signer{certified, other}
		echoes(t, dial(t, b.way(nil)))
	})
}

func TestDeadlinesHoldInATunnel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, newBastion(t).way(nil))
		start := time.Now()
		if err := conn.SetReadDeadline(start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := conn.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		mustFail(t, err, "transient", "toy.no_answer", "host")
		if err := conn.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		echoes(t, conn)

		// Nobody reads the echo, so that sooner or later there is no room for more.
		if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		for err = nil; err == nil; {
			_, err = conn.Write(make([]byte, 1<<16))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestManyDialsShareOneSSHConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				conn, err := w.Dial(t.Context(), "tcp", database)
				if err != nil {
					t.Error(err)
					return
				}
				echoes(t, conn)
				conn.Close()
			})
		}
		all.Wait()
		if len(b.dials()) != 1 || len(b.asked) != 50 {
			t.Errorf("%d dials to the bastion for %d through it", len(b.dials()), len(b.asked))
		}
	})
}

func TestBrokenLinkIsOpenedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil)
		old := dial(t, w)
		echoes(t, old)
		b.drop()
		_, err := old.Read(make([]byte, 1))
		mustFail(t, err, "transient", "toy.connection_lost", "")
		synctest.Wait()
		echoes(t, dial(t, w))
		if len(b.dials()) != 2 {
			t.Errorf("%d dials to the bastion", len(b.dials()))
		}
	})
}

// TestSilentLinkIsGivenUp is about bastions, and routers before them, that vanish without a word.
func TestSilentLinkIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil)
		echoes(t, dial(t, w))
		b.silent.Store(true)
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := w.Dial(ctx, "tcp", database)
			cancel()
			mustFail(t, err, "transient", "toy.tunnel.no_way_on", "host")
		}
		<-time.After(3 * time.Second)
		b.silent.Store(false)
		synctest.Wait()
		echoes(t, dial(t, w))
		if len(b.dials()) != 2 {
			t.Errorf("%d dials to the bastion", len(b.dials()))
		}
	})
}

func TestSlowTargetLeavesTheLinkAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		b.behind["slow.internal:5432"] = nil
		w := b.way(nil)
		conn := dial(t, w)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			start := time.Now()
			_, err := w.Dial(ctx, "tcp", "slow.internal:5432")
			cancel()
			mustFail(t, err, "transient", "toy.tunnel.no_way_on", "host")
			if took := time.Since(start); took != time.Second {
				t.Errorf("it took %s", took)
			}
		}
		<-time.After(time.Minute)
		echoes(t, conn)
		echoes(t, dial(t, w))
		if len(b.dials()) != 1 {
			t.Errorf("%d dials to the bastion", len(b.dials()))
		}
	})
}
