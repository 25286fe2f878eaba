package hub

import (
	"context"
	"time"
)

// AuditEntry is one line of a tenant's audit log: who did what, to what, from where. Before and After hold what
// changed as plain values; a secret is never among them, only that it was set.
type AuditEntry struct {
	Number    int64 // 1 is the tenant's first; given by the store
	At        time.Time
	ActorKind string // user, token, operator or system
	ActorID   ID     // the zero ID for operator and system
	Actor     string // name or address of the user, name of the token
	Action    string // such as connection.updated
	SubjectID string
	Subject   string // as it was called then
	Address   string // where the request came from
	Before    map[string]any
	After     map[string]any

	written bool
}

// Audit is a tenant's audit log. Entries are only ever added: by the change that they tell of, or by AddAudit.
type Audit interface {
	// AddAudit adds an entry that tells of no change in the tenant's own data.
	AddAudit(ctx context.Context, e *AuditEntry) error
	// Audit gives entries, newest first.
	Audit(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
	// AuditAfter gives the entries that follow a number, oldest first, at most limit.
	AuditAfter(ctx context.Context, number int64, limit int) ([]AuditEntry, error)
	// VerifyAudit checks the whole chain.
	VerifyAudit(ctx context.Context) (AuditVerdict, error)
}

// AuditQuery selects entries. Zero values select all.
type AuditQuery struct {
	Before   int64 // only entries with a lower number
	Action   string
	ActorID  ID
	From, To time.Time // at From or later, and before To
	Limit    int       // at most so many; always given
}

// AuditVerdict says whether a tenant's audit log is as it was written.
type AuditVerdict struct {
	Entries  int64 // how many there should be
	BrokenAt int64 // the first entry that is missing, or does not fit the one before it; 0 = none
}

// OK reports whether nothing is changed or missing.
func (v AuditVerdict) OK() bool { return v.BrokenAt == 0 }

type auditKey struct{}

// auditing begins an entry. The next change of the tenant made with the context it returns writes the entry in its
// own transaction; until then it can be filled.
func (h *Hub) auditing(ctx context.Context, a Actor, action string) (context.Context, *AuditEntry) {
	e := &AuditEntry{At: h.Now(), ActorKind: "user", ActorID: a.UserID, Actor: a.Name, Action: action, Address: OriginOf(ctx).Address}
	if a.IsToken() {
		e.ActorKind, e.ActorID = "token", a.TokenID
	}
	return WithAudit(ctx, e), e
}

// WithAudit lets the next change of the tenant that is made with the context write an entry. Nil keeps changes from
// writing the one that the context carries: preparations in transactions of their own.
func WithAudit(ctx context.Context, e *AuditEntry) context.Context {
	return context.WithValue(ctx, auditKey{}, e)
}

// changed notes one thing that changed; what stayed as it was is not noted.
func (e *AuditEntry) changed(name string, before, after any) {
	if before != after {
		e.note(name, before, after)
	}
}

// note notes one thing as it was and is; nil stands for what was not there.
func (e *AuditEntry) note(name string, before, after any) {
	if e.Before == nil {
		e.Before, e.After = map[string]any{}, map[string]any{}
	}
	if before != nil {
		e.Before[name] = before
	}
	if after != nil {
		e.After[name] = after
	}
}

// changedSecret notes that a secret was set, never what it is.
func (e *AuditEntry) changedSecret(name string, wasSet bool) {
	if wasSet {
		e.changed(name, "set", "changed")
		return
	}
	e.changed(name, "not set", "set")
}

// about names what an entry is about.
func (e *AuditEntry) about(id ID, name string) { e.SubjectID, e.Subject = id.String(), name }

// AuditIn gives the entry that a store has to write with the change it is about to commit; nil when there is none, or
// it was written already. Written tells it that the transaction was committed.
func AuditIn(ctx context.Context) *AuditEntry {
	e, _ := ctx.Value(auditKey{}).(*AuditEntry)
	if e == nil || e.written {
		return nil
	}
	return e
}

// Written notes that the entry is in the log, so that a second change of the same request does not write it again.
func (e *AuditEntry) Written() { e.written = true }

// AuditPage gives a page of the log, newest first, and what to give as q.Before for the next one; 0 when this was the
// last.
func (h *Hub) AuditPage(ctx context.Context, a Actor, q AuditQuery) (page []AuditEntry, next int64, err error) {
	if backwards(q.From, q.To) {
		return nil, 0, invalid("from", "Give a time before that of to.")
	}
	limit := q.Limit
	q.Limit++
	page, err = h.Store.Tenant(a.TenantID).Audit(ctx, q)
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].Number
	}
	return page, next, err
}

// VerifyAudit checks that no entry was changed or removed.
func (h *Hub) VerifyAudit(ctx context.Context, a Actor) (AuditVerdict, error) {
	v, err := h.Store.Tenant(a.TenantID).VerifyAudit(ctx)
	if err == nil && !v.OK() {
		h.Log.ErrorContext(ctx, "audit log is broken", "tenant", a.TenantID, "number", v.BrokenAt)
	}
	return v, err
}
