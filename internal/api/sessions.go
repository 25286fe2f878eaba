package api

import (
	"context"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// Refresh implements contract.StrictServerInterface. Without a token in the body the cookie is taken, and its
// successor becomes the cookie.
func (o operations) Refresh(ctx context.Context, r contract.RefreshRequestObject) (contract.RefreshResponseObject, error) {
	token, inCookie := given(r.Body.RefreshToken), false
	if token == "" {
		token, inCookie = o.cookies.read(ctx), true
	}
	if token == "" {
		return nil, &hub.Error{Code: hub.CodeUnauthenticated, Message: "You are signed out. Please sign in again."}
	}
	in, err := o.hub.RefreshSession(anyone(ctx), token)
	if err != nil {
		if inCookie && hub.CodeOf(err) == hub.CodeUnauthenticated {
			o.cookies.clear(ctx)
		}
		return nil, err
	}
	return contract.Refresh200JSONResponse(o.begin(ctx, in, inCookie)), nil
}

// SignOut implements contract.StrictServerInterface.
func (o operations) SignOut(ctx context.Context, r contract.SignOutRequestObject) (contract.SignOutResponseObject, error) {
	token := given(r.Body.RefreshToken)
	if token == "" {
		token = o.cookies.read(ctx)
		o.cookies.clear(ctx)
	}
	if err := o.hub.SignOut(anyone(ctx), token); err != nil {
		return nil, err
	}
	return contract.SignOut204Response{}, nil
}

// ListSessions implements contract.StrictServerInterface.
func (o operations) ListSessions(ctx context.Context, _ contract.ListSessionsRequestObject) (contract.ListSessionsResponseObject, error) {
	ctx, actor := member(ctx)
	list, err := o.hub.Sessions(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := contract.SessionList{Sessions: make([]contract.SignedInAt, len(list))}
	for i, s := range list {
		out.Sessions[i] = contract.SignedInAt{
			Id: s.ID, Client: s.Origin.Client, Address: s.Origin.Address,
			CreatedAt: s.CreatedAt, LastUsedAt: s.UsedAt, Current: s.ID == actor.SessionID,
		}
	}
	return contract.ListSessions200JSONResponse(out), nil
}

// EndSession implements contract.StrictServerInterface.
func (o operations) EndSession(ctx context.Context, r contract.EndSessionRequestObject) (contract.EndSessionResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.EndSession(ctx, actor, r.SessionId); err != nil {
		return nil, err
	}
	return contract.EndSession204Response{}, nil
}

// EndOtherSessions implements contract.StrictServerInterface.
func (o operations) EndOtherSessions(ctx context.Context, _ contract.EndOtherSessionsRequestObject) (contract.EndOtherSessionsResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.EndOtherSessions(ctx, actor); err != nil {
		return nil, err
	}
	return contract.EndOtherSessions204Response{}, nil
}

// SwitchTenant implements contract.StrictServerInterface.
func (o operations) SwitchTenant(ctx context.Context, r contract.SwitchTenantRequestObject) (contract.SwitchTenantResponseObject, error) {
	request, actor := member(ctx)
	in, err := o.hub.SwitchTenant(request, actor, r.Body.TenantId)
	if err != nil {
		return nil, err
	}
	return contract.SwitchTenant200JSONResponse(o.begin(ctx, in, given(r.Body.Cookie))), nil
}

// begin presents a session that begins or goes on. With inCookie the refresh token is set as a cookie and not in the
// answer. ctx is gin's own.
func (o operations) begin(ctx context.Context, in hub.SignedIn, inCookie bool) contract.Session {
	s := contract.Session{
		AccessToken:  in.AccessToken,
		TokenType:    contract.SessionTokenTypeBearer,
		ExpiresIn:    int(in.ExpiresIn / time.Second),
		RefreshToken: some(in.RefreshToken),
		Me:           presentMe(in.Me),
	}
	if inCookie {
		o.cookies.set(ctx, in.RefreshToken, in.RefreshEnds.Sub(o.now()))
		s.RefreshToken = nil
	}
	return s
}

func presentMe(me hub.Me) contract.Me {
	out := contract.Me{
		User:                contract.User{Id: me.User.ID, Name: me.User.Name, Email: me.User.Email, SecondFactor: me.HasFactor},
		Tenant:              presentTenant(me.Tenant),
		Role:                contract.Role(me.Role),
		Tenants:             make([]contract.Place, len(me.Places)),
		SecondFactorMissing: some(me.FactorMissing),
	}
	for i, p := range me.Places {
		out.Tenants[i] = contract.Place{Tenant: presentTenant(p.Tenant), Role: contract.Role(p.Role)}
	}
	return out
}

func presentTenant(t hub.Tenant) contract.Tenant {
	return contract.Tenant{Id: t.ID, Name: t.Name, DeleteAt: some(t.DeleteAt)}
}
