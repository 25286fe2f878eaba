package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"sidecard/internal/livesupporti/livesupportitest"
)

// inHand allows for what a crash of the database makes the workers forget: the leases of their latest claims.
func inHand(*run) int { return 64 }

// mutantRows are small rows for flaws, each with one promise and as short as that allows. The matrix has larger ones of
// the same kind, D1, R6, R3 and L3, which look at more and take longer.
var mutantRows = []row{
	{
		Name: "M1", What: "PostgreSQL is killed and away for a second: what was answered is kept.",
		Chats: 120, Rate: 40, Hold: time.Second, Trouble: killDatabase, Duplicates: inHand, Settle: 10 * time.Second,
	},
	{
		Name: "M2", What: "A ring gets stuck in Redis: the rings after it are heard.",
		Chats: 120, Rate: 20, Trouble: stickRing, Check: ringsHeard,
	},
	{
		Name: "M3", What: "Redis is frozen: notifications are answered as before.",
		Chats: 80, Rate: 20, Trouble: freezeRedis, Check: acceptedWithoutRedis,
	},
	{
		Name: "M4", What: "LiveSupporti asks to be left alone for three seconds: it is.",
		Chats: tenants, Rate: 40, Load: answerAll(http.StatusTooManyRequests, "3", time.Second), Check: leftAlone,
	},
}

func killDatabase(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.3); err != nil {
		return err
	}
	at := time.Now()
	err := r.dieFor(ctx, r.hold, r.Postgres.Kill, r.Postgres.Restart)
	r.mayRepeat(at.Add(-crashWindow), time.Now().Add(time.Second))
	return err
}

// stickRing takes a ring from those that wait and puts it among the tasks at work, without the lease by which Asynq
// would find it again. The workers stand still for those moments; when no ring comes meanwhile it tries again.
func stickRing(ctx context.Context, r *run) error {
	client := redis.NewClient(&redis.Options{Addr: r.Redis.Addr()})
	defer func() { _ = client.Close() }()
	if err := r.at(ctx, 0.25); err != nil {
		return err
	}
	for range 5 {
		stuck, err := r.moveRing(ctx, client)
		if err != nil {
			return err
		}
		if stuck {
			r.count("stuck_rings", 1)
			r.healed()
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// moveRing freezes the workers and waits for a ring to move, at most a quarter of a second.
func (r *run) moveRing(ctx context.Context, client *redis.Client) (stuck bool, err error) {
	for _, worker := range r.Workers {
		if err := worker.Freeze(); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, worker.Thaw()) }()
	}
	for range 12 {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return false, err
		}
		err := client.LMove(ctx, "asynq:{lookup}:pending", "asynq:{lookup}:active", "RIGHT", "LEFT").Err()
		if !errors.Is(err, redis.Nil) {
			return err == nil, err
		}
	}
	return false, nil
}

// ringsHeard compares the chats before the ring got stuck with those of the last half, when it was over: without rings
// the workers look every half second.
func ringsHeard(r *run, x indexed) []string {
	var before, after []float64
	for _, c := range x.Chats {
		accepted := x.accepted(c)
		if len(accepted) == 0 {
			continue
		}
		took := milliseconds(accepted[0].At.Sub(c.Began))
		switch share := float64(c.Began.Sub(r.began)) / float64(r.length()); {
		case share < 0.2:
			before = append(before, took)
		case share > 0.5:
			after = append(after, took)
		}
	}
	r.count("before_p50_ms", quantile(before, 0.5))
	r.count("after_p75_ms", quantile(after, 0.75))
	if r.figure("stuck_rings") == 0 {
		return []string{"no ring was stuck, so nothing was proved"}
	}
	if p75 := quantile(after, 0.75); p75 > 100+1.5*quantile(before, 0.5) {
		return []string{fmt.Sprintf("rings are not heard since one was stuck: a quarter of the chats took more than %.0f ms", p75)}
	}
	return nil
}

func freezeRedis(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.25); err != nil {
		return err
	}
	return r.dieFor(ctx, r.length()/2, r.Redis.Freeze, func(context.Context) error { return r.Redis.Thaw() })
}

func acceptedWithoutRedis(r *run, x indexed) []string {
	var took []float64
	for _, n := range x.Notices {
		if share := float64(n.At.Sub(r.began)) / float64(r.length()); share > 0.3 && share < 0.7 {
			took = append(took, milliseconds(n.Took))
		}
	}
	p50 := quantile(took, 0.5)
	r.count("frozen_accept_p50_ms", p50)
	if len(took) < r.chats/4 || p50 > 150 {
		return []string{fmt.Sprintf("%d notifications were answered in %.0f ms (p50) while Redis was frozen", len(took), p50)}
	}
	return nil
}

// answerAll begins the chats and has LiveSupporti answer their details so until the time is over.
func answerAll(status int, retryAfter string, lasts time.Duration) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		err := r.Live.Misbehave(livesupportitest.Fault{
			Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeStatus, Status: status, RetryAfter: retryAfter,
		})
		if err != nil {
			return err
		}
		if err := r.steady(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, lasts); err != nil {
			return err
		}
		r.Live.Heal()
		r.healed()
		return nil
	}
}

// leftAlone holds that no desk was posted to again before its three seconds were over.
func leftAlone(_ *run, x indexed) []string {
	early := 0
	for _, posts := range x.posts {
		for i := 1; i < len(posts); i++ {
			if posts[i-1].Status == http.StatusTooManyRequests && posts[i].At.Sub(posts[i-1].At) < 2900*time.Millisecond {
				early++
			}
		}
	}
	if early > 0 {
		return []string{count(early, "post came", "posts came") + " before its time: LiveSupporti had asked for three seconds"}
	}
	return nil
}

// rowOfMutants finds a row by name among all.
func rowOfMutants(name string) (row, bool) {
	all := slices.Concat(mutantRows, rows)
	i := slices.IndexFunc(all, func(r row) bool { return r.Name == name })
	if i < 0 {
		return row{}, false
	}
	return all[i], true
}
