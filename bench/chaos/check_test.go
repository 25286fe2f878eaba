package main

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// story is a history under construction: everything in it is right until a test spoils it.
type story struct{ history }

// tell makes a history of two tenants: each has one visitor with one chat, and the first has another visitor with two.
func tell() *story {
	s := &story{history{
		Markers: map[int]string{0: "shop-0000", 1: "shop-0001"}, Tenants: map[string]int{"Tenant 0": 0, "Tenant 1": 1},
		Counters: []counters{{Tenant: 0, By: map[string]int{"shown": 2, "superseded": 1}}},
	}}
	s.chat(0, "ada", "a1", 0, hub.Shown)
	s.chat(1, "bob", "b1", time.Second, hub.Shown)
	s.chat(0, "eve", "e1", 2*time.Second, hub.Superseded)
	s.chat(0, "eve", "e2", 3*time.Second, hub.Shown)
	return s
}

func (s *story) chat(tenant int, visitor, agent string, after time.Duration, outcome hub.Outcome) {
	name := []string{"Tenant 0", "Tenant 1"}[tenant]
	account := []string{"account-0", "account-1"}[tenant]
	at := noon.Add(after)
	s.Chats = append(s.Chats, chat{
		External: "n-" + agent, Firing: "n-" + agent, Tenant: tenant, Account: account, Visitor: visitor, Agent: agent, Began: at,
	})
	s.Notices = append(s.Notices, notice{Firing: "n-" + agent, Attempt: 1, At: at, Took: 5 * time.Millisecond, Status: 200})
	s.Records = append(s.Records, record{
		Tenant: name, External: "n-" + agent, Visitor: visitor, Started: at.Add(4 * time.Millisecond), Seq: agent,
		Outcomes: []hub.Outcome{outcome}, Ended: at.Add(30 * time.Millisecond),
	})
	if outcome == hub.Shown {
		s.post(tenant, visitor, agent, after+20*time.Millisecond)
	}
}

func (s *story) post(tenant int, visitor, agent string, after time.Duration) {
	s.Posts = append(s.Posts, post{
		At: noon.Add(after), Account: []string{"account-0", "account-1"}[tenant], Visitor: visitor, Agent: agent,
		Status: 200, Accepted: true, Hash: sha256.Sum256([]byte(agent)), Markers: []string{s.Markers[tenant]},
	})
}

func TestAnHonestHistoryBreaksNothing(t *testing.T) {
	t.Parallel()
	s := tell()
	f := s.check(0)
	if len(f.Broken) > 0 || f.Lost+f.Duplicates+f.CrossTenant > 0 {
		t.Errorf("found %+v", f)
	}
	if got := s.index().recovery(); got != 0 {
		t.Errorf("recovery without an outage = %v", got)
	}
	s.Healed = noon.Add(1500 * time.Millisecond)
	s.Records[0].Ended = noon.Add(4 * time.Second)
	if got := s.index().recovery(); got != 2500*time.Millisecond {
		t.Errorf("recovery = %v, want 2.5s: the first chat ended that long after the healing", got)
	}
}

func TestEachCheckSeesWhatItIsFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*story)
		want  string
	}{
		"P1 lost":       {func(s *story) { s.Records = s.Records[1:] }, "1 chat was acknowledged and not in the database"},
		"P1 forgotten":  {func(s *story) { s.Records[0].Outcomes = nil }, "1 chat was kept, but neither at work nor ended"},
		"P1 kept twice": {func(s *story) { s.Records = append(s.Records, s.Records[0]) }, "1 chat was kept more than once"},
		"P1 two outcomes": {
			func(s *story) { s.Records[0].Outcomes = []hub.Outcome{hub.Shown, hub.Expired} }, "1 chat was ended more than once",
		},
		"P1 wrong outcome":         {func(s *story) { s.Records[0].Outcomes[0] = hub.Expired }, "1 chat was ended as expired"},
		"P1 superseded by nothing": {func(s *story) { s.Records[0].Outcomes[0] = hub.Superseded }, "1 chat was ended as superseded"},
		"P1 newest superseded":     {func(s *story) { s.Records[3].Outcomes[0] = hub.Superseded }, "1 chat was ended as superseded"},
		"P1 never posted":          {func(s *story) { s.Posts = s.Posts[1:] }, "1 chat was called shown, but LiveSupporti accepted nothing"},
		"P1 posted but refused":    {func(s *story) { s.Posts[0].Accepted = false }, "1 chat was called shown, but LiveSupporti accepted nothing"},
		"P2 duplicate":             {func(s *story) { s.post(0, "ada", "a1", time.Minute) }, "1 post was a duplicate, 0 allowed"},
		"P2 other bytes": {
			func(s *story) { s.Posts[0].Accepted = false; s.post(0, "ada", "a1", time.Minute); s.Posts[0].Hash[0]++ },
			"the posts of 1 chat were not the same to the byte",
		},
		"P2 unexplained": {
			func(s *story) {
				s.post(0, "ada", "a1", time.Minute)
				s.Trouble = []span{{noon.Add(2 * time.Second), noon.Add(3 * time.Second)}}
			},
			"1 accepted post was repeated though nobody was killed or frozen when it was made",
		},
		"P3 other credentials": {func(s *story) { s.Posts[0].Account = "account-1" }, "1 post carried another tenant's credentials or data"},
		"P3 other data":        {func(s *story) { s.Posts[0].Markers = []string{"shop-0001"} }, "1 post carried another tenant's credentials or data"},
		"P3 mixed data": {
			func(s *story) { s.Posts[0].Markers = []string{"shop-0000", "shop-0001"} }, "1 post carried another tenant's credentials or data",
		},
		"P3 stranger":   {func(s *story) { s.post(0, "zoe", "z1", time.Minute) }, "1 post was for a visitor who has no chat in this row"},
		"P4 older last": {func(s *story) { s.post(0, "eve", "e1", time.Minute) }, "1 visitor was shown an older chat last"},
		"P5 stuck":      {func(s *story) { s.Unfinished = 2 }, "2 visitors' chats are still at work"},
		"P6 counters": {
			func(s *story) { s.Counters[0].By["shown"]-- }, "Tenant 0 is told 1 shown, 1 superseded, and it is 2 shown, 1 superseded",
		},
		"P7 log":   {func(s *story) { s.Logs = []string{"api-1.log holds a secret"} }, "api-1.log holds a secret"},
		"the dead": {func(s *story) { s.Ended = []string{"api-1 ended by itself"} }, "api-1 ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell()
			c.spoil(s)
			if f := s.check(0); !slices.Contains(f.Broken, c.want) {
				t.Errorf("found %q, want %q", f.Broken, c.want)
			}
		})
	}
}

