package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"sidecard/internal/hub"
)

// heldRow is what of a work row decides about ending a chat.
type heldRow struct {
	chat  hub.ID
	state int
	fence int64
	tries int
	older []hub.ID
}

// find reads the visitor's work row; ok is false when there is none.
func (t *sqliteTx) find(h hub.Hold) (row heldRow, ok bool, err error) {
	var older string
	err = t.row("select chat_id, state, fence, tries, older from work where tenant_id = ? and visitor_id = ?",
		[]any{h.TenantID, h.VisitorID}, &row.chat, &row.state, &row.fence, &row.tries, &older)
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	if err == nil {
		row.older, err = parseIDs(older)
	}
	return row, err == nil, err
}

// leasedTo reports whether the row is leased under the hold's fence.
func (r heldRow) leasedTo(h hub.Hold) bool { return r.state == stateLeased && r.fence == h.Fence }

// heldBy reports whether the hold's owner may still decide: under its lease, or when the lease ran out and
// nobody came since.
func (r heldRow) heldBy(h hub.Hold) bool { return r.leasedTo(h) || r.state == stateReady }

func (v sqliteVerbs) finish(ctx context.Context, ends []hub.Finish) ([]hub.Grip, error) {
	grips := make([]hub.Grip, len(ends))
	err := v.inTx(ctx, func(t *sqliteTx) error {
		for i, f := range ends {
			var err error
			if grips[i], err = t.finishOne(f); err != nil {
				return err
			}
		}
		return nil
	})
	return grips, err
}

func (t *sqliteTx) finishOne(f hub.Finish) (hub.Grip, error) {
	row, ok, err := t.find(f.Hold)
	if err != nil || !ok || !row.heldBy(f.Hold) {
		return hub.Lost, err
	}
	grip := hub.Kept
	switch {
	case row.chat == f.ChatID:
		_, err = t.exec("delete from work where tenant_id = ? and visitor_id = ?", f.TenantID, f.VisitorID)
	case slices.Contains(row.older, f.ChatID): // overtaken: the newer chat becomes ready
		row.older = slices.DeleteFunc(row.older, func(id hub.ID) bool { return id == f.ChatID })
		err = t.release(f.Hold, row.older)
		row.older, row.tries, grip = nil, 0, hub.Overtaken
	default:
		return hub.Lost, nil
	}
	if err != nil {
		return hub.Lost, err
	}
	if f.Attempt != nil {
		row.tries = max(row.tries, f.Attempt.Number)
	}
	_, err = t.exec(`insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, trail, details, at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		f.TenantID, f.ChatID, f.Outcome, f.MS, f.CardVersion, row.tries, f.Trail, f.Details, t.now)
	if err != nil {
		return hub.Lost, err
	}
	for _, older := range row.older {
		if err := t.supersede(f.TenantID, older); err != nil {
			return hub.Lost, err
		}
	}
	return grip, t.addAttempt(f.Hold, f.Attempt)
}

// release frees the visitor's row for the chat that it is about.
func (t *sqliteTx) release(h hub.Hold, older []hub.ID) error {
	_, err := t.exec("update work set older = ?, state = 0, due_at = null where tenant_id = ? and visitor_id = ?",
		formatIDs(older), h.TenantID, h.VisitorID)
	return err
}

// supersede ends a chat whose place a newer one took.
func (t *sqliteTx) supersede(tenant, chat hub.ID) error {
	_, err := t.exec(`insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, at)
		select c.tenant_id, c.id, ?, (julianday(?) - julianday(c.received_at)) * 86400000, 0,
			(select count(*) from attempts a where a.tenant_id = c.tenant_id and a.chat_id = c.id), ?
		from chats c where c.tenant_id = ? and c.id = ? on conflict do nothing`,
		hub.Superseded, t.now, t.now, tenant, chat)
	return err
}

func (t *sqliteTx) addAttempt(h hub.Hold, a *hub.Attempt) error {
	if a == nil {
		return nil
	}
	_, err := t.exec(`insert into attempts (tenant_id, chat_id, number, start_ms, ms, status, verdict, message, excerpt)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		h.TenantID, h.ChatID, a.Number, a.StartMS, a.MS, a.Status, a.Verdict, a.Message, a.Excerpt)
	return err
}

func (v sqliteVerbs) retry(ctx context.Context, returns []hub.Retry) ([]hub.Grip, error) {
	grips := make([]hub.Grip, len(returns))
	err := v.inTx(ctx, func(t *sqliteTx) error {
		for i, r := range returns {
			var err error
			if grips[i], err = t.retryOne(r); err != nil {
				return err
			}
		}
		return nil
	})
	return grips, err
}

func (t *sqliteTx) retryOne(r hub.Retry) (hub.Grip, error) {
	row, ok, err := t.find(r.Hold)
	if err != nil || !ok {
		return hub.Lost, err
	}
	if row.chat != r.ChatID {
		if !row.leasedTo(r.Hold) || !slices.Contains(row.older, r.ChatID) {
			return hub.Lost, nil
		}
		if err := t.release(r.Hold, row.older); err != nil { // overtaken: the newer chat becomes ready
			return hub.Lost, err
		}
		return hub.Overtaken, t.addAttempt(r.Hold, r.Attempt)
	}
	if !row.heldBy(r.Hold) || r.Delay < 0 {
		return hub.Lost, nil
	}
	state, due := stateReady, sql.NullTime{}
	if r.Delay > 0 {
		state, due = stateLater, sql.NullTime{Time: t.now.Add(r.Delay), Valid: true}
	}
	if r.Attempt != nil {
		row.tries = max(row.tries, r.Attempt.Number)
	}
	_, err = t.exec(`update work set state = ?, due_at = ?, lane = ?, tries = ?, trail = ?, details = ? where tenant_id = ? and visitor_id = ?`,
		state, due, r.Lane, row.tries, r.Trail, r.Details, r.TenantID, r.VisitorID)
	if err != nil {
		return hub.Lost, err
	}
	return hub.Kept, t.addAttempt(r.Hold, r.Attempt)
}
