package hub

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Bounds of one call.
const (
	ReplayLimit   = 1000      // chats that one call replays
	replayLook    = 10_000    // chats that one call looks at to find them
	replayPortion = 25        // chats that are accepted at once: each looks through the visitor's last minutes
	replaysShown  = 100       // replays on a chat's page, and new chats in an answer
	replayPrefix  = "replay:" // of a replay's external id; key keeps it from strangers
)

// ReplaySelection says which chats to replay: exactly one of ChatIDs and Filter.
type ReplaySelection struct {
	ChatIDs []ID // at most ReplayLimit; a replay's id stands for the chat that it replays
	Filter  *ReplayFilter
	Force   bool // replay also what is older than Limits.ChatDeadline
}

// ReplayFilter selects chats that LiveSupporti sent and that ended so. When one was replayed, its newest
// replay has to have ended so too, or not at all: what was shown since is not shown again.
type ReplayFilter struct {
	Outcomes []Outcome // at least one
	From, To time.Time // received at From or later and before To; zero = any
}

// SkipReason says why a chat is not replayed.
type SkipReason string

// The reasons, the one that counts first. Only SkipTooOld can be forced.
const (
	SkipForgotten SkipReason = "details_removed"
	SkipNotAChat  SkipReason = "not_a_chat"
	SkipOnItsWay  SkipReason = "on_its_way"
	SkipNewer     SkipReason = "newer_chat"
	SkipTooOld    SkipReason = "too_old"
)

// Skip is a reason in words.
type Skip struct {
	Reason  SkipReason
	Message string
}

// SkippedChats counts the chats that a reason keeps from being replayed.
type SkippedChats struct {
	Skip
	Chats int
}

// ReplayCount is what a replay of a selection would do.
type ReplayCount struct {
	Chats    int // to be replayed
	Skipped  []SkippedChats
	NotFound []ID // of ReplaySelection.ChatIDs
	More     bool // older chats fit the filter too
}

// Replayed is what a replay did. Its Chats were replayed.
type Replayed struct {
	ReplayCount
	IDs []ID // of the new chats, at most 100
}

// Replayer is who asked for a replay.
type Replayer struct {
	ID   ID     `json:"id"`
	Name string `json:"name"` // the member's name or e-mail, as it was then
}

// ReplayView is one replay on its original's page.
type ReplayView struct {
	ID      ID
	At      time.Time
	By      Replayer
	Forced  bool
	Outcome OutcomeText
}

// CountReplays says how many chats of a selection would be replayed now.
func (h *Hub) CountReplays(ctx context.Context, a Actor, s ReplaySelection) (ReplayCount, error) {
	c, err := h.choose(ctx, a, s)
	return c.ReplayCount, err
}

// Replay replays the chats of a selection: each becomes a chat of its own, which is looked up and delivered
// like any other. expect is the number that was counted before; when it is another one by now, nothing is
// replayed (CodeConflict).
func (h *Hub) Replay(ctx context.Context, a Actor, s ReplaySelection, expect int) (Replayed, error) {
	began := h.Now()
	c, err := h.choose(ctx, a, s)
	if err != nil {
		return Replayed{}, err
	}
	if c.Chats != expect {
		return Replayed{}, fail(CodeConflict, fmt.Sprintf("You expected to replay %s, but now it would be %s. Count again.",
			count(expect, "chat", "chats"), count(c.Chats, "chat", "chats")))
	}
	if c.Chats > 0 {
		_, entry := h.auditing(ctx, a, "chats.replayed")
		entry.After = map[string]any{"chats": c.Chats, "forced": s.Force}
		// Before the first of them, so that none is ever replayed without it.
		if err := h.Store.Tenant(a.TenantID).AddAudit(ctx, entry); err != nil {
			return Replayed{}, err
		}
	}
	r := replaying{hub: h, actor: a, force: s.Force, began: began, result: Replayed{ReplayCount: c.ReplayCount}}
	r.result.Chats = 0
	err = r.run(ctx, c.originals)
	h.Log.InfoContext(ctx, "chats replayed", "tenant", a.TenantID, "user", a.UserID,
		"chats", r.result.Chats, "of", expect, "forced", s.Force)
	return r.result, err
}

// chosen is a selection's chats that may be replayed, newest first.
type chosen struct {
	ReplayCount
	originals []Original
}

