package api

import (
	"context"
	"encoding/hex"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// keepPreviousHours is the contract's default for a rotation that does not say how long the old secret stays valid.
const keepPreviousHours = 24

// GetDesk implements contract.StrictServerInterface.
func (o operations) GetDesk(ctx context.Context, _ contract.GetDeskRequestObject) (contract.GetDeskResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.DeskView(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.GetDesk200JSONResponse(o.presentDesk(v)), nil
}

// UpdateDesk implements contract.StrictServerInterface.
func (o operations) UpdateDesk(ctx context.Context, r contract.UpdateDeskRequestObject) (contract.UpdateDeskResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.UpdateDesk(ctx, actor, hub.DeskChange{
		Email: r.Body.Email, APIKey: r.Body.ApiKey, Unsigned: (*hub.UnsignedPolicy)(r.Body.Unsigned),
	})
	if err != nil {
		return nil, err
	}
	return contract.UpdateDesk200JSONResponse(o.presentDesk(v)), nil
}

// RotateSecret implements contract.StrictServerInterface.
func (o operations) RotateSecret(ctx context.Context, r contract.RotateSecretRequestObject) (contract.RotateSecretResponseObject, error) {
	ctx, actor := member(ctx)
	hours := keepPreviousHours
	if r.Body.KeepPreviousHours != nil {
		hours = *r.Body.KeepPreviousHours
	}
	s, err := o.hub.RotateSecret(ctx, actor, given(r.Body.Secret), time.Duration(hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	return contract.RotateSecret200JSONResponse{Secret: s.Secret, PreviousValidUntil: moment(s.PreviousUntil)}, nil
}

// TestDesk implements contract.StrictServerInterface.
func (o operations) TestDesk(ctx context.Context, _ contract.TestDeskRequestObject) (contract.TestDeskResponseObject, error) {
	ctx, actor := member(ctx)
	t, err := o.hub.TestDesk(ctx, actor)
	if err != nil {
		return nil, err
	}
	answer := contract.TestDesk200JSONResponse{
		Ok: t.OK, Status: some(t.Status), Message: t.Message, Fix: some(t.Fix), Ms: t.MS,
	}
	if t.OK {
		answer.Agents = &t.Agents // none is an answer too
	}
	return answer, nil
}

// ListRejections implements contract.StrictServerInterface.
func (o operations) ListRejections(ctx context.Context, _ contract.ListRejectionsRequestObject) (contract.ListRejectionsResponseObject, error) {
	ctx, actor := member(ctx)
	rejections, err := o.hub.Rejections(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.ListRejections200JSONResponse{Rejections: each(rejections, presentRejection)}, nil
}

func (o operations) presentDesk(v hub.DeskView) contract.Desk {
	d := contract.Desk{
		CallbackUrl:        v.CallbackURL,
		SecretSet:          len(v.Desk.SecretSealed) > 0,
		Email:              v.Desk.Email,
		ApiKeySet:          len(v.Desk.APIKeySealed) > 0,
		ApiKeyHint:         some(v.Desk.APIKeyHint),
		Unsigned:           contract.UnsignedPolicy(v.Desk.Unsigned),
		HandshakeAt:        moment(v.Desk.HandshakeAt),
		FirstSignedAt:      moment(v.Desk.FirstSignedAt),
		LastNotificationAt: moment(v.LastNotificationAt),
		Paused:             !v.Desk.PausedAt.IsZero(),
		GoalMs:             int(v.Goal.Milliseconds()),
		DeadlineSeconds:    int(v.Deadline / time.Second),
	}
	if until := v.Desk.PreviousSecretUntil; until.After(o.now()) {
		d.PreviousSecretUntil = moment(until)
	}
	if !v.ProblemAt.IsZero() {
		d.Problem = &contract.DeskProblem{
			At: v.ProblemAt.UTC(), Code: v.ProblemCode, Message: v.ProblemMessage, Fix: v.ProblemFix,
		}
	}
	return d
}

func presentRejection(r hub.Rejection) contract.Rejection {
	headers := r.Headers
	if headers == nil {
		headers = map[string]string{}
	}
	return contract.Rejection{
		Id: r.ID, At: r.At.UTC(), Code: string(r.Code), Reason: r.Reason, Bytes: int(r.Bytes),
		BodySha256: some(hex.EncodeToString(r.BodySHA256)), Headers: headers,
	}
}

// moment presents a time; the zero time is an absent property.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// each presents a list, an empty one as [] and never as null.
func each[A, B any](all []A, present func(A) B) []B {
	presented := make([]B, len(all))
	for i, one := range all {
		presented[i] = present(one)
	}
	return presented
}
