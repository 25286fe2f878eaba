package connectors

import (
	"context"
	"sync"
)

// Life counts who uses a source, so that Close can end them and wait. It is safe for concurrent use.
type Life struct {
	context context.Context // ends with the life
	cancel  context.CancelFunc

	mu    sync.Mutex
	over  bool
	users sync.WaitGroup // grows under mu while the life is not over, or from a user
}

// NewLife begins a life.
func NewLife() *Life {
	l := &Life{}
	l.context, l.cancel = context.WithCancel(context.Background())
	return l
}

// Begin registers a use, until end is called. The context that it gives ends with ctx and with the life. When that is
// over already, the answer is an *Error of class Canceled.
func (l *Life) Begin(ctx context.Context) (use context.Context, end func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil, nil, &Error{Class: Canceled, Code: "closed", Message: "The lookup was stopped."}
	}
	l.users.Add(1)
	use, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.context, cancel)
	return use, func() {
		stop()
		cancel()
		l.users.Done()
	}, nil
}

// Go runs something that others may wait for, too, and that may outlast the user who begins it. Its context ends with
// the life.
func (l *Life) Go(run func(ctx context.Context)) {
	l.users.Go(func() { run(l.context) })
}

// End ends all uses and waits for them. It may be called twice.
func (l *Life) End() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.cancel()
	l.users.Wait()
}
