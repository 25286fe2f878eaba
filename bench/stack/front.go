package stack

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Front is the one address at which callers reach all apis, as a load balancer is: each connection goes to the next api
// that takes it. It knows nothing of HTTP.
type Front struct {
	listener net.Listener
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	next  int
	doors []*door
}

// door leads to one api. The front's mutex guards it.
type door struct {
	addr    string
	shut    bool
	held    *Held
	waiting []chan struct{} // closed at the next bytes of a caller
}

// Held are answers of one api that do not get through; see Front.Hold.
type Held struct {
	// Caught is closed when the first answer has been held back.
	Caught <-chan struct{}

	caught, dropped chan struct{}
	once            sync.Once
}

func startFront(ctx context.Context) (*Front, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &Front{listener: l}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.running.Go(f.accept)
	return f, nil
}

// Addr is the host and port that callers connect to.
func (f *Front) Addr() string { return f.listener.Addr().String() }

func (f *Front) add(addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doors = append(f.doors, &door{addr: addr})
}

// Shut sends no new connections to an api, as is done before a deployment ends it. Open takes it in again.
func (f *Front) Shut(api int) { f.set(api, true) }

// Open ends Shut.
func (f *Front) Open(api int) { f.set(api, false) }

func (f *Front) set(api int, shut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doors[api].shut = shut
}

// NextRequest returns a channel that is closed when a caller's next bytes are on their way to an api.
func (f *Front) NextRequest(api int) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan struct{})
	f.doors[api].waiting = append(f.doors[api].waiting, c)
	return c
}

// Hold holds back all answers of an api from now on, until they are dropped.
func (f *Front) Hold(api int) *Held {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &Held{caught: make(chan struct{}), dropped: make(chan struct{})}
	h.Caught = h.caught
	f.doors[api].held = h
	return h
}

// Drop lets the api's answers through again and resets the connections whose answers were held back.
func (f *Front) Drop(api int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.doors[api].held; h != nil {
		close(h.dropped)
		f.doors[api].held = nil
	}
}

func (f *Front) close() {
	f.cancel()
	_ = f.listener.Close()
	f.running.Wait()
}

func (f *Front) accept() {
	for {
		caller, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() { f.forward(caller.(*net.TCPConn)) })
	}
}

// forward connects a caller to the first api that takes the connection; when none does it is reset.
func (f *Front) forward(caller *net.TCPConn) {
	for _, d := range f.turn() {
		dialer := net.Dialer{Timeout: 2 * time.Second}
		conn, err := dialer.DialContext(f.ctx, "tcp", d.addr)
		if err != nil {
			continue
		}
		f.relay(d, caller, conn.(*net.TCPConn))
		return
	}
	abort(caller)
}

// turn lists the open doors, beginning with the one whose turn it is.
func (f *Front) turn() []*door {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	var open []*door
	for i := range f.doors {
		if d := f.doors[(f.next+i)%len(f.doors)]; !d.shut {
			open = append(open, d)
		}
	}
	return open
}

func (f *Front) relay(d *door, caller, api *net.TCPConn) {
	stop := context.AfterFunc(f.ctx, func() { abort(caller); abort(api) })
	defer stop()
	var back sync.WaitGroup
	back.Go(func() { pump(api, caller, func() bool { f.asked(d); return true }) })
	pump(caller, api, func() bool { return f.answered(d) })
	back.Wait()
	_ = caller.Close()
	_ = api.Close()
}

// asked tells who waits for a caller's bytes.
func (f *Front) asked(d *door) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range d.waiting {
		close(c)
	}
	d.waiting = nil
}

// answered waits while answers are held back; false when this one was dropped.
func (f *Front) answered(d *door) bool {
	f.mu.Lock()
	h := d.held
	f.mu.Unlock()
	if h == nil {
		return true
	}
	h.once.Do(func() { close(h.caught) })
	select {
	case <-h.dropped:
	case <-f.ctx.Done():
	}
	return false
}

// pump moves bytes one way until that way ends in order, or something breaks: then both connections are reset.
func pump(to, from *net.TCPConn, pass func() bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !pass() {
			err = net.ErrClosed
		} else if n > 0 {
			if _, writeErr := to.Write(buffer[:n]); writeErr != nil {
				err = writeErr
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite()
			return
		case err != nil:
			abort(from)
			abort(to)
			return
		}
	}
}

// abort closes a connection with RST.
func abort(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
