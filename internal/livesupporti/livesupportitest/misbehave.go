package livesupportitest

import (
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	dripBytes = 600
	floodSize = 1 << 30
)

// actBefore plays a fault that leaves the request unprocessed, and reports
// whether it did.
func (s *Server) actBefore(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Mode {
	case ModeStatus:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		refuse(w, f.Status, f.describe())
	case ModeRedirect:
		w.Header().Set("Location", f.Location)
		w.WriteHeader(f.Status)
	case ModeHang:
		s.hang(w, r)
	case ModeResetBefore:
		reset(w)
	default:
		return false
	}
	return true
}

// actAfter plays a fault on the answer to a processed request, and reports
// whether it did.
func (s *Server) actAfter(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Mode {
	case ModeResetAfter:
		reset(w)
	case ModeDrip:
		s.drip(w, r)
	case ModeGarbage:
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>200</title>\x00\xff\xfe{]\r\n<script>alert(1)</script>" + strings.Repeat("\u202e", 40)))
	case ModeFlood:
		flood(w)
	default:
		return false
	}
	return true
}

func (s *Server) hang(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	healed := s.healed
	s.mu.Unlock()
	withoutDeadline(w)
	select {
	case <-r.Context().Done():
	case <-s.ctx.Done():
	case <-healed:
	}
	reset(w)
}

func (s *Server) drip(w http.ResponseWriter, r *http.Request) {
	withoutDeadline(w)
	w.WriteHeader(http.StatusOK)
	for range dripBytes {
		if _, err := w.Write([]byte(".")); err != nil {
			return
		}
		http.NewResponseController(w).Flush()
		second := make(chan struct{})
		s.opts.Clock.AfterFunc(time.Second, func() { close(second) })
		select {
		case <-second:
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
}

func flood(w http.ResponseWriter) {
	withoutDeadline(w)
	chunk := []byte(strings.Repeat("0123456789abcdef", 4<<10))
	for range floodSize / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// reset ends the connection with a TCP reset, so that the client sees that it
// broke and not that it was closed.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// withoutDeadline lets an answer take longer than the server allows otherwise.
// A ResponseWriter without deadlines needs no lifting.
func withoutDeadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
}
