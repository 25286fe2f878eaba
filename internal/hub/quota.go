package hub

import (
	"bytes"
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// quotaLook is how often a worker looks whether a tenant's chats of a day are used up. So many more may pass as
	// come within it.
	quotaLook = 5 * time.Second
	// quotaTime bounds one such look.
	quotaTime = 2 * time.Second
	// quotasRemembered is how many days of tenants a worker remembers.
	quotasRemembered = 4096
)

// quotas remembers which chat was the first beyond a plan's limit of a day. Chats are told by their ids, which sort by
// when they came: so all workers judge a chat alike, whenever they do.
type quotas struct {
	days *lru.Cache[quotaKey, *quotaDay]
}

type quotaKey struct {
	tenant ID
	day    int64 // days since 1970, UTC
	chats  int   // that the plan has
}

type quotaDay struct {
	mu     sync.Mutex
	beyond ID        // the first chat beyond the limit; the zero ID = not known
	looked time.Time // zero = never
}

func newQuotas() *quotas {
	c, err := lru.New[quotaKey, *quotaDay](quotasRemembered)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &quotas{c}
}

// dayOf gives the beginning of the UTC day in which a chat's id was drawn.
func dayOf(chat ID) time.Time {
	sec, nsec := chat.Time().UnixTime()
	return startOfDay(time.Unix(sec, nsec))
}

func startOfDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// overQuota reports whether a chat came after its day's chats were used up. A tenant whose plan has no such limit
// costs nothing here. When the store cannot tell, the chat passes: it is not the tenant's fault.
func (h *Hub) overQuota(ctx context.Context, t Tenant, chat ID) bool {
	limit := t.Limits().ChatsPerDay
	if limit == 0 {
		return false
	}
	from := dayOf(chat)
	key := quotaKey{t.ID, from.Unix() / 86400, limit}
	day := &quotaDay{}
	if known, ok, _ := h.quotas.days.PeekOrAdd(key, day); ok {
		day = known
	}
	day.mu.Lock()
	defer day.mu.Unlock()
	if now := h.Now(); day.beyond == (ID{}) && now.Sub(day.looked) >= quotaLook {
		ctx, cancel := context.WithTimeout(ctx, quotaTime)
		defer cancel()
		beyond, err := h.Store.Tenant(t.ID).ChatAfter(ctx, from, from.AddDate(0, 0, 1), limit)
		if err != nil {
			h.Log.WarnContext(ctx, "chats of the day not counted", "tenant", t.ID, "error", err)
		}
		day.beyond, day.looked = beyond, now
	}
	return day.beyond != (ID{}) && bytes.Compare(chat[:], day.beyond[:]) >= 0
}
