package livesupportitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// backlog is how many events may wait for one listener. Who falls further
	// behind is let go, and reads the state anew when coming back.
	backlog   = 256
	heartbeat = 15 * time.Second
)

// subscriber is one listener to GET /sim/events.
type subscriber struct {
	events chan []byte
}

// publish sends an event to all listeners. The caller holds the lock.
func (s *Server) publish(name string, v any) {
	if len(s.subscribers) == 0 {
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		return
	}
	event := fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
	for sub := range s.subscribers {
		select {
		case sub.events <- event:
		default:
			delete(s.subscribers, sub)
			close(sub.events)
		}
	}
}

// publishSetup sends accounts, WebHooks and faults. The caller holds the lock.
func (s *Server) publishSetup() {
	if len(s.subscribers) > 0 {
		s.publish("setup", s.setup())
	}
}

// getEvents streams changes as server-sent events: "chat" with a Chat, "setup"
// with accounts, WebHooks and faults.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	sub := &subscriber{events: make(chan []byte, backlog)}
	s.mu.Lock()
	s.subscribers[sub] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, sub)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	withoutDeadline(w)
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	message := []byte("retry: 1000\n\n")
	for {
		if _, err := w.Write(message); err != nil || control.Flush() != nil {
			return
		}
		var open bool
		select {
		case message, open = <-sub.events:
			if !open {
				return
			}
		case <-beat.C:
			message = []byte(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
}
