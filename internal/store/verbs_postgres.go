package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/internal/flaw"
	"sidecard/internal/hub"
)

// queueConns is how many connections the queue has to itself, so that the portal cannot starve it.
const queueConns = 8

// postgresVerbs calls the functions of migrations/postgres/00006_queue.sql.
type postgresVerbs struct{ pool *pgxpool.Pool }

var _ verbs = postgresVerbs{}

// queueSettings make plans once for all, without a look at the values or at how full the tables are: a plan
// that is cached while they are empty would otherwise go on reading them whole.
var queueSettings = map[string]string{
	"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_bitmapscan": "off",
	"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off",
}

// openPostgresVerbs opens the queue's own pool.
func openPostgresVerbs(ctx context.Context, url string) (postgresVerbs, error) {
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		return postgresVerbs{}, errBadURL
	}
	actAsApp(pool.ConnConfig)
	for setting, value := range queueSettings {
		pool.ConnConfig.RuntimeParams[setting] = value
	}
	pool.MaxConns, pool.MinConns = queueConns, 0
	p, err := pgxpool.NewWithConfig(ctx, pool)
	if err != nil {
		return postgresVerbs{}, fmt.Errorf("queue pool: %w", err)
	}
	return postgresVerbs{p}, nil
}

func (v postgresVerbs) close() { v.pool.Close() }

func (v postgresVerbs) accept(ctx context.Context, chats []hub.Arrival) ([]acceptance, error) {
	n := len(chats)
	desk, id, ago := make(uuids, n), make(uuids, n), make([]int64, n)
	ext, visitor, body, replayOf := make([]string, n), make([]string, n), make([][]byte, n), make(uuids, n)
	index := make(map[hub.ID]int, n)
	for i, c := range chats {
		desk[i], id[i], ago[i] = uuidOf(c.DeskID), uuidOf(c.ChatID), c.Ago.Milliseconds()
		ext[i], visitor[i], body[i] = c.ExternalID, visitorOf(c), c.Body
		replayOf[i] = pgtype.UUID{Bytes: c.ReplayOf, Valid: c.ReplayOf != hub.ID{}}
		index[c.ChatID] = i
	}
	rows, err := v.pool.Query(ctx, "select chat, known from accept_chats($1, $2, $3, $4, $5, $6, $7)", desk, id, ext, visitor, body, ago, replayOf)
	if err != nil {
		return nil, err
	}
	became := make([]acceptance, n)
	var chat hub.ID
	var known bool
	_, err = pgx.ForEachRow(rows, []any{bytesOf(&chat), &known}, func() error {
		became[index[chat]] = noDesk
		if known {
			became[index[chat]] = fresh
		}
		return nil
	})
	return became, err
}

func (v postgresVerbs) claim(ctx context.Context, c hub.ClaimRequest) ([]hub.Claimed, error) {
	if flaw.On(flaw.LeaseOnWorkerClock) {
		c.Lease += flaw.Ahead()
	}
	rows, err := v.pool.Query(ctx, `select tenant, visitor, chat, claims, tries, received_at, age_ms, ago_ms, revision, body, details, trail
		from claim_chats($1, $2, $3, $4, $5, $6, $7, $8)`,
		int16(c.Lane), uuidOf(c.After), c.Limit, c.Share, uuidsOf(c.Excluded), c.Lease.Milliseconds(), c.Fence, uuidsOf(c.Slow))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (hub.Claimed, error) {
		k := hub.Claimed{Lane: c.Lane}
		k.Fence = c.Fence
		var age float64
		var ago int64
		err := row.Scan(bytesOf(&k.TenantID), &k.VisitorID, bytesOf(&k.ChatID), &k.Claims, &k.Tries, &k.ReceivedAt, &age, &ago,
			&k.Revision, &k.Body, &k.Details, &k.Trail)
		k.ReceivedAt = k.ReceivedAt.UTC()
		k.Age, k.Ago = time.Duration(age*float64(time.Millisecond)), time.Duration(ago)*time.Millisecond
		return k, err
	})
}

func (v postgresVerbs) finish(ctx context.Context, ends []hub.Finish) ([]hub.Grip, error) {
	order := lockOrder(ends, func(f hub.Finish) hub.Hold { return f.Hold })
	n := len(ends)
	holds, tries := newHoldArrays(n), newAttemptArrays(n)
	outcome, version := make([]int16, n), make([]int32, n)
	ms, trail, details := make([]float64, n), make([][]byte, n), make([][]byte, n)
	for at, i := range order {
		f := ends[i]
		holds.set(at, f.Hold)
		tries.set(at, f.Attempt)
		outcome[at], version[at], ms[at] = int16(f.Outcome), int32(f.CardVersion), f.MS
		trail[at], details[at] = f.Trail, f.Details
	}
	return v.places(ctx, order, "select finish_chats($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
		slices.Concat(holds.args(), []any{outcome, ms, version, trail, details}, tries.args()))
}

func (v postgresVerbs) retry(ctx context.Context, returns []hub.Retry) ([]hub.Grip, error) {
	order := lockOrder(returns, func(r hub.Retry) hub.Hold { return r.Hold })
	n := len(returns)
	holds, tries := newHoldArrays(n), newAttemptArrays(n)
	lane, delay := make([]int16, n), make([]int64, n)
	trail, details := make([][]byte, n), make([][]byte, n)
	for at, i := range order {
		r := returns[i]
		holds.set(at, r.Hold)
		tries.set(at, r.Attempt)
		lane[at], delay[at], trail[at], details[at] = int16(r.Lane), r.Delay.Milliseconds(), r.Trail, r.Details
	}
	return v.places(ctx, order, "select retry_chats($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
		slices.Concat(holds.args(), []any{lane, delay, trail, details}, tries.args()))
}

