package hub

import (
	"context"
	"time"
)

// deletionGrace is how long a deletion can be called off. Until then everything works as before, see
// docs/decisions/0010-a-week-to-call-a-deletion-off.md.
const deletionGrace = 7 * 24 * time.Hour

// ScheduleDeletion has the tenant deleted after a week, and tells all owners. It asks for the actor's password.
func (h *Hub) ScheduleDeletion(ctx context.Context, a Actor, password string) (Tenant, error) {
	if _, err := h.provePassword(ctx, a, password, "/password"); err != nil {
		return Tenant{}, err
	}
	at := h.Now().Add(deletionGrace).UTC().Truncate(time.Second)
	return h.changeTenant(ctx, a, "tenant.deletion_scheduled", func(to, company string) Mail {
		return tenantDeleteScheduled(to, company, at, h.PublicURL+"/settings/tenant")
	}, func(t *Tenant, entry *AuditEntry) error {
		if !t.DeleteAt.IsZero() {
			return fail(CodeConflict, "The tenant will be deleted already, on "+moment(t.DeleteAt)+".")
		}
		t.DeleteAt = at
		entry.After = map[string]any{"delete_at": at}
		return nil
	})
}

// CancelDeletion calls the deletion off, and tells all owners.
func (h *Hub) CancelDeletion(ctx context.Context, a Actor) (Tenant, error) {
	return h.changeTenant(ctx, a, "tenant.deletion_cancelled", tenantDeleteCancelled, func(t *Tenant, entry *AuditEntry) error {
		if t.DeleteAt.IsZero() {
			return fail(CodeConflict, "No deletion is planned. There is nothing to call off.")
		}
		entry.Before = map[string]any{"delete_at": t.DeleteAt}
		t.DeleteAt = time.Time{}
		return nil
	})
}

// changeTenant makes a change of the tenant that all owners shall know of, with a mail to each.
func (h *Hub) changeTenant(ctx context.Context, a Actor, action string, mail func(to, company string) Mail, change func(*Tenant, *AuditEntry) error) (Tenant, error) {
	t := h.Store.Tenant(a.TenantID)
	company, err := t.Tenant(ctx)
	if err != nil {
		return Tenant{}, err
	}
	members, err := t.Members(ctx)
	if err != nil {
		return Tenant{}, err
	}
	var mails []SealedMail
	for _, m := range members {
		if m.Role != RoleOwner {
			continue
		}
		sealed, err := h.mail(ctx, mail(m.Email, company.Name))
		if err != nil {
			return Tenant{}, err
		}
		mails = append(mails, sealed)
	}
	ctx, entry := h.auditing(ctx, a, action)
	entry.about(a.TenantID, company.Name)
	changed, err := t.UpdateTenant(ctx, func(t *Tenant) error { return change(t, entry) }, mails...)
	if err != nil {
		return Tenant{}, err
	}
	h.WakeCourier()
	return changed, nil
}
