package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
)

// inHand allows for what a crash of the database makes the workers forget: the leases of their latest claims.
func inHand(*run) int { return 64 }

// mutantRows are small rows for flaws, each with one promise and as short as that allows. The matrix has larger ones of
// the same kind.
var mutantRows = []row{
	{
		Name: "M1", What: "PostgreSQL is killed and away for a second: what was answered is kept.",
		Chats: 120, Rate: 40, Hold: time.Second, Trouble: killDatabase, Duplicates: inHand, Settle: 10 * time.Second,
	},
	{
		Name: "M2", What: "A ring gets stuck in Redis: the rings after it are heard.",
		Chats: 80, Rate: 20, Trouble: stickRing, Check: ringsHeard,
	},
	{
		Name: "M3", What: "Redis is frozen: notifications are answered as before.",
		Chats: 80, Rate: 20, Trouble: freezeRedis, Check: acceptedWithoutRedis,
	},
	{
		Name: "M4", What: "LiveSupporti redirects the details elsewhere: nothing goes there.",
		Chats: tenants, Rate: 40, Load: redirectDetails, Expect: refused, Check: canaryAlone,
	},
	{
		Name: "M5", What: "LiveSupporti refuses details for good: they are posted once.",
		Chats: tenants, Rate: 40, Load: answerAll(http.StatusBadRequest, "", 2*time.Second), Expect: refused, Check: postedOnce,
	},
	{
		Name: "M6", What: "LiveSupporti refuses the credentials: the desk is paused, and its chats wait for better ones.",
		Chats: 4 * tenants, Rate: 20, Load: refuseCredentials, Check: pausedAtOnce,
	},
	{
		Name: "M7", What: "LiveSupporti asks to be left alone for three seconds: it is.",
		Chats: tenants, Rate: 40, Load: answerAll(http.StatusTooManyRequests, "3", time.Second), Check: leftAlone,
	},
	{
		Name: "M8", What: "One worker's clock is ten minutes ahead, the other's ten minutes behind: nobody notices.",
		Chats: 48, Rate: 12, Slow: true, Load: skewClocks, Settle: 10 * time.Second,
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
// would find it again. The workers stand still for that moment.
func stickRing(ctx context.Context, r *run) error {
	client := redis.NewClient(&redis.Options{Addr: r.Redis.Addr()})
	defer func() { _ = client.Close() }()
	if err := r.at(ctx, 0.25); err != nil {
		return err
	}
	for _, worker := range r.Workers {
		if err := worker.Freeze(); err != nil {
			return err
		}
	}
	stuck := errors.New("no ring came")
	for try := 0; try < 50 && stuck != nil; try++ {
		stuck = client.LMove(ctx, "asynq:{lookup}:pending", "asynq:{lookup}:active", "RIGHT", "LEFT").Err()
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	for _, worker := range r.Workers {
		if err := worker.Thaw(); err != nil {
			return err
		}
	}
	r.healed()
	return stuck
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

// redirectDetails has LiveSupporti send posts on to a server that must hear nothing.
func redirectDetails(ctx context.Context, r *run) error {
	var heard atomic.Int64
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) }))
	defer canary.Close()
	err := r.Live.Misbehave(livesupportitest.Fault{
		Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeRedirect, Status: http.StatusTemporaryRedirect, Location: canary.URL,
	})
	if err != nil {
		return err
	}
	if err := r.steady(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.count("canary_heard", float64(heard.Load()))
	return nil
}

func refused(*run, chat) expect { return expect{hub.Refused} }

func canaryAlone(r *run, _ indexed) []string {
	if n := r.figure("canary_heard"); n > 0 {
		return []string{fmt.Sprintf("the canary heard %v posts that were redirected", n)}
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

func postedOnce(_ *run, x indexed) []string {
	again := 0
	for _, posts := range x.posts {
		again += len(posts) - 1
	}
	if again > 0 {
		return []string{count(again, "post was made", "posts were made") + " again that LiveSupporti had refused for good"}
	}
	return nil
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

// refuseCredentials has LiveSupporti answer 401 for a while, and then each tenant test its credentials in the portal.
func refuseCredentials(ctx context.Context, r *run) error {
	if err := answerAll(http.StatusUnauthorized, "", time.Second)(ctx, r); err != nil {
		return err
	}
	for _, t := range r.tenants {
		client, _, err := t.SignIn(ctx)
		if err != nil {
			return err
		}
		if _, err := client.TestDesk(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pausedAtOnce allows each desk the posts that were under way in both workers when the first was refused.
func pausedAtOnce(r *run, x indexed) []string {
	posts := map[string]int{}
	for _, c := range x.Chats { // a post whose credentials are refused names no account
		for _, p := range x.posts[c.key()] {
			if p.Status == http.StatusUnauthorized {
				posts[c.Account]++
			}
		}
	}
	most := 0
	for _, n := range posts {
		most = max(most, n)
	}
	r.count("most_posts_of_a_refused_desk", float64(most))
	switch {
	case most == 0:
		return []string{"no credentials were refused, so nothing was proved"}
	case most > len(r.Workers):
		return []string{fmt.Sprintf("a desk whose credentials were refused was not paused: it was posted to %d times", most)}
	default:
		return nil
	}
}

// skewClocks needs programs with the build tag "flaws": others have no clock that can be set.
func skewClocks(ctx context.Context, r *run) error {
	for i, ahead := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		if err := r.Workers[i].Stop(ctx); err != nil {
			return err
		}
		r.Workers[i].Environ("SIDECARD_CLOCK_AHEAD=" + ahead.String())
		if err := r.Workers[i].Start(ctx); err != nil {
			return err
		}
	}
	r.began = time.Now()
	return r.steady(ctx)
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
