package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sidecard/connectors"
)

// metadata is where clouds keep their machines' secrets: what every redirect of an attacker points at.
const metadata = "169.254.169.254"

// answer is what some server says in place of the source. The suite gives it to kinds that ask over HTTP.
type answer struct {
	name        string
	status      int
	contentType string
	header      map[string]string
	body        string
	classes     []connectors.Class // one of them; empty = it may also be nobody, but never somebody
	least       time.Duration      // of RetryAfter
	most        time.Duration      // of RetryAfter; 0 = any up to a day
}

func answers(now time.Time) []answer {
	const html, json = "text/html; charset=utf-8", "application/json"
	page := "<!doctype html><html><title>Sign in</title><p>Please sign in.</html>"
	unclear := []connectors.Class{connectors.Misconfigured, connectors.Transient, connectors.Bug}
	transient := []connectors.Class{connectors.Transient}
	limited := []connectors.Class{connectors.RateLimited}
	later := func(v string) map[string]string { return map[string]string{"Retry-After": v} }
	return []answer{
		{name: "a web page", status: 200, contentType: html, body: page, classes: unclear},
		{name: "a web page that says it is JSON", status: 200, contentType: json, body: page, classes: unclear},
		{name: "half an answer", status: 200, contentType: json, body: `{"results": [{"email": "an`, classes: unclear},
		{name: "no content", status: 204},
		{name: "an error with status 200", status: 200, contentType: json, body: `{"errors": [{"message": "no"}]}`},
		{name: "a list of errors", status: 200, contentType: json, body: `[{"errorCode": "NO", "message": "no"}]`},
		{name: "null", status: 200, contentType: json, body: `null`},
		{
			name: "a refusal", status: 401, contentType: json, body: `{}`,
			classes: []connectors.Class{connectors.AuthRevoked, connectors.AuthExpired, connectors.Misconfigured},
		},
		{name: "trouble", status: 500, contentType: json, body: `{}`, classes: transient},
		{name: "a gateway's page", status: 502, contentType: html, body: page, classes: transient},
		{name: "a pause", status: 503, contentType: html, header: later("7"), body: page, classes: append(transient, connectors.RateLimited)},
		{name: "too many, seconds", status: 429, contentType: json, header: later("7"), body: `{}`, classes: limited, least: 7 * time.Second, most: time.Minute},
		{
			name: "too many, a date", status: 429, contentType: json, header: later(now.Add(30 * time.Second).UTC().Format(http.TimeFormat)),
			body: `{}`, classes: limited, least: 20 * time.Second, most: time.Minute,
		},
		{name: "too many, no time", status: 429, contentType: json, body: `{}`, classes: limited, most: time.Hour},
		{
			name: "too many, a date that passed", status: 429, contentType: json, header: later("Wed, 21 Oct 2015 07:28:00 GMT"),
			body: `{}`, classes: limited, most: time.Minute,
		},
		{name: "too many, ten hours", status: 429, contentType: json, header: later("36000"), body: `{}`, classes: limited},
		{name: "too many, junk", status: 429, contentType: json, header: later("-1e99 soon"), body: `{}`, classes: limited, most: time.Hour},
		{
			name: "a way to the machine's secrets", status: 302, header: map[string]string{"Location": "http://" + metadata + "/latest/meta-data/"},
			classes: append(unclear, connectors.AuthRevoked), // many a server sends who is not signed in to a page
		},
	}
}

func (a answer) response(r *http.Request) *http.Response {
	header := make(http.Header)
	if a.contentType != "" {
		header.Set("Content-Type", a.contentType)
	}
	for name, v := range a.header {
		header.Set(name, v)
	}
	return &http.Response{
		StatusCode: a.status, Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}
}

// eachAnswer looks Known up at each of the servers above, and hands on what came of it.
func (h Harness) eachAnswer(ctx context.Context, use func(answer, *host, error) error) error {
	in := h.Host()
	if in.HTTP == nil {
		return nil
	}
	now := time.Now()
	if in.Now != nil {
		now = in.Now()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var broken []error
	for _, a := range answers(now) {
		src, on, err := h.open(ctx, h.Good, func(in *connectors.OpenInput) {
			in.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return a.response(r), nil })}
		})
		if err != nil {
			return err
		}
		res, err := src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
		if err == nil && res.Match != connectors.None {
			broken = append(broken, fmt.Errorf("%s: somebody is %s", a.name, res.Match))
		}
		if err := errors.Join(use(a, on, err), src.Close()); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	return errors.Join(broken...)
}

func answersAreJudged(ctx context.Context, h Harness) error {
	return h.eachAnswer(ctx, func(a answer, _ *host, err error) error { return a.judged(err) })
}

