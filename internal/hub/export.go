package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

const (
	exportPage = 500 // chats or rows in memory at a time
	exports    = 20  // a day, of one tenant; a fifth of them at once
)

// Export gives a tenant's chats and rows as they are, for the tenant to keep.
type Export struct {
	hub    *Hub
	tenant ID
}

// ExportedChat is all that is kept of one chat, except its single attempts.
type ExportedChat struct {
	View  ChatView
	Email string // of the visitor, in full
}

// ExportedRow is a row of an uploaded file.
type ExportedRow struct {
	Line   int
	Values map[string]string // by column
}

// BeginExport lets an owner take the tenant's data out. It asks for the password, is noted in the audit log, and tells all
// owners.
func (h *Hub) BeginExport(ctx context.Context, a Actor, password string) (*Export, error) {
	user, err := h.provePassword(ctx, a, password, "/password")
	if err != nil {
		return nil, err
	}
	if err := h.limit(ctx, "export/"+a.TenantID.String(), exports, 24*time.Hour); err != nil {
		return nil, err
	}
	_, err = h.changeTenant(ctx, a, "tenant.exported", func(to, company string) Mail {
		return tenantExported(to, user.called(), company)
	}, func(*Tenant, *AuditEntry) error { return nil })
	if err != nil {
		return nil, err
	}
	return &Export{h, a.TenantID}, nil
}

// Chats visits all chats, newest first. What cannot be opened is told to broken, and left out.
func (e *Export) Chats(ctx context.Context, visit func(ExportedChat) error, broken func(what string, err error) error) error {
	q := ChatQuery{Limit: exportPage}
	for {
		page, err := e.hub.Store.Tenant(e.tenant).Chats(ctx, q)
		if err != nil {
			return err
		}
		for _, record := range page {
			o, err := e.hub.openChat(ctx, e.tenant, record)
			var view ChatView
			if err == nil {
				view, err = e.hub.viewChat(ctx, e.tenant, o)
			}
			switch {
			case err == nil:
				err = visit(ExportedChat{view, o.kept.Email})
			case ctx.Err() == nil:
				err = broken("chat "+record.ID.String(), err)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		q.Before = page[len(page)-1].ID
	}
}

// Audit gives the audit log as ExportAudit does.
func (e *Export) Audit(ctx context.Context) (io.Reader, error) {
	return readAudit(ctx, e.hub.Store.Tenant(e.tenant), math.MaxInt64)
}

// Rows visits the rows of a connection's file, in no order that means anything. When another file takes the place of it
// meanwhile, that is told to broken.
func (e *Export) Rows(ctx context.Context, connection ID, visit func(ExportedRow) error, broken func(what string, err error) error) error {
	t := e.hub.Store.Tenant(e.tenant)
	c, err := t.Connection(ctx, connection)
	if err != nil || c.Import == nil {
		return err
	}
	q := RowQuery{Limit: exportPage}
	for {
		page, err := t.Rows(ctx, connection, q)
		if err != nil {
			return err
		}
		for _, r := range page {
			values, err := e.hub.openRow(ctx, e.tenant, c, r)
			if err == nil {
				err = visit(ExportedRow{r.Line, values})
			} else if ctx.Err() == nil {
				err = broken(fmt.Sprintf("line %d of %q", r.Line, c.Name), err)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After = &page[len(page)-1]
	}
	now, err := t.Connection(ctx, connection)
	if err == nil && now.Revision != c.Revision {
		err = broken(fmt.Sprintf("the rows of %q", c.Name), fail(CodeConflict, "They were changed while they were read. Export again for all of them."))
	}
	return err
}

// openRow gives the values of an imported row by column.
func (h *Hub) openRow(ctx context.Context, tenant ID, c Connection, r Row) (map[string]string, error) {
	plain, err := h.open(ctx, rowRef(tenant, c.ID, r.Line), r.Data)
	if err != nil {
		return nil, err
	}
	var values []string
	if err := json.Unmarshal(plain, &values); err != nil {
		return nil, fmt.Errorf("row %d: %w", r.Line, err)
	}
	record := make(map[string]string, len(values))
	for i, column := range c.Import.Report.Columns {
		if i < len(values) {
			record[column] = values[i]
		}
	}
	return record, nil
}

// Revealed is who a chat is with, in full.
type Revealed struct {
	Email     string // empty when none was given
	VisitorID string
}

// RevealVisitor gives a visitor's full address, after it has noted in the audit log that somebody saw it. It fails with
// CodeConflict when the chat was forgotten.
func (h *Hub) RevealVisitor(ctx context.Context, a Actor, chat ID) (Revealed, error) {
	t := h.Store.Tenant(a.TenantID)
	record, err := t.Chat(ctx, chat)
	if err != nil {
		return Revealed{}, err
	}
	if record.Forgotten() {
		return Revealed{}, fail(CodeConflict, h.skip(SkipForgotten).Message)
	}
	kept, err := h.keptChat(ctx, a.TenantID, record.ID, record.Body)
	if err != nil {
		return Revealed{}, err
	}
	_, entry := h.auditing(ctx, a, "chat.address_revealed")
	entry.about(record.ID, "")
	if err := t.AddAudit(ctx, entry); err != nil {
		return Revealed{}, err
	}
	return Revealed{kept.Email, kept.Visitor.String()}, nil
}
