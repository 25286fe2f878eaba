package hub

import "time"

// ChatRecord is a chat as it is kept.
type ChatRecord struct {
	ID          ID
	ExternalID  string
	VisitorID   string
	Body        []byte // sealed; empty when the chat was forgotten
	ReceivedAt  time.Time
	Ago         time.Duration
	Outcome     Outcome   // Waiting while there is none
	EndedAt     time.Time // zero while waiting
	MS          float64
	CardVersion int
	Trail       []byte
	Details     []byte // sealed; nil when nothing was made
	Tries       int
	NextTryAt   time.Time // while waiting for a later try; else zero
	Stage       Stage     // while waiting
	Lane        Lane      // while waiting
	Claims      int       // while waiting: how often a worker took it
	ReplayOf    ID        // the chat that this one replays; the zero ID = none
	Attempts    []Attempt // oldest first; only read for one chat
}

// Forgotten reports whether only remains when the chat came and how it ended.
func (r ChatRecord) Forgotten() bool { return len(r.Body) == 0 }

// Stage says where an unfinished chat is.
type Stage int8

// The stages.
const (
	StageNone    Stage = iota // no work of its own: it has ended, or a newer chat of the visitor takes its place
	StageReady                // a worker may take it
	StageClaimed              // a worker has it
	StageLater                // it waits for its next try
)

// ChatQuery selects chats.
type ChatQuery struct {
	Limit   int
	Before  ID       // only chats older than this one; the zero ID = from the newest
	Outcome *Outcome // nil = any
	// Only chats received at From or later and before To; zero = any.
	From, To time.Time
	IDs      []ID // only these; nil = any
	ReplayOf ID   // only the replays of this chat; the zero ID = any
}

// OriginalQuery selects chats that LiveSupporti sent: by IDs, or by the rest.
type OriginalQuery struct {
	IDs      []ID
	Outcomes []Outcome // of the chat and, once that has ended, of its newest replay
	From, To time.Time // as in ChatQuery
	Limit    int
}

// Original is a chat that LiveSupporti sent, and what decides about replaying it.
type Original struct {
	ID          ID
	VisitorID   string
	StartedAt   time.Time // really: before it was received, when the notification came late
	Outcome     Outcome   // Waiting while there is none
	Forgotten   bool
	LastReplay  ID      // the newest; the zero ID = none
	LastOutcome Outcome // of the newest replay
	Newer       bool    // the visitor has a newer chat that is not a replay
}
