package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// fillRedis leaves Redis no memory to write with.
func fillRedis(ctx context.Context, r *run) (err error) {
	client := openRedis(r)
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := r.at(ctx, quietUntil); err != nil {
		return err
	}
	before, err := refusals(ctx, client)
	if err != nil {
		return err
	}
	r.breaks("redis full")
	for _, setting := range [][2]string{{"maxmemory-policy", "noeviction"}, {"maxmemory", "1mb"}} {
		if err := client.ConfigSet(ctx, setting[0], setting[1]).Err(); err != nil {
			return err
		}
	}
	for i := 0; ; i++ { // nothing may be left of the megabyte
		if err := client.Set(ctx, "ballast:"+strconv.Itoa(i), strings.Repeat("x", 16<<10), 0).Err(); err != nil {
			if !strings.HasPrefix(err.Error(), "OOM") {
				return fmt.Errorf("fill redis: %w", err)
			}
			before++ // this one was ours
			break
		}
	}
	if err := r.measureShown(ctx, "full"); err != nil {
		return err
	}
	after, err := refusals(ctx, client)
	if err != nil {
		return err
	}
	r.count("redis_refusals", after-before)
	if err := client.ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		return err
	}
	r.healed()
	return nil
}

// refusals is how many commands Redis has refused for want of memory.
func refusals(ctx context.Context, client *redis.Client) (float64, error) {
	info, err := client.Info(ctx, "errorstats").Result()
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(info, "errorstat_OOM:count=")
	if !found {
		return 0, nil
	}
	number, _, _ := strings.Cut(rest, "\r\n")
	return strconv.ParseFloat(number, 64)
}

func wasFull(r *run, _ indexed) []string {
	if r.figure("redis_refusals") == 0 {
		return []string{"no program was refused a write by Redis, so nothing was proved"}
	}
	return nil
}

// lag is how far the promoted copy of Redis is behind.
const lag = 2 * time.Second

var (
	// snapshot gives each key of Redis with its time to live and its contents, all of one moment.
	snapshot = redis.NewScript(`
		local kept = {}
		for _, key in ipairs(redis.call("KEYS", "*")) do
			local ttl = redis.call("PTTL", key)
			kept[#kept + 1] = {key, ttl > 0 and ttl or 0, redis.call("DUMP", key)}
		end
		return kept`)
	// promote replaces all that is in Redis.
	promote = redis.NewScript(`
		redis.call("FLUSHALL")
		for i = 1, #ARGV, 3 do redis.call("RESTORE", ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
		return #ARGV / 3`)
)

// failOverRedis puts Redis back into the state of 2 s before and cuts its connections, as when a copy is promoted
// that had not heard the latest writes. The states chosen are such that hold rings.
func failOverRedis(ctx context.Context, r *run) (err error) {
	client := openRedis(r)
	defer func() { err = errors.Join(err, client.Close()) }()
	for i := range 3 {
		if err := r.at(ctx, quietUntil+float64(i)*0.2); err != nil {
			return err
		}
		kept, rings, err := ringingState(ctx, client)
		if err != nil {
			return err
		}
		if err := sleep(ctx, lag); err != nil {
			return err
		}
		r.breaks("redis fails over")
		if err := promote.Run(ctx, client, nil, kept...).Err(); err != nil {
			return fmt.Errorf("promote an older state: %w", err)
		}
		r.RedisProxy.Cut()
		r.count("failovers", 1)
		r.count("rings_returned", float64(rings))
		r.healed()
	}
	return nil
}

func failedOver(r *run, _ indexed) []string {
	if r.figure("failovers") < 3 || r.figure("rings_returned") == 0 {
		return []string{"no ring came back with an older state of Redis, so nothing was proved"}
	}
	return nil
}

// ringingState takes the state of a moment in which a ring was in Redis, or of the last of many.
func ringingState(ctx context.Context, client *redis.Client) (state []any, rings int, err error) {
	for range 200 {
		answer, err := snapshot.Run(ctx, client, nil).Slice()
		if err != nil {
			return nil, 0, fmt.Errorf("take the state of redis: %w", err)
		}
		state, rings = nil, 0
		for _, entry := range answer {
			key := entry.([]any)
			state = append(state, key...)
			if strings.Contains(key[0].(string), "}:t:") { // a task
				rings++
			}
		}
		if rings > 0 {
			break
		}
		if err := sleep(ctx, 2*time.Millisecond); err != nil {
			return nil, 0, err
		}
	}
	return state, rings, nil
}
