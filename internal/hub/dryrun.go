package hub

import (
	"context"

	"sidecard/internal/livesupporti"
)

// DryRun is what a replay of a chat would send now.
type DryRun struct {
	Outcome     OutcomeText // that a replay would lead to
	CardVersion int         // 0 = no card is published
	Details     []livesupporti.Field
	LeftOut     []LeftOut
	Sources     []SourceTime
	RequestBody []byte // exact; nil when nothing would be sent
	Skip        *Skip  // why a replay would leave the chat out; nil when it would not
	MS          float64
}

// DryRun asks the real sources about a chat's visitor and fills the newest card, just as a replay does.
// Nothing is sent and nothing is stored. It fails with CodeConflict when the chat was forgotten.
func (h *Hub) DryRun(ctx context.Context, a Actor, id ID) (DryRun, error) {
	began := h.Now()
	t := h.Store.Tenant(a.TenantID)
	record, err := t.Chat(ctx, id)
	if err != nil {
		return DryRun{}, err
	}
	kept, err := h.keptChat(ctx, a.TenantID, record.ID, record.Body)
	if err != nil {
		return DryRun{}, err
	}
	if record.Forgotten() {
		return DryRun{}, fail(CodeConflict, h.skip(SkipForgotten).Message)
	}
	setup, err := h.setup(ctx, a.TenantID, newestRevision)
	if err != nil {
		return DryRun{}, err
	}
	r, outcome, err := h.rehearse(ctx, setup, record, kept)
	if err != nil {
		return DryRun{}, err
	}
	r.Outcome = wouldBe(outcome, r.Sources, !setup.Desk.PausedAt.IsZero())
	if r.Skip, err = h.wouldSkip(ctx, t, record); err != nil {
		return DryRun{}, err
	}
	r.MS = milliseconds(h.Now().Sub(began))
	return r, nil
}

// rehearse goes the way of a lookup as far as the post.
func (h *Hub) rehearse(ctx context.Context, s *openSetup, record ChatRecord, kept keptChat) (r DryRun, o Outcome, err error) {
	r.CardVersion = s.Card.Version
	if record.VisitorID == "" {
		return r, NotAChat, nil
	}
	if o := kept.unaskable(s.Card); o != Waiting {
		return r, o, nil
	}
	f := h.askAll(ctx, h.askNow, s, s.Card, kept.Email, 0)
	made, err := kept.compose(s.Card, f)
	if err != nil {
		return r, Waiting, err
	}
	r.Details, r.LeftOut, r.Sources, r.RequestBody = made.filled.Fields, made.filled.LeftOut, f.times, made.details
	if made.details == nil {
		return r, made.goal, nil
	}
	_, ok, err := h.credentials(ctx, s.Desk)
	if err == nil && !ok {
		r.RequestBody, made.goal = nil, NoCredentials
	}
	return r, made.goal, err
}

func (h *Hub) wouldSkip(ctx context.Context, t TenantStore, record ChatRecord) (*Skip, error) {
	original := record.ID
	if record.ReplayOf != (ID{}) {
		original = record.ReplayOf
	}
	found, err := t.Originals(ctx, OriginalQuery{IDs: []ID{original}, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	reason := h.whyNot(found[0], false)
	if reason == "" {
		return nil, nil
	}
	skip := h.skip(reason)
	return &skip, nil
}
