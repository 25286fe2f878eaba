package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"sidecard/connectors"
)

// patience is what a source may take when nothing is wrong, on a busy machine under the race detector.
const patience = 30 * time.Second

// unknown is nobody's address.
const unknown = "nobody.9f3c1e@visitor.example"

// host is what the suite hands to Open: the harness's ways out, watched.
type host struct {
	connectors.OpenInput
	log    *lockedBuffer
	limits *limiter

	mu    sync.Mutex
	uses  []string // ways out that were used, in words
	calls []call
}

// newHost wraps the ways out of the harness. Each edit may then replace some; the watch stays outermost.
func (h Harness) newHost(from func() connectors.OpenInput, settings connectors.Settings, edits ...func(*connectors.OpenInput)) *host {
	spec := h.Connector.Spec()
	on := &host{OpenInput: from(), log: &lockedBuffer{}, limits: newLimiter(spec.Limits)}
	if on.Token == nil && spec.OAuth != nil {
		on.Token = newSession(h.Login).give
	}
	for _, edit := range edits {
		edit(&on.OpenInput)
	}
	on.Settings = maps.Clone(settings)
	on.Log = slog.New(slog.NewJSONHandler(on.log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	on.limits.inner = on.Calls
	on.Calls = on.limits
	if on.Now == nil {
		on.Now = time.Now
	}
	on.watch()
	return on
}

func (h *host) watch() {
	dial, resolve, client := h.Dial, h.Resolve, h.HTTP
	if dial == nil {
		dial = func(context.Context, string, string) (net.Conn, error) { return nil, errNotGiven }
	}
	h.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		h.use("dial " + network + " " + address)
		return dial(ctx, network, address)
	}
	if resolve == nil {
		resolve = func(context.Context, string) ([]string, error) { return nil, errNotGiven }
	}
	h.Resolve = func(ctx context.Context, name string) ([]string, error) {
		h.use("resolve " + name)
		return resolve(ctx, name)
	}
	trip := func(*http.Request) (*http.Response, error) { return nil, errNotGiven }
	watched := &http.Client{}
	if client != nil {
		*watched = *client
		trip = http.DefaultTransport.RoundTrip
		if client.Transport != nil {
			trip = client.Transport.RoundTrip
		}
	}
	watched.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // as hosts do
	watched.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		h.use("request " + r.Method + " " + r.URL.Host)
		r, err := h.note(r)
		if err != nil {
			return nil, err
		}
		return trip(r)
	})
	h.HTTP = watched
}

func (h *host) use(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.uses = append(h.uses, what)
}

func (h *host) used() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.uses
}

// errNotGiven is what a way out answers that the harness left nil.
var errNotGiven = errors.New("the harness gives no such way out")

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// open opens a source on a fresh host.
func (h Harness) open(
	ctx context.Context, settings connectors.Settings, edits ...func(*connectors.OpenInput),
) (connectors.Source, *host, error) {
	return openOn(ctx, h.Connector, h.newHost(h.Host, settings, edits...))
}

// faulty brings the fault about and hands a source that has it to use.
func (h Harness) faulty(ctx context.Context, f Fault, use func(context.Context, connectors.Source, *host) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	on, end := h.faultyHost(f)
	defer end()
	src, _, err := openOn(ctx, h.Connector, on)
	if err != nil {
		return err
	}
	defer src.Close()
	return use(ctx, src, on)
}

// faultyHost is a host whose source fails until end is called.
func (h Harness) faultyHost(f Fault) (on *host, end func()) {
	from, settings := f.Host, f.Settings
	if from == nil {
		from = h.Host
	}
	if settings == nil && f.Break != nil {
		settings = h.Good
	}
	end = func() {}
	if f.Break != nil {
		end = f.Break()
	}
	return h.newHost(from, settings), end
}

func openOn(ctx context.Context, c connectors.Connector, on *host) (connectors.Source, *host, error) {
	src, err := c.Open(ctx, on.OpenInput)
	switch {
	case err != nil:
		return nil, on, fmt.Errorf("open: %w", err)
	case src == nil:
		return nil, on, errors.New("open gave neither a source nor an error")
	}
	return src, on, nil
}

// with opens a good source, hands it to use, and closes it.
func (h Harness) with(ctx context.Context, use func(context.Context, connectors.Source) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, _, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	err = use(ctx, src)
	if closeErr := src.Close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close: %w", closeErr))
	}
	return err
}

// find looks an address up and demands the match.
func find(ctx context.Context, src connectors.Source, q connectors.Query, want connectors.Match) (connectors.Result, error) {
	res, err := src.Lookup(ctx, q)
	if err != nil {
		return res, fmt.Errorf("lookup of %s: %w", excerpt(q.Email), err)
	}
	if res.Match != want {
		return res, fmt.Errorf("lookup of %s is %s, want %s", excerpt(q.Email), res.Match, want)
	}
	records := len(res.Records)
	fits := map[connectors.Match]bool{
		connectors.None: records == 0, connectors.Found: records == 1, connectors.Ambiguous: records >= 2,
	}
	if !fits[want] {
		return res, fmt.Errorf("lookup of %s is %s with %d records", excerpt(q.Email), res.Match, records)
	}
	if (res.MatchedOn == "") != (want == connectors.None) {
		return res, fmt.Errorf("lookup of %s is %s, matched on %q", excerpt(q.Email), res.Match, res.MatchedOn)
	}
	return res, nil
}

func excerpt(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%q… (%d bytes)", s[:60], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
