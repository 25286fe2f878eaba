package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// hostile is an adversary inside the broker. It meddles with the rings of the lookup queue that it gets to see before a
// worker does: of a hundred it drops ten, doubles ten, delays ten, sticks ten in a worker's hands that nobody has, and
// brings ten old ones back.
type hostile struct {
	redis  *redis.Client
	random *rand.Rand
	seen   map[string]bool // by id and the time since when they wait
	old    []ring          // that were worked off long ago
	away   []delayed       // that will come back
	did    map[string]float64
}

// ring is a task of Asynq: its id, and what it holds.
type ring struct {
	id     string
	fields map[string]string
}

type delayed struct {
	id string
	at time.Time
}

// Keys of Asynq's queue, see internal/base of the version in go.mod.
const (
	pendingRings = "asynq:{lookup}:pending"
	activeRings  = "asynq:{lookup}:active"
	ringPrefix   = "asynq:{lookup}:t:"
)

// meddled are all the ways in which the adversary meddles.
var meddled = []string{"dropped", "doubled", "delayed", "reordered", "stuck", "reinjected"}

// hostileBroker lets the adversary at Redis during the middle of the load.
func hostileBroker(ctx context.Context, r *run) (err error) {
	h := &hostile{redis: openRedis(r), random: r.random, seen: map[string]bool{}, did: map[string]float64{}}
	defer func() { err = errors.Join(err, h.redis.Close()) }()
	if err := r.at(ctx, quietUntil); err != nil {
		return err
	}
	r.breaks("hostile broker")
	end := r.began.Add(time.Duration(0.75 * float64(r.length())))
	for time.Now().Before(end) {
		if err := h.meddle(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	if err := h.comeBack(ctx, time.Now().Add(time.Hour)); err != nil {
		return err
	}
	for what, n := range h.did {
		r.count(what, n)
	}
	r.healed()
	return nil
}

// meddle looks once at the rings that wait.
func (h *hostile) meddle(ctx context.Context) error {
	ids, err := h.redis.LRange(ctx, pendingRings, 0, -1).Result()
	if err != nil {
		return err
	}
	for _, id := range ids {
		fields, err := h.redis.HGetAll(ctx, ringPrefix+id).Result()
		if err != nil {
			return err
		}
		// An id may come again, as another ring.
		if name := id + " " + fields["pending_since"]; !h.seen[name] {
			h.seen[name] = true
			if err := h.harm(ctx, ring{id, fields}); err != nil {
				return err
			}
		}
	}
	return h.comeBack(ctx, time.Now())
}

// harm does one thing to a ring, or spares it.
func (h *hostile) harm(ctx context.Context, r ring) error {
	id, key := r.id, ringPrefix+r.id
	switch dice := h.random.IntN(10); {
	case dice == 0:
		return h.done(ctx, "dropped", dropScript, []string{pendingRings, key}, id)
	case dice == 1:
		return h.done(ctx, "doubled", doubleScript, []string{pendingRings}, id)
	case dice == 2:
		before := h.did["delayed"]
		err := h.done(ctx, "delayed", takeScript, []string{pendingRings}, id)
		if h.did["delayed"] > before {
			h.away = append(h.away, delayed{id, time.Now().Add(time.Second + time.Duration(h.random.IntN(2000))*time.Millisecond)})
		}
		return err
	case dice == 3:
		return h.done(ctx, "stuck", stickScript, []string{pendingRings, activeRings, key}, id)
	case dice == 4 && len(h.old) > 0:
		was := h.old[h.random.IntN(len(h.old))]
		arguments := []any{was.id}
		for field, value := range was.fields {
			arguments = append(arguments, field, value)
		}
		return h.done(ctx, "reinjected", injectScript, []string{pendingRings, ringPrefix + was.id}, arguments...)
	case len(r.fields) > 0:
		h.old = append(h.old, r)
	}
	return nil
}

// done runs a script that answers 1 if it was in time, and counts that.
func (h *hostile) done(ctx context.Context, what string, script *redis.Script, keys []string, arguments ...any) error {
	hit, err := script.Run(ctx, h.redis, keys, arguments...).Int()
	if err != nil {
		return err
	}
	h.did[what] += float64(hit)
	return nil
}

// comeBack brings delayed rings back whose time has come, the latest first.
func (h *hostile) comeBack(ctx context.Context, now time.Time) error {
	var due []string
	h.away = slices.DeleteFunc(h.away, func(d delayed) bool {
		if d.at.After(now) {
			return false
		}
		due = append(due, d.id)
		return true
	})
	for _, id := range slices.Backward(due) {
		// To the front, where Asynq takes the next one from: before all that came since.
		if err := h.redis.RPush(ctx, pendingRings, id).Err(); err != nil {
			return err
		}
		h.did["reordered"]++
	}
	return nil
}

var (
	dropScript = redis.NewScript(`
		local n = redis.call("LREM", KEYS[1], 1, ARGV[1])
		if n == 1 then redis.call("DEL", KEYS[2]) end
		return n`)
	doubleScript = redis.NewScript(`
		if not redis.call("LPOS", KEYS[1], ARGV[1]) then return 0 end
		redis.call("LPUSH", KEYS[1], ARGV[1], ARGV[1])
		return 1`)
	takeScript  = redis.NewScript(`return redis.call("LREM", KEYS[1], 1, ARGV[1])`)
	stickScript = redis.NewScript(`
		local n = redis.call("LREM", KEYS[1], 1, ARGV[1])
		if n == 1 then
			redis.call("LPUSH", KEYS[2], ARGV[1])
			redis.call("HSET", KEYS[3], "state", "active")
		end
		return n`)
	injectScript = redis.NewScript(`
		redis.call("HSET", KEYS[2], unpack(ARGV, 2))
		redis.call("LPUSH", KEYS[1], ARGV[1])
		return 1`)
)

// wasHostile says whether the adversary was quick enough to do each of its deeds.
func wasHostile(r *run, _ indexed) (broken []string) {
	for _, deed := range meddled {
		if r.figure(deed) < 3 {
			broken = append(broken, "hardly a ring was "+deed+", so nothing was proved")
		}
	}
	return broken
}
