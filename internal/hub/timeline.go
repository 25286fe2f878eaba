package hub

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/internal/flaw"
	"sidecard/internal/livesupporti"
)

// ChatList is a page of chats.
type ChatList struct {
	Chats []ChatSummary
	Next  ID // pass as Before; the zero ID on the last page
}

// ChatSummary is one chat in a list, without the visitor's full address.
type ChatSummary struct {
	ID           ID
	ReceivedAt   time.Time
	VisitorID    string
	VisitorEmail string // masked; empty when there is none
	Outcome      OutcomeText
	MS           float64
	Ended        bool
	Attempts     int
	Sources      []SourceTime
	NextTryAt    time.Time // zero when none is planned
	ReplayOf     ID        // the zero ID when it is no replay
	Forgotten    bool      // only what is said here remains
}

// ChatView is all there is to see of one chat.
type ChatView struct {
	Chat           ChatSummary
	NotificationID string
	AccountID      string
	AgentID        string
	Action         string
	Unsigned       bool
	CardVersion    int
	DeadlineAt     time.Time
	Timeline       []Part
	Sources        []SourceTime
	Attempts       []AttemptView
	Details        []livesupporti.Field
	LeftOut        []LeftOut
	RequestBody    string
	ReplayedBy     Replayer     // of a replay
	Forced         bool         // a replay that was forced: its deadline counts from then
	Replays        []ReplayView // of this chat, newest first, at most 100
}

// Part is one bar of the timeline, in milliseconds after the notification's first byte.
type Part struct {
	Name    string // received, waited, source, card, delivery, seen
	Owner   string // sidecard, source, livesupporti
	Label   string
	State   string // work, waiting, failed
	Note    string
	StartMS float64
	MS      float64
}

// AttemptView is one try to deliver, in words.
type AttemptView struct {
	Number  int
	At      time.Time
	MS      float64
	Status  int
	Verdict string
	Message string
	Excerpt string
}

// Chats lists chats, newest first.
func (h *Hub) Chats(ctx context.Context, a Actor, q ChatQuery) (ChatList, error) {
	if backwards(q.From, q.To) {
		return ChatList{}, invalid("from", "Give a time before that of to.")
	}
	if q.Limit <= 0 || q.Limit > 100 {
		q.Limit = 50
	}
	limit := q.Limit
	q.Limit++
	records, err := h.Store.Tenant(a.TenantID).Chats(ctx, q)
	if err != nil {
		return ChatList{}, err
	}
	var l ChatList
	if len(records) > limit {
		records = records[:limit]
		l.Next = records[limit-1].ID
	}
	if flaw.On(flaw.CountsLie) && len(records) > 0 {
		records = records[1:]
	}
	for _, r := range records {
		o, err := h.openChat(ctx, a.TenantID, r)
		if err != nil {
			return ChatList{}, err
		}
		l.Chats = append(l.Chats, o.summary())
	}
	return l, nil
}

// Chat gives one chat with its timeline, attempts and details.
func (h *Hub) Chat(ctx context.Context, a Actor, id ID) (ChatView, error) {
	r, err := h.Store.Tenant(a.TenantID).Chat(ctx, id)
	if err != nil {
		return ChatView{}, err
	}
	o, err := h.openChat(ctx, a.TenantID, r)
	if err != nil {
		return ChatView{}, err
	}
	v, err := h.viewChat(ctx, a.TenantID, o)
	if err != nil {
		return ChatView{}, err
	}
	if v.Replays, err = h.replays(ctx, a.TenantID, r.ID); err != nil {
		return ChatView{}, err
	}
	v.Attempts, err = h.viewAttempts(ctx, a.TenantID, r, o.kept.TookMS)
	return v, err
}

// viewChat gives what there is to see of a chat, without its attempts and replays.
func (h *Hub) viewChat(ctx context.Context, tenant ID, o openedChat) (ChatView, error) {
	v := ChatView{
		Chat: o.summary(), NotificationID: o.kept.Notification, AccountID: o.kept.Account.String(),
		AgentID: o.kept.Agent.String(), Action: o.kept.Action, Unsigned: o.kept.Unsigned,
		CardVersion: o.trail.Version, Timeline: o.timeline(), Sources: o.trail.Sources,
		LeftOut: o.trail.LeftOut, DeadlineAt: o.ReceivedAt.Add(h.lifetime(o.kept, o.Ago)),
		ReplayedBy: o.kept.By, Forced: o.kept.Forced,
	}
	details, err := h.open(ctx, chatRef(tenant, o.ID, "details"), o.Details)
	if err != nil || details == nil {
		return v, err
	}
	v.RequestBody = string(details)
	parsed, err := livesupporti.ParseDetails(details)
	v.Details = parsed.Fields
	return v, err
}

