package livesupportitest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

// startBroken returns the address of a callback that passes the handshake and
// then breaks every connection.
func startBroken(t *testing.T, c *callback) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		c.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestFaultsOfTheAPI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		fault   sim.Fault
		status  int
		problem string
		shown   bool
	}{
		{"401", sim.Fault{Mode: sim.ModeStatus, Status: 401}, 401, "", false},
		{"403", sim.Fault{Mode: sim.ModeStatus, Status: 403}, 403, "", false},
		{"404", sim.Fault{Mode: sim.ModeStatus, Status: 404}, 404, "", false},
		{"400", sim.Fault{Mode: sim.ModeStatus, Status: 400}, 400, "", false},
		{"429", sim.Fault{Mode: sim.ModeStatus, Status: 429, RetryAfter: "7"}, 429, "", false},
		{"500", sim.Fault{Mode: sim.ModeStatus, Status: 500}, 500, "", false},
		{"503", sim.Fault{Mode: sim.ModeStatus, Status: 503}, 503, "", false},
		{"redirect", sim.Fault{Mode: sim.ModeRedirect, Location: "http://127.0.0.1:9/"}, 307, "", false},
		{"permanent redirect", sim.Fault{Mode: sim.ModeRedirect, Status: 308, Location: "/x"}, 308, "", false},
		{"reset before", sim.Fault{Mode: sim.ModeResetBefore}, 0, "connection was reset", false},
		{"reset after", sim.Fault{Mode: sim.ModeResetAfter}, 0, "connection was reset", true},
		{"garbage", sim.Fault{Mode: sim.ModeGarbage}, 200, "", true},
		{"flood", sim.Fault{Mode: sim.ModeFlood}, 200, "", true},
		{"drip", sim.Fault{Mode: sim.ModeDrip}, 200, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sim.Options{})
			tt.fault.Route, tt.fault.Count = sim.RouteDetails, 1
			if err := s.Misbehave(tt.fault); err != nil {
				t.Fatal(err)
			}
			chat := startChat(t, s, sim.Visitor{})
			answer, err := client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, detailsFor(t, chat))
			if answer.Status != tt.status || livesupporti.Problem(err) != tt.problem {
				t.Errorf("%+v, %v", answer, err)
			}
			if tt.fault.RetryAfter != "" && answer.RetryAfter != 7*time.Second {
				t.Errorf("Retry-After %v", answer.RetryAfter)
			}
			chat, _ = s.Chat(chat.ID)
			if (chat.Shown != nil) != tt.shown || chat.Posts != 1 {
				t.Errorf("%+v", chat)
			}
			if !tt.shown && (len(chat.Refusals) != 1 || !chat.Refusals[0].Played || chat.Refusals[0].Status != tt.status) {
				t.Errorf("refusals %+v", chat.Refusals)
			}
			if posts := s.Posts(); posts[0].Fault != tt.fault.Mode || posts[0].Accepted != tt.shown || posts[0].Status != tt.status {
				t.Errorf("post %+v", posts[0])
			}
			answer, err = client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, detailsFor(t, chat))
			if answer.Status != 200 || err != nil || len(s.Faults()) != 0 {
				t.Errorf("after the fault: %+v, %v, %v", answer, err, s.Faults())
			}
		})
	}
}

func TestAHangingRequestIsLetGoByHealing(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 1)
	s := start(t, sim.Options{OnPost: func(sim.Post) { came <- struct{}{} }})
	if err := s.Misbehave(sim.Fault{Route: sim.RouteDetails, Mode: sim.ModeHang}); err != nil {
		t.Fatal(err)
	}
	chat := startChat(t, s, sim.Visitor{})
	broke := make(chan error, 1)
	go func() {
		_, err := client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, detailsFor(t, chat))
		broke <- err
	}()
	<-came
	s.Heal()
	if err := <-broke; livesupporti.Problem(err) != "connection was reset" {
		t.Errorf("got %v", err)
	}
	if len(s.Faults()) != 0 {
		t.Errorf("faults %v", s.Faults())
	}
}

func TestAHangingRequestEndsWhenTheClientGivesUp(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	if err := s.Misbehave(sim.Fault{Route: sim.RouteAgents, Mode: sim.ModeHang}); err != nil {
		t.Fatal(err)
	}
	_, _, err := client(t, s).Agents(within(t, 30*time.Millisecond), cred)
	if livesupporti.Problem(err) != "LiveSupporti did not answer in time" {
		t.Errorf("got %v", err)
	}
}

func TestCloseLetsGoOfWhatHangs(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 1)
	s := start(t, sim.Options{OnPost: func(sim.Post) { came <- struct{}{} }})
	if err := s.Misbehave(sim.Fault{Route: sim.RouteDetails, Mode: sim.ModeHang}); err != nil {
		t.Fatal(err)
	}
	chat := startChat(t, s, sim.Visitor{})
	broke := make(chan error, 1)
	go func() {
		_, err := client(t, s).PostDetails(context.Background(), cred, chat.Visitor.ID, detailsFor(t, chat))
		broke <- err
	}()
	<-came
	s.Close()
	if err := <-broke; err == nil {
		t.Error("the request was answered")
	}
}

func TestAFaultHitsItsShareOfTheRequests(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{Accounts: []sim.Account{{Email: "other@x.se", APIKey: "other-key"}}})
	for _, fault := range []sim.Fault{
		{Route: sim.RouteAgents, Mode: sim.ModeStatus, Status: 503, Percent: 7, Account: email},
		{Route: sim.RouteDetails, Mode: sim.ModeStatus, Status: 500},
	} {
		if err := s.Misbehave(fault); err != nil {
			t.Fatal(err)
		}
	}
	c := client(t, s)
	hits := map[string]int{}
	for range 200 {
		for _, who := range []livesupporti.Credentials{cred, {Email: "other@x.se", APIKey: "other-key"}} {
			_, answer, err := c.Agents(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status == 503 {
				hits[who.Email]++
			}
		}
	}
	if hits[email] != 14 || hits["other@x.se"] != 0 {
		t.Errorf("hits %v, want 14 of 200 for one account", hits)
	}
}

func TestAFaultMustMakeSense(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	for _, fault := range []sim.Fault{
		{},
		{Route: "x", Mode: sim.ModeHang},
		{Route: sim.RouteDetails, Mode: sim.ModeDuplicate},
		{Route: sim.RouteNotifications, Mode: sim.ModeHang},
		{Route: sim.RouteDetails, Mode: sim.ModeStatus},
		{Route: sim.RouteDetails, Mode: sim.ModeStatus, Status: 99},
		{Route: sim.RouteDetails, Mode: sim.ModeRedirect},
		{Route: sim.RouteDetails, Mode: sim.ModeRedirect, Status: 200, Location: "/"},
		{Route: sim.RouteDetails, Mode: sim.ModeHang, Count: -1},
		{Route: sim.RouteDetails, Mode: sim.ModeHang, Percent: 101},
		{Route: sim.RouteDetails, Mode: sim.ModeHang, Account: "nobody"},
	} {
		if err := s.Misbehave(fault); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%+v: %v", fault, err)
		}
	}
	if len(s.Faults()) != 0 {
		t.Errorf("faults %v", s.Faults())
	}
}
