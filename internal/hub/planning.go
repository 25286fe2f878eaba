package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// TenantNamed finds a tenant for the operator: by its id, or by the e-mail address of an owner who owns no other. The
// error is a sentence for the operator.
func TenantNamed(ctx context.Context, s Store, name string) (Tenant, error) {
	id, err := uuid.Parse(name)
	if err != nil {
		if id, err = ownedBy(ctx, s, FoldEmail(name)); err != nil {
			return Tenant{}, err
		}
	}
	t, err := s.Tenant(id).Tenant(ctx)
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, fmt.Errorf("there is no tenant %s", id)
	}
	return t, err
}

func ownedBy(ctx context.Context, s Store, email string) (ID, error) {
	u, err := s.UserByEmail(ctx, email)
	if errors.Is(err, ErrNotFound) {
		return ID{}, fmt.Errorf("nobody has the e-mail address %s; give a tenant's id or an owner's address", email)
	}
	if err != nil {
		return ID{}, err
	}
	all, err := s.Memberships(ctx, u.ID)
	if err != nil {
		return ID{}, err
	}
	var owned []string
	var id ID
	for _, m := range all {
		if m.Role == RoleOwner {
			id = m.TenantID
			owned = append(owned, m.TenantID.String())
		}
	}
	switch len(owned) {
	case 0:
		return ID{}, fmt.Errorf("%s owns no tenant; give a tenant's id or an owner's address", email)
	case 1:
		return id, nil
	}
	return ID{}, fmt.Errorf("%s owns several tenants; give one of their ids: %s", email, strings.Join(owned, ", "))
}

// SetPlan gives a tenant another plan, as its operator. All workers go by it from the tenant's next chat on.
func SetPlan(ctx context.Context, s Store, tenant ID, plan Plan, now time.Time) (Tenant, error) {
	audited, entry := auditOperator(ctx, now, "tenant.plan_set")
	return s.Tenant(tenant).SetPlan(audited, func(t *Tenant) error {
		entry.about(t.ID, t.Name)
		entry.note("plan", t.Plan, plan.Name)
		t.Plan = plan.Name
		return nil
	})
}

// auditOperator is auditing for what the operator does to a tenant.
func auditOperator(ctx context.Context, now time.Time, action string) (context.Context, *AuditEntry) {
	e := &AuditEntry{At: now, ActorKind: "operator", Actor: "operator", Action: action}
	return WithAudit(ctx, e), e
}
