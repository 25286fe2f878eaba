package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"sidecard/connectors"
)

const (
	deadline = 250 * time.Millisecond
	slack    = 750 * time.Millisecond // the race detector on a busy machine; a connector that ignores time needs seconds
)

// hang is a way in which a source stops answering.
type hang struct {
	name string
	edit func(*connectors.OpenInput)
}

// hangs lists where the ways out of the kind can stop. The stopped goroutines end with the connection, the
// request's context or the suite's.
func (h Harness) hangs(ctx context.Context) []hang {
	stuck := []hang{{"rows", func(in *connectors.OpenInput) {
		if in.Rows != nil {
			in.Rows = stuckRows{}
		}
	}}}
	if h.Offline {
		return stuck
	}
	stuck = append(stuck,
		hang{"resolving", func(in *connectors.OpenInput) {
			in.Resolve = func(ctx context.Context, _ string) ([]string, error) { return nil, untilDone(ctx) }
		}},
		hang{"connecting", func(in *connectors.OpenInput) {
			in.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, untilDone(ctx) }
			in.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, untilDone(r.Context())
			})}
		}},
	)
	for _, after := range []int64{0, 1, 100, 500} {
		stuck = append(stuck, hang{fmt.Sprintf("answering after %d bytes", after), func(in *connectors.OpenInput) {
			if in.Dial != nil {
				in.Dial = tap(ctx, in.Dial, after)
			}
			if in.HTTP != nil {
				in.HTTP = tapHTTP(in.HTTP, after)
			}
		}})
	}
	return stuck
}

// eachHang runs the same for all of them at once, since each takes as long as the deadline.
func (h Harness) eachHang(ctx context.Context, run func(hang) error) error {
	hangs := h.hangs(ctx)
	broken := make([]error, len(hangs))
	var all sync.WaitGroup
	for i, stuck := range hangs {
		all.Go(func() {
			if err := run(stuck); err != nil {
				broken[i] = fmt.Errorf("hanging while %s: %w", stuck.name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(broken...)
}

func deadlineIsKept(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ask := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, deadline)
	}
	return h.eachHang(ctx, func(stuck hang) error { return endsInTime(ctx, h, stuck, ask, connectors.Transient) })
}

func cancelIsObeyed(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ask := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		timer := time.AfterFunc(deadline, cancel)
		return ctx, func() { timer.Stop(); cancel() }
	}
	return h.eachHang(ctx, func(stuck hang) error { return endsInTime(ctx, h, stuck, ask, connectors.Canceled) })
}

// endsInTime looks up and checks at a hanging source. Either may succeed, when the source hangs later than
// they need it; if not they end in time and say why.
func endsInTime(
	ctx context.Context, h Harness, stuck hang,
	ask func(context.Context) (context.Context, context.CancelFunc), class connectors.Class,
) error {
	src, _, err := h.open(ctx, h.Good, stuck.edit)
	if err != nil {
		return err
	}
	timed := func(what string, run func(context.Context) error) error {
		asked, done := ask(ctx)
		defer done()
		start := time.Now()
		err := run(asked)
		if took := time.Since(start); took > deadline+slack {
			return errors.Join(fmt.Errorf("%s took %s with a deadline of %s", what, took, deadline), err)
		}
		return err
	}
	return errors.Join(
		timed("lookup", func(ctx context.Context) error {
			if _, err := src.Lookup(ctx, connectors.Query{Email: unknown}); err != nil {
				return isError(err, class)
			}
			return nil
		}),
		timed("check", func(ctx context.Context) error {
			report, err := src.Check(ctx)
			if err == nil && !report.OK() {
				err = stepsAreInWords(report)
			}
			if ctx.Err() != nil {
				return nil // its error is for a context that ended, and this one did
			}
			return err
		}),
		inTime("close", src.Close),
	)
}

// inTime runs something that has no context of its own.
func inTime(what string, run func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(deadline + slack):
		return fmt.Errorf("%s took longer than %s", what, deadline+slack)
	}
}

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

type stuckRows struct{}

func (stuckRows) FindRows(ctx context.Context, _ string, _ int) ([]map[string]string, error) {
	return nil, untilDone(ctx)
}

func (stuckRows) Columns(ctx context.Context) ([]string, error) { return nil, untilDone(ctx) }

// tap connects, and lets that many bytes of the answer through before it falls silent.
func tap(
	ctx context.Context, dial connectors.DialFunc, after int64,
) connectors.DialFunc {
	return func(dialCtx context.Context, network, address string) (net.Conn, error) {
		far, err := dial(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		near, end := net.Pipe()
		var both sync.WaitGroup
		both.Go(func() {
			_, _ = io.Copy(far, end) // ends when the connector closes
			far.Close()
		})
		both.Go(func() {
			_, _ = io.CopyN(end, far, after)
			_, _ = io.Copy(io.Discard, far)
		})
		stop := context.AfterFunc(ctx, func() { end.Close() })
		go func() {
			both.Wait()
			stop()
			end.Close()
		}()
		return near, nil
	}
}

// tapHTTP lets that many bytes of an answer's body through before it falls silent.
func tapHTTP(client *http.Client, after int64) *http.Client {
	tapped := *client
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	tapped.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		resp.Body = &stuckBody{Reader: io.LimitReader(resp.Body, after), closer: resp.Body, ctx: r.Context()}
		return resp, nil
	})
	return &tapped
}

type stuckBody struct {
	io.Reader
	closer io.Closer
	ctx    context.Context // the request's: reading a body ends with it
}

func (b *stuckBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		return n, untilDone(b.ctx)
	}
	return n, err
}

func (b *stuckBody) Close() error { return b.closer.Close() }
