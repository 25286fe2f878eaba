package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sidecard/bench/stack"
	"sidecard/internal/livesupporti/livesupportitest"
)

// hostileFigures are what strangers who mean no good got, and what that cost.
type hostileFigures struct {
	Enumeration map[string]compared `json:"known_and_unknown_addresses"` // by operation
	BigBodies   bigBodies           `json:"big_bodies"`
	SlowClients slowClients         `json:"slow_clients"`
}

const (
	bigCallers, bigBytes = 50, 2 << 30
	slowCallers          = 2000
	slowMost             = 20 * time.Second // a slow connection is cut off within this
	healthyEvery         = 50 * time.Millisecond
	healthyRequests      = 200
)

// hostile plays those who look for accounts by the time of an answer, send bodies without end, and hold connections.
func hostile(ctx context.Context, o options) (any, error) {
	s, err := stack.Start(ctx, stack.Options{Live: livesupportitest.Options{}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Stop(false) }()
	tenants, err := s.AddTenants(ctx, o.Tenants)
	if err != nil {
		return nil, err
	}
	client, _, err := tenants[0].SignIn(ctx)
	if err != nil {
		return nil, err
	}
	desk, err := client.Desk(ctx)
	if err != nil {
		return nil, err
	}
	api := s.APIs[0]
	hook := "http://" + api.Addr + strings.TrimPrefix(desk.CallbackUrl, s.URL)
	f := hostileFigures{Enumeration: map[string]compared{}}
	var broken []error
	for name, of := range enumerations {
		f.Enumeration[name], err = compare(ctx, "http://"+api.Addr, tenants, of)
		broken = append(broken, err)
	}
	f.BigBodies, err = sendBigBodies(ctx, api, hook)
	broken = append(broken, err)
	f.SlowClients, err = holdConnections(ctx, api, hook)
	return f, errors.Join(append(broken, err)...)
}

// enumeration is an operation that must not tell who has an account.
type enumeration struct {
	path string
	each int // tries for each address: as many as pass at once
	asks func(email string, n int) map[string]string
}

var enumerations = map[string]enumeration{
	"sign_in": {path: "/api/v1/auth/signin", each: 5, asks: func(email string, n int) map[string]string {
		return map[string]string{"email": email, "password": fmt.Sprint("not the password ", n)}
	}},
	"reset": {path: "/api/v1/auth/reset", each: 1, asks: func(email string, _ int) map[string]string {
		return map[string]string{"email": email}
	}},
	"sign_up": {path: "/api/v1/auth/signup", each: 1, asks: func(email string, _ int) map[string]string {
		return map[string]string{"company": "Another", "name": "N", "email": email, "password": "eleven blue anchors 12"}
	}},
}

// compared is what an operation answered about known and unknown addresses.
type compared struct {
	Tries   int       `json:"tries_each"`
	Known   quantiles `json:"known"`
	Unknown quantiles `json:"unknown"`
	Ratio   float64   `json:"median_known_to_unknown"`
}

// compare asks about known and unknown addresses in turn. A promise is broken when the answers differ; the times are
// told.
func compare(ctx context.Context, base string, tenants []*stack.Tenant, e enumeration) (c compared, err error) {
	var times [2][]float64
	var answers [2]map[string]bool
	for n := range e.each {
		for i, t := range tenants {
			both := [2]string{t.Email, fmt.Sprintf("nobody%d@tenant%d.example", t.Number, t.Number)}
			for turn := range both {
				which := (i + n + turn) % 2 // neither is always the first
				email := both[which]
				took, answer, err := asked(ctx, base+e.path, e.asks(email, n))
				if err != nil {
					return c, err
				}
				times[which] = append(times[which], milliseconds(took))
				if answers[which] == nil {
					answers[which] = map[string]bool{}
				}
				answers[which][answer] = true
			}
		}
	}
	c = compared{Tries: len(times[0]), Known: quantilesOf(times[0]), Unknown: quantilesOf(times[1])}
	c.Ratio = c.Known.P50 / c.Unknown.P50
	if !maps.Equal(answers[0], answers[1]) || len(answers[0]) != 1 {
		return c, fmt.Errorf("%s answers known addresses with %v and unknown ones with %v", e.path, slices.Sorted(maps.Keys(answers[0])), slices.Sorted(maps.Keys(answers[1])))
	}
	return c, nil
}

// asked posts JSON, and gives how long the answer took and what it was, without what is its own.
func asked(ctx context.Context, url string, body any) (time.Duration, string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	began := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	var problem map[string]any
	if json.Unmarshal(said, &problem) == nil {
		delete(problem, "request_id")
		said, _ = json.Marshal(problem)
	}
	return time.Since(began), fmt.Sprintf("%d %s", answer.StatusCode, said), err
}

// bigBodies is what endless bodies got.
type bigBodies struct {
	Callers  int            `json:"callers"`
	Body     int64          `json:"bytes_each"`
	Sent     float64        `json:"mib_sent_in_all"`
	Answers  map[string]int `json:"answers"` // by status; "cut" when the connection ended first
	Before   float64        `json:"peak_mib_before"`
	Grew     float64        `json:"peak_mib_grew"`
	Promised float64        `json:"may_grow_mib"`
}

// endless is a body that says nothing about its length.
type endless struct {
	left int64
	sent *counter
}

type counter struct {
	mu sync.Mutex
	n  int64
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(n)
}

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.left))
	for i := range p[:n] {
		p[i] = '['
	}
	e.left -= int64(n)
	e.sent.add(n)
	return n, nil
}

