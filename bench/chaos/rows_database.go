package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

var databaseRows = []row{
	{
		Name: "D1", What: "PostgreSQL is restarted, fast and immediate in turn: senders are told to come again, and 5 s after it is back all is as before.",
		Chats: 2000, Rate: 100, Hold: time.Second, Trouble: restartPostgres, Duplicates: perOutage(8), Check: allOf(honest, backWithin(5*time.Second)),
	},
	{
		Name: "D2", What: "PostgreSQL cannot be reached, then hangs: senders are told to come again within 2 s, nothing is posted that was not claimed before.",
		Chats: 2800, Rate: 100, Hold: 8 * time.Second, Trouble: losePostgres, Duplicates: perOutage(16),
		Check: allOf(honest, backWithin(5*time.Second), silentWithoutClaims),
	},
	{
		Name: "D3", What: "PostgreSQL is slow, then work is locked: slower, but no storm of connections.",
		Chats: 420, Rate: 20, Hold: 10 * time.Second, Trouble: slowPostgres, Duplicates: perOutage(16), Check: allOf(answeredIn(2*time.Second), withinPools),
	},
	{
		Name: "D5", What: "Connections to PostgreSQL are ended by its operator, five a second: hardly a chat is refused for good.",
		Quick: true, Chats: 2000, Rate: 100, Trouble: endConnections, Check: allOf(refusedForGood(0.005), hasEnded),
	},
}

// allOf joins checks.
func allOf(checks ...func(*run, indexed) []string) func(*run, indexed) []string {
	return func(r *run, x indexed) (broken []string) {
		for _, check := range checks {
			broken = append(broken, check(r, x)...)
		}
		return broken
	}
}