// judged demands that a lookup made the right thing of the answer.
func (a answer) judged(err error) error {
	if err == nil {
		if len(a.classes) > 0 {
			return errors.New("it passes for an answer: nobody is known")
		}
		return nil
	}
	e := connectors.AsError(err)
	if err := isError(err, e.Class); err != nil {
		return err
	}
	most := a.most
	if most == 0 {
		most = 24 * time.Hour
	}
	switch {
	case len(a.classes) > 0 && !slices.Contains(a.classes, e.Class):
		return fmt.Errorf("class %q, want one of %q: %w", e.Class, a.classes, err)
	case e.RetryAfter < a.least || e.RetryAfter > most:
		return fmt.Errorf("ask again after %s, want %s to %s", e.RetryAfter, a.least, most)
	}
	return nil
}

func redirectsAreNotFollowed(ctx context.Context, h Harness) error {
	return h.eachAnswer(ctx, func(_ answer, on *host, _ error) error {
		for _, c := range on.made() {
			if strings.Contains(c.url, metadata) {
				return errors.New("a redirect was followed to " + metadata)
			}
		}
		return nil
	})
}

// cutsAreNoticed has answers end too early, as when a server dies. A part of one never passes for the whole.
func cutsAreNoticed(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var broken []error
	for _, after := range []int64{0, 1, 5, 20, 60, 150, 400, 1000, 2500} {
		src, _, err := h.open(ctx, h.Good, cutAfter(after))
		if err != nil {
			return err
		}
		res, err := src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
		switch {
		case err != nil:
			err = isError(err, connectors.AsError(err).Class)
		case res.Match != connectors.Found || len(res.Records) != 1:
			err = fmt.Errorf("somebody known is %s", res.Match)
		case len(res.Partial) == 0:
			err = holds(res.Records[0], h.Known.Record)
		}
		if err := errors.Join(err, src.Close()); err != nil {
			broken = append(broken, fmt.Errorf("an answer that ends after %d bytes: %w", after, err))
		}
	}
	return errors.Join(broken...)
}

// cutAfter ends each connection, and each answer over HTTP, after so many bytes.
func cutAfter(after int64) func(*connectors.OpenInput) {
	return func(in *connectors.OpenInput) {
		if dial := in.Dial; dial != nil {
			in.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &cutConn{Conn: conn, rest: io.LimitReader(conn, after)}, nil
			}
		}
		if in.HTTP != nil {
			in.HTTP = withBodies(in.HTTP, func(body []byte) io.Reader {
				if int64(len(body)) <= after {
					return bytes.NewReader(body)
				}
				return io.MultiReader(bytes.NewReader(body[:after]), brokenOff{})
			})
		}
	}
}

// brokenOff is what net/http reads of a body when the connection ends in the middle.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type cutConn struct {
	net.Conn
	rest io.Reader
}

func (c *cutConn) Read(p []byte) (int, error) { return c.rest.Read(p) }

// withBodies changes the bodies of answers. How long they are is not told.
func withBodies(client *http.Client, change func([]byte) io.Reader) *http.Client {
	changed := *client
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	changed.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		resp.Body, resp.ContentLength = io.NopCloser(change(body)), -1
		resp.Header.Del("Content-Length")
		return resp, nil
	})
	return &changed
}

// damageDoesNoHarm changes bytes of answers over HTTP, the same way in every run. What comes of it may be wrong, but it
// is an answer or an error.
func damageDoesNoHarm(ctx context.Context, h Harness) error {
	if h.Host().HTTP == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var broken []error
	for seed := range uint64(100) {
		damage := damager(seed)
		src, _, err := h.open(ctx, h.Good, func(in *connectors.OpenInput) { in.HTTP = withBodies(in.HTTP, damage) })
		if err != nil {
			return err
		}
		res, err := src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
		if err != nil {
			err = isError(err, connectors.AsError(err).Class)
		} else {
			err = sane(res)
		}
		if err := errors.Join(err, src.Close()); err != nil {
			broken = append(broken, fmt.Errorf("damage %d: %w", seed, err))
		}
	}
	return errors.Join(broken...)
}

// damager overwrites, drops or doubles a few bytes.
func damager(seed uint64) func([]byte) io.Reader {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1)) // the same damage in every run
	return func(body []byte) io.Reader {
		mu.Lock()
		defer mu.Unlock()
		const syntax = `{}[]",:0-eE.\untf` + "\x00\xff"
		for range 1 + random.IntN(3) {
			if len(body) == 0 {
				break
			}
			at := random.IntN(len(body))
			switch random.IntN(3) {
			case 0:
				body[at] = syntax[random.IntN(len(syntax))]
			case 1:
				body = slices.Delete(body, at, min(at+1+random.IntN(8), len(body)))
			default:
				body = slices.Insert(body, at, body[at:min(at+1+random.IntN(8), len(body))]...)
			}
		}
		return bytes.NewReader(body)
	}
}
