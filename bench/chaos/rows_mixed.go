package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sidecard/internal/livesupporti/livesupportitest"
)

var mixedRows = []row{
	{
		Name: "MIX", What: "Everything at once: apis, workers, Redis and PostgreSQL are killed or frozen while 2 % of the posts are refused for now.",
		Chats: 2000, Rate: 100, Trouble: everythingAtOnce, Duplicates: mixedDuplicates, Settle: 2 * time.Minute,
	},
}

// fault is one thing to break at a share of the load, from 0 to 1. Faults of one kind come one after the other.
type fault struct {
	at   float64
	kind *sync.Mutex
	do   func(context.Context) error
}

// everythingAtOnce breaks each thing once for every 5,000 chats, at moments drawn before it begins.
func everythingAtOnce(ctx context.Context, r *run) error {
	refusing := livesupportitest.Fault{
		Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeStatus, Status: http.StatusServiceUnavailable, Percent: 2,
	}
	if err := r.Live.Misbehave(refusing); err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, f := range r.everything() {
		all.Go(func() error {
			if err := r.at(ctx, f.at); err != nil {
				return err
			}
			f.kind.Lock()
			defer f.kind.Unlock()
			return f.do(ctx)
		})
	}
	return all.Wait()
}

// everything draws the faults.
func (r *run) everything() []fault {
	var apis, workers, redis, database sync.Mutex
	var faults []fault
	add := func(kind *sync.Mutex, do func(context.Context) error) {
		faults = append(faults, fault{at: 0.05 + 0.75*r.random.Float64(), kind: kind, do: do})
	}
	for range max(1, r.chats/5000) {
		api, dead, frozen := r.random.IntN(len(r.APIs)), r.random.IntN(len(r.Workers)), r.random.IntN(len(r.Workers))
		away := r.between(300*time.Millisecond, time.Second)
		add(&apis, func(ctx context.Context) error {
			return r.dieFor(ctx, away, func() error { return r.killAPI(api) }, r.APIs[api].Start)
		})
		add(&workers, func(ctx context.Context) error {
			return r.dieFor(ctx, away, func() error { return r.killWorker(dead) }, r.Workers[dead].Start)
		})
		add(&workers, func(ctx context.Context) error {
			return r.dieFor(ctx, 9*time.Second, func() error { return r.freezeWorker(frozen) }, func(context.Context) error { return r.thawWorker(frozen) })
		})
		add(&redis, r.flushRedis)
		add(&redis, func(ctx context.Context) error {
			return r.dieFor(ctx, 2*time.Second, r.breaking("kill redis", r.Redis.Kill), r.Redis.Restart)
		})
		add(&redis, func(ctx context.Context) error {
			return r.dieFor(ctx, 3*time.Second, r.breaking("freeze redis", r.Redis.Freeze), func(context.Context) error { return r.Redis.Thaw() })
		})
	}
	add(&database, func(ctx context.Context) error { return r.databaseAway(ctx, 0) })
	return faults
}

// dieFor breaks something, waits, and heals it.
func (r *run) dieFor(ctx context.Context, away time.Duration, die func() error, live func(context.Context) error) error {
	if err := die(); err != nil {
		return err
	}
	if err := sleep(ctx, away); err != nil {
		return err
	}
	if err := live(ctx); err != nil {
		return err
	}
	r.count("faults", 1)
	r.healed()
	return nil
}

// breaking notes what is about to be broken.
func (r *run) breaking(what string, f func() error) func() error {
	return func() error {
		r.breaks(what)
		return f()
	}
}

// flushRedis deletes all that Redis holds.
func (r *run) flushRedis(ctx context.Context) (err error) {
	r.breaks("flush redis")
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", r.Redis.Addr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "FLUSHALL\r\n"); err != nil {
		return err
	}
	answer := make([]byte, len("+OK"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "+OK" {
		return fmt.Errorf("FLUSHALL answered %q: %w", answer, errors.Join(err, errFlush))
	}
	r.count("flushes", 1)
	r.healed()
	return nil
}

var errFlush = errors.New("redis was not emptied")

// mixedDuplicates bounds what kills and freezes may cost. That each duplicate comes from one of them is checked apart.
func mixedDuplicates(r *run) int {
	return inFlight * int(r.figure("worker_kills")+r.figure("worker_freezes"))
}
