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

	"github.com/go-redis/redis_rate/v10"
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

func (l limit) shares() (atOnce, flowing int) {
	atOnce = max(1, int(math.Floor(float64(l.calls)*burst)))
	return atOnce, max(1, l.calls-atOnce)
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
	redis  redis.UniversalClient
	shared *redis_rate.Limiter
	now    func() time.Time

	mu     sync.Mutex
	away   time.Time // Redis is left alone until then
	own    *lru.Cache[string, *rate.Limiter]
	pauses *lru.Cache[string, time.Time]
}

// New makes a Meter over Redis. The client must obey the context's deadline.
func New(client redis.UniversalClient) *Meter {
	m := &Meter{redis: client, shared: redis_rate.NewLimiter(client), now: time.Now}
	m.own, _ = lru.New[string, *rate.Limiter](remembered) // fails only for a size below one
	m.pauses, _ = lru.New[string, time.Time](remembered)
	return m
}

// Take counts one call against the limit of a key, so many calls in any stretch of time as long as per. Or it
// says how long to wait before asking again; then nothing was counted.
func (m *Meter) Take(ctx context.Context, key string, calls int, per time.Duration) (wait time.Duration) {
	if wait = m.paused(ctx, key); wait > 0 {
		return wait
	}
	l := limit{calls, per}
	own, wait := m.takeAlone(key, l)
	if wait > 0 {
		return wait
	}
	atOnce, flowing := l.shares()
	var answer *redis_rate.Result
	err := m.ask(ctx, func(ctx context.Context) (err error) {
		answer, err = m.shared.Allow(ctx, key, redis_rate.Limit{Rate: flowing, Burst: atOnce, Period: l.per})
		return err
	})
	if err != nil || answer.Allowed > 0 {
		return 0
	}
	own.CancelAt(m.now())
	return max(answer.RetryAfter, time.Millisecond)
}

// Pause makes every Take of the key wait for at least d from now on, in all processes.
func (m *Meter) Pause(ctx context.Context, key string, d time.Duration) {
	m.mu.Lock()
	if until := m.now().Add(d); m.pauseEnd(key).Before(until) {
		m.pauses.Add(key, until)
	}
	m.mu.Unlock()
	_ = m.ask(ctx, func(ctx context.Context) error { // without Redis the others find out by themselves
		return longer.Run(ctx, m.redis, []string{pauseKey(key)}, d.Milliseconds()).Err()
	})
}

// longer sets a key that lasts that many milliseconds, unless it lasts longer already.
var longer = redis.NewScript(`
if redis.call("pttl", KEYS[1]) < tonumber(ARGV[1]) then
	redis.call("set", KEYS[1], "", "px", ARGV[1])
end
return 1`)

func pauseKey(key string) string { return "pause:" + key }

// paused says how long a pause of the key still lasts.
func (m *Meter) paused(ctx context.Context, key string) time.Duration {
	m.mu.Lock()
	left := m.pauseEnd(key).Sub(m.now())
	m.mu.Unlock()
	if left > 0 {
		return left
	}
	var shared time.Duration
	_ = m.ask(ctx, func(ctx context.Context) (err error) {
		shared, err = m.redis.PTTL(ctx, pauseKey(key)).Result()
		return err
	})
	return max(shared, 0)
}

func (m *Meter) pauseEnd(key string) time.Time {
	until, _ := m.pauses.Get(key)
	return until
}

// errAway stands for a Redis that is being left alone.
var errAway = errors.New("redis is away")

// ask lets Redis answer, unless it failed just now.
func (m *Meter) ask(ctx context.Context, question func(context.Context) error) error {
	m.mu.Lock()
	away := m.now().Before(m.away)
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

// takeAlone counts in this process, which never passes the limit by itself, whether Redis is there or not.
func (m *Meter) takeAlone(key string, l limit) (taken *rate.Reservation, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	atOnce, flowing := l.shares()
	perSecond := rate.Limit(float64(flowing) / l.per.Seconds())
	counter, known := m.own.Get(key)
	if !known {
		counter = rate.NewLimiter(perSecond, atOnce)
		m.own.Add(key, counter)
	}
	now := m.now()
	if counter.Limit() != perSecond || counter.Burst() != atOnce {
		counter.SetLimitAt(now, perSecond)
		counter.SetBurstAt(now, atOnce)
	}
	taken = counter.ReserveN(now, 1)
	if wait = taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
	}
	return taken, wait
}
