package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"sidecard/connectors"
)

const (
	// maxBody is the longest answer in bytes, after decompression. The list of a large account's properties takes two
	// megabytes.
	maxBody = 8 << 20
	// maxRefusal is how much is read of an answer that is no success.
	maxRefusal = 64 << 10
)

// question is one call of the API. All of them read, though some do so by POST.
type question struct {
	path  string
	query url.Values
	body  any    // nil asks by GET
	scope string // what HubSpot demands for it
	what  string // is read, for people: "companies"
}

// ask makes one call and decodes its answer. All errors are of the connector's own kind.
func (s *source) ask(ctx context.Context, q question, into any) error {
	token, err := s.token(ctx)
	if err != nil {
		return connectors.AsError(err)
	}
	r, err := s.request(ctx, q, token)
	if err != nil {
		return err
	}
	if err := s.calls.Wait(ctx, burst.Bucket); err != nil {
		return connectors.AsError(err)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return networkFailure(ctx, err)
	}
	defer resp.Body.Close()
	s.learn(resp.Header)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what is cut off only tells less
		if ctx.Err() != nil {
			return connectors.AsError(ctx.Err())
		}
		return s.refusal(q, resp, body)
	}
	body, err := readBody(ctx, resp)
	if err != nil {
		return err
	}
	if err := decode(body, into); err != nil {
		return undecoded(resp, body, err)
	}
	return nil
}

func (s *source) request(ctx context.Context, q question, token string) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if q.body != nil {
		raw, err := json.Marshal(q.body)
		if err != nil {
			return nil, unexpected(fmt.Errorf("encode a question: %T", err))
		}
		method, body = http.MethodPost, bytes.NewReader(raw)
	}
	target := s.api + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, unexpected(fmt.Errorf("make a request: %T", err))
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("User-Agent", "Sidecard")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// learn tells the host what HubSpot says about its limit (X-HubSpot-RateLimit headers [doc]). The limit of a day is not
// learnt: the account shares it with programs that Sidecard does not see.
func (s *source) learn(h http.Header) {
	calls, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Max"))
	if err != nil || calls < 1 || calls > 100_000 {
		return
	}
	ms, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Interval-Milliseconds"))
	if err != nil || ms < 100 || ms > 60_000 {
		return
	}
	s.calls.Learn(connectors.Limit{Bucket: burst.Bucket, Calls: calls, Per: time.Duration(ms) * time.Millisecond})
}

var (
	errTooLarge = errors.New("the answer is too large")
	errPacked   = errors.New("the answer is compressed in a way nobody asked for")
	errCut      = errors.New("the answer broke off")
)

// readBody reads an answer's body up to the bound.
func readBody(ctx context.Context, resp *http.Response) ([]byte, error) {
	if resp.Header.Get("Content-Encoding") != "" { // what the client asked for, it has undone
		return nil, unexpected(errPacked)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case len(body) > maxBody:
		e := unexpected(errTooLarge)
		e.Code, e.Message = "hubspot.too_large", "The answer of HubSpot is larger than 8 MB."
		e.Fix = "Show fewer fields."
		return nil, e
	case err != nil && ctx.Err() != nil:
		return nil, connectors.AsError(ctx.Err())
	case err != nil:
		return nil, transient("broken_off", "The answer of HubSpot broke off.", again, errCut)
	}
	return body, nil
}
