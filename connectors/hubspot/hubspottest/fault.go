package hubspottest

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one way to fail instead of answering.
type Fault struct {
	Name   string
	Status int // that is sent; 0 = no answer is
	play   func(w http.ResponseWriter, r *http.Request)
}

// Fail makes the next requests of a route, such as "POST /objects/contacts/batch/read", fail one after the other.
// The route "" is every route.
func (s *Server) Fail(route string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[route] = append(s.faults[route], faults...)
}

func (s *Server) nextFault(route string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []string{route, ""} {
		if left := s.faults[key]; len(left) > 0 {
			s.faults[key] = left[1:]
			return left[0], true
		}
	}
	return Fault{}, false
}

// someTime is when a scripted token ended, more or less.
var someTime = time.Date(2026, time.October, 1, 8, 0, 0, 0, time.UTC)

// The faults with an answer of their own.
var (
	ExpiredToken     = answered("expired token", http.StatusUnauthorized, func(w http.ResponseWriter) { expiredToken(w, someTime, someTime.Add(-time.Minute)) })
	UndecodableToken = answered("undecodable token", http.StatusUnauthorized, func(w http.ResponseWriter) { undecodableToken(w, someTime) })
	UnknownToken     = answered("unknown token", http.StatusUnauthorized, unknownToken)
	OldPermission    = answered("missing permission, old form", http.StatusForbidden, noPermission)
	NoSuchRecord     = answered("no such record", http.StatusNotFound, noSuchRecord)
	NotNumeric       = answered("not a numeric id", http.StatusNotFound, func(w http.ResponseWriter) { notNumeric(w, "x") })
	NoSuchType       = answered("no such type", http.StatusNotFound, func(w http.ResponseWriter) { noSuchType(w, "x") })
	NoSuchRoute      = answered("no such route", http.StatusNotFound, func(w http.ResponseWriter) { notARoute(w, nil) })
	Invalid          = answered("invalid", http.StatusBadRequest, func(w http.ResponseWriter) { invalid(w, "There was a problem with the request.") })
	TooLong          = answered("URI too long", http.StatusRequestURITooLong, func(w http.ResponseWriter) { page(w, http.StatusRequestURITooLong, "URI too long") })
	Locked           = answered("locked", http.StatusLocked, func(w http.ResponseWriter) { refuse(w, http.StatusLocked, refusal{Message: "This account is locked."}) })
	Broken           = answered("broken", http.StatusInternalServerError, func(w http.ResponseWriter) {
		refuse(w, http.StatusInternalServerError, refusal{Message: "internal error"})
	})
	BadGateway     = answered("bad gateway", http.StatusBadGateway, cloudPage(http.StatusBadGateway))
	GatewayTimeout = answered("gateway time-out", http.StatusGatewayTimeout, cloudPage(http.StatusGatewayTimeout))
	Unreachable    = answered("origin unreachable", 523, cloudPage(523))
	Cut            = answered("cut JSON", http.StatusOK, func(w http.ResponseWriter) { raw(w, "application/json", `{"status":"COMPLETE","results":[{"id":"5`) })
	NotJSON        = answered("a page instead of JSON", http.StatusOK, func(w http.ResponseWriter) { raw(w, "text/html", "<html><body>Please sign in</body></html>") })
	Huge           = answered("ten megabytes", http.StatusOK, func(w http.ResponseWriter) {
		raw(w, "application/json", `{"status":"`+string(bytes.Repeat([]byte("x"), 10<<20))+`"}`)
	})
)

// MissingScopes refuses for lack of scopes, which it names under errors or, with above, one level higher; both were
// seen [obs].
func MissingScopes(above bool, scopes ...string) Fault {
	return answered("missing scopes", http.StatusForbidden, func(w http.ResponseWriter) {
		if !above {
			missingScopes(w, scopes)
			return
		}
		refuse(w, http.StatusForbidden, refusal{
			Category: "MISSING_SCOPES", Message: "This app hasn't been granted all required scopes to make this call.",
			Context: map[string][]string{"requiredScopes": scopes},
		})
	})
}

// TooMany is a 429 of a policy; 0 sends no Retry-After.
func TooMany(policy string, retryAfter time.Duration) Fault {
	return answered("429 "+policy, http.StatusTooManyRequests, func(w http.ResponseWriter) { tooMany(w, policy, retryAfter) })
}

// Moving is the 477 of an account that moves to another data centre [doc].
func Moving(retryAfter time.Duration) Fault {
	return answered("moving", 477, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		refuse(w, 477, refusal{Message: "This account is being migrated."})
	})
}

// Answer is any other answer.
func Answer(status int, contentType, body string) Fault {
	return answered("answer", status, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// The faults without a whole answer.
var (
	// Hang says nothing until the client goes away.
	Hang = Fault{Name: "hang", play: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
	// Reset breaks the connection in the middle of the body.
	Reset = Fault{Name: "reset", play: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"status":`))
		_ = http.NewResponseController(w).Flush()
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}}
	// Drip begins an answer and never ends it.
	Drip = Fault{Name: "drip", Status: http.StatusOK, play: func(w http.ResponseWriter, r *http.Request) {
		drip(r.Context(), w)
	}}
)

func drip(ctx context.Context, w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, _ = w.Write([]byte(" "))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func answered(name string, status int, answer func(w http.ResponseWriter)) Fault {
	return Fault{Name: name, Status: status, play: func(w http.ResponseWriter, _ *http.Request) { answer(w) }}
}

func raw(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write([]byte(body))
}

// cloudPage is the page of the network in front of HubSpot [obs].
func cloudPage(status int) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		title := strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
		page(w, status, "<!DOCTYPE html><html><head><title>"+title+"</title></head><body><h1>"+title+"</h1><hr>cloudflare</body></html>")
	}
}
