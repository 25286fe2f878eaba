package livesupportitest

import (
	"context"
	"errors"
)

var errNoChat = errors.New("there is no such chat")

// Wait waits until a chat is as wanted and returns it as it then stands. When
// ctx ends first it returns the chat with ctx's error.
func (s *Server) Wait(ctx context.Context, id string, wanted func(Chat) bool) (Chat, error) {
	for {
		s.mu.Lock()
		c, ok := s.chats[id]
		if !ok {
			s.mu.Unlock()
			return Chat{}, errNoChat
		}
		now := c.snapshot()
		if wanted(now) {
			s.mu.Unlock()
			return now, nil
		}
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

// WaitShown waits until the agent sees details.
func (s *Server) WaitShown(ctx context.Context, id string) (Chat, error) {
	return s.Wait(ctx, id, IsShown)
}

// WaitAnnounced waits until every WebHook has accepted the chat or will not be
// told again.
func (s *Server) WaitAnnounced(ctx context.Context, id string) (Chat, error) {
	return s.Wait(ctx, id, IsAnnounced)
}

// IsShown reports whether the agent sees details.
func IsShown(c Chat) bool { return c.Shown != nil }

// IsAnnounced reports whether no notification of the chat is still to come.
func IsAnnounced(c Chat) bool {
	ended := 0
	for _, notice := range c.Notices {
		if notice.Outcome != NoticeAgain {
			ended++
		}
	}
	return ended >= c.WebHooks
}
