package livesupportitest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"sidecard/internal/livesupporti"
)

// Visitor is who starts a chat.
type Visitor struct {
	// ID is made up when empty. Two chats with the same id are the same
	// visitor coming back.
	ID    string `json:"id,omitempty"`
	Email string `json:"email"`
	// Name and Message are shown on the page only; LiveSupporti does not
	// announce them.
	Name    string `json:"name,omitempty"`
	Message string `json:"message,omitempty"`
	// AgentID is who takes the chat, the account's first agent when empty.
	AgentID string `json:"agent_id,omitempty"`
	// Variation departs from the documented form of the notification.
	Variation Variation `json:"variation,omitzero"`
}

// Variation says how a notification differs from the documented form, in ways
// in which real senders do.
type Variation struct {
	// Numbers sends agent and visitor ids that consist of digits as numbers.
	Numbers bool `json:"numbers,omitempty"`
	// LowerCase sends property names in lower case.
	LowerCase bool `json:"lower_case,omitempty"`
	// NoEmail leaves the property out, NullEmail sends null.
	NoEmail   bool `json:"no_email,omitempty"`
	NullEmail bool `json:"null_email,omitempty"`
	// NoAgent leaves the agent's id out.
	NoAgent bool `json:"no_agent,omitempty"`
	// Extras adds properties that are documented nowhere.
	Extras bool `json:"extras,omitempty"`
	// Compact sends JSON without line ends and indentation.
	Compact bool `json:"compact,omitempty"`
}

// Chat is one chat as it stands.
type Chat struct {
	ID        string    `json:"id"`
	AccountID string    `json:"account_id"`
	AgentID   string    `json:"agent_id"`
	AgentName string    `json:"agent_name"`
	Visitor   Visitor   `json:"visitor"`
	StartedAt time.Time `json:"started_at"`
	// FiringID is the Id of the notification that announced the chat.
	FiringID string `json:"firing_id"`
	// WebHooks is how many WebHooks the chat was announced to.
	WebHooks int `json:"webhooks"`
	// Notices are the attempts to announce it, oldest first.
	Notices []Notice `json:"notices"`
	// Shown is what the agent sees, nil while there is nothing.
	Shown *Shown `json:"shown"`
	// Refusals are the details requests that were not accepted, the latest 20.
	Refusals []Refusal `json:"refusals"`
	// Posts is how many details requests there were.
	Posts int `json:"posts"`
}

// Notice is one attempt to announce a chat.
type Notice struct {
	WebHookID string    `json:"webhook_id"`
	Attempt   int       `json:"attempt"`
	At        time.Time `json:"at"`
	// Status is what the callback answered, 0 for no answer; Problem then says
	// why.
	Status  int     `json:"status"`
	Problem string  `json:"problem,omitempty"`
	TookMS  float64 `json:"took_ms"`
	// Outcome is NoticeAccepted, NoticeAgain, NoticeGone or NoticeDropped.
	Outcome string `json:"outcome"`
	// NextMS is after how many milliseconds the next attempt follows.
	NextMS float64 `json:"next_ms,omitempty"`
}

// The outcomes of a Notice.
const (
	NoticeAccepted = "accepted" // a 2xx
	NoticeAgain    = "again"    // another attempt will follow
	NoticeGone     = "gone"     // 410, which ends it at once
	NoticeDropped  = "dropped"  // the last attempt failed
)

// Shown is what the agent sees of the details.
type Shown struct {
	// At is when details were first accepted; AfterMS how long that was after
	// the chat had started.
	At      time.Time `json:"at"`
	AfterMS float64   `json:"after_ms"`
	// Fields are those of the latest accepted request, Times is how many were
	// accepted.
	Fields []livesupporti.Field `json:"fields"`
	Times  int                  `json:"times"`
}

// Refusal is a details request that was not accepted.
type Refusal struct {
	At      time.Time `json:"at"`
	AfterMS float64   `json:"after_ms"`
	// Status is 0 when the request got no answer.
	Status int    `json:"status"`
	Reason string `json:"reason"`
	// Played says that a Fault did it.
	Played bool `json:"played,omitempty"`
}

const maxRefusals = 20

// chat is a Chat with what only the server needs. The server's lock guards it.
type chat struct {
	Chat
	// account, agent and visitor are the ids as they were announced, which is
	// how they must come back.
	account, agent, visitor livesupporti.Scalar
	wire                    []Exchange
	// changed is closed at the next change, when somebody waits for one.
	changed chan struct{}
}

