package api

import (
	"context"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// ListMembers implements contract.StrictServerInterface.
func (o operations) ListMembers(ctx context.Context, _ contract.ListMembersRequestObject) (contract.ListMembersResponseObject, error) {
	ctx, actor := member(ctx)
	all, err := o.hub.Members(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.ListMembers200JSONResponse{Members: each(all, presentMember)}, nil
}

// UpdateMember implements contract.StrictServerInterface.
func (o operations) UpdateMember(ctx context.Context, r contract.UpdateMemberRequestObject) (contract.UpdateMemberResponseObject, error) {
	ctx, actor := member(ctx)
	m, err := o.hub.ChangeRole(ctx, actor, r.UserId, hub.Role(r.Body.Role))
	if err != nil {
		return nil, err
	}
	return contract.UpdateMember200JSONResponse(presentMember(m)), nil
}

// RemoveMember implements contract.StrictServerInterface.
func (o operations) RemoveMember(ctx context.Context, r contract.RemoveMemberRequestObject) (contract.RemoveMemberResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.RemoveMember(ctx, actor, r.UserId); err != nil {
		return nil, err
	}
	return contract.RemoveMember204Response{}, nil
}

// LeaveTenant implements contract.StrictServerInterface.
func (o operations) LeaveTenant(ctx context.Context, _ contract.LeaveTenantRequestObject) (contract.LeaveTenantResponseObject, error) {
	request, actor := member(ctx)
	if err := o.hub.Leave(request, actor); err != nil {
		return nil, err
	}
	return contract.LeaveTenant204Response{}, nil
}

// ListInvitations implements contract.StrictServerInterface.
func (o operations) ListInvitations(ctx context.Context, _ contract.ListInvitationsRequestObject) (contract.ListInvitationsResponseObject, error) {
	ctx, actor := member(ctx)
	all, err := o.hub.ListInvitations(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.ListInvitations200JSONResponse{Invitations: each(all, presentInvitation)}, nil
}

// Invite implements contract.StrictServerInterface.
func (o operations) Invite(ctx context.Context, r contract.InviteRequestObject) (contract.InviteResponseObject, error) {
	ctx, actor := member(ctx)
	in, err := o.hub.Invite(ctx, actor, r.Body.Email, hub.Role(r.Body.Role))
	if err != nil {
		return nil, err
	}
	return contract.Invite201JSONResponse(presentInvitation(in)), nil
}

// WithdrawInvitation implements contract.StrictServerInterface.
func (o operations) WithdrawInvitation(ctx context.Context, r contract.WithdrawInvitationRequestObject) (contract.WithdrawInvitationResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.WithdrawInvitation(ctx, actor, r.InvitationId); err != nil {
		return nil, err
	}
	return contract.WithdrawInvitation204Response{}, nil
}

// ShowInvitation implements contract.StrictServerInterface.
func (o operations) ShowInvitation(ctx context.Context, r contract.ShowInvitationRequestObject) (contract.ShowInvitationResponseObject, error) {
	v, err := o.hub.ShowInvitation(anyone(ctx), r.Body.Token)
	if err != nil {
		return nil, err
	}
	return contract.ShowInvitation200JSONResponse{
		Company: v.Company, Email: v.Email, Role: contract.Role(v.Role), HasAccount: v.HasAccount,
	}, nil
}

// AcceptInvitation implements contract.StrictServerInterface.
func (o operations) AcceptInvitation(ctx context.Context, r contract.AcceptInvitationRequestObject) (contract.AcceptInvitationResponseObject, error) {
	in, err := o.hub.AcceptInvitation(anyone(ctx), hub.Acceptance{
		Token: r.Body.Token, Name: given(r.Body.Name), Password: r.Body.Password, Code: given(r.Body.Code),
	})
	if err != nil {
		return nil, err
	}
	return contract.AcceptInvitation200JSONResponse(o.begin(ctx, in, given(r.Body.Cookie))), nil
}

func presentMember(m hub.Member) contract.Member {
	return contract.Member{
		UserId: m.UserID, Name: m.Name, Email: m.Email, Role: contract.Role(m.Role), SecondFactor: m.HasFactor, Since: m.Since.UTC(),
	}
}

func presentInvitation(in hub.Invitation) contract.Invitation {
	return contract.Invitation{
		Id: in.ID, Email: in.Email, Role: contract.Role(in.Role), InvitedBy: in.InvitedBy,
		CreatedAt: in.CreatedAt.UTC(), ExpiresAt: in.Until.UTC(),
	}
}
