package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// chatRow is a chat with its outcome, or with what is known so far when it is still worked on.
type chatRow struct {
	ID          hub.ID
	ExtID       string
	VisitorID   string
	Body        []byte
	ReceivedAt  time.Time
	AgoMS       int64 `gorm:"column:ago_ms"`
	Outcome     *hub.Outcome
	EndedAt     *time.Time
	MS          *float64 `gorm:"column:ms"`
	CardVersion *int
	Trail       []byte
	Details     []byte
	Tries       *int
	ReplayOf    *hub.ID
	State       *int       // of the work
	Lane        *hub.Lane  // of the work
	Claims      *int       // of the work
	DueAt       *time.Time // of the work
}

func (chatRow) TableName() string { return "chats" }

// chatsOf selects the tenant's chats. A visitor's work row tells about the newest unfinished chat alone.
func (t tenant) chatsOf(tx *gorm.DB) *gorm.DB {
	return tx.Select(`chats.id, chats.ext_id, chats.visitor_id, chats.body, chats.received_at, chats.ago_ms,
			o.outcome, o.at as ended_at, o.ms, o.card_version, coalesce(o.trail, w.trail) as trail,
			coalesce(o.details, w.details) as details, coalesce(o.tries, w.tries) as tries, chats.replay_of,
			w.state, w.lane, w.claims, w.due_at`).
		Joins("left join outcomes o on o.tenant_id = chats.tenant_id and o.chat_id = chats.id").
		Joins("left join work w on w.tenant_id = chats.tenant_id and w.visitor_id = chats.visitor_id and w.chat_id = chats.id")
}

func (r chatRow) record() hub.ChatRecord {
	record := hub.ChatRecord{
		ID: r.ID, ExternalID: r.ExtID, VisitorID: r.VisitorID, Body: r.Body,
		ReceivedAt: r.ReceivedAt.UTC(), Ago: time.Duration(r.AgoMS) * time.Millisecond,
		Outcome: orZero(r.Outcome), EndedAt: timeOrZero(r.EndedAt), MS: orZero(r.MS), CardVersion: orZero(r.CardVersion),
		Trail: r.Trail, Details: r.Details, Tries: orZero(r.Tries), ReplayOf: orZero(r.ReplayOf),
		Lane: orZero(r.Lane), Claims: orZero(r.Claims), Stage: r.stage(),
	}
	if orZero(r.State) == stateLater {
		record.NextTryAt = timeOrZero(r.DueAt)
	}
	return record
}

func (r chatRow) stage() hub.Stage {
	if r.State == nil {
		return hub.StageNone
	}
	return [...]hub.Stage{stateReady: hub.StageReady, stateLeased: hub.StageClaimed, stateLater: hub.StageLater}[*r.State]
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Chats implements hub.TenantStore.
func (t tenant) Chats(ctx context.Context, q hub.ChatQuery) ([]hub.ChatRecord, error) {
	var rows []chatRow
	err := t.view(ctx, "list chats", func(tx *gorm.DB) error {
		list := receivedBetween(t.chatsOf(tx), q.From, q.To).Order("chats.id desc").Limit(q.Limit)
		if q.IDs != nil {
			list = t.s.dialect.amongIDs(list, "chats.id", q.IDs)
		}
		if q.ReplayOf != (hub.ID{}) {
			list = list.Where("chats.replay_of = ?", q.ReplayOf)
		}
		if q.Before != (hub.ID{}) {
			list = list.Where("chats.id < ?", q.Before)
		}
		switch {
		case q.Outcome == nil:
		case *q.Outcome == hub.Waiting:
			list = list.Where("chats.id in (?)", tx.Raw(t.s.dialect.waiting(), t.id, t.id))
		default:
			list = list.Where("o.outcome = ?", *q.Outcome)
		}
		return list.Find(&rows).Error
	})
	records := make([]hub.ChatRecord, len(rows))
	for i, r := range rows {
		records[i] = r.record()
	}
	return records, err
}

type attemptRow struct {
	Number  int
	StartMS float64 `gorm:"column:start_ms"`
	MS      float64 `gorm:"column:ms"`
	Status  int
	Verdict string
	Message string
	Excerpt []byte
}

func (attemptRow) TableName() string { return "attempts" }

// Chat implements hub.TenantStore.
func (t tenant) Chat(ctx context.Context, id hub.ID) (hub.ChatRecord, error) {
	var row chatRow
	var attempts []attemptRow
	err := t.view(ctx, "read chat", func(tx *gorm.DB) error {
		if err := t.chatsOf(tx).Where("chats.id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		return tx.Where("chat_id = ?", id).Order("number").Find(&attempts).Error
	})
	if err != nil {
		return hub.ChatRecord{}, err
	}
	record := row.record()
	for _, a := range attempts {
		record.Attempts = append(record.Attempts, hub.Attempt(a))
	}
	return record, nil
}

// Hasten implements hub.TenantStore.
func (t tenant) Hasten(ctx context.Context) (n int, err error) {
	err = t.change(ctx, "hasten chats", func(tx *gorm.DB) error {
		n, err = t.s.dialect.hasten(tx, t.id)
		return err
	})
	return n, err
}
