package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy forwards TCP connections to a server and breaks them on command, the way networks do. A fault lasts until Heal.
// All methods may be called from several goroutines.
type Proxy struct {
	addr, target string
	dials        context.Context
	stopDials    context.CancelFunc
	running      sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener  // nil while connections are refused
	flowing  chan struct{} // closed unless the traffic is frozen
	delay    time.Duration
	links    map[*link]struct{}
}

// link is one connection through the proxy. Its server is nil until that answers; it is set under the proxy's mutex.
type link struct {
	client, server *net.TCPConn
	broken         chan struct{}
	once           sync.Once
}

// NewProxy starts a proxy to the target ("host:port") that ends with the test.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	p, err := StartProxy(target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

// StartProxy starts a proxy to the target ("host:port") on a free port of 127.0.0.1. The caller closes it.
func StartProxy(target string) (*Proxy, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	flowing := make(chan struct{})
	close(flowing)
	dials, stop := context.WithCancel(context.Background())
	p := &Proxy{
		addr: localAddr(port), target: target, dials: dials, stopDials: stop,
		flowing: flowing, links: make(map[*link]struct{}),
	}
	return p, p.Heal()
}

// Addr returns the host and port to connect to instead of the target's.
func (p *Proxy) Addr() string { return p.addr }

// Cut resets all present connections (both ends see RST, not an orderly end). New ones work.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// Freeze stops the bytes in both directions: connections stay open, new ones are accepted, and nobody hears anything,
// as with a hung server or a lost route. What was sent meanwhile arrives after Thaw.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
		p.flowing = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
	default:
		close(p.flowing)
	}
}

// Delay holds back whatever is read from either side by this long before it goes on; 0 ends it.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Refuse resets all present connections and refuses new ones, as when the server's process is gone.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.Cut()
}

// Heal ends all faults. Connections that were cut stay cut. It fails if the port was taken during Refuse.
func (p *Proxy) Heal() error {
	p.Thaw()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = 0
	if p.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		return fmt.Errorf("open the proxy to %s: %w", p.target, err)
	}
	p.listener = listener
	p.running.Go(func() { p.accept(listener) })
	return nil
}

// Close cuts everything and returns when nothing of the proxy runs any more.
func (p *Proxy) Close() {
	p.stopDials()
	p.Refuse()
	p.running.Wait()
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed by Refuse or Close
		}
		p.running.Go(func() { p.forward(listener, client.(*net.TCPConn)) })
	}
}

func (p *Proxy) forward(listener net.Listener, client *net.TCPConn) {
	l := &link{client: client, broken: make(chan struct{})}
	defer l.reset() // does nothing to what ended in order

	p.mu.Lock()
	refused := p.listener != listener
	p.links[l] = struct{}{}
	p.mu.Unlock()
	defer p.forget(l)
	if refused || !p.dial(l) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { p.pump(l, l.client, l.server) })
	p.pump(l, l.server, l.client)
	back.Wait()
	l.client.Close()
	l.server.Close()
}

// dial connects to the target; it reports whether there is a connection on both sides then.
func (p *Proxy) dial(l *link) bool {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	server, err := dialer.DialContext(p.dials, "tcp", p.target)
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.server = server.(*net.TCPConn)
	select {
	case <-l.broken: // cut while we dialled
		abort(l.server)
		return false
	default:
		return true
	}
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// pump moves bytes one way until that way ends in order, or the connection breaks.
func (p *Proxy) pump(l *link, to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.hold(l) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				l.reset()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite() // if it is gone already, the other direction tells
			return
		}
		if err != nil {
			l.reset()
			return
		}
	}
}

// hold waits out the delay and the frost; it reports whether the connection is still whole.
func (p *Proxy) hold(l *link) bool {
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-l.broken:
		}
	}
	p.mu.Lock()
	flowing := p.flowing
	p.mu.Unlock()
	select {
	case <-flowing:
	case <-l.broken:
	}
	select {
	case <-l.broken:
		return false
	default:
		return true
	}
}

func (l *link) reset() {
	l.once.Do(func() {
		close(l.broken)
		abort(l.client)
		if l.server != nil {
			abort(l.server)
		}
	})
}

// abort closes the connection with RST: what is still unsent is thrown away.
func abort(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // only fails on a connection that is closed
	conn.Close()
}
