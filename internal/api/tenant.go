package api

import (
	"context"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// GetTenant implements contract.StrictServerInterface.
func (o operations) GetTenant(ctx context.Context, _ contract.GetTenantRequestObject) (contract.GetTenantResponseObject, error) {
	ctx, actor := member(ctx)
	t, err := o.hub.GetTenant(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.GetTenant200JSONResponse(presentTenantPage(t)), nil
}

// UpdateTenant implements contract.StrictServerInterface.
func (o operations) UpdateTenant(ctx context.Context, r contract.UpdateTenantRequestObject) (contract.UpdateTenantResponseObject, error) {
	ctx, actor := member(ctx)
	t, err := o.hub.UpdateTenant(ctx, actor, hub.TenantChange{Name: r.Body.Name, FactorRequired: r.Body.SecondFactorRequired, RetentionDays: r.Body.RetentionDays})
	if err != nil {
		return nil, err
	}
	return contract.UpdateTenant200JSONResponse(presentTenantPage(t)), nil
}

// ScheduleDeletion implements contract.StrictServerInterface.
func (o operations) ScheduleDeletion(ctx context.Context, r contract.ScheduleDeletionRequestObject) (contract.ScheduleDeletionResponseObject, error) {
	ctx, actor := member(ctx)
	t, err := o.hub.ScheduleDeletion(ctx, actor, r.Body.Password)
	if err != nil {
		return nil, err
	}
	return contract.ScheduleDeletion200JSONResponse(presentTenantPage(t)), nil
}

// CancelDeletion implements contract.StrictServerInterface.
func (o operations) CancelDeletion(ctx context.Context, _ contract.CancelDeletionRequestObject) (contract.CancelDeletionResponseObject, error) {
	ctx, actor := member(ctx)
	t, err := o.hub.CancelDeletion(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.CancelDeletion200JSONResponse(presentTenantPage(t)), nil
}

func presentTenantPage(t hub.Tenant) contract.TenantPage {
	return contract.TenantPage{
		Id: t.ID, Name: t.Name, SecondFactorRequired: t.FactorRequired, Plan: t.Plan, RetentionDays: t.RetentionDays,
		CreatedAt: t.CreatedAt.UTC(), DeleteAt: moment(t.DeleteAt),
	}
}
