package api

import (
	"context"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// CountReplays implements contract.StrictServerInterface.
func (o operations) CountReplays(ctx context.Context, r contract.CountReplaysRequestObject) (contract.CountReplaysResponseObject, error) {
	ctx, actor := member(ctx)
	selection, err := readSelection(*r.Body)
	if err != nil {
		return nil, err
	}
	c, err := o.hub.CountReplays(ctx, actor, selection)
	if err != nil {
		return nil, err
	}
	return contract.CountReplays200JSONResponse{
		Chats: c.Chats, Skipped: each(c.Skipped, presentSkipped), NotFound: each(c.NotFound, itself), Limit: hub.ReplayLimit, More: c.More,
	}, nil
}

// ReplayChats implements contract.StrictServerInterface.
func (o operations) ReplayChats(ctx context.Context, r contract.ReplayChatsRequestObject) (contract.ReplayChatsResponseObject, error) {
	ctx, actor := member(ctx)
	selection, err := readSelection(contract.ReplaySelection{ChatIds: r.Body.ChatIds, Filter: r.Body.Filter, Force: r.Body.Force})
	if err != nil {
		return nil, err
	}
	done, err := o.hub.Replay(ctx, actor, selection, r.Body.Expect)
	if err != nil {
		return nil, err
	}
	return contract.ReplayChats200JSONResponse{
		Replayed: done.Chats, Skipped: each(done.Skipped, presentSkipped), NotFound: each(done.NotFound, itself), More: done.More,
		Chats: each(done.IDs, itself),
	}, nil
}

// DryRunChat implements contract.StrictServerInterface.
func (o operations) DryRunChat(ctx context.Context, r contract.DryRunChatRequestObject) (contract.DryRunChatResponseObject, error) {
	ctx, actor := member(ctx)
	d, err := o.hub.DryRun(ctx, actor, r.ChatId)
	if err != nil {
		return nil, err
	}
	answer := contract.DryRunChat200JSONResponse{
		Outcome:     presentOutcome(d.Outcome),
		CardVersion: d.CardVersion,
		Details:     each(d.Details, presentDetail),
		LeftOut:     each(d.LeftOut, presentLeftOut),
		Sources:     each(d.Sources, presentSource),
		RequestBody: some(string(d.RequestBody)),
		Ms:          d.MS,
	}
	if d.Skip != nil {
		answer.Skip = &contract.DryRunSkip{Reason: contract.ReplaySkipReason(d.Skip.Reason), Message: d.Skip.Message}
	}
	return answer, nil
}

func readSelection(s contract.ReplaySelection) (hub.ReplaySelection, error) {
	selection := hub.ReplaySelection{ChatIDs: given(s.ChatIds), Force: given(s.Force)}
	if s.Filter == nil {
		return selection, nil
	}
	selection.Filter = &hub.ReplayFilter{From: given(s.Filter.From), To: given(s.Filter.To)}
	for _, name := range s.Filter.Outcomes {
		outcome, err := readOutcome(name, "/filter/outcomes")
		if err != nil {
			return selection, err
		}
		selection.Filter.Outcomes = append(selection.Filter.Outcomes, outcome)
	}
	return selection, nil
}

func readOutcome(name contract.OutcomeName, pointer string) (hub.Outcome, error) {
	outcome, ok := hub.ParseOutcome(string(name))
	if !ok {
		return outcome, wrong(hub.FieldError{Pointer: pointer, Detail: "There is no such outcome."})
	}
	return outcome, nil
}

func presentSkipped(s hub.SkippedChats) contract.ReplaySkip {
	return contract.ReplaySkip{Reason: contract.ReplaySkipReason(s.Reason), Message: s.Message, Chats: s.Chats}
}

func presentReplay(r hub.ReplayView) contract.Replay {
	return contract.Replay{Id: r.ID, At: r.At.UTC(), By: presentReplayer(r.By), Forced: r.Forced, Outcome: presentOutcome(r.Outcome)}
}

func presentReplayer(r hub.Replayer) contract.Replayer {
	return contract.Replayer{UserId: r.ID, Name: r.Name}
}

func itself(id hub.ID) hub.ID { return id }
