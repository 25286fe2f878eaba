package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"

	"sidecard/internal/hub"
)

// States of a work row.
const (
	stateReady  = 0
	stateLeased = 1
	stateLater  = 2
)

// replaySearch is how far back accepting a replay looks for a newer chat, as in accept_chats of PostgreSQL.
const replaySearch = 5 * time.Minute

// sweepLimit is how many rows one sweep makes ready, as in sweep_work of PostgreSQL.
const sweepLimit = 1000

// sqliteVerbs does what the functions of migrations/postgres/00006_queue.sql do, over SQLite's one writing
// connection: every transaction begins by taking the write lock, so none sees another's half.
type sqliteVerbs struct {
	db       *sql.DB
	prepared *sync.Map // *sql.Stmt by its text
}

var _ verbs = sqliteVerbs{}

func newSQLiteVerbs(db *sql.DB) sqliteVerbs { return sqliteVerbs{db, &sync.Map{}} }

// close leaves the connection to the store.
func (v sqliteVerbs) close() {
	v.prepared.Range(func(_, statement any) bool {
		_ = statement.(*sql.Stmt).Close()
		return true
	})
}

func (v sqliteVerbs) accept(ctx context.Context, chats []hub.Arrival) ([]acceptance, error) {
	became := make([]acceptance, len(chats))
	err := v.inTx(ctx, func(t *sqliteTx) error {
		for i, c := range chats {
			var err error
			if became[i], err = t.acceptOne(c); err != nil {
				return err
			}
		}
		return nil
	})
	return became, err
}

