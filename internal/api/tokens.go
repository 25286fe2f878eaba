package api

import (
	"context"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// ListTokens implements contract.StrictServerInterface.
func (o operations) ListTokens(ctx context.Context, _ contract.ListTokensRequestObject) (contract.ListTokensResponseObject, error) {
	ctx, actor := member(ctx)
	list, err := o.hub.APITokens(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := contract.TokenList{Tokens: make([]contract.Token, len(list))}
	for i, t := range list {
		out.Tokens[i] = presentToken(t)
	}
	return contract.ListTokens200JSONResponse(out), nil
}

// CreateToken implements contract.StrictServerInterface.
func (o operations) CreateToken(ctx context.Context, r contract.CreateTokenRequestObject) (contract.CreateTokenResponseObject, error) {
	ctx, actor := member(ctx)
	in := hub.NewAPIToken{Name: r.Body.Name, TTL: 90 * 24 * time.Hour}
	if r.Body.ExpiresInDays != nil {
		in.TTL = time.Duration(*r.Body.ExpiresInDays) * 24 * time.Hour
	}
	for _, s := range r.Body.Scopes {
		in.Scopes = append(in.Scopes, hub.Scope(s))
	}
	text, token, err := o.hub.CreateAPIToken(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	return contract.CreateToken201JSONResponse{Token: text, Details: presentToken(token)}, nil
}

// RevokeToken implements contract.StrictServerInterface.
func (o operations) RevokeToken(ctx context.Context, r contract.RevokeTokenRequestObject) (contract.RevokeTokenResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.RevokeAPIToken(ctx, actor, r.TokenId); err != nil {
		return nil, err
	}
	return contract.RevokeToken204Response{}, nil
}

func presentToken(t hub.APIToken) contract.Token {
	out := contract.Token{
		Id: t.ID, Name: t.Name, Role: contract.Role(t.Role), Scopes: make([]contract.Scope, len(t.Scopes)),
		CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: some(t.LastUsedAt),
	}
	for i, s := range t.Scopes {
		out.Scopes[i] = contract.Scope(s)
	}
	return out
}
