package api

import (
	"context"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// operations are the contract's operations: each finds out who asks, asks the hub and presents the answer. Requests
// reach it authenticated, authorized and valid.
type operations struct {
	hub     *hub.Hub
	now     func() time.Time
	cookies cookies
}

var _ contract.StrictServerInterface = operations{}

// SignUp implements contract.StrictServerInterface.
func (o operations) SignUp(ctx context.Context, r contract.SignUpRequestObject) (contract.SignUpResponseObject, error) {
	err := o.hub.SignUp(anyone(ctx), hub.SignUp{
		Company: r.Body.Company, Name: given(r.Body.Name), Email: r.Body.Email, Password: r.Body.Password,
	})
	if err != nil {
		return nil, err
	}
	return contract.SignUp202Response{}, nil
}

// ConfirmSignUp implements contract.StrictServerInterface.
func (o operations) ConfirmSignUp(ctx context.Context, r contract.ConfirmSignUpRequestObject) (contract.ConfirmSignUpResponseObject, error) {
	in, err := o.hub.ConfirmSignUp(anyone(ctx), r.Body.Token)
	if err != nil {
		return nil, err
	}
	return contract.ConfirmSignUp201JSONResponse(o.begin(ctx, in, given(r.Body.Cookie))), nil
}

// SignIn implements contract.StrictServerInterface.
func (o operations) SignIn(ctx context.Context, r contract.SignInRequestObject) (contract.SignInResponseObject, error) {
	in, err := o.hub.SignIn(anyone(ctx), hub.SignIn{Email: r.Body.Email, Password: r.Body.Password, Code: given(r.Body.Code)})
	if err != nil {
		return nil, err
	}
	return contract.SignIn200JSONResponse(o.begin(ctx, in, given(r.Body.Cookie))), nil
}

// AskReset implements contract.StrictServerInterface.
func (o operations) AskReset(ctx context.Context, r contract.AskResetRequestObject) (contract.AskResetResponseObject, error) {
	if err := o.hub.AskReset(anyone(ctx), r.Body.Email); err != nil {
		return nil, err
	}
	return contract.AskReset202Response{}, nil
}

// ConfirmReset implements contract.StrictServerInterface.
func (o operations) ConfirmReset(ctx context.Context, r contract.ConfirmResetRequestObject) (contract.ConfirmResetResponseObject, error) {
	if err := o.hub.ConfirmReset(anyone(ctx), r.Body.Token, r.Body.Password); err != nil {
		return nil, err
	}
	return contract.ConfirmReset204Response{}, nil
}

// ConfirmEmail implements contract.StrictServerInterface.
func (o operations) ConfirmEmail(ctx context.Context, r contract.ConfirmEmailRequestObject) (contract.ConfirmEmailResponseObject, error) {
	if err := o.hub.ConfirmEmail(anyone(ctx), r.Body.Token); err != nil {
		return nil, err
	}
	return contract.ConfirmEmail204Response{}, nil
}
