package hub

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
)

// auditPage is how many entries are in memory at a time.
const auditPage = 500

// ExportAudit gives the whole log as CSV, oldest first, UTF-8 with one line of headings. That somebody took it is its
// last entry. What is read comes page by page from the store; reading fails with the store's errors.
func (h *Hub) ExportAudit(ctx context.Context, a Actor) (io.Reader, error) {
	_, entry := h.auditing(ctx, a, "audit.exported")
	t := h.Store.Tenant(a.TenantID)
	if err := t.AddAudit(ctx, entry); err != nil {
		return nil, err
	}
	return readAudit(ctx, t, entry.Number)
}

// readAudit gives the log up to an entry as CSV.
func readAudit(ctx context.Context, from Audit, last int64) (io.Reader, error) {
	r := &auditCSV{ctx: ctx, from: from, last: last}
	r.out = csv.NewWriter(&r.text)
	if err := r.out.Write([]string{
		"number", "at", "actor_kind", "actor_id", "actor", "action", "subject_id", "subject", "address", "before", "after",
	}); err != nil {
		return nil, err
	}
	return r, r.fill() // the first page now, so that a store that is out of reach is told as such
}

// auditCSV reads a tenant's log as CSV up to an entry.
type auditCSV struct {
	ctx  context.Context // of the request that reads
	from Audit
	next int64 // entries up to this number were read
	last int64
	text bytes.Buffer // not yet taken
	out  *csv.Writer
}

// Read implements io.Reader.
func (r *auditCSV) Read(to []byte) (int, error) {
	if r.text.Len() == 0 && r.next < r.last {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return r.text.Read(to)
}

// fill reads the next page.
func (r *auditCSV) fill() error {
	page, err := r.from.AuditAfter(r.ctx, r.next, auditPage)
	if err != nil {
		return err
	}
	for _, e := range page {
		if e.Number > r.last {
			break
		}
		if err := r.out.Write(e.cells()); err != nil {
			return err
		}
		r.next = e.Number
	}
	if len(page) == 0 {
		r.next = r.last
	}
	r.out.Flush()
	return r.out.Error()
}

func (e AuditEntry) cells() []string {
	actor := ""
	if e.ActorID != (ID{}) {
		actor = e.ActorID.String()
	}
	cells := []string{
		strconv.FormatInt(e.Number, 10), e.At.UTC().Format(time.RFC3339Nano), e.ActorKind, actor, e.Actor, e.Action,
		e.SubjectID, e.Subject, e.Address, jsonCell(e.Before), jsonCell(e.After),
	}
	for i, c := range cells {
		cells[i] = harmless(c)
	}
	return cells
}

func jsonCell(m map[string]any) string {
	if len(m) == 0 {
		return ""
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "" // plain values: this cannot fail
	}
	return string(text)
}

// harmless keeps spreadsheets from taking a cell for a formula, as OWASP says: with an apostrophe in front of what
// begins with a character that begins one, in either width.
func harmless(cell string) string {
	if cell != "" && strings.ContainsAny(firstOf(cell), "=+-@\t\r\n＝＋－＠") {
		return "'" + cell
	}
	return cell
}

func firstOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