// places runs a function that returns the places, from 1, of the items that were still the caller's, and
// the negative places of those that were overtaken.
func (v postgresVerbs) places(ctx context.Context, order []int, call string, args []any) ([]hub.Grip, error) {
	rows, err := v.pool.Query(ctx, call, args...)
	if err != nil {
		return nil, err
	}
	grips := make([]hub.Grip, len(order))
	var place int
	_, err = pgx.ForEachRow(rows, []any{&place}, func() error {
		grip := hub.Kept
		if place < 0 {
			place, grip = -place, hub.Overtaken
		}
		grips[order[place-1]] = grip
		return nil
	})
	return grips, err
}

func (v postgresVerbs) extend(ctx context.Context, holds []hub.Hold, lease time.Duration) ([]hub.ID, error) {
	if flaw.On(flaw.LeaseOnWorkerClock) {
		lease += flaw.Ahead()
	}
	arrays := newHoldArrays(len(holds))
	for at, i := range lockOrder(holds, func(h hub.Hold) hub.Hold { return h }) {
		arrays.set(at, holds[i])
	}
	rows, err := v.pool.Query(ctx, "select extend_leases($1, $2, $3, $4, $5)", append(arrays.args(), lease.Milliseconds())...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (id hub.ID, err error) {
		return id, row.Scan(bytesOf(&id))
	})
}

func (v postgresVerbs) sweep(ctx context.Context, r hub.SweepRequest) (hub.Swept, error) {
	var ready int
	var next *float64
	var busy uuids
	limit := pgtype.Int4{Int32: int32(r.Cap), Valid: r.Cap > 0}
	disowned := append(pgtype.FlatArray[int64]{}, r.Disowned...) // never nil: nothing equals null
	err := v.pool.QueryRow(ctx, "select ready, next_ms, busy from sweep_work($1, $2, $3)", r.Lease.Milliseconds(), limit, disowned).Scan(&ready, &next, &busy)
	if err != nil {
		return hub.Swept{}, err
	}
	swept := hub.Swept{Ready: ready, Next: -1}
	if next != nil {
		swept.Next = time.Duration(*next * float64(time.Millisecond))
	}
	for _, id := range busy {
		swept.Busy = append(swept.Busy, id.Bytes)
	}
	return swept, nil
}

// visitorOf is empty for what is not a chat, which is how the database knows it.
func visitorOf(a hub.Arrival) string {
	if a.NotAChat {
		return ""
	}
	return a.VisitorID
}

// lockOrder gives the items' indexes in the order of tenant and visitor, in which everybody locks rows.
func lockOrder[T any](items []T, hold func(T) hub.Hold) []int {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := hold(items[i]), hold(items[j])
		if c := bytes.Compare(a.TenantID[:], b.TenantID[:]); c != 0 {
			return c
		}
		return strings.Compare(a.VisitorID, b.VisitorID)
	})
	return order
}

// uuids and the other types of pgtype are what the driver encodes without reflection; with plain slices of
// ids that takes longer than the query.
type uuids = pgtype.FlatArray[pgtype.UUID]

// uuidsOf is never nil: null is neither in nor outside of anything.
func uuidsOf(ids []hub.ID) uuids {
	all := make(uuids, len(ids))
	for i, id := range ids {
		all[i] = uuidOf(id)
	}
	return all
}

func uuidOf(id hub.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func bytesOf(id *hub.ID) *[16]byte { return (*[16]byte)(id) }

// holdArrays are the arguments that name work rows.
type holdArrays struct {
	tenant, chat uuids
	visitor      []string
	fence        []int64
}

func newHoldArrays(n int) holdArrays {
	return holdArrays{make(uuids, n), make(uuids, n), make([]string, n), make([]int64, n)}
}

func (a holdArrays) set(i int, h hub.Hold) {
	a.tenant[i], a.visitor[i], a.chat[i], a.fence[i] = uuidOf(h.TenantID), h.VisitorID, uuidOf(h.ChatID), h.Fence
}

func (a holdArrays) args() []any { return []any{a.tenant, a.visitor, a.chat, a.fence} }

// attemptArrays are the arguments that hold attempts; null is none.
type attemptArrays struct {
	number, status   pgtype.FlatArray[pgtype.Int4]
	start, took      pgtype.FlatArray[pgtype.Float8]
	verdict, message pgtype.FlatArray[pgtype.Text]
	excerpt          [][]byte
}

func newAttemptArrays(n int) attemptArrays {
	return attemptArrays{
		make(pgtype.FlatArray[pgtype.Int4], n), make(pgtype.FlatArray[pgtype.Int4], n),
		make(pgtype.FlatArray[pgtype.Float8], n), make(pgtype.FlatArray[pgtype.Float8], n),
		make(pgtype.FlatArray[pgtype.Text], n), make(pgtype.FlatArray[pgtype.Text], n), make([][]byte, n),
	}
}

func (a attemptArrays) set(i int, t *hub.Attempt) {
	if t == nil {
		return
	}
	a.number[i] = pgtype.Int4{Int32: int32(t.Number), Valid: true}
	a.status[i] = pgtype.Int4{Int32: int32(t.Status), Valid: true}
	a.start[i] = pgtype.Float8{Float64: t.StartMS, Valid: true}
	a.took[i] = pgtype.Float8{Float64: t.MS, Valid: true}
	a.verdict[i] = pgtype.Text{String: t.Verdict, Valid: true}
	a.message[i] = pgtype.Text{String: t.Message, Valid: true}
	a.excerpt[i] = t.Excerpt
}

func (a attemptArrays) args() []any {
	return []any{a.number, a.start, a.took, a.status, a.verdict, a.message, a.excerpt}
}
