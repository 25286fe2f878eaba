package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/bench/stack"
	"sidecard/internal/livesupporti"
)

// callback is where a tenant's notifications go, for a row that plays LiveSupporti's sender itself.
type callback struct {
	url    string
	secret []byte
}

// callbackOf asks the tenant's desk.
func callbackOf(ctx context.Context, t *stack.Tenant) (callback, error) {
	client, _, err := t.SignIn(ctx)
	if err != nil {
		return callback{}, err
	}
	desk, err := client.Desk(ctx)
	if err != nil {
		return callback{}, fmt.Errorf("%s: read the desk: %w", t.Name, err)
	}
	return callback{url: desk.CallbackUrl, secret: []byte(t.Secret)}, nil
}

// notify sends a notification, signed. The answer's body has been read.
func (c callback) notify(ctx context.Context, client *http.Client, notification any) (status int, header http.Header, err error) {
	body, err := json.Marshal(notification)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", livesupporti.ContentType)
	req.Header.Set(livesupporti.SignatureHeader, livesupporti.Sign(body, c.secret))
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, resp.Header, errors.Join(err, resp.Body.Close())
}

// probes ask, over and over during an outage, what a sender and an orchestrator ask. What they send is signed, but no
// chat, so that it is in no agent's way.
type probes struct {
	run    *run
	to     callback
	client *http.Client
	number atomic.Int64
}

func (r *run) newProbes(ctx context.Context) (*probes, error) {
	to, err := callbackOf(ctx, r.tenants[0])
	// Each probe on a connection of its own, so that both apis are asked.
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return &probes{run: r, to: to, client: client}, err
}

// probeEvery is the time between two rounds of probes.
const probeEvery = 250 * time.Millisecond

// during probes for so long, round after round, and notes as figures what was answered.
func (p *probes) during(ctx context.Context, outage time.Duration) error {
	var rounds sync.WaitGroup
	defer rounds.Wait()
	for end := time.Now().Add(outage); time.Now().Before(end); {
		rounds.Go(func() { p.round(ctx) })
		if err := sleep(ctx, min(probeEvery, time.Until(end))); err != nil {
			return err
		}
	}
	return nil
}

func (p *probes) round(ctx context.Context) {
	p.run.count("probes", 1)
	began := time.Now()
	status, retryAfter := p.notification(ctx)
	if time.Since(began) > patience {
		p.run.count("answered_late", 1)
	}
	switch {
	case status != http.StatusServiceUnavailable:
		p.run.count("not_answered_503", 1)
	case retryAfter == "":
		p.run.count("without_retry_after", 1)
	}
	for _, program := range p.run.Programs() {
		if p.status(ctx, "http://"+program.Addr+"/livez") != http.StatusOK {
			p.run.count("not_live", 1)
		}
		if p.status(ctx, "http://"+program.Addr+"/readyz") != http.StatusServiceUnavailable {
			p.run.count("called_ready", 1)
		}
	}
}

// patience is how long a sender may have to wait until it is told to come again.
const patience = 2 * time.Second

func (p *probes) notification(ctx context.Context) (status int, retryAfter string) {
	probe := map[string]any{
		"Id": fmt.Sprintf("probe-%s-%d-%d", p.run.row.Name, p.run.seed, p.number.Add(1)), "Attempt": 1,
		"Notifications": []any{map[string]any{"Action": "Probe", "Data": map[string]any{}}},
	}
	status, header, err := p.to.notify(ctx, p.client, probe)
	if err != nil {
		return 0, ""
	}
	return status, header.Get("Retry-After")
}

func (p *probes) status(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	resp, err := p.client.Do(req)
	if err != nil || resp.Body.Close() != nil {
		return 0
	}
	return resp.StatusCode
}

// untilAccepted waits until one of LiveSupporti's notifications is accepted again, or none come any more, and notes how
// long that took; the longest counts.
func (r *run) untilAccepted(ctx context.Context) error {
	began := time.Now()
	for r.underLoad() && !r.ledger.acceptedSince(began) {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	r.highest("accepts_again_ms", milliseconds(time.Since(began)))
	return nil
}

// acceptedSince reports whether a notification that was sent since then was accepted.
func (l *ledger) acceptedSince(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.notices, func(n notice) bool { return n.accepted() && n.At.After(at) })
}

// forget deletes what PostgreSQL kept of probes whose answer it could no longer send: they are no chats of the row.
func (p *probes) forget(ctx context.Context) error {
	_, err := ask(ctx, p.run.Stack, func(conn *pgx.Conn) (int, error) {
		const probes = "select id from chats where ext_id like 'probe-%'"
		_, err := conn.Exec(ctx, "delete from outcomes where chat_id in ("+probes+"); delete from chats where id in ("+probes+")")
		return 0, err
	})
	return err
}

// highest keeps the highest value as a figure of the row.
func (r *run) highest(figure string, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures[figure] = max(r.figures[figure], value)
}

// honest says whether every probe of an outage of the database was answered as promised.
func honest(r *run, _ indexed) (broken []string) {
	for _, promise := range []struct{ figure, sentence string }{
		{"not_answered_503", "%.0f notifications were not answered 503 while the database was away"},
		{"answered_late", "%.0f notifications were answered after more than 2 s while the database was away"},
		{"without_retry_after", "%.0f answers 503 said not when to come again"},
		{"not_live", "%.0f times a program did not call itself live while the database was away"},
		{"called_ready", "%.0f times a program called itself ready while the database was away"},
	} {
		if n := r.figure(promise.figure); n > 0 {
			broken = append(broken, fmt.Sprintf(promise.sentence, n))
		}
	}
	if r.figure("probes") < 3 {
		broken = append(broken, "hardly a probe was sent, so nothing was proved")
	}
	return broken
}
