package main

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

var redisRows = []row{
	{
		Name: "R1", What: "Redis is emptied again and again: chats are a little late, and afterwards rings work as before.",
		Chats: 1500, Rate: 100, Trouble: flushes(10), Check: redisBack(late(3 * time.Second)),
	},
	{
		Name: "R2", What: "Redis, which keeps nothing, is killed and comes back some seconds later: every notification is accepted, nobody waits for it.",
		Chats: 2000, Rate: 100, Hold: 3 * time.Second, Trouble: killRedis(3), Check: redisBack(late(3*time.Second), nothingRefused),
	},
	{
		Name: "R3", What: "Redis cannot be reached, then hangs, then is slow: notifications are accepted as ever, and details go out at half the rate or better.",
		Quick: true, Chats: 2400, Rate: 100, Hold: 5 * time.Second, Trouble: loseRedis, Check: redisBack(acceptedAsEver, atHalfTheRate("refused", "frozen", "slow")),
	},
	{
		Name: "R4", What: "Redis is full and refuses to write: notifications are accepted as ever, and details go out.",
		Chats: 1500, Rate: 100, Hold: 6 * time.Second, Trouble: fillRedis, Check: redisBack(acceptedAsEver, atHalfTheRate("full"), wasFull),
	},
	{
		Name: "R5", What: "Redis fails over to a copy that is 2 s behind: rings of then come back and those since are lost, which nobody sees.",
		Chats: 1500, Rate: 100, Trouble: failOverRedis, Check: redisBack(late(3*time.Second), nothingRefused, failedOver),
	},
	{
		Name: "R6", What: "A hostile broker drops, doubles, delays, reorders, sticks and re-injects rings: nothing is lost or doubled, and when it has left rings work as before.",
		Quick: true, Chats: 1800, Rate: 100, Trouble: hostileBroker, Check: redisBack(late(3*time.Second), nothingRefused, wasHostile),
	},
}

// The faults of Redis begin and end within these shares of the load, so that there is quiet to compare with.
const (
	quietUntil = 0.12
	quietFrom  = 0.85
)

// openRedis connects to Redis itself, past the proxy.
func openRedis(r *run) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.Redis.Addr(), MaxRetries: 2})
}

// flushes empties Redis so many times, evenly over the load but for its ends.
func flushes(n int) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		for i := range n {
			if err := r.at(ctx, quietUntil+(0.75-quietUntil)*(float64(i)+r.random.Float64())/float64(n)); err != nil {
				return err
			}
			if err := r.flushRedis(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

func killRedis(n int) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		if err := r.at(ctx, quietUntil); err != nil {
			return err
		}
		for range n {
			if err := r.dieFor(ctx, r.hold, r.breaking("kill redis", r.Redis.Kill), r.Redis.Restart); err != nil {
				return err
			}
			if err := sleep(ctx, r.between(500*time.Millisecond, 2*time.Second)); err != nil {
				return err
			}
		}
		return nil
	}
}

// redisLatency is how much later each answer of a slow Redis comes.
const redisLatency = 500 * time.Millisecond

func loseRedis(ctx context.Context, r *run) error {
	if err := r.at(ctx, quietUntil); err != nil {
		return err
	}
	for _, trouble := range []struct {
		name  string
		begin func()
	}{
		{"refused", r.RedisProxy.Refuse},
		{"frozen", r.RedisProxy.Freeze},
		{"slow", func() { r.RedisProxy.Delay(redisLatency / 2) }}, // each way
	} {
		r.breaks("redis " + trouble.name)
		trouble.begin()
		if err := r.measureShown(ctx, trouble.name); err != nil {
			return err
		}
		if err := r.RedisProxy.Heal(); err != nil {
			return err
		}
		r.healed()
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// measureShown waits for the outage to be over and notes at which rate details were accepted meanwhile. The first
// second is not counted: workers still have to notice.
func (r *run) measureShown(ctx context.Context, outage string) error {
	const notice = time.Second
	from := time.Now().Add(notice)
	if err := sleep(ctx, max(r.hold, 2*notice)); err != nil {
		return err
	}
	to := time.Now()
	r.count("shown_per_s_"+outage, float64(r.ledger.accepted(from, to))/to.Sub(from).Seconds())
	return nil
}

// accepted is how many posts were accepted in a time.
func (l *ledger) accepted(from, to time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.posts {
		if p.Accepted && (span{from, to}).holds(p.At) {
			n++
		}
	}
	return n
}
