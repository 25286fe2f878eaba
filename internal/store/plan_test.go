package store_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// Plans are made when a connection first calls a verb, which may be while the tables are empty, and stay.
// They must be as good when thousands of chats wait.
func TestPlansMadeOnEmptyTablesReadFewRowsOfFullOnes(t *testing.T) {
	t.Parallel()
	for _, emptiness := range []struct{ what, statement string }{
		{"never filled", "select 1"},
		{"vacuumed", "vacuum analyze"},
	} {
		t.Run(emptiness.what, func(t *testing.T) {
			t.Parallel()
			q := queueTest{t, storetest.Postgres(t)}
			q.exec(emptiness.statement)
			a, b := signUp(t, q.Store), signUp(t, q.Store)
			plans := &planLog{}
			watched := queueTest{t, storetest.Database{Store: store.QueueOver(plans.pool(t, q.OwnerURL)), Owner: q.Owner}}
			useEveryVerb(watched, a)
			plans.take()

			flood(q, a)
			useEveryVerb(watched, b)
			seen := plans.take()
			if len(seen) < 50 {
				t.Fatalf("only %d plans were seen", len(seen))
			}
			for _, plan := range seen {
				if why := readsTooMuch(plan); why != "" {
					t.Errorf("%s in\n%s", why, plan)
				}
			}
		})
	}
}

// flood lets thousands of a tenant's chats wait, in all states, and thousands be over.
func flood(q queueTest, a account) {
	q.Helper()
	for state, visitors := range []string{"ready", "leased", "later", "over"} {
		var chats []hub.Arrival
		for i := range 1500 {
			chats = append(chats, a.chat(fmt.Sprint(visitors, i)))
		}
		q.accept(chats...)
		if visitors == "ready" {
			continue
		}
		q.exec("update work set state = $1, due_at = now() + interval '1 hour', fence = 1 where visitor_id like $2", min(state, 2), visitors+"%")
	}
	q.exec("insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries) select tenant_id, chat_id, 1, 0, 0, 0 from work where visitor_id like 'over%'")
	q.exec("delete from work where visitor_id like 'over%'")
}

// useEveryVerb works off some chats of one tenant, by every path that a chat can take.
func useEveryVerb(q queueTest, a account) {
	q.Helper()
	var chats []hub.Arrival
	for i := range 20 {
		chats = append(chats, a.chat(fmt.Sprint("v", i)))
	}
	overtaken, overtaking := a.chat("w"), a.chat("w")
	q.accept(append(chats, overtaken)...)
	claimed := q.claim(func(c *hub.ClaimRequest) { c.After, c.Share, c.Limit = before(a.tenant.ID), 64, 21 })
	if len(claimed) != 21 {
		q.Fatalf("claimed %d", len(claimed))
	}
	q.accept(overtaking, late(a.chat("v1"), time.Minute))
	var holds []hub.Hold
	var ends []hub.Finish
	for i, k := range claimed {
		holds = append(holds, k.Hold)
		if k.ChatID == overtaken.ChatID || i%2 == 0 {
			ends = append(ends, shown(k.Hold))
		} else {
			q.retry(hub.Retry{Hold: k.Hold, Lane: hub.LaneDelivery, Delay: time.Hour, Attempt: &hub.Attempt{Number: 1}}, hub.Kept)
		}
	}
	if _, err := q.Store.Extend(q.Context(), holds, time.Hour); err != nil {
		q.Fatal(err)
	}
	ours, err := store.FinishGroup(q.Context(), q.Store, ends)
	if err != nil || len(ours) != len(ends) {
		q.Fatal(err)
	}
	q.finish(shown(q.claim(func(c *hub.ClaimRequest) { c.After, c.Limit = before(a.tenant.ID), 1 })[0].Hold), hub.Kept)
	q.exec("update work set due_at = now() - interval '1 second' where tenant_id = $1 and state = 2 and visitor_id like 'v%'", a.tenant.ID)
	q.sweep()
	for _, k := range q.claim(delivery, func(c *hub.ClaimRequest) { c.After, c.Share = before(a.tenant.ID), 64 }) {
		q.finish(shown(k.Hold), hub.Kept)
	}
}

// planLog collects the plans of every statement inside the verbs, which auto_explain sends as notices.
type planLog struct {
	mu    sync.Mutex
	plans []string
}

func (l *planLog) pool(t *testing.T, ownerURL string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	for setting, value := range store.QueueSettings {
		config.ConnConfig.RuntimeParams[setting] = value
	}
	config.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.plans = append(l.plans, n.Message)
	}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
			set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set client_min_messages = log`)
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (l *planLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	plans := l.plans
	l.plans = nil
	return plans
}

var (
	wholeTable = regexp.MustCompile(`Seq Scan on|Bitmap|Hash|Merge Join`)
	indexRows  = regexp.MustCompile(`Index (?:Only )?Scan.*actual rows=(\d+) loops=(\d+)`)
	removed    = regexp.MustCompile(`Rows Removed by [A-Za-z ]+: (\d+)`)
)

// readsTooMuch says what in a plan reads more rows than the verb is about.
func readsTooMuch(plan string) string {
	const most = 100
	if whole := wholeTable.FindString(plan); whole != "" {
		return whole
	}
	for line := range strings.Lines(plan) {
		if m := indexRows.FindStringSubmatch(line); m != nil {
			rows, _ := strconv.Atoi(m[1])
			loops, _ := strconv.Atoi(m[2])
			if rows*loops > most {
				return fmt.Sprintf("an index scan of %d rows", rows*loops)
			}
		}
		if m := removed.FindStringSubmatch(line); m != nil {
			if rows, _ := strconv.Atoi(m[1]); rows > most {
				return fmt.Sprintf("%d rows read and thrown away", rows)
			}
		}
	}
	return ""
}