func (h *Hub) choose(ctx context.Context, a Actor, s ReplaySelection) (c chosen, err error) {
	q, err := s.query()
	if err != nil {
		return c, err
	}
	t := h.Store.Tenant(a.TenantID)
	if s.Filter == nil {
		named, err := t.OriginalsOf(ctx, s.ChatIDs)
		if err != nil {
			return c, err
		}
		for _, id := range s.ChatIDs {
			if original, ok := named[id]; !ok && !slices.Contains(c.NotFound, id) {
				c.NotFound = append(c.NotFound, id)
			} else if ok {
				q.IDs = append(q.IDs, original)
			}
		}
		if len(q.IDs) == 0 {
			return c, nil
		}
	}
	found, err := t.Originals(ctx, q)
	if err != nil {
		return c, err
	}
	if c.More = len(found) == q.Limit; c.More {
		found = found[:q.Limit-1]
	}
	c.sort(h, found, s.Force)
	return c, nil
}

// sort parts the chats into those to replay and those to skip, and stops at the limit.
func (c *chosen) sort(h *Hub, found []Original, force bool) {
	skipped := map[SkipReason]int{}
	for _, o := range found {
		reason := h.whyNot(o, force)
		if reason != "" {
			skipped[reason]++
			continue
		}
		if len(c.originals) == ReplayLimit {
			c.More = true
			break
		}
		c.originals = append(c.originals, o)
	}
	c.Chats = len(c.originals)
	for _, reason := range []SkipReason{SkipForgotten, SkipNotAChat, SkipOnItsWay, SkipNewer, SkipTooOld} {
		if n := skipped[reason]; n > 0 {
			c.Skipped = append(c.Skipped, SkippedChats{h.skip(reason), n})
		}
	}
}

// query checks a selection and gives what to ask the store; its limit is one more than is looked at.
func (s ReplaySelection) query() (OriginalQuery, error) {
	q := OriginalQuery{Limit: replayLook + 1}
	switch {
	case s.Filter == nil && len(s.ChatIDs) == 0:
		return q, invalid("/chat_ids", "Give the ids of the chats here, or a filter.")
	case s.Filter != nil && len(s.ChatIDs) > 0:
		return q, invalid("/filter", "Give a filter or chat_ids, not both.")
	case len(s.ChatIDs) > ReplayLimit:
		return q, invalid("/chat_ids", fmt.Sprintf("Give at most %d.", ReplayLimit))
	case s.Filter == nil:
		return q, nil
	case len(s.Filter.Outcomes) == 0:
		return q, invalid("/filter/outcomes", "Give at least one outcome.")
	case backwards(s.Filter.From, s.Filter.To):
		return q, invalid("/filter/from", "Give a time before that of to.")
	}
	q.Outcomes, q.From, q.To = s.Filter.Outcomes, s.Filter.From, s.Filter.To
	return q, nil
}

func backwards(from, to time.Time) bool { return !from.IsZero() && !to.IsZero() && !from.Before(to) }

// whyNot says why a chat is not replayed; empty when it is.
func (h *Hub) whyNot(o Original, force bool) SkipReason {
	switch {
	case o.Forgotten:
		return SkipForgotten
	case o.VisitorID == "":
		return SkipNotAChat
	case o.Outcome == Waiting || o.LastReplay != (ID{}) && o.LastOutcome == Waiting:
		return SkipOnItsWay
	case o.Newer:
		return SkipNewer
	case !force && h.Now().Sub(o.StartedAt) > h.Limits.ChatDeadline:
		return SkipTooOld
	}
	return ""
}

func (h *Hub) skip(reason SkipReason) Skip {
	s := Skip{Reason: reason}
	switch reason {
	case SkipForgotten:
		s.Message = "What was kept of it has been removed: who it was about and what was sent."
	case SkipNotAChat:
		s.Message = "LiveSupporti told us about something else here, not about the start of a chat."
	case SkipOnItsWay:
		s.Message = "It has not ended yet, or a replay of it has not. Wait for that outcome first."
	case SkipNewer:
		s.Message = "The visitor started another chat since, whose details would be overwritten. Replay that one instead."
	case SkipTooOld:
		s.Message = "It started more than " + inWords(h.Limits.ChatDeadline) + " ago, so the conversation is probably over. Force the replay to send the details all the same."
	}
	return s
}

// replays lists the replays of a chat, newest first.
func (h *Hub) replays(ctx context.Context, tenant, original ID) ([]ReplayView, error) {
	records, err := h.Store.Tenant(tenant).Chats(ctx, ChatQuery{ReplayOf: original, Limit: replaysShown})
	if err != nil {
		return nil, err
	}
	views := make([]ReplayView, len(records))
	for i, record := range records {
		o, err := h.openChat(ctx, tenant, record)
		if err != nil {
			return nil, err
		}
		views[i] = ReplayView{ID: o.ID, At: o.ReceivedAt, By: o.kept.By, Forced: o.kept.Forced, Outcome: o.words()}
	}
	return views, nil
}
