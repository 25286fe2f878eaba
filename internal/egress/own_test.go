package egress

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"
)

// TestOwnServersAreOutOfReachInAnOpenNetwork closes one port of an address whose others stay open, whether
// tenants name the address or the operator the host.
func TestOwnServersAreOutOfReachInAnOpenNetwork(t *testing.T) {
	t.Parallel()
	listen := func() (net.Listener, string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	ours, ourPort := listen()
	_, theirPort := listen()
	d := New(Options{
		AllowCIDRs: prefixes("127.0.0.0/8"), Own: []string{"db.internal:" + ourPort, "nonsense", "192.0.2.1:x"},
		Resolver: answering("127.0.0.1"),
	})
	for _, host := range []string{"127.0.0.1", "shop.example", "::ffff:127.0.0.1"} {
		if conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, ourPort)); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s leads to our own database: %v, %v", host, conn, err)
		}
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, theirPort))
		if err != nil {
			t.Errorf("%s does not lead to the server beside it: %v", host, err)
			continue
		}
		_ = conn.Close()
	}
	_ = ours.(*net.TCPListener).SetDeadline(time.Unix(1, 0))
	if conn, err := ours.Accept(); err == nil {
		t.Errorf("our own database was reached from %s", conn.RemoteAddr())
	}
}