// sendBigBodies sends bodies without a length to a callback URL and to the sign-in, all at once.
func sendBigBodies(ctx context.Context, api *stack.Program, hook string) (b bigBodies, err error) {
	b = bigBodies{Callers: bigCallers, Body: bigBytes, Answers: map[string]int{}, Promised: 64}
	if b.Before, err = api.PeakMiB(); err != nil {
		return b, err
	}
	var sent counter
	var mu sync.Mutex
	var all sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	for i := range bigCallers {
		url := hook
		if i%2 == 1 {
			url = "http://" + api.Addr + "/api/v1/auth/signin"
		}
		all.Go(func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, &endless{bigBytes, &sent})
			said := "cut"
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
				var answer *http.Response
				if answer, err = client.Do(r); err == nil {
					said = fmt.Sprint(answer.StatusCode)
					_ = answer.Body.Close()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			b.Answers[said]++
		})
	}
	all.Wait()
	after, err := api.PeakMiB()
	b.Grew, b.Sent = after-b.Before, float64(sent.n)/(1<<20)
	switch {
	case err != nil:
	case b.Answers["413"]+b.Answers["cut"] != bigCallers:
		err = fmt.Errorf("endless bodies were answered %v", b.Answers)
	case b.Grew > b.Promised:
		err = fmt.Errorf("endless bodies cost %.0f MiB", b.Grew)
	}
	return b, err
}

// slowClients is what connections got that send a byte now and then, and what others felt of it.
type slowClients struct {
	Callers   int       `json:"callers"`
	Before    quantiles `json:"healthy_before"`
	During    quantiles `json:"healthy_during"`
	Ratio     float64   `json:"p99_during_to_before"`
	Failed    int       `json:"healthy_failed"`
	CutOff    int       `json:"cut_off"`
	LongestMS float64   `json:"longest_ms"`
}

// holdConnections opens connections that send their headers, or their body, a byte every two seconds, and meanwhile
// asks as anybody would.
func holdConnections(ctx context.Context, api *stack.Program, hook string) (c slowClients, err error) {
	c.Callers = slowCallers
	if c.Before, c.Failed = healthy(ctx, hook); c.Failed > 0 {
		return c, fmt.Errorf("%d healthy requests failed before", c.Failed)
	}
	lasted := make([]time.Duration, slowCallers)
	var all sync.WaitGroup
	for i := range slowCallers {
		all.Go(func() { lasted[i] = hold(ctx, api.Addr, i%2 == 0) })
	}
	c.During, c.Failed = healthy(ctx, hook)
	all.Wait()
	c.Ratio = c.During.P99 / c.Before.P99
	longest := slices.Max(lasted)
	c.LongestMS = milliseconds(longest)
	for _, d := range lasted {
		if d > 0 && d <= slowMost {
			c.CutOff++
		}
	}
	if c.CutOff != slowCallers || c.Failed > 0 {
		return c, fmt.Errorf("%d of %d slow connections were cut off within %v, and %d healthy requests failed", c.CutOff, slowCallers, slowMost, c.Failed)
	}
	return c, nil
}

// hold sends a byte every two seconds until it is cut off, and gives how long that took; zero when it never got in.
func hold(ctx context.Context, addr string, header bool) time.Duration {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0
	}
	defer conn.Close()
	began := time.Now()
	said := "POST /api/v1/auth/signin HTTP/1.1\r\nHost: " + addr + "\r\n"
	if !header {
		said += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
	}
	if _, err := io.WriteString(conn, said); err != nil {
		return time.Since(began)
	}
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		_, _ = io.Copy(io.Discard, conn)
	}()
	drip := time.NewTicker(2 * time.Second)
	defer drip.Stop()
	for time.Since(began) < 2*slowMost {
		select {
		case <-ctx.Done():
			return 0
		case <-cut:
			return time.Since(began)
		case <-drip.C:
			if _, err := io.WriteString(conn, "x"); err != nil {
				return time.Since(began)
			}
		}
	}
	return time.Since(began)
}

// healthy asks as LiveSupporti does when a WebHook is saved, at a steady pace.
func healthy(ctx context.Context, hook string) (quantiles, int) {
	var ms []float64
	failed := 0
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	next := time.Now()
	for range healthyRequests {
		next = next.Add(healthyEvery)
		if sleepUntil(ctx, next) != nil {
			break
		}
		began := time.Now()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, hook+"?echo=here", nil)
		if err != nil {
			failed++
			continue
		}
		answer, err := client.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			failed++
		}
		if err == nil {
			_ = answer.Body.Close()
		}
		ms = append(ms, milliseconds(time.Since(began)))
	}
	return quantilesOf(ms), failed
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
