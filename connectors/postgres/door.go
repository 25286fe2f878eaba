package postgres

import (
	"context"
	"errors"
	"net"
	"sync"

	"sidecard/connectors"
)

// door leads pgx to the guarded ways out, lets TCP through and nothing else, and remembers what is open.
type door struct {
	dial    connectors.DialFunc
	resolve connectors.ResolveFunc

	mu   sync.Mutex
	open map[*watchedConn]struct{}
	done bool
}

// maxAddresses is how many addresses of one host are tried.
const maxAddresses = 4

var errNoDoor = errors.New("the host gives no way out")

// notTCP is the refusal of sockets that are no network connection.
type notTCP struct{}

func (notTCP) Error() string   { return "only TCP leads out" }
func (notTCP) Forbidden() bool { return true }

func (d *door) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch {
	case network != "tcp":
		return nil, notTCP{}
	case d.dial == nil:
		return nil, errNoDoor
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &watchedConn{Conn: conn, door: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done {
		conn.Close()
		return nil, net.ErrClosed
	}
	if d.open == nil {
		d.open = make(map[*watchedConn]struct{})
	}
	d.open[w] = struct{}{}
	return w, nil
}

// lookupHost gives the first addresses of a host: each may cost a connection attempt.
func (d *door) lookupHost(ctx context.Context, host string) ([]string, error) {
	if d.resolve == nil {
		return nil, errNoDoor
	}
	addresses, err := d.resolve(ctx, host)
	return addresses[:min(len(addresses), maxAddresses)], err
}

// shut cuts what is open and lets nothing more through. pgx takes up to 15 s to part from a server that
// does not answer; nobody should wait for that.
func (d *door) shut() {
	d.mu.Lock()
	d.done = true
	open := d.open
	d.open = nil
	d.mu.Unlock()
	for w := range open {
		w.Conn.Close()
	}
}

type watchedConn struct {
	net.Conn
	door *door
}

// Close implements net.Conn.
func (w *watchedConn) Close() error {
	w.door.mu.Lock()
	delete(w.door.open, w)
	w.door.mu.Unlock()
	return w.Conn.Close()
}
