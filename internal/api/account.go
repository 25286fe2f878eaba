package api

import (
	"context"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// operations are the contract's operations: each finds out who asks, asks the hub and presents the answer. Requests
// reach it authenticated and valid.
type operations struct {
	hub *hub.Hub
	now func() time.Time
}

var _ contract.StrictServerInterface = operations{}

// SignUp implements contract.StrictServerInterface.
func (o operations) SignUp(ctx context.Context, r contract.SignUpRequestObject) (contract.SignUpResponseObject, error) {
	in, err := o.hub.SignUp(anyone(ctx), hub.SignUp{
		Company: r.Body.Company, Name: given(r.Body.Name), Email: r.Body.Email, Password: r.Body.Password,
	})
	if err != nil {
		return nil, err
	}
	return contract.SignUp201JSONResponse(presentSession(in)), nil
}

// SignIn implements contract.StrictServerInterface.
func (o operations) SignIn(ctx context.Context, r contract.SignInRequestObject) (contract.SignInResponseObject, error) {
	in, err := o.hub.SignIn(anyone(ctx), r.Body.Email, r.Body.Password)
	if err != nil {
		return nil, err
	}
	return contract.SignIn200JSONResponse(presentSession(in)), nil
}

// Refresh implements contract.StrictServerInterface.
func (o operations) Refresh(ctx context.Context, r contract.RefreshRequestObject) (contract.RefreshResponseObject, error) {
	in, err := o.hub.RefreshSession(anyone(ctx), r.Body.RefreshToken)
	if err != nil {
		return nil, err
	}
	return contract.Refresh200JSONResponse(presentSession(in)), nil
}

// SignOut implements contract.StrictServerInterface.
func (o operations) SignOut(ctx context.Context, r contract.SignOutRequestObject) (contract.SignOutResponseObject, error) {
	if err := o.hub.SignOut(anyone(ctx), r.Body.RefreshToken); err != nil {
		return nil, err
	}
	return contract.SignOut204Response{}, nil
}

// Me implements contract.StrictServerInterface.
func (o operations) Me(ctx context.Context, _ contract.MeRequestObject) (contract.MeResponseObject, error) {
	ctx, actor := member(ctx)
	me, err := o.hub.Me(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.Me200JSONResponse(presentMe(me)), nil
}

func presentSession(in hub.SignedIn) contract.Session {
	return contract.Session{
		AccessToken:  in.AccessToken,
		TokenType:    contract.SessionTokenTypeBearer,
		ExpiresIn:    int(in.ExpiresIn / time.Second),
		RefreshToken: in.RefreshToken,
		Me:           presentMe(in.Me),
	}
}

func presentMe(me hub.Me) contract.Me {
	return contract.Me{
		User:   contract.User{Id: me.User.ID, Name: me.User.Name, Email: me.User.Email},
		Tenant: contract.Tenant{Id: me.Tenant.ID, Name: me.Tenant.Name},
		Role:   contract.MeRole(me.Role),
	}
}
