package postgres

import (
	"context"
	"net"
	"sync"

	"sidecard/connectors/reach"
)

// door leads pgx to the way out and remembers what is open.
type door struct {
	way *reach.Way

	mu   sync.Mutex
	open map[*watchedConn]struct{}
	done bool
}

func (d *door) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.way.Dial(ctx, network, address)
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
	d.way.Close()
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
