package hub

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sidecard/connectors/address"
)

const (
	// DefaultRetention is for how many days the details of a chat are kept.
	DefaultRetention = 30
	// MaxRetention is for how many they can be kept.
	MaxRetention = 365

	keptPage    = 5_000            // chats opened at a time to find a visitor's
	erasePasses = 3                // looks for chats that came meanwhile
	eraseTime   = 15 * time.Minute // an erasure goes on for so long when whoever asked for it goes away
	eraseSlack  = 5 * time.Minute  // a chat's id may have been drawn so long before it could be seen
	erasures    = 300              // per hour, of one tenant
)

// Privacy finds what is kept of visitors, and removes it.
type Privacy interface {
	// KeptChats lists chats that were not forgotten, the oldest first.
	KeptChats(ctx context.Context, q KeptQuery) ([]KeptChat, error)
	// EraseChats ends the unfinished chats of visitors as Erased, so that whoever has one in hand holds nothing any
	// more, and forgets all of their chats. Chats that come meanwhile are left.
	EraseChats(ctx context.Context, visitors []string) (ErasedChats, error)
	// EraseRows removes the rows of a connection with this index. When there were some, it applies change to the
	// connection in the same transaction, whose revision grows.
	EraseRows(ctx context.Context, connection ID, index []byte, change func(c *Connection, removed int)) (int, error)
}

// KeptQuery selects chats.
type KeptQuery struct {
	After     ID     // the zero ID = from the oldest
	VisitorID string // empty = of all
	Limit     int
}

// KeptChat is what tells whose chat one is.
type KeptChat struct {
	ID        ID
	VisitorID string
	Body      []byte // sealed
}

// ErasedChats counts chats.
type ErasedChats struct {
	Chats      int
	Unfinished int // of them
}

// Erasure is how much of a visitor was erased.
type Erasure struct {
	ErasedChats
	Rows int // of uploaded files
}

// VisitorRef names a visitor: by exactly one of both.
type VisitorRef struct {
	Email     string
	VisitorID string // as LiveSupporti writes it
}

// EraseVisitor removes what is kept of a visitor: all chats with the address and all other chats of those visitor ids,
// and the rows of uploaded files with the address. A visitor id stands for the addresses in its chats as well. What
// remains of a chat is when it came and how it ended. Doing it again is harmless. A chat that begins later is kept like
// any other.
func (h *Hub) EraseVisitor(ctx context.Context, a Actor, v VisitorRef) (Erasure, error) {
	if err := v.check(); err != nil {
		return Erasure{}, err
	}
	if err := h.limit(ctx, "erase/"+a.TenantID.String(), erasures, time.Hour); err != nil {
		return Erasure{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eraseTime)
	defer cancel()
	t, err := h.GetTenant(ctx, a)
	if err != nil {
		return Erasure{}, err
	}
	_, entry := h.auditing(ctx, a, "visitor.erased")
	entry.about(t.ID, t.Name)
	e := eraser{hub: h, tenant: a.TenantID, store: h.Store.Tenant(a.TenantID), emails: map[string]bool{}, visitors: map[string]bool{}}
	failed := e.erase(ctx, v)
	entry.After = map[string]any{"chats": e.done.Chats, "unfinished": e.done.Unfinished, "rows": e.done.Rows}
	noted := e.store.AddAudit(ctx, entry)
	return e.done, errors.Join(failed, noted)
}

func (v VisitorRef) check() error {
	switch {
	case v.Email == "" && v.VisitorID == "":
		return invalid("/email", "Give the visitor's e-mail address here, or a visitor id.")
	case v.Email != "" && v.VisitorID != "":
		return invalid("/visitor_id", "Give an e-mail address or a visitor id, not both.")
	case v.Email != "" && !strings.Contains(address.Fold(v.Email), "@"):
		return invalid("/email", "This is no e-mail address: it has no @.")
	}
	return nil
}

// eraser erases one visitor.
type eraser struct {
	hub      *Hub
	tenant   ID
	store    TenantStore
	emails   map[string]bool // folded
	visitors map[string]bool
	done     Erasure
}

func (e *eraser) erase(ctx context.Context, v VisitorRef) error {
	if v.Email != "" {
		e.emails[address.Fold(v.Email)] = true
	} else {
		id := key(v.VisitorID)
		e.visitors[id] = true
		err := e.eachKept(ctx, KeptQuery{VisitorID: id}, func(_ string, email string) { e.emails[email] = email != "" })
		if err != nil {
			return err
		}
	}
	maps.DeleteFunc(e.emails, func(_ string, given bool) bool { return !given })
	if err := e.eraseRows(ctx); err != nil {
		return err
	}
	var since ID
	for range erasePasses {
		next := FirstID(e.hub.Now().Add(-eraseSlack))
		err := e.eachKept(ctx, KeptQuery{After: since}, func(visitor, email string) {
			if e.emails[email] {
				e.visitors[visitor] = true
			}
		})
		if err != nil {
			return err
		}
		erased, err := e.store.EraseChats(ctx, slices.Sorted(maps.Keys(e.visitors)))
		e.done.Chats, e.done.Unfinished = e.done.Chats+erased.Chats, e.done.Unfinished+erased.Unfinished
		if err != nil {
			return err
		}
		if erased == (ErasedChats{}) {
			break
		}
		since = next
	}
	return nil
}

// eachKept visits chats with their folded address, which may be empty.
func (e *eraser) eachKept(ctx context.Context, q KeptQuery, visit func(visitor, email string)) error {
	q.Limit = keptPage
	for {
		page, err := e.store.KeptChats(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range page {
			kept, err := e.hub.keptChat(ctx, e.tenant, c.ID, c.Body)
			if err != nil {
				return err
			}
			visit(c.VisitorID, address.Fold(kept.Email))
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

func (e *eraser) eraseRows(ctx context.Context) error {
	if len(e.emails) == 0 {
		return nil
	}
	index, err := e.hub.indexKey(ctx, e.store)
	if err != nil {
		return err
	}
	connections, err := e.store.Connections(ctx)
	if err != nil {
		return err
	}
	for _, c := range connections {
		if c.Import == nil {
			continue
		}
		for email := range e.emails {
			n, err := e.store.EraseRows(ctx, c.ID, indexOf(index, c.ID, email), func(c *Connection, removed int) {
				if c.Import != nil {
					left := *c.Import
					left.Report.Rows = max(0, left.Report.Rows-removed)
					c.Import, c.UpdatedAt = &left, e.hub.Now()
				}
			})
			if err != nil {
				return err
			}
			e.done.Rows += n
		}
	}
	return nil
}

// checkRetention says what is wrong with a number of days.
func checkRetention(days int) error {
	if days < 1 || days > MaxRetention {
		return invalid("/retention_days", "Give a number of days from 1 to "+strconv.Itoa(MaxRetention)+".")
	}
	return nil
}
