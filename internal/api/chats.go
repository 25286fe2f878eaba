package api

import (
	"context"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// chatsOnPage is the contract's default for a page that does not say how long it is.
const chatsOnPage = 50

// ListChats implements contract.StrictServerInterface.
func (o operations) ListChats(ctx context.Context, r contract.ListChatsRequestObject) (contract.ListChatsResponseObject, error) {
	ctx, actor := member(ctx)
	q := hub.ChatQuery{Limit: chatsOnPage, Before: given(r.Params.Before), From: given(r.Params.From), To: given(r.Params.To)}
	if r.Params.Limit != nil {
		q.Limit = *r.Params.Limit
	}
	if r.Params.Outcome != nil {
		outcome, err := readOutcome(*r.Params.Outcome, "outcome")
		if err != nil {
			return nil, err
		}
		q.Outcome = &outcome
	}
	page, err := o.hub.Chats(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	return contract.ListChats200JSONResponse{Chats: each(page.Chats, presentChat), Next: some(page.Next)}, nil
}

// GetChat implements contract.StrictServerInterface.
func (o operations) GetChat(ctx context.Context, r contract.GetChatRequestObject) (contract.GetChatResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.Chat(ctx, actor, r.ChatId)
	if err != nil {
		return nil, err
	}
	return contract.GetChat200JSONResponse(presentChatPage(v)), nil
}

func presentChatPage(v hub.ChatView) contract.ChatPage {
	answer := contract.ChatPage{
		Chat:             presentChat(v.Chat),
		NotificationId:   v.NotificationID,
		AccountId:        v.AccountID,
		AgentId:          v.AgentID,
		Action:           v.Action,
		Unsigned:         v.Unsigned,
		CardVersion:      some(v.CardVersion),
		DeadlineAt:       moment(v.DeadlineAt),
		NextTryAt:        moment(v.Chat.NextTryAt),
		Timeline:         each(v.Timeline, presentPart),
		Sources:          each(v.Sources, presentSource),
		DeliveryAttempts: each(v.Attempts, presentAttempt),
		Details:          each(v.Details, presentDetail),
		LeftOut:          each(v.LeftOut, presentLeftOut),
		RequestBody:      some(v.RequestBody),
		ReplayOf:         some(v.Chat.ReplayOf),
		Forced:           v.Forced,
		Replays:          each(v.Replays, presentReplay),
	}
	if v.ReplayedBy != (hub.Replayer{}) {
		by := presentReplayer(v.ReplayedBy)
		answer.ReplayedBy = &by
	}
	return answer
}

// RevealVisitor implements contract.StrictServerInterface.
func (o operations) RevealVisitor(ctx context.Context, r contract.RevealVisitorRequestObject) (contract.RevealVisitorResponseObject, error) {
	ctx, actor := member(ctx)
	who, err := o.hub.RevealVisitor(ctx, actor, r.ChatId)
	if err != nil {
		return nil, err
	}
	return contract.RevealVisitor200JSONResponse{Email: some(who.Email), VisitorId: who.VisitorID}, nil
}

func presentChat(s hub.ChatSummary) contract.Chat {
	c := contract.Chat{
		Id: s.ID, ReceivedAt: s.ReceivedAt.UTC(), VisitorId: s.VisitorID, VisitorEmail: some(s.VisitorEmail),
		Outcome: presentOutcome(s.Outcome), Attempts: s.Attempts, Sources: each(s.Sources, presentChatSource),
		NextTryAt: moment(s.NextTryAt), ReplayOf: some(s.ReplayOf), DetailsRemoved: some(s.Forgotten),
	}
	if s.Ended {
		c.Ms = &s.MS
	}
	return c
}

func presentChatSource(s hub.SourceTime) contract.ChatSource {
	return contract.ChatSource{ConnectionId: s.ConnectionID, Name: s.Name, Kind: s.Kind, Match: contract.SourceMatch(s.Match)}
}

func presentPart(p hub.Part) contract.Part {
	return contract.Part{
		Name: contract.PartName(p.Name), Owner: contract.PartOwner(p.Owner), Label: p.Label,
		State: contract.PartState(p.State), Note: p.Note, StartMs: p.StartMS, Ms: p.MS,
	}
}

func presentAttempt(a hub.AttemptView) contract.Attempt {
	return contract.Attempt{
		Number: a.Number, At: a.At.UTC(), Ms: a.MS, Status: some(a.Status), Verdict: contract.AttemptVerdict(a.Verdict),
		Message: a.Message, Excerpt: some(a.Excerpt),
	}
}