func (c *chat) snapshot() Chat {
	copied := c.Chat
	copied.Notices = slices.Clone(c.Notices)
	copied.Refusals = slices.Clone(c.Refusals)
	if c.Shown != nil {
		shown := *c.Shown
		copied.Shown = &shown
	}
	return copied
}

// StartChat starts a chat and announces it to the account's WebHooks. It
// returns before they have answered; the announcing outlives ctx. The account
// may be an id, an e-mail, or "" for the only one.
func (s *Server) StartChat(ctx context.Context, account string, visitor Visitor) (Chat, error) {
	chats, err := s.StartChats(ctx, account, visitor)
	if err != nil {
		return Chat{}, err
	}
	return chats[0], nil
}

// StartChats starts several chats at once and announces them in one
// notification, whose form follows the first visitor's Variation.
func (s *Server) StartChats(ctx context.Context, account string, visitors ...Visitor) ([]Chat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(visitors) == 0 {
		return nil, errors.New("there is no visitor")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, err := s.account(account)
	if err != nil {
		return nil, err
	}
	hooks := s.hooksOf(owner.ID)
	firing := guidN()
	chats := make([]*chat, len(visitors))
	for i, visitor := range visitors {
		chats[i] = s.newChat(owner, visitor, firing, len(hooks))
	}
	for _, hook := range hooks {
		s.announce(&announcement{hook: *hook, chats: chats, id: firing}, 1)
	}
	snapshots := make([]Chat, len(chats))
	for i, c := range chats {
		snapshots[i] = c.snapshot()
	}
	return snapshots, nil
}

func (s *Server) newChat(owner *Account, visitor Visitor, firing string, hooks int) *chat {
	s.sequence++
	if visitor.ID == "" {
		visitor.ID = fmt.Sprintf("203.0.113.%d-%07d", 1+rand.IntN(254), rand.IntN(10_000_000))
	}
	if visitor.AgentID == "" {
		visitor.AgentID = owner.Agents[0].ID
	}
	v := visitor.Variation
	c := &chat{
		Chat: Chat{
			ID:        "chat-" + strconv.Itoa(s.sequence),
			AccountID: owner.ID,
			AgentID:   visitor.AgentID,
			AgentName: agentName(owner, visitor.AgentID),
			Visitor:   visitor,
			StartedAt: s.opts.Clock.Now(),
			FiringID:  firing,
			WebHooks:  hooks,
			Notices:   []Notice{},
			Refusals:  []Refusal{},
		},
		account: livesupporti.Text(owner.ID),
		visitor: announcedID(visitor.ID, v.Numbers),
	}
	if !v.NoAgent {
		c.agent = announcedID(visitor.AgentID, v.Numbers)
	}
	s.keepChat(c)
	s.changedChat(c)
	return c
}

// keepChat remembers a chat and forgets the oldest when there are too many.
func (s *Server) keepChat(c *chat) {
	s.chats[c.ID] = c
	s.byVisitor[c.Visitor.ID] = append(s.byVisitor[c.Visitor.ID], c)
	if s.opts.KeepWire > 0 {
		if old, full := s.wired.push(c); full {
			old.wire = nil
		}
	}
	old, full := s.recent.push(c)
	if !full {
		return
	}
	delete(s.chats, old.ID)
	rest := slices.DeleteFunc(s.byVisitor[old.Visitor.ID], func(c *chat) bool { return c == old })
	if len(rest) == 0 {
		delete(s.byVisitor, old.Visitor.ID)
		return
	}
	s.byVisitor[old.Visitor.ID] = rest
}

// changedChat tells all who want to know. The caller holds the lock.
func (s *Server) changedChat(c *chat) {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
	if s.journal != nil {
		s.journal.write(c.record())
	}
	s.publish("chat", &c.Chat)
}

// Chat returns a chat as it stands, and whether the server remembers it.
func (s *Server) Chat(id string) (Chat, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.chats[id]
	if !ok {
		return Chat{}, false
	}
	return c.snapshot(), true
}

// Details returns the fields that the agent sees of a visitor's newest chat,
// and whether there are any.
func (s *Server) Details(visitorID string) ([]livesupporti.Field, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	chats := s.byVisitor[visitorID]
	if len(chats) == 0 || chats[len(chats)-1].Shown == nil {
		return nil, false
	}
	return slices.Clone(chats[len(chats)-1].Shown.Fields), true
}

func agentName(owner *Account, id string) string {
	for _, agent := range owner.Agents {
		if agent.ID == id {
			return agent.Name
		}
	}
	return "Agent " + id
}
