package hub

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	usageDays      = 14     // that Usage tells of, today among them
	daysRemembered = 16_384 // of all tenants
)

// Usages tell how much a tenant uses, and set how much it may.
type Usages interface {
	// SetPlan reads the tenant under a lock, lets change edit its plan and stores that unless change fails. The
	// tenant's revision grows.
	SetPlan(ctx context.Context, change func(*Tenant) error) (Tenant, error)
	// ChatAfter gives the chat that follows the first skip ones whose ids were drawn at from or later and before to;
	// the zero ID when there are no more than skip.
	ChatAfter(ctx context.Context, from, to time.Time, skip int) (ID, error)
	// CountChats counts the chats whose ids were drawn at from or later and before to.
	CountChats(ctx context.Context, from, to time.Time) (ChatCount, error)
}

// ChatCount counts chats, replays among them.
type ChatCount struct {
	Chats     int
	OverQuota int // how many of them ended so
}

// Usage is how much a tenant uses of what its plan has.
type Usage struct {
	Plan        string
	ResetsAt    time.Time // when the next day's chats begin
	ChatsToday  Used
	Connections Used
	CSVRows     Used
	Members     Used // with open invitations
	APITokens   Used
	Days        []DayUsage // the last 14 UTC days, the oldest first; the last is today
}

// Used is how much of one thing is used.
type Used struct {
	Used  int
	Limit int // 0 = none
}

// DayUsage is how many chats came on a UTC day.
type DayUsage struct {
	Day time.Time // its beginning
	ChatCount
}

// usages remembers how many chats came on days that are over: those numbers do not change any more.
type usages struct {
	days *lru.Cache[usageKey, ChatCount]
}

type usageKey struct {
	tenant ID
	day    int64 // days since 1970, UTC
}

func newUsages() *usages {
	c, err := lru.New[usageKey, ChatCount](daysRemembered)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &usages{c}
}

// Usage says how much the actor's tenant uses.
func (h *Hub) Usage(ctx context.Context, a Actor) (Usage, error) {
	now := h.Now()
	t := h.Store.Tenant(a.TenantID)
	tenant, err := t.Tenant(ctx)
	if err != nil {
		return Usage{}, err
	}
	connections, err := t.Connections(ctx)
	if err != nil {
		return Usage{}, err
	}
	members, err := t.Members(ctx)
	if err != nil {
		return Usage{}, err
	}
	invitations, err := t.Invitations(ctx, now)
	if err != nil {
		return Usage{}, err
	}
	tokens, err := t.APITokens(ctx, now)
	if err != nil {
		return Usage{}, err
	}
	days, err := h.usageByDay(ctx, tenant, now)
	if err != nil {
		return Usage{}, err
	}
	plan := tenant.Limits()
	return Usage{
		Plan: plan.Name, ResetsAt: startOfDay(now).AddDate(0, 0, 1),
		ChatsToday:  Used{days[len(days)-1].Chats, plan.ChatsPerDay},
		Connections: Used{len(connections), plan.Connections},
		CSVRows:     Used{RowsIn(connections), plan.CSVRows},
		Members:     Used{len(members) + len(invitations), plan.Members},
		APITokens:   Used{len(tokens), maxAPITokens},
		Days:        days,
	}, nil
}

// usageByDay counts the chats of the last days. A day that is over for long is counted once.
func (h *Hub) usageByDay(ctx context.Context, t Tenant, now time.Time) ([]DayUsage, error) {
	today := startOfDay(now)
	days := make([]DayUsage, usageDays)
	for i := range days {
		from := today.AddDate(0, 0, i+1-usageDays)
		to := from.AddDate(0, 0, 1)
		days[i].Day = from
		if to.Before(t.CreatedAt) {
			continue
		}
		key := usageKey{t.ID, from.Unix() / 86400}
		known, ok := h.usages.days.Get(key)
		if !ok {
			var err error
			if known, err = h.Store.Tenant(t.ID).CountChats(ctx, from, to); err != nil {
				return nil, err
			}
			if now.Sub(to) > h.Limits.ChatDeadline+time.Hour { // all of its chats have ended
				h.usages.days.Add(key, known)
			}
		}
		days[i].ChatCount = known
	}
	return days, nil
}

// RowsIn counts the imported rows of connections.
func RowsIn(connections []Connection) (n int) {
	for _, c := range connections {
		if c.Import != nil {
			n += c.Import.Report.Rows
		}
	}
	return n
}
