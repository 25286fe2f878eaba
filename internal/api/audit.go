package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// auditPage is the contract's default for a page of the audit log.
const auditPage = 50

// exportTime is how long sending the whole audit log may take.
const exportTime = 10 * time.Minute

// ListAudit implements contract.StrictServerInterface.
func (o operations) ListAudit(ctx context.Context, r contract.ListAuditRequestObject) (contract.ListAuditResponseObject, error) {
	ctx, actor := member(ctx)
	q := hub.AuditQuery{
		Before: given(r.Params.Before), Action: given(r.Params.Action), ActorID: given(r.Params.Actor),
		From: given(r.Params.From), To: given(r.Params.To), Limit: auditPage,
	}
	if r.Params.Limit != nil {
		q.Limit = *r.Params.Limit
	}
	page, next, err := o.hub.AuditPage(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	return contract.ListAudit200JSONResponse{Entries: each(page, presentAuditEntry), Next: some(next)}, nil
}

// VerifyAudit implements contract.StrictServerInterface.
func (o operations) VerifyAudit(ctx context.Context, _ contract.VerifyAuditRequestObject) (contract.VerifyAuditResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.VerifyAudit(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.VerifyAudit200JSONResponse{Ok: v.OK(), Entries: v.Entries, BrokenAt: some(v.BrokenAt)}, nil
}

// ExportAudit implements contract.StrictServerInterface.
func (o operations) ExportAudit(ctx context.Context, _ contract.ExportAuditRequestObject) (contract.ExportAuditResponseObject, error) {
	ctx, actor := member(ctx)
	text, err := o.hub.ExportAudit(ctx, actor)
	if err != nil {
		return nil, err
	}
	return auditFile{text, "sidecard-audit-" + o.now().UTC().Format(time.DateOnly) + ".csv"}, nil
}

// auditFile sends an export as a file to keep.
type auditFile struct {
	text io.Reader
	name string
}

// VisitExportAuditResponse implements contract.ExportAuditResponseObject. When the store fails on the way the
// connection is broken off: a file that only looks whole would be worse.
func (f auditFile) VisitExportAuditResponse(w http.ResponseWriter) error {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTime)) // where there is no connection, there is no deadline
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	if _, err := io.Copy(w, f.text); err != nil {
		breakOff(err)
	}
	return nil
}

func presentAuditEntry(e hub.AuditEntry) contract.AuditEntry {
	entry := contract.AuditEntry{
		Number: e.Number, At: e.At.UTC(), ActorKind: contract.AuditEntryActorKind(e.ActorKind), ActorId: some(e.ActorID), Actor: e.Actor,
		Action: e.Action, SubjectId: some(e.SubjectID), Subject: some(e.Subject), Address: e.Address,
	}
	if len(e.Before) > 0 {
		entry.Before = &e.Before
	}
	if len(e.After) > 0 {
		entry.After = &e.After
	}
	return entry
}