// restartPostgres ends PostgreSQL three times as its operator or its crash handling does, and starts it again.
func restartPostgres(ctx context.Context, r *run) error {
	p, err := r.newProbes(ctx)
	if err != nil {
		return err
	}
	for _, way := range []struct {
		name   string
		signal syscall.Signal
	}{{"fast", syscall.SIGINT}, {"immediate", syscall.SIGQUIT}, {"fast", syscall.SIGINT}} {
		if err := sleep(ctx, r.between(1500*time.Millisecond, 2500*time.Millisecond)); err != nil {
			return err
		}
		r.breaks("postgres ends, " + way.name)
		at := time.Now()
		if err := syscall.Kill(r.Postgres.PID(), way.signal); err != nil {
			return fmt.Errorf("end postgres: %w", err)
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil { // until it is down
			return err
		}
		if err := p.during(ctx, r.hold); err != nil {
			return err
		}
		if err := r.Postgres.Restart(ctx); err != nil {
			return err
		}
		r.count("restarts", 1)
		r.healed()
		if way.signal == syscall.SIGQUIT { // a crash forgets the leases of the latest claims, which others then take
			r.count("outages", 1)
		}
		r.mayRepeat(at.Add(-crashWindow), time.Now().Add(time.Second))
		if err := r.untilAccepted(ctx); err != nil {
			return err
		}
	}
	return nil
}

// backWithin bounds how long after an outage everything that waited for it had ended, and notifications were accepted.
func backWithin(most time.Duration) func(*run, indexed) []string {
	return func(r *run, x indexed) (broken []string) {
		if again := r.figure("accepts_again_ms"); again > milliseconds(most) {
			broken = append(broken, fmt.Sprintf("notifications were accepted again %.1f s after PostgreSQL was back, %v allowed", again/1000, most))
		}
		if took := x.recovery(); took > most {
			broken = append(broken, fmt.Sprintf("what waited had ended %.1f s after PostgreSQL was back, %v allowed", took.Seconds(), most))
		}
		return broken
	}
}

// losePostgres has the programs find nobody, and then somebody who never answers, where PostgreSQL is.
func losePostgres(ctx context.Context, r *run) error {
	p, err := r.newProbes(ctx)
	if err != nil {
		return err
	}
	for _, outage := range []struct {
		name  string
		begin func()
	}{{"refused", r.PostgresProxy.Refuse}, {"frozen", r.PostgresProxy.Freeze}} {
		if err := sleep(ctx, 2*time.Second); err != nil {
			return err
		}
		at := time.Now()
		r.breaks("postgres " + outage.name)
		outage.begin()
		// What has a young lease may still be posted, and nobody can write that it was.
		r.mayRepeat(at.Add(-crashWindow), at.Add(young))
		r.count("outages", 1)
		if err := p.during(ctx, r.hold); err != nil {
			return err
		}
		r.count("posts_without_claim", float64(r.ledger.postsBetween(at.Add(young), time.Now())))
		if err := r.PostgresProxy.Heal(); err != nil {
			return err
		}
		r.healed()
		if err := r.untilAccepted(ctx); err != nil {
			return err
		}
	}
	return p.forget(ctx)
}

// young is the age of a lease up to which a post may begin: two thirds of its 6 s.
const young = 4 * time.Second

// postsBetween is how many posts came in a time.
func (l *ledger) postsBetween(from, to time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.posts {
		if (span{from, to}).holds(p.At) {
			n++
		}
	}
	return n
}

func silentWithoutClaims(r *run, _ indexed) []string {
	if n := r.figure("posts_without_claim"); n > 0 {
		return []string{fmt.Sprintf("%.0f posts were made when every lease had grown old and none could be had", n)}
	}
	return nil
}

// perOutage allows for what was in hand when an outage began that outlasted the leases.
func perOutage(n float64) func(*run) int {
	return func(r *run) int { return int(n * r.figure("outages")) }
}

// slowPostgres delays all answers of PostgreSQL by 200 to 500 ms, then locks the table of work, and counts the
// programs' connections meanwhile.
func slowPostgres(ctx context.Context, r *run) error {
	watched, stop := context.WithCancel(ctx)
	counted := make(chan error, 1)
	go func() { counted <- r.countConnections(watched) }()
	err := errors.Join(r.delayPostgres(ctx), r.lockWork(ctx))
	stop()
	return errors.Join(err, <-counted)
}

func (r *run) delayPostgres(ctx context.Context) error {
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	r.breaks("postgres slow")
	for range 5 {
		r.PostgresProxy.Delay(r.between(100*time.Millisecond, 250*time.Millisecond)) // each way
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	r.PostgresProxy.Delay(0)
	r.healed()
	return sleep(ctx, 2*time.Second)
}

// lockWork locks the table as a careless change of its schema would.
func (r *run) lockWork(ctx context.Context) error {
	at := time.Now()
	r.breaks("work locked")
	r.count("outages", 1)
	r.mayRepeat(at.Add(-crashWindow), at.Add(young))
	_, err := ask(ctx, r.Stack, func(conn *pgx.Conn) (int, error) {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, "lock table work in access exclusive mode"); err != nil {
			return 0, err
		}
		return 0, errors.Join(sleep(ctx, r.hold), tx.Rollback(ctx))
	})
	r.healed()
	return err
}

// countConnections keeps the highest number of connections that the programs have at once as a figure.
func (r *run) countConnections(ctx context.Context) error {
	_, err := ask(context.WithoutCancel(ctx), r.Stack, func(conn *pgx.Conn) (int, error) {
		for {
			var n float64
			err := conn.QueryRow(context.WithoutCancel(ctx), "select count(*) from pg_stat_activity where backend_type = 'client backend' and usename <> current_user").Scan(&n)
			if err != nil {
				return 0, err
			}
			r.highest("connections", n)
			if sleep(ctx, 100*time.Millisecond) != nil {
				return 0, nil // the row has ended
			}
		}
	})
	return err
}

// poolOfProgram is how many connections a program may have: 12 of its own and 8 of its queue (docs/configuration.md).
const poolOfProgram = 12 + 8

func withinPools(r *run, _ indexed) []string {
	most := float64(poolOfProgram * len(r.Programs()))
	switch n := r.figure("connections"); {
	case n == 0:
		return []string{"no connection was counted, so nothing was proved"}
	case n > most:
		return []string{fmt.Sprintf("there were %.0f connections to PostgreSQL at once, %.0f fit into the pools", n, most)}
	default:
		return nil
	}
}

// answeredIn bounds how long notifications that were accepted took.
func answeredIn(most time.Duration) func(*run, indexed) []string {
	return func(r *run, _ indexed) []string {
		if p99 := r.figure("accept_p99_ms"); p99 > milliseconds(most) {
			return []string{fmt.Sprintf("notifications were accepted after %.1f s (p99), %v allowed", p99/1000, most)}
		}
		return nil
	}
}

// endConnections ends one of the programs' connections five times a second.
func endConnections(ctx context.Context, r *run) error {
	const pause = 200 * time.Millisecond
	_, err := ask(ctx, r.Stack, func(conn *pgx.Conn) (int, error) {
		for r.underLoad() {
			if err := r.endConnection(ctx, conn, r.random); err != nil {
				return 0, err
			}
			if err := sleep(ctx, pause); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	r.healed()
	return err
}

func (r *run) endConnection(ctx context.Context, conn *pgx.Conn, random *rand.Rand) error {
	rows, err := conn.Query(ctx, "select pid from pg_stat_activity where backend_type = 'client backend' and usename <> current_user order by pid")
	if err != nil {
		return err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil || len(pids) == 0 {
		return err
	}
	if _, err := conn.Exec(ctx, "select pg_terminate_backend($1)", pids[random.IntN(len(pids))]); err != nil {
		return err
	}
	r.count("connections_ended", 1)
	return nil
}

func hasEnded(r *run, _ indexed) []string {
	if r.figure("connections_ended") < 10 {
		return []string{"hardly a connection was ended, so nothing was proved"}
	}
	return nil
}

// refusedForGood bounds the share of chats that were never accepted, whatever their sender tried.
func refusedForGood(most float64) func(*run, indexed) []string {
	return func(r *run, _ indexed) []string {
		sent, acked := r.ledger.counts()
		share := float64(sent-acked) / float64(max(sent, 1))
		r.count("refused_for_good_percent", 100*share)
		if share > most {
			return []string{fmt.Sprintf("%.1f %% of the chats were refused for good, %.1f %% allowed", 100*share, 100*most)}
		}
		return nil
	}
}