func (t *sqliteTx) acceptOne(c hub.Arrival) (acceptance, error) {
	var tenant hub.ID
	err := t.row("select tenant_id from desks where id = ?", []any{c.DeskID}, &tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return noDesk, nil
	}
	if err != nil {
		return repeated, err
	}
	replayOf := sql.Null[hub.ID]{V: c.ReplayOf, Valid: c.ReplayOf != hub.ID{}}
	stored, err := t.exec(`insert into chats (tenant_id, id, ext_id, visitor_id, body, received_at, ago_ms, replay_of)
		values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		tenant, c.ChatID, c.ExternalID, visitorOf(c), c.Body, t.now, c.Ago.Milliseconds(), replayOf)
	if err != nil || stored == 0 {
		return repeated, err
	}
	if visitorOf(c) == "" {
		return fresh, t.end(tenant, c.ChatID, hub.NotAChat)
	}
	started := t.now.Add(-c.Ago)
	late, err := t.newerExists(tenant, c, started)
	if err != nil {
		return fresh, err
	}
	if late {
		return fresh, t.end(tenant, c.ChatID, hub.Superseded)
	}
	return fresh, t.putToWork(tenant, c, started)
}

// end stores the outcome of a chat that was never worked on.
func (t *sqliteTx) end(tenant, chat hub.ID, outcome hub.Outcome) error {
	_, err := t.exec(`insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, at) values (?, ?, ?, 0, 0, 0, ?)`,
		tenant, chat, outcome, t.now)
	return err
}

// newerExists reports whether a chat of the same visitor started after this one and came before it. Whoever asks
// for a replay has just looked, so for one the search is kept to the last minutes; other replays do not count
// then, and neither does the original.
func (t *sqliteTx) newerExists(tenant hub.ID, c hub.Arrival, started time.Time) (bool, error) {
	if c.Ago <= 0 { // only a repeated notification or a replay can be late
		return false, nil
	}
	replay, since := c.ReplayOf != hub.ID{}, started
	if recent := t.now.Add(-replaySearch); replay && since.Before(recent) {
		since = recent
	}
	rows, err := t.query(`select received_at, ago_ms from chats
		where tenant_id = ? and id >= ? and visitor_id = ? and id <> ? and received_at > ?
			and (not ? or replay_of is null and id <> ?)`,
		tenant, hub.FirstID(since.Add(-clockSlack)), c.VisitorID, c.ChatID, started, replay, c.ReplayOf)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var received time.Time
		var ago int64
		if err := rows.Scan(&received, &ago); err != nil {
			return false, err
		}
		if received.Add(-time.Duration(ago) * time.Millisecond).After(started) {
			return true, nil
		}
	}
	return false, rows.Err()
}

// putToWork makes the chat its visitor's work, unless a newer chat is that already.
func (t *sqliteTx) putToWork(tenant hub.ID, c hub.Arrival, started time.Time) error {
	key := []any{tenant, c.VisitorID}
	var other hub.ID
	var otherStarted time.Time
	var state int
	var olderJSON string
	err := t.row("select chat_id, started_at, state, older from work where tenant_id = ? and visitor_id = ?", key,
		&other, &otherStarted, &state, &olderJSON)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = t.exec("insert into work (tenant_id, visitor_id, chat_id, started_at) values (?, ?, ?, ?)",
			tenant, c.VisitorID, c.ChatID, started)
		return err
	}
	if err != nil {
		return err
	}
	older, err := parseIDs(olderJSON)
	if err != nil {
		return err
	}
	if started.Before(otherStarted) {
		_, err = t.exec("update work set older = ? where tenant_id = ? and visitor_id = ?",
			append([]any{formatIDs(append(older, c.ChatID))}, key...)...)
		return err
	}
	// A lease goes on: its holder may be posting, and no other may post for this visitor meanwhile.
	_, err = t.exec(`update work set chat_id = ?, started_at = ?, older = ?, lane = 0, claims = 0, tries = 0, trail = null, details = null,
		due_at = case when state = 1 then due_at end, state = case when state = 1 then 1 else 0 end
		where tenant_id = ? and visitor_id = ?`,
		append([]any{c.ChatID, started, formatIDs(append(older, other))}, key...)...)
	return err
}

func (v sqliteVerbs) claim(ctx context.Context, c hub.ClaimRequest) ([]hub.Claimed, error) {
	var claimed []hub.Claimed
	err := v.inTx(ctx, func(t *sqliteTx) error {
		for tenant := c.After; len(claimed) < c.Limit; {
			err := t.row("select tenant_id from work where lane = ? and state = 0 and tenant_id > ? order by tenant_id limit 1",
				[]any{c.Lane, tenant}, &tenant)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			if slices.Contains(c.Excluded, tenant) {
				continue
			}
			share := c.Share
			if slices.Contains(c.Slow, tenant) {
				share = 1
			}
			batch, err := t.claimOf(tenant, c, min(share, c.Limit-len(claimed)))
			if err != nil {
				return err
			}
			claimed = append(claimed, batch...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// claimOf leases a tenant's next chats.
func (t *sqliteTx) claimOf(tenant hub.ID, c hub.ClaimRequest, limit int) ([]hub.Claimed, error) {
	rows, err := t.query(`
		select w.visitor_id, w.chat_id, w.claims + 1, w.tries, c.received_at, c.ago_ms, t.revision, c.body, w.details, w.trail
		from work w join chats c on c.tenant_id = w.tenant_id and c.id = w.chat_id join tenants t on t.id = w.tenant_id
		where w.lane = ? and w.state = 0 and w.tenant_id = ? order by w.chat_id limit ?`, c.Lane, tenant, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var batch []hub.Claimed
	for rows.Next() {
		k := hub.Claimed{Hold: hub.Hold{TenantID: tenant, Fence: c.Fence}, Lane: c.Lane}
		var ago int64
		if err := rows.Scan(&k.VisitorID, &k.ChatID, &k.Claims, &k.Tries, &k.ReceivedAt, &ago, &k.Revision, &k.Body, &k.Details, &k.Trail); err != nil {
			return nil, err
		}
		k.ReceivedAt = k.ReceivedAt.UTC()
		k.Age, k.Ago = t.now.Sub(k.ReceivedAt), time.Duration(ago)*time.Millisecond
		batch = append(batch, k)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, k := range batch {
		_, err := t.exec("update work set state = 1, due_at = ?, fence = ?, claims = claims + 1 where tenant_id = ? and visitor_id = ?",
			t.now.Add(c.Lease), c.Fence, tenant, k.VisitorID)
		if err != nil {
			return nil, err
		}
	}
	return batch, nil
}

func (v sqliteVerbs) extend(ctx context.Context, holds []hub.Hold, lease time.Duration) ([]hub.ID, error) {
	var kept []hub.ID
	err := v.inTx(ctx, func(t *sqliteTx) error {
		for _, h := range holds {
			n, err := t.exec(`update work set due_at = ? where tenant_id = ? and visitor_id = ? and chat_id = ? and state = 1 and fence = ?`,
				t.now.Add(lease), h.TenantID, h.VisitorID, h.ChatID, h.Fence)
			if err != nil {
				return err
			}
			if n > 0 {
				kept = append(kept, h.ChatID)
			}
		}
		return nil
	})
	return kept, err
}

func (v sqliteVerbs) sweep(ctx context.Context, r hub.SweepRequest) (hub.Swept, error) {
	swept := hub.Swept{Next: -1}
	err := v.inTx(ctx, func(t *sqliteTx) error {
		if r.Cap > 0 {
			var err error
			if swept.Busy, err = t.busy(r); err != nil {
				return err
			}
		}
		for _, fence := range r.Disowned {
			if _, err := t.exec("update work set due_at = ? where state = 1 and fence = ?", t.now, fence); err != nil {
				return err
			}
		}
		ready, err := t.exec(`update work set state = 0, due_at = null where rowid in (
			select rowid from work where state <> 0 and due_at <= ? order by due_at limit ?)`, t.now, sweepLimit)
		if err != nil {
			return err
		}
		swept.Ready = int(ready)
		if ready == sweepLimit {
			swept.Next = 0
			return nil
		}
		var due time.Time
		err = t.row("select due_at from work where state <> 0 and due_at > ? order by due_at limit 1", []any{t.now}, &due)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		swept.Next = due.Sub(t.now)
		return err
	})
	return swept, err
}

// busy lists the tenants with so many chats in hand.
func (t *sqliteTx) busy(r hub.SweepRequest) ([]hub.ID, error) {
	rows, err := t.query(`select tenant_id from work where state = 1 and due_at > ? group by tenant_id having count(*) >= ?`, t.now, r.Cap)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tenants []hub.ID
	for rows.Next() {
		var id hub.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		tenants = append(tenants, id)
	}
	return tenants, rows.Err()
}
