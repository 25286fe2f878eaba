package reach_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
)

// refusedAddress is how the host's guarded ways out mark what they refuse.
type refusedAddress struct{}

func (refusedAddress) Error() string   { return "not there" }
func (refusedAddress) Forbidden() bool { return true }

func TestTroubleOfTheTunnelIsTold(t *testing.T) {
	t.Parallel()
	dialling := func(err error) func(*connectors.OpenInput) {
		return func(in *connectors.OpenInput) {
			in.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		}
	}
	resolving := func(err error) func(*connectors.OpenInput) {
		return func(in *connectors.OpenInput) {
			in.Resolve = func(context.Context, string) ([]string, error) { return nil, err }
		}
	}
	saying := func(words string) func(net.Conn) {
		return func(conn net.Conn) {
			go func() { _, _ = conn.Write([]byte(words)) }()
			listen(conn)
		}
	}
	const (
		misconfigured = connectors.Misconfigured
		transient     = connectors.Transient
	)
	for name, c := range map[string]struct {
		edit    func(*bastion)
		replace map[string]any
		input   func(*connectors.OpenInput)
		class   connectors.Class
		code    string
		field   string
	}{
		"another host key":   {nil, map[string]any{"tunnel_host_key": "SHA256:" + strings.Repeat("A", 43)}, nil, misconfigured, "host_key", "tunnel_host_key"},
		"no host key":        {nil, map[string]any{"tunnel_host_key": ""}, nil, misconfigured, "no_host_key", "tunnel_host_key"},
		"wrong key":          {nil, map[string]any{"tunnel_key": keyPEM(t, newKey(t))}, nil, connectors.AuthRevoked, "sign_in", "tunnel_user"},
		"wrong password":     {nil, map[string]any{"tunnel_key": "", "tunnel_password": "secret"}, nil, connectors.AuthRevoked, "sign_in", "tunnel_user"},
		"wrong user":         {nil, map[string]any{"tunnel_user": "root"}, nil, connectors.AuthRevoked, "sign_in", "tunnel_user"},
		"may not lead on":    {func(b *bastion) { b.prohibited = true }, nil, nil, misconfigured, "prohibited", "tunnel_user"},
		"nothing behind":     {func(b *bastion) { delete(b.behind, database) }, nil, nil, transient, "no_way_on", "host"},
		"hangs up":           {func(b *bastion) { b.greet = func(net.Conn) {} }, nil, nil, transient, "connection_lost", "tunnel_host"},
		"no SSH":             {func(b *bastion) { b.greet = saying("HTTP/1.1 400 secret\r\n\r\n") }, nil, nil, transient, "no_answer", "tunnel_host"},
		"nothing but noise":  {func(b *bastion) { b.greet = saying("SSH-2.0-secret\r\n" + strings.Repeat("secret", 100)) }, nil, nil, misconfigured, "handshake", "tunnel_host"},
		"refused":            {nil, nil, dialling(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), transient, "refused", "tunnel_host"},
		"unreachable":        {nil, nil, dialling(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}), transient, "unreachable", "tunnel_host"},
		"unknown name":       {nil, nil, resolving(&net.DNSError{Err: "no such host", IsNotFound: true}), transient, "host_not_found", "tunnel_host"},
		"name without hosts": {nil, nil, resolving(nil), transient, "host_not_found", "tunnel_host"},
		"no DNS":             {nil, nil, resolving(&net.DNSError{Err: "server misbehaving"}), transient, "dns", "tunnel_host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBastion(t)
				if c.edit != nil {
					c.edit(b)
				}
				var edits []func(*connectors.OpenInput)
				if c.input != nil {
					edits = append(edits, c.input)
				}
				_, err := b.way(c.replace, edits...).Dial(t.Context(), "tcp", database)
				e := mustFail(t, err, c.class, "toy.tunnel."+c.code, c.field)
				if c.code != "no_host_key" {
					return
				}
				shown := ssh.FingerprintSHA256(b.hostKey.PublicKey())
				if len(e.Suggest) != 1 || e.Suggest[0].Setting != "tunnel_host_key" || e.Suggest[0].Value != shown {
					t.Errorf("suggests %+v, want %s", e.Suggest, shown)
				}
			})
		})
	}
}

func TestForbiddenBastionStaysForbidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials int
		_, err := newBastion(t).way(nil, func(in *connectors.OpenInput) {
			in.Resolve = func(context.Context, string) ([]string, error) { return []string{"10.0.0.1", "192.0.2.22"}, nil }
			in.Dial = func(context.Context, string, string) (net.Conn, error) { dials++; return nil, refusedAddress{} }
		}).Dial(t.Context(), "tcp", database)
		if !connectors.IsForbidden(err) || dials != 1 {
			t.Errorf("after %d dials: %v", dials, err)
		}
		_, err = newBastion(t).way(nil, func(in *connectors.OpenInput) {
			in.Resolve = func(context.Context, string) ([]string, error) { return nil, refusedAddress{} }
		}).Dial(t.Context(), "tcp", database)
		if !connectors.IsForbidden(err) {
			t.Error(err)
		}
	})
}

func TestAllAddressesOfABastionAreTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil, func(in *connectors.OpenInput) {
			in.Resolve = func(context.Context, string) ([]string, error) { return []string{"192.0.2.1", bastionIP}, nil }
			in.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != bastionIP+":22" {
					return nil, syscall.ECONNREFUSED
				}
				return b.dial(ctx, network, address)
			}
		})
		echoes(t, dial(t, w))
	})
}

// listen takes in what is said until the other end hangs up.
func listen(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func TestSigningInTakesThreeSecondsAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		b.greet = listen
		start := time.Now()
		_, err := b.way(nil).Dial(t.Context(), "tcp", database)
		mustFail(t, err, connectors.Transient, "toy.tunnel.no_answer", "tunnel_host")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestWhoGivesUpIsNotHeldBack gives up at each point where a dial may wait.
func TestWhoGivesUpIsNotHeldBack(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*bastion, *connectors.OpenInput){
		"resolving": func(_ *bastion, in *connectors.OpenInput) {
			in.Resolve = func(ctx context.Context, _ string) ([]string, error) { <-ctx.Done(); return nil, ctx.Err() }
		},
		"dialling": func(_ *bastion, in *connectors.OpenInput) {
			in.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		},
		"handshake": func(b *bastion, _ *connectors.OpenInput) { b.greet = listen },
		"beyond":    func(b *bastion, _ *connectors.OpenInput) { b.behind[database] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBastion(t)
				w := b.way(nil, func(in *connectors.OpenInput) { edit(b, in) })
				start := time.Now()
				ended := make(chan error)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					_, err := w.Dial(ctx, "tcp", database)
					ended <- err
				}()
				synctest.Wait() // the first has its turn
				later, cancelLater := context.WithTimeout(t.Context(), time.Second)
				defer cancelLater()
				if _, err := w.Dial(later, "tcp", database); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the second: %v", err)
				}
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("the first: %v", err)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		w := b.way(nil)
		var conns []net.Conn
		for range 10 {
			conn := dial(t, w)
			echoes(t, conn)
			conns = append(conns, conn)
		}
		w.Close()
		w.Close()
		for _, conn := range conns {
			_, err := conn.Read(make([]byte, 1))
			mustFail(t, err, connectors.Transient, "toy.connection_lost", "")
		}
		if _, err := w.Dial(t.Context(), "tcp", database); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if len(b.dials()) != 1 {
			t.Errorf("%d dials to the bastion", len(b.dials()))
		}
	})
}

func TestCloseEndsWhatIsBeingOpened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBastion(t)
		b.greet = listen
		w := b.way(nil)
		start := time.Now()
		ended := make(chan error)
		for range 3 {
			go func() {
				_, err := w.Dial(t.Context(), "tcp", database)
				ended <- err
			}()
		}
		synctest.Wait()
		w.Close()
		for range 3 {
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestStraightWay(t *testing.T) {
	t.Parallel()
	many := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"}
	w, err := kind.Way(connectors.OpenInput{
		Resolve: func(context.Context, string) ([]string, error) { return many, nil },
		Dial:    func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED },
	})
	if err != nil || w.Tunnelled() {
		t.Fatal(w, err)
	}
	if got, err := w.Resolve(t.Context(), "db.example.com"); err != nil || len(got) != 4 {
		t.Errorf("tries %v, %v", got, err)
	}
	if _, err := w.Dial(t.Context(), "tcp", "192.0.2.1:5432"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	if _, err := w.Dial(t.Context(), "unix", "/run/socket"); !connectors.IsForbidden(err) {
		t.Error(err)
	}
	if err := w.Open(t.Context()); err != nil {
		t.Error(err)
	}
	w.Close()

	shut, err := kind.Way(connectors.OpenInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shut.Resolve(t.Context(), "db.example.com"); err == nil {
		t.Error("a name was found without a resolver")
	}
	if _, err := shut.Dial(t.Context(), "tcp", "192.0.2.1:5432"); err == nil {
		t.Error("a way was found without a dialer")
	}
}
