package store

import (
	"bytes"
	"context"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// OriginalsOf implements hub.TenantStore.
func (t tenant) OriginalsOf(ctx context.Context, ids []hub.ID) (map[hub.ID]hub.ID, error) {
	var rows []struct{ ID, Original hub.ID }
	err := t.view(ctx, "find originals", func(tx *gorm.DB) error {
		return t.s.dialect.amongIDs(tx.Model(&chatRow{}), "chats.id", ids).
			Select("chats.id, coalesce(chats.replay_of, chats.id) as original").Find(&rows).Error
	})
	originals := make(map[hub.ID]hub.ID, len(rows))
	for _, r := range rows {
		originals[r.ID] = r.Original
	}
	return originals, err
}

// originalRow is a chat that LiveSupporti sent, with its newest replay.
type originalRow struct {
	ID          hub.ID
	VisitorID   string
	ReceivedAt  time.Time
	AgoMS       int64 `gorm:"column:ago_ms"`
	Outcome     *hub.Outcome
	Forgotten   bool
	LastReplay  *hub.ID
	LastOutcome *hub.Outcome
}

func (originalRow) TableName() string { return "chats" }

// Originals implements hub.TenantStore.
func (t tenant) Originals(ctx context.Context, q hub.OriginalQuery) ([]hub.Original, error) {
	var originals []hub.Original
	err := t.view(ctx, "find chats to replay", func(tx *gorm.DB) error {
		var rows []originalRow
		if err := t.originalsIn(tx, q).Order("chats.id desc").Limit(q.Limit).Find(&rows).Error; err != nil {
			return err
		}
		originals = make([]hub.Original, len(rows))
		for i, r := range rows {
			originals[i] = hub.Original{
				ID: r.ID, VisitorID: r.VisitorID, StartedAt: started(r.ReceivedAt, r.AgoMS),
				Outcome: orZero(r.Outcome), Forgotten: r.Forgotten, LastReplay: orZero(r.LastReplay), LastOutcome: orZero(r.LastOutcome),
			}
		}
		return t.findNewer(tx, originals)
	})
	return originals, err
}

func (t tenant) originalsIn(tx *gorm.DB, q hub.OriginalQuery) *gorm.DB {
	list := tx.Select(`chats.id, chats.visitor_id, chats.received_at, chats.ago_ms, o.outcome, length(chats.body) = 0 as forgotten,
			r.id as last_replay, ro.outcome as last_outcome`).
		Joins("left join outcomes o on o.tenant_id = chats.tenant_id and o.chat_id = chats.id").
		Joins(`left join chats r on r.tenant_id = chats.tenant_id and r.replay_of = chats.id and not exists (
			select 1 from chats later where later.tenant_id = r.tenant_id and later.replay_of = r.replay_of and later.id > r.id)`).
		Joins("left join outcomes ro on ro.tenant_id = r.tenant_id and ro.chat_id = r.id").
		Where("chats.replay_of is null")
	if len(q.IDs) > 0 {
		return t.s.dialect.amongIDs(list, "chats.id", q.IDs)
	}
	return receivedBetween(list, q.From, q.To).
		Where("coalesce(o.outcome, 0) in ? and (ro.chat_id is null or ro.outcome in ?)", q.Outcomes, q.Outcomes)
}

// findNewer marks the chats whose visitor started another one since, in one walk over the chats since the
// oldest of them: PostgreSQL has no index by visitor.
func (t tenant) findNewer(tx *gorm.DB, originals []hub.Original) error {
	if len(originals) == 0 {
		return nil
	}
	oldest := originals[0].StartedAt
	visitors := make([]string, 0, len(originals))
	for _, o := range originals {
		if o.VisitorID != "" {
			visitors = append(visitors, o.VisitorID)
		}
		if o.StartedAt.Before(oldest) {
			oldest = o.StartedAt
		}
	}
	var rows []originalRow
	err := t.s.dialect.amongTexts(tx, "chats.visitor_id", visitors).
		Select("chats.id, chats.visitor_id, chats.received_at, chats.ago_ms").
		Where("chats.replay_of is null and chats.id >= ?", hub.FirstID(oldest.Add(-clockSlack))).Find(&rows).Error
	if err != nil {
		return err
	}
	newest := make(map[string]originalRow, len(rows))
	for _, r := range rows {
		if n, ok := newest[r.VisitorID]; !ok || r.startedAfter(started(n.ReceivedAt, n.AgoMS), n.ID) {
			newest[r.VisitorID] = r
		}
	}
	for i, o := range originals {
		n, ok := newest[o.VisitorID]
		originals[i].Newer = ok && n.startedAfter(o.StartedAt, o.ID)
	}
	return nil
}

// startedAfter orders chats as accepting them does: by their start, then by their id.
func (r originalRow) startedAfter(at time.Time, id hub.ID) bool {
	if c := started(r.ReceivedAt, r.AgoMS).Compare(at); c != 0 {
		return c > 0
	}
	return bytes.Compare(r.ID[:], id[:]) > 0
}

func started(received time.Time, agoMS int64) time.Time {
	return received.UTC().Add(-time.Duration(agoMS) * time.Millisecond)
}

// clockSlack is how far the clock of whoever drew a chat's id may be from the database's.
const clockSlack = time.Minute

// receivedBetween selects chats by when they were received; their ids, which begin with their time, keep the
// search short.
func receivedBetween(list *gorm.DB, from, to time.Time) *gorm.DB {
	if !from.IsZero() {
		list = list.Where("chats.id >= ? and chats.received_at >= ?", hub.FirstID(from.Add(-clockSlack)), from.UTC())
	}
	if !to.IsZero() {
		list = list.Where("chats.id <= ? and chats.received_at < ?", hub.FirstID(to.Add(clockSlack)), to.UTC())
	}
	return list
}

func texts(ids []hub.ID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id.String()
	}
	return all
}
