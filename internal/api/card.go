package api

import (
	"context"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti"
)

// GetCard implements contract.StrictServerInterface.
func (o operations) GetCard(ctx context.Context, _ contract.GetCardRequestObject) (contract.GetCardResponseObject, error) {
	ctx, actor := member(ctx)
	card, err := o.hub.PublishedCard(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.GetCard200JSONResponse(presentCard(card)), nil
}

// ListCardVersions implements contract.StrictServerInterface.
func (o operations) ListCardVersions(ctx context.Context, _ contract.ListCardVersionsRequestObject) (contract.ListCardVersionsResponseObject, error) {
	ctx, actor := member(ctx)
	cards, err := o.hub.CardVersions(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.ListCardVersions200JSONResponse{Versions: each(cards, presentCard)}, nil
}

// PublishCard implements contract.StrictServerInterface.
func (o operations) PublishCard(ctx context.Context, r contract.PublishCardRequestObject) (contract.PublishCardResponseObject, error) {
	ctx, actor := member(ctx)
	basedOn := -1
	if r.Body.BasedOn != nil {
		basedOn = *r.Body.BasedOn
	}
	card, err := o.hub.PublishCard(ctx, actor, each(r.Body.Lines, readLine), basedOn)
	if err != nil {
		return nil, err
	}
	return contract.PublishCard200JSONResponse(presentCard(card)), nil
}

// PreviewCard implements contract.StrictServerInterface.
func (o operations) PreviewCard(ctx context.Context, r contract.PreviewCardRequestObject) (contract.PreviewCardResponseObject, error) {
	ctx, actor := member(ctx)
	var lines []hub.Line
	if r.Body.Lines != nil {
		lines = each(*r.Body.Lines, readLine)
	}
	p, err := o.hub.Preview(ctx, actor, r.Body.Email, lines)
	if err != nil {
		return nil, err
	}
	return contract.PreviewCard200JSONResponse{
		Outcome:     presentOutcome(p.Outcome),
		CardVersion: p.CardVersion,
		Details:     each(p.Details, presentDetail),
		LeftOut:     each(p.LeftOut, presentLeftOut),
		Sources:     each(p.Sources, presentSource),
		Ms:          p.MS,
	}, nil
}

// readLine reads a line of a card; a line that says nothing about it hides when empty.
func readLine(l contract.CardLine) hub.Line {
	return hub.Line{
		Label: l.Label, Connection: l.ConnectionId, Field: l.Field, Format: hub.Format(given(l.Format)),
		HideIfEmpty: l.HideIfEmpty == nil || *l.HideIfEmpty, Fallback: given(l.Fallback),
	}
}

func presentLine(l hub.Line) contract.CardLine {
	return contract.CardLine{
		Label: l.Label, ConnectionId: l.Connection, Field: l.Field, Format: some(contract.CardFormat(l.Format)),
		HideIfEmpty: &l.HideIfEmpty, Fallback: some(l.Fallback),
	}
}

func presentCard(c hub.Card) contract.Card {
	return contract.Card{
		Version: c.Version, PublishedAt: moment(c.PublishedAt), PublishedBy: some(c.ByName), Lines: each(c.Lines, presentLine),
	}
}

func presentDetail(f livesupporti.Field) contract.Detail {
	return contract.Detail{Name: f.Name, Value: f.Value}
}

func presentLeftOut(l hub.LeftOut) contract.LeftOut {
	return contract.LeftOut{Label: l.Label, Why: contract.LeftOutWhy(l.Why)}
}

func presentOutcome(t hub.OutcomeText) contract.Outcome {
	return contract.Outcome{Name: contract.OutcomeName(t.Outcome.String()), Title: t.Title, Message: t.Message}
}

func presentSource(s hub.SourceTime) contract.SourceTime {
	return contract.SourceTime{
		ConnectionId: s.ConnectionID, Name: s.Name, Kind: s.Kind, Match: contract.SourceMatch(s.Match),
		StartMs: s.StartMS, Ms: s.MS, AgeMs: some(s.AgeMS), Problem: presentSourceProblem(s.Problem),
	}
}
