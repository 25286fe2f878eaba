package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sidecard/bench/stack"
	"sidecard/internal/livesupporti/livesupportitest"
)

// run is one row under way: what its functions have in hand.
type run struct {
	*stack.Stack
	row     row
	seed    uint64
	chats   int // to begin
	rate    int // a second
	hold    time.Duration
	tenants []*stack.Tenant // whose chats these are
	// Of a slow row: tenants beside the slow ones, and the database that the slow ones ask.
	neighbours []*stack.Tenant
	shop       *stack.Shop
	ledger     *ledger
	random     *rand.Rand // for Trouble alone; functions that it starts at once draw theirs before
	began      time.Time
	loaded     chan struct{} // closed when all chats have begun
	events     *slog.Logger  // what was broken and healed, and when

	mu       sync.Mutex
	figures  map[string]float64
	trouble  []span
	hung     span // when lookups hung
	healedAt time.Time

	awaySince, backSince time.Time // of the database
	number               int       // of the latest chat
}

// play loads and breaks at the same time.
func (r *run) play(ctx context.Context) error {
	r.began = time.Now()
	load := r.row.Load
	if load == nil {
		load = func(ctx context.Context, r *run) error { return r.steady(ctx) }
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		defer close(r.loaded)
		return load(ctx, r)
	})
	if r.row.Trouble != nil {
		both.Go(func() error { return r.row.Trouble(ctx, r) })
	}
	return both.Wait()
}

// steady begins the row's chats at its rate, each of a visitor of its own, over all tenants.
func (r *run) steady(ctx context.Context) error {
	return r.paced(ctx, r.chats, func(ctx context.Context, i int) error {
		return r.chat(ctx, r.tenants[i%len(r.tenants)], r.visitor(i), i)
	})
}

