package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/bench/stack"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
)

// promiseRows each hold one promise under the fault that would show it broken.
var promiseRows = []row{
	{
		Name: "W5", What: "A worker sleeps over its leases and then writes results of chats that are another's by now: none of them counts.",
		Chats: 96, Rate: 12, Slow: true, Trouble: writeAsZombie, Check: zombieRefused,
	},
	{
		Name: "W6", What: "PostgreSQL stands still for longer than the leases while workers get ready to post: they post nothing of what they held.",
		Chats: 120, Rate: 12, Slow: true, Hold: 7 * time.Second, Trouble: stallDatabase, Duplicates: whileStalled,
	},
	{
		Name: "L8", What: "LiveSupporti refuses everybody's details at once: the chats come back spread, with the same bytes.",
		Chats: tenants, Rate: 200, Hold: 3 * time.Second, Trouble: refuseDetails, Check: spread,
	},
	{
		Name: "L9", What: "LiveSupporti asks for a wait that goes beyond the chats' deadline: they expire, and nothing is posted late.",
		Chats: tenants, Rate: 200, Load: outliveDeadline, Expect: expired, Check: nothingLate,
	},
	{
		Name: "D7", What: "PostgreSQL is killed the moment that it has taken a chat's result: it is there afterwards.",
		Chats: 5, Rate: 1, Load: killDatabaseAtResult, Check: resultsKept,
	},
	{
		Name: "N3", What: "Both apis are told of the same visitors, many at once and in every order: they never wait for each other in a circle.",
		Chats: 3000, Rate: 50, Load: sameVisitorsInAnyOrder,
	},
}

// refuseDetails has LiveSupporti answer 503 from before the first chat until the hold is over.
func refuseDetails(ctx context.Context, r *run) error {
	if err := r.Live.Misbehave(unavailable); err != nil {
		return err
	}
	if err := sleep(ctx, r.hold); err != nil {
		return err
	}
	r.Live.Heal()
	r.healed()
	return nil
}

var unavailable = livesupportitest.Fault{
	Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeStatus, Status: http.StatusServiceUnavailable,
}

// spread looks at the waits before the fourth post of each chat, which are meant to be about four seconds, and holds
// that those of most chats differ by more than chance on a busy machine would have them differ.
func spread(r *run, x indexed) []string {
	var waits []float64
	for _, posts := range x.posts {
		if len(posts) >= 4 {
			waits = append(waits, milliseconds(posts[3].At.Sub(posts[2].At)))
		}
	}
	width := quantile(waits, 0.9) - quantile(waits, 0.1)
	r.count("waits", float64(len(waits)))
	r.count("waits_p10_to_p90_ms", width)
	switch {
	case len(waits) < tenants/2:
		return []string{"few chats were posted a fourth time, so nothing was proved"}
	case width < 500:
		return []string{fmt.Sprintf("chats that failed together came back together: their waits of 4 s lay within %.0f ms", width)}
	default:
		return nil
	}
}

// Of the chats in L9: how long they may live, and how late a post may reach LiveSupporti that was made just in time.
const (
	shortLife = 10 * time.Second // the shortest that CHAT_DEADLINE may be
	underWay  = 500 * time.Millisecond
)

// outliveDeadline gives chats a short life, and has LiveSupporti ask to be left alone for longer.
func outliveDeadline(ctx context.Context, r *run) error {
	for _, worker := range r.Workers {
		if err := worker.Stop(ctx); err != nil {
			return err
		}
		worker.Environ("CHAT_DEADLINE=" + shortLife.String())
		if err := worker.Start(ctx); err != nil {
			return err
		}
	}
	return answerAll(http.StatusTooManyRequests, "12", 2*time.Second)(ctx, r)
}

func expired(*run, chat) expect { return expect{hub.Expired} }

func nothingLate(r *run, x indexed) []string {
	late := 0
	for _, c := range x.Chats {
		for _, p := range x.posts[c.key()] {
			if p.At.Sub(c.Began) > shortLife+underWay {
				late++
			}
		}
	}
	r.count("late_posts", float64(late))
	if late > 0 {
		return []string{count(late, "post was made", "posts were made") + " after the chat's deadline"}
	}
	return nil
}

// killDatabaseAtResult kills PostgreSQL the moment that a chat's result is there for others to see. Nothing else
// writes then: no later commit takes that one to the disk with it.
func killDatabaseAtResult(ctx context.Context, r *run) error {
	for i := range r.chats {
		if err := r.chat(ctx, r.tenants[i%len(r.tenants)], r.visitor(i), i); err != nil {
			return err
		}
		before, err := r.results(ctx, i+1)
		if err != nil {
			return err
		}
		if err := r.dieFor(ctx, 0, r.Postgres.Kill, r.Postgres.Restart); err != nil {
			return err
		}
		after, err := r.results(ctx, 0)
		if err != nil {
			return err
		}
		for id := range before {
			if !after[id] {
				r.count("results_gone", 1)
			}
		}
	}
	return nil
}

// results waits until there are that many outcomes of this row's chats, and gives the chats' ids.
func (r *run) results(ctx context.Context, n int) (map[string]bool, error) {
	return ask(ctx, r.Stack, func(conn *pgx.Conn) (map[string]bool, error) {
		for {
			rows, err := conn.Query(ctx, "select o.chat_id::text from outcomes o where o.at >= $1", r.began)
			if err != nil {
				return nil, err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return nil, err
			}
			if len(ids) < n {
				if err := sleep(ctx, 2*time.Millisecond); err != nil {
					return nil, err
				}
				continue
			}
			found := make(map[string]bool, len(ids))
			for _, id := range ids {
				found[id] = true
			}
			return found, nil
		}
	})
}

func resultsKept(r *run, _ indexed) []string {
	if n := r.figure("results_gone"); n > 0 {
		return []string{fmt.Sprintf("%v results were gone after a crash of PostgreSQL", n)}
	}
	return nil
}

// sameVisitorsInAnyOrder begins chats of the same 20 visitors of each of two tenants, 20 in a notification.
func sameVisitorsInAnyOrder(ctx context.Context, r *run) error {
	const together = 20
	return r.paced(ctx, r.chats/together, func(ctx context.Context, i int) error {
		visitors := make([]livesupportitest.Visitor, together)
		for at, n := range rand.New(rand.NewPCG(r.seed, uint64(i))).Perm(together) { //nolint:gosec // an order
			visitors[at] = livesupportitest.Visitor{ID: r.visitor(i%2*together + n), Email: stack.Address(n)}
		}
		return r.chatsAtOnce(ctx, r.tenants[i%2], visitors...)
	})
}
