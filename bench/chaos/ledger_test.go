package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"sidecard/internal/livesupporti/livesupportitest"
)

// sender answers notifications with what it is told to, 0 being no answer.
type sender []int

func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	status := (*s)[0]
	*s = (*s)[1:]
	if status == 0 {
		return nil, errors.New("reset")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

func notify(t *testing.T, b *book, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sidecard.invalid/hooks/x", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.RoundTrip(req)
	if err == nil {
		err = resp.Body.Close()
	}
	_ = err // how it was answered is what the ledger tells
}

func TestABookNotesHowEachNotificationWasAnswered(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.through = &sender{0, 503, 200}
	l := newLedger()
	b.open(l)
	l.began(0, livesupportitest.Chat{ID: "chat-1", FiringID: "n1", AccountID: "a"}, 0)
	for attempt, pending := range []int{1, 1, 0} {
		notify(t, b, `{"Id":"n1","Attempt":`+string(rune('1'+attempt))+`}`)
		if got := l.pending(); got != pending {
			t.Errorf("after attempt %d: %d pending, want %d", attempt+1, got, pending)
		}
	}
	if sent, acked := l.counts(); sent != 1 || acked != 1 {
		t.Errorf("sent %d, acked %d", sent, acked)
	}
	for i, status := range []int{0, 503, 200} {
		if n := l.history().Notices[i]; n.Status != status || n.Attempt != i+1 || n.Firing != "n1" {
			t.Errorf("notice %d = %+v", i, n)
		}
	}
}

func TestANotificationThatFailedForTheThirdTimeIsOver(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.through = &sender{0, 0, 0}
	l := newLedger()
	b.open(l)
	l.began(0, livesupportitest.Chat{FiringID: "n1"}, 0)
	for _, attempt := range []string{"1", "2", "3"} {
		if l.pending() != 1 {
			t.Fatalf("before attempt %s nothing is pending", attempt)
		}
		notify(t, b, `{"Id":"n1","Attempt":`+attempt+`}`)
	}
	if _, acked := l.counts(); acked != 0 || l.pending() != 0 {
		t.Errorf("acked %d, pending %d", acked, l.pending())
	}
}

func TestAPostNamesItsChatAndWhoseDataItHolds(t *testing.T) {
	t.Parallel()
	l := newLedger()
	body := `{"AccountId":"a","AgentId":"agent-7","VisitorId":"v","Fields":[{"name":"Name","value":"Customer 1 of shop-0003"},{"name":"Plan","value":"shop-0004 shop-0003"}]}`
	l.posted(livesupportitest.Post{AccountID: "a", VisitorID: "v", Body: []byte(body), Accepted: true, Status: 200})
	p := l.history().Posts[0]
	if p.key() != "v agent-7" || strings.Join(p.Markers, " ") != "shop-0003 shop-0004" || !p.Accepted {
		t.Errorf("post = %+v", p)
	}
	l.posted(livesupportitest.Post{VisitorID: "v", Body: []byte("rubbish"), Status: 400})
	if p := l.history().Posts[1]; p.key() != "v " || p.Accepted || len(p.Markers) > 0 {
		t.Errorf("rubbish = %+v", p)
	}
}

func TestTheSameSeedDrawsTheSameFaults(t *testing.T) {
	t.Parallel()
	for _, r := range rows {
		first, again, other := r.random(7), r.random(7), r.random(8)
		if a, b := first.Uint64(), again.Uint64(); a != b {
			t.Errorf("%s: %d and %d from one seed", r.Name, a, b)
		}
		if a, b := first.Uint64(), other.Uint64(); a == b {
			t.Errorf("%s: two seeds draw the same", r.Name)
		}
	}
}

func TestRowsAreChosenByName(t *testing.T) {
	t.Parallel()
	some, err := chosen("a1, W1")
	if err != nil || len(some) != 2 || some[0].Name != "A1" || some[1].Name != "W1" {
		t.Errorf("chosen: %v, %v", some, err)
	}
	if _, err := chosen("A1,Z9"); err == nil || !strings.Contains(err.Error(), `"Z9"`) {
		t.Errorf("unknown row: %v", err)
	}
	quick, err := chosen("quick")
	if err != nil || len(quick) == 0 || len(quick) >= len(rows) {
		t.Errorf("quick: %d of %d, %v", len(quick), len(rows), err)
	}
	names := map[string]bool{}
	for _, r := range rows {
		if names[r.Name] || r.What == "" || r.Chats == 0 || r.Rate == 0 {
			t.Errorf("row %s is told twice, or says too little", r.Name)
		}
		names[r.Name] = true
	}
}