// paced calls f n times at the row's rate, whatever the answers are.
func (r *run) paced(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	began := time.Now()
	for i := range n {
		if err := sleepUntil(ctx, began.Add(time.Duration(i)*time.Second/time.Duration(r.rate))); err != nil {
			return err
		}
		if err := f(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// visitor names a visitor of this run: nobody else in it, nor in another row or seed, has the name.
func (r *run) visitor(i int) string { return fmt.Sprintf("%s-%d-%06d", r.row.Name, r.seed, i) }

// chat begins one chat of a visitor with one of the addresses that all tenants know.
func (r *run) chat(ctx context.Context, t *stack.Tenant, visitor string, address int) error {
	return r.chatsAtOnce(ctx, t, livesupportitest.Visitor{ID: visitor, Email: stack.Address(address)})
}

// chatsAtOnce begins chats in one notification. Each gets an agent of its own, so that details name their chat.
func (r *run) chatsAtOnce(ctx context.Context, t *stack.Tenant, visitors ...livesupportitest.Visitor) error {
	r.mu.Lock()
	for i := range visitors {
		r.number++
		visitors[i].AgentID = fmt.Sprintf("agent-%d", r.number)
	}
	r.mu.Unlock()
	chats, err := r.Live.StartChats(ctx, t.Account, visitors...)
	if err != nil {
		return fmt.Errorf("start a chat: %w", err)
	}
	for i, c := range chats {
		r.ledger.began(t.Number, c, i)
	}
	return nil
}

// length is how long the load takes.
func (r *run) length() time.Duration {
	return time.Duration(r.chats) * time.Second / time.Duration(r.rate)
}

// at waits until a share of the load, from 0 to 1, has begun.
func (r *run) at(ctx context.Context, share float64) error {
	return sleepUntil(ctx, r.began.Add(time.Duration(share*float64(r.length()))))
}

// underLoad reports whether chats still begin.
func (r *run) underLoad() bool {
	select {
	case <-r.loaded:
		return false
	default:
		return true
	}
}

// between draws a duration.
func (r *run) between(low, high time.Duration) time.Duration {
	return low + time.Duration(r.random.Int64N(int64(high-low)+1))
}

// count adds to a figure of the row.
func (r *run) count(figure string, n float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures[figure] += n
}

func (r *run) figure(name string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.figures[name]
}

// mayRepeat notes that posts made at that time may rightly be made again. Without any such note no duplicate has to
// be explained by the time of its first post.
func (r *run) mayRepeat(from, to time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = append(r.trouble, span{from, to})
}

// healed notes that a fault is over now.
func (r *run) healed() {
	r.events.Info("healed", "row", r.row.Name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.healedAt = time.Now()
}

// crashWindow is how long before its end a worker may have posted without telling the database: the post, and the
// group commit of its result, on a busy machine.
const crashWindow = time.Second

// inFlight is how many chats a worker may have posted without telling the database, at the rates of these rows on two
// busy processors.
const inFlight = 10

// databaseAway kills the database and starts it again. What workers post meanwhile they cannot tell it.
func (r *run) databaseAway(ctx context.Context, away time.Duration) error {
	r.mu.Lock()
	r.awaySince = time.Now()
	r.mu.Unlock()
	err := r.dieFor(ctx, away, r.breaking("kill postgres", r.Postgres.Kill), r.Postgres.Restart)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.backSince = time.Now()
	return err
}

// untold is since when a worker that is broken now may have posts that the database does not know of.
func (r *run) untold(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if away := r.awaySince; !away.IsZero() && (r.backSince.Before(away) || now.Sub(r.backSince) < crashWindow) {
		return away.Add(-crashWindow)
	}
	return now.Add(-crashWindow)
}

// breaks notes that something is broken now, for whoever reads the logs.
func (r *run) breaks(what string) { r.events.Info("breaks", "row", r.row.Name, "what", what) }

// killWorker kills a worker and notes what it may have left undone.
func (r *run) killWorker(i int) error {
	at := time.Now()
	r.breaks("kill " + r.Workers[i].Name)
	if err := r.Workers[i].Kill(); err != nil {
		return err
	}
	r.count("worker_kills", 1)
	r.mayRepeat(r.untold(at), time.Now())
	return nil
}

// killAPI kills an api.
func (r *run) killAPI(i int) error {
	r.breaks("kill " + r.APIs[i].Name)
	if err := r.APIs[i].Kill(); err != nil {
		return err
	}
	r.count("api_kills", 1)
	return nil
}

// start starts a program again and notes that it is healed.
func (r *run) start(ctx context.Context, p *stack.Program) error {
	if err := p.Start(ctx); err != nil {
		return err
	}
	r.healed()
	return nil
}

// tooBusy reports whether the machine has so much to do that how long things took says nothing about Sidecard: more
// than four processes that want to run for each processor, on average over the last minute.
func (r *run) tooBusy() bool {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return false // no Linux: then it is a developer's machine
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return false
	}
	busy := load > float64(4*runtime.NumCPU())
	if busy {
		r.count("times_not_judged_at_load", load)
	}
	return busy
}

// heal ends all faults, whatever state they left.
func heal(ctx context.Context, s *stack.Stack) error {
	s.BeforeReply(nil)
	s.Live.Heal()
	for i := range s.APIs {
		s.Front.Open(i)
		s.Front.Drop(i)
	}
	for _, end := range []func() error{s.PostgresProxy.Heal, s.RedisProxy.Heal, s.Redis.Thaw, s.Postgres.Thaw} {
		if err := end(); err != nil {
			return err
		}
	}
	for _, server := range []interface {
		PID() int
		Restart(context.Context) error
	}{s.Postgres, s.Redis} {
		if server.PID() != 0 {
			continue
		}
		if err := server.Restart(ctx); err != nil {
			return err
		}
	}
	for _, p := range s.Programs() {
		if err := p.Thaw(); err != nil {
			return err
		}
		if p.Environ() {
			if err := p.Stop(ctx); err != nil {
				return err
			}
		}
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until every notification is answered for good and nothing is left to do.
func (r *run) settle(ctx context.Context) error {
	limit := r.row.Settle
	if limit == 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if r.ledger.pending() == 0 {
			if n, err := unfinished(ctx, r.Stack); err == nil && n == 0 {
				return nil
			}
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error { return sleepUntil(ctx, time.Now().Add(d)) }

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
