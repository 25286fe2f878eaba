package hub

import "time"

// ChatRecord is a chat as it is kept.
type ChatRecord struct {
	ID          ID
	ExternalID  string
	VisitorID   string
	Body        []byte // sealed
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
	Attempts    []Attempt // oldest first; only read for one chat
}

// ChatQuery selects chats.
type ChatQuery struct {
	Limit   int
	Before  ID       // only chats older than this one; the zero ID = from the newest
	Outcome *Outcome // nil = any
}
