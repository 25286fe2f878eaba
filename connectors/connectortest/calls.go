package connectortest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"sidecard/connectors"
)

// call is one request over HTTP that a source made.
type call struct {
	method string
	url    string
	header http.Header
	body   string
	asked  bool // the limiter had let it pass
}

// same tells whether two calls ask the same.
func (c call) same(other call) bool {
	return c.method == other.method && c.url == other.url && c.body == other.body
}

// note keeps a request before it leaves. It gives a copy whose body can still be read.
func (h *host) note(r *http.Request) (*http.Request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("read what a source sends: %w", err)
		}
		r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	asked := h.limits.spend()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, call{method: r.Method, url: r.URL.String(), header: r.Header.Clone(), body: string(body), asked: asked})
	return r, nil
}

// made gives the calls since the last time it was asked.
func (h *host) made() []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}

// limiter counts the calls that a source asks leave for, and can run out.
type limiter struct {
	inner   connectors.Limiter // of the harness; may be nil
	buckets map[string]bool

	mu      sync.Mutex
	leaves  int  // calls that were let pass and not made yet
	bounded bool // left counts
	left    int
	odd     []string // buckets that the spec does not name
}

func newLimiter(limits []connectors.Limit) *limiter {
	l := &limiter{buckets: make(map[string]bool)}
	for _, limit := range limits {
		l.buckets[limit.Bucket] = true
	}
	return l
}

// Wait implements connectors.Limiter.
func (l *limiter) Wait(ctx context.Context, bucket string) error {
	if err := ctx.Err(); err != nil {
		return connectors.AsError(err)
	}
	if l.inner != nil {
		if err := l.inner.Wait(ctx, bucket); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.buckets[bucket] {
		l.odd = append(l.odd, bucket)
	}
	if l.bounded && l.left == 0 {
		return &connectors.Error{
			Class: connectors.RateLimited, Code: "host.limit", Message: "The limit of the source is reached.", Fix: "Wait a moment.", Bucket: bucket,
		}
	}
	l.left--
	l.leaves++
	return nil
}

// Learn implements connectors.Limiter.
func (l *limiter) Learn(limit connectors.Limit) {
	if l.inner != nil {
		l.inner.Learn(limit)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.buckets[limit.Bucket] {
		l.odd = append(l.odd, limit.Bucket)
	}
}

// only lets so many calls more pass.
func (l *limiter) only(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounded, l.left = true, n
}

// spend uses one leave up, if there is one.
func (l *limiter) spend() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaves == 0 {
		return false
	}
	l.leaves--
	return true
}

func (l *limiter) unknown() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.odd
}
