package hub

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// replaying is one call of Replay.
type replaying struct {
	hub    *Hub
	actor  Actor
	by     Replayer
	desk   ID
	force  bool
	began  time.Time
	result Replayed
}

// run accepts the replays in portions. When one fails, those before it stay accepted; asking again finds them on
// their way.
func (r *replaying) run(ctx context.Context, originals []Original) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for portion := range slices.Chunk(originals, replayPortion) {
		if err := r.accept(ctx, portion); err != nil {
			return err
		}
	}
	return nil
}

func (r *replaying) prepare(ctx context.Context) error {
	r.by = Replayer{ID: r.actor.TokenID, Name: r.actor.Name}
	if !r.actor.IsToken() {
		user, err := r.hub.Store.User(ctx, r.actor.UserID)
		if err != nil {
			return err
		}
		r.by = Replayer{ID: user.ID, Name: user.called()}
	}
	desk, err := r.hub.Store.Tenant(r.actor.TenantID).Desk(ctx)
	r.desk = desk.ID
	return err
}

// accept accepts a portion of replays.
func (r *replaying) accept(ctx context.Context, originals []Original) error {
	t := r.hub.Store.Tenant(r.actor.TenantID)
	byID := make(map[ID]Original, len(originals))
	ids := make([]ID, len(originals))
	for i, o := range originals {
		ids[i], byID[o.ID] = o.ID, o
	}
	records, err := t.Chats(ctx, ChatQuery{IDs: ids, Limit: len(ids)})
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(records, ChatRecord.Forgotten)
	r.result.skip(r.hub, SkipForgotten, len(records)-len(kept))
	records = kept
	arrivals := make([]Arrival, len(records))
	for i, record := range records {
		if arrivals[i], err = r.arrival(ctx, record, byID[record.ID]); err != nil {
			return err
		}
	}
	fresh, err := r.hub.Store.Accept(ctx, arrivals)
	if err != nil {
		return err
	}
	r.hub.Ringer.Ring(LaneLookup)
	return r.note(ctx, arrivals, fresh)
}

// note adds to the result what was accepted. A replay that was not fresh is one that somebody else asked for at
// the same moment, or ours, stored by a try whose answer was lost: the rows tell which.
func (r *replaying) note(ctx context.Context, arrivals []Arrival, fresh int) error {
	ids := make([]ID, len(arrivals))
	for i, a := range arrivals {
		ids[i] = a.ChatID
	}
	if fresh < len(ids) {
		stored, err := r.hub.Store.Tenant(r.actor.TenantID).Chats(ctx, ChatQuery{IDs: ids, Limit: len(ids)})
		if err != nil {
			return err
		}
		r.result.skip(r.hub, SkipOnItsWay, len(ids)-len(stored))
		ids = ids[:0]
		for _, s := range stored {
			ids = append(ids, s.ID)
		}
	}
	r.result.Chats += len(ids)
	r.result.IDs = append(r.result.IDs, ids[:min(len(ids), replaysShown-len(r.result.IDs))]...)
	return nil
}

// skip counts chats that turned out not to be replayed only now.
func (c *ReplayCount) skip(h *Hub, reason SkipReason, chats int) {
	if chats == 0 {
		return
	}
	for i := range c.Skipped {
		if c.Skipped[i].Reason == reason {
			c.Skipped[i].Chats += chats
			return
		}
	}
	c.Skipped = append(c.Skipped, SkippedChats{h.skip(reason), chats})
}

// arrival makes the replay of a chat: its body, sealed for the new id. The external id names what the replay
// follows, so that of two that follow the same one is kept. Ago reaches back to the original's start, so that a
// replay never takes the place of a chat that came since.
func (r *replaying) arrival(ctx context.Context, record ChatRecord, o Original) (Arrival, error) {
	h, tenant := r.hub, r.actor.TenantID
	kept, err := h.keptChat(ctx, tenant, record.ID, record.Body)
	if err != nil {
		return Arrival{}, err
	}
	kept.ReplayOf, kept.Forced, kept.By = o.ID, r.force, r.by
	kept.TookMS = milliseconds(h.Now().Sub(r.began))
	plain, err := json.Marshal(kept)
	if err != nil {
		return Arrival{}, err
	}
	follows := o.LastReplay
	if follows == (ID{}) {
		follows = o.ID
	}
	a := Arrival{
		DeskID: r.desk, ChatID: NewID(), ReplayOf: o.ID, VisitorID: record.VisitorID,
		ExternalID: replayPrefix + o.ID.String() + ":" + follows.String(),
		Ago:        max(h.Now().Sub(o.StartedAt), time.Millisecond),
	}
	a.Body, err = h.seal(ctx, chatRef(tenant, a.ChatID, "body"), plain)
	return a, err
}