func (h *Hub) viewAttempts(ctx context.Context, tenant ID, r ChatRecord, tookMS float64) ([]AttemptView, error) {
	views := make([]AttemptView, len(r.Attempts))
	for i, t := range r.Attempts {
		excerpt, err := h.open(ctx, chatRef(tenant, r.ID, "excerpt"), t.Excerpt)
		if err != nil {
			return nil, err
		}
		at := r.ReceivedAt.Add(time.Duration((t.StartMS - tookMS) * float64(time.Millisecond)))
		views[i] = AttemptView{Number: t.Number, At: at, MS: t.MS, Status: t.Status, Verdict: t.Verdict, Message: t.Message, Excerpt: string(excerpt)}
	}
	return views, nil
}

// openedChat is a chat's record with its body and trail read.
type openedChat struct {
	ChatRecord
	kept  keptChat
	trail Trail
}

func (h *Hub) openChat(ctx context.Context, tenant ID, r ChatRecord) (openedChat, error) {
	kept, err := h.keptChat(ctx, tenant, r.ID, r.Body)
	if err != nil {
		return openedChat{}, err
	}
	trail, err := readTrail(r.Trail)
	return openedChat{r, kept, trail}, err
}

func (o openedChat) summary() ChatSummary {
	visitor := o.kept.Visitor.String()
	return ChatSummary{
		ID: o.ID, ReceivedAt: o.ReceivedAt, VisitorID: visitor, VisitorEmail: maskEmail(o.kept.Email),
		Outcome: o.words(), MS: o.MS, Ended: o.Outcome != Waiting,
		Attempts: o.Tries, Sources: o.trail.Sources, NextTryAt: o.NextTryAt, ReplayOf: o.ReplayOf, Forgotten: o.Forgotten(),
	}
}

func (o openedChat) words() OutcomeText {
	s := story{Outcome: o.Outcome, MS: o.MS, Trail: o.trail, Stage: o.Stage, Lane: o.Lane, Claims: o.Claims}
	if o.ReplayOf == (ID{}) {
		s.Late = o.Ago
	}
	t := s.words()
	if o.Forgotten() && o.Outcome != Erased {
		t.Message = "Its details were removed since: who it was about, what was found and what was sent."
	}
	return t
}

// maskEmail writes maya@lindqvist.se as m…@lindqvist.se.
func maskEmail(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if email == "" {
		return ""
	}
	if !ok || local == "" {
		return "…"
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "…@" + domain
}

// timeline draws the chat's way as bars.
func (o openedChat) timeline() []Part {
	if o.Forgotten() {
		return nil
	}
	note := "signature ok, saved"
	if o.kept.Unsigned {
		note = "not signed, saved"
	}
	label := "Received"
	if o.ReplayOf != (ID{}) {
		label, note = "Replayed", "asked for by "+o.kept.By.Name+", saved"
	}
	parts := []Part{{Name: "received", Owner: "sidecard", Label: label, State: "work", Note: note, MS: o.kept.TookMS}}
	t := o.trail
	if t.ClaimedMS == 0 {
		return parts
	}
	parts = append(parts, waited(o.kept.TookMS, t.ClaimedMS))
	for _, s := range t.Sources {
		parts = append(parts, s.part())
	}
	last := t.ClaimedMS
	if t.CardMS > 0 {
		note := count(t.Filled, "line filled", "lines filled")
		if n := len(t.LeftOut); n > 0 {
			note += ", " + count(n, "left out", "left out")
		}
		parts = append(parts, Part{
			Name: "card", Owner: "sidecard", Label: "Card v" + itoa(t.Version), State: "work", Note: note,
			StartMS: t.CardMS - t.CardTook, MS: t.CardTook,
		})
		last = t.CardMS
	}
	for _, a := range o.Attempts {
		if a.StartMS-last >= 1 {
			parts = append(parts, waited(last, a.StartMS))
		}
		parts = append(parts, a.part())
		last = a.StartMS + a.MS
	}
	if o.Outcome == Shown || o.Outcome == ShownInPart {
		parts = append(parts, Part{Name: "seen", Owner: "livesupporti", Label: "Agent sees it", State: "work", StartMS: last})
	}
	return parts
}

func waited(from, to float64) Part {
	return Part{Name: "waited", Owner: "sidecard", Label: "Waited", State: "waiting", StartMS: from, MS: max(0, to-from)}
}

func (s SourceTime) part() Part {
	p := Part{Name: "source", Owner: "source", Label: s.Name, State: "work", StartMS: s.StartMS, MS: s.MS}
	switch s.Match {
	case "found":
		p.Note = "1 record"
	case "none":
		p.Note = "no such address"
	case "ambiguous":
		p.Note = "several records"
	default:
		p.State = "failed"
		if s.Problem != nil {
			p.Note = s.Problem.Message
		}
	}
	return p
}

func (a Attempt) part() Part {
	p := Part{Name: "delivery", Owner: "livesupporti", Label: "LiveSupporti", State: "work", Note: a.Message, StartMS: a.StartMS, MS: a.MS}
	if a.Verdict != livesupporti.Accepted.String() {
		p.State = "failed"
	}
	return p
}
