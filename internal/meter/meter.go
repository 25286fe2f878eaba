// Package meter counts calls against limits over all processes. The counts live in Redis; while it is away
// each process counts alone, so that a limit may be passed, but nothing stops.
//
// It knows neither what is counted nor what a limit is for, and keeps nothing that matters: with all of Redis
// lost, limits are merely full again.
package meter

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// limit is a number of calls in any stretch of time as long as per.
type limit struct {
	calls int
	per   time.Duration
}

// burst is the part of a limit that may be used at once. The rest flows evenly, so that both together never
// pass the limit, wherever the stretch begins.
const burst = 0.2

// shares parts a limit into calls at once and the time between two of the others.
func (l limit) shares() (atOnce int, every time.Duration) {
	atOnce = max(1, int(math.Floor(float64(l.calls)*burst)))
	return atOnce, l.per / time.Duration(max(1, l.calls-atOnce))
}

const (
	// patience is what Redis may take for one answer: somebody waits for the call that is to be counted.
	patience = 100 * time.Millisecond
	// rest is how long Redis is left alone after it failed.
	rest = time.Second
	// remembered is for how many keys a process counts by itself.
	remembered = 16384
)

// Meter counts calls. It is safe for concurrent use.
type Meter struct {
	redis redis.UniversalClient
	now   func() time.Time

	mu     sync.Mutex
	away   time.Time // Redis is left alone until then
	own    *lru.Cache[string, *rate.Limiter]
	pauses *lru.Cache[string, time.Time]
}

// New makes a Meter over Redis, or for this process alone when client is nil. The client must obey the context's
// deadline.
func New(client redis.UniversalClient) *Meter {
	m := &Meter{redis: client, now: time.Now}
	m.own, _ = lru.New[string, *rate.Limiter](remembered) // fails only for a size below one
	m.pauses, _ = lru.New[string, time.Time](remembered)
	return m
}

// Take counts one call against the limit of a key, so many calls in any stretch of time as long as per, and says
// after which time it may be made: callers get their turns in the order in which they asked. When that would be
// longer than most, ok is false and nothing was counted.
func (m *Meter) Take(ctx context.Context, key string, calls int, per, most time.Duration) (wait time.Duration, ok bool) {
	l := limit{calls, per}
	own, wait := m.takeAlone(key, l)
	if wait > most {
		own.CancelAt(m.now())
		return wait, false
	}
	shared, ok := m.takeTogether(ctx, key, l, most)
	if !ok {
		own.CancelAt(m.now())
	}
	return max(wait, shared), ok
}

// turn gives the next turn of a key and moves the one after it on: the generic cell rate algorithm, with turns
// that lie ahead given away, too, as long as they lie no further ahead than the caller would wait. No library has
// that, and without it callers on several machines would race for each turn, and some never get one.
//
// KEYS: the time of the turn after the last, a pause. ARGV: turns at once, time between turns, longest wait.
// All times are in microseconds. It answers the wait, negative (and one less) when it would be too long.
var turn = redis.NewScript(`
local clock = redis.call("time")
local now = clock[1] * 1000000 + clock[2]
local at_once, every, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local next = math.max(tonumber(redis.call("get", KEYS[1]) or now), now)
local wait = math.max(next - (at_once - 1) * every - now, 0)
local pause = redis.call("pttl", KEYS[2]) * 1000
if pause > wait then
	wait = pause
	next = now + pause
end
if wait > most then
	return -1 - wait
end
redis.call("set", KEYS[1], string.format("%.0f", next + every), "px", math.ceil((next + every - now) / 1000) + 1000)
return wait`)

// longer makes a pause last so many milliseconds, unless it lasts longer already.
var longer = redis.NewScript(`
if redis.call("pttl", KEYS[1]) < tonumber(ARGV[1]) then
	redis.call("set", KEYS[1], "", "px", ARGV[1])
end
return 1`)

// The braces keep a key's entries on one server of a cluster.
func turnKey(key string) string  { return "meter:{" + key + "}:turn" }
func pauseKey(key string) string { return "meter:{" + key + "}:pause" }

// takeTogether counts in Redis; without it there is nothing to wait for.
func (m *Meter) takeTogether(ctx context.Context, key string, l limit, most time.Duration) (wait time.Duration, ok bool) {
	atOnce, every := l.shares()
	var us int64
	err := m.ask(ctx, func(ctx context.Context) (err error) {
		us, err = turn.Run(ctx, m.redis, []string{turnKey(key), pauseKey(key)}, atOnce, every.Microseconds(), most.Microseconds()).Int64()
		return err
	})
	switch {
	case err != nil:
		return 0, true
	case us < 0:
		return time.Duration(-1-us) * time.Microsecond, false
	}
	return time.Duration(us) * time.Microsecond, true
}

// takeAlone counts in this process, which never passes the limit by itself, whether Redis is there or not.
func (m *Meter) takeAlone(key string, l limit) (taken *rate.Reservation, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	atOnce, every := l.shares()
	counter, known := m.own.Get(key)
	if !known {
		counter = rate.NewLimiter(rate.Every(every), atOnce)
		m.own.Add(key, counter)
	}
	now := m.now()
	if counter.Limit() != rate.Every(every) || counter.Burst() != atOnce {
		counter.SetLimitAt(now, rate.Every(every))
		counter.SetBurstAt(now, atOnce)
	}
	until, _ := m.pauses.Get(key)
	taken = counter.ReserveN(now, 1)
	return taken, max(taken.DelayFrom(now), until.Sub(now))
}

// Pause makes every Take of the key wait for at least d from now on, in all processes.
func (m *Meter) Pause(ctx context.Context, key string, d time.Duration) {
	m.mu.Lock()
	until := m.now().Add(d)
	if old, _ := m.pauses.Get(key); old.Before(until) {
		m.pauses.Add(key, until)
	}
	m.mu.Unlock()
	_ = m.ask(ctx, func(ctx context.Context) error { // without Redis the others find out by themselves
		return longer.Run(ctx, m.redis, []string{pauseKey(key)}, d.Milliseconds()).Err()
	})
}

// Forget makes the limit of a key full again, in this process and in Redis. Other processes still count alone what they
// let pass themselves.
func (m *Meter) Forget(ctx context.Context, key string) {
	m.mu.Lock()
	m.own.Remove(key)
	m.pauses.Remove(key)
	m.mu.Unlock()
	_ = m.ask(ctx, func(ctx context.Context) error { // what stays there is over by itself
		return m.redis.Del(ctx, turnKey(key), pauseKey(key)).Err()
	})
}

// errAway stands for a Redis that is being left alone.
var errAway = errors.New("redis is away")

// ask lets Redis answer, unless it failed just now.
func (m *Meter) ask(ctx context.Context, question func(context.Context) error) error {
	m.mu.Lock()
	away := m.redis == nil || m.now().Before(m.away)
	m.mu.Unlock()
	if away {
		return errAway
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := question(asked)
	if err != nil && ctx.Err() == nil {
		m.mu.Lock()
		m.away = m.now().Add(rest)
		m.mu.Unlock()
	}
	return err
}