func TestLossIsCounted(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*story){
		"not in the database": func(s *story) { s.Records = s.Records[1:] },
		"without an outcome":  func(s *story) { s.Records[0].Outcomes = nil },
		"still at work":       func(s *story) { s.Records[0].Outcomes, s.Records[0].Working = nil, true },
		"never posted":        func(s *story) { s.Posts = s.Posts[1:] },
	} {
		s := tell()
		spoil(s)
		if f := s.check(0); f.Lost != 1 {
			t.Errorf("%s: lost %d, want 1", name, f.Lost)
		}
	}
}

func TestWhatIsRightIsNotCalledBroken(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*story){
		"a notification that nobody took": func(s *story) {
			s.Records, s.Posts, s.Notices[0].Status = s.Records[1:], s.Posts[1:], 503
			s.Counters[0].By["shown"]--
		},
		"a chat kept although its answer was lost": func(s *story) { s.Notices[0].Status = 0 },
		"a duplicate in time of trouble": func(s *story) {
			s.post(0, "ada", "a1", time.Minute)
			s.Trouble = []span{{noon, noon.Add(100 * time.Millisecond)}}
		},
		"a post refused and made again": func(s *story) { s.post(0, "ada", "a1", time.Minute); s.Posts[0].Accepted = false },
		"an order that had to be assumed": func(s *story) { // e1 arrived again, so it counts as newer than it was, or older
			s.Notices[2].Status = 0
			s.Notices = append(s.Notices, notice{Firing: "n-e1", Attempt: 2, At: noon.Add(4 * time.Second), Status: 200})
			s.Records[2].Started = noon.Add(5 * time.Second)
			s.Records[2].Outcomes[0], s.Records[3].Outcomes[0] = hub.Shown, hub.Superseded
			s.post(0, "eve", "e1", time.Minute)
		},
		"the outcome that the row expects": func(s *story) {
			s.Records[1].Outcomes[0] = hub.Refused
			s.Expected = func(c chat) expect {
				if c.Visitor == "bob" {
					return expect{hub.Refused}
				}
				return expect{hub.Shown}
			}
		},
	} {
		s := tell()
		spoil(s)
		if f := s.check(1); len(f.Broken) > 0 {
			t.Errorf("%s: %q", name, f.Broken)
		}
	}
}

func TestLogsAreSearchedForWhatTheyMustNotHold(t *testing.T) {
	t.Parallel()
	clean := `{"level":"INFO","msg":"chat carried","tenant":"01a2","ms":12.5}`
	if found := unfit([]byte(clean), []string{"k3y"}); len(found) > 0 {
		t.Errorf("clean log: %q", found)
	}
	for text, want := range map[string]string{
		`{"error":"Authorization: k3y"}`:            "a secret",
		`{"visitor":"customer01@shoppers.example"}`: "a visitor's address",
		"panic: runtime error":                      "a panic",
		"WARNING: DATA RACE":                        "a data race",
	} {
		if found := strings.Join(unfit([]byte(text), []string{"", "k3y"}), ", "); found != want {
			t.Errorf("%s: %q, want %q", text, found, want)
		}
	}
}
