package api

import (
	"context"

	"sidecard/internal/api/contract"
)

// Me implements contract.StrictServerInterface.
func (o operations) Me(ctx context.Context, _ contract.MeRequestObject) (contract.MeResponseObject, error) {
	ctx, actor := member(ctx)
	me, err := o.hub.Me(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.Me200JSONResponse(presentMe(me)), nil
}

// UpdateMe implements contract.StrictServerInterface.
func (o operations) UpdateMe(ctx context.Context, r contract.UpdateMeRequestObject) (contract.UpdateMeResponseObject, error) {
	ctx, actor := member(ctx)
	me, err := o.hub.Rename(ctx, actor, r.Body.Name)
	if err != nil {
		return nil, err
	}
	return contract.UpdateMe200JSONResponse(presentMe(me)), nil
}

// ChangePassword implements contract.StrictServerInterface.
func (o operations) ChangePassword(ctx context.Context, r contract.ChangePasswordRequestObject) (contract.ChangePasswordResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.ChangePassword(ctx, actor, r.Body.Current, r.Body.New); err != nil {
		return nil, err
	}
	return contract.ChangePassword204Response{}, nil
}

// ChangeEmail implements contract.StrictServerInterface.
func (o operations) ChangeEmail(ctx context.Context, r contract.ChangeEmailRequestObject) (contract.ChangeEmailResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.ChangeEmail(ctx, actor, r.Body.Email, r.Body.Password); err != nil {
		return nil, err
	}
	return contract.ChangeEmail202Response{}, nil
}

// BeginSecondFactor implements contract.StrictServerInterface.
func (o operations) BeginSecondFactor(ctx context.Context, r contract.BeginSecondFactorRequestObject) (contract.BeginSecondFactorResponseObject, error) {
	ctx, actor := member(ctx)
	secret, err := o.hub.BeginSecondFactor(ctx, actor, r.Body.Password)
	if err != nil {
		return nil, err
	}
	return contract.BeginSecondFactor200JSONResponse{Secret: secret.Secret, Uri: secret.URI}, nil
}

// ConfirmSecondFactor implements contract.StrictServerInterface.
func (o operations) ConfirmSecondFactor(ctx context.Context, r contract.ConfirmSecondFactorRequestObject) (contract.ConfirmSecondFactorResponseObject, error) {
	ctx, actor := member(ctx)
	codes, err := o.hub.ConfirmSecondFactor(ctx, actor, r.Body.Code)
	if err != nil {
		return nil, err
	}
	return contract.ConfirmSecondFactor200JSONResponse{Codes: codes}, nil
}

// RemoveSecondFactor implements contract.StrictServerInterface.
func (o operations) RemoveSecondFactor(ctx context.Context, r contract.RemoveSecondFactorRequestObject) (contract.RemoveSecondFactorResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.RemoveSecondFactor(ctx, actor, r.Body.Password, r.Body.Code); err != nil {
		return nil, err
	}
	return contract.RemoveSecondFactor204Response{}, nil
}
