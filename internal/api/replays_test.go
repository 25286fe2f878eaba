package api_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func TestWrongSelectionsAreRefused(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	id := `"` + own.chat.String() + `"`
	many := strings.Repeat(id+",", 1000) + id
	for _, c := range []struct{ what, body, pointer string }{
		{"nothing", ``, "/chat_ids"},
		{"both", `"chat_ids":[` + id + `],"filter":{"outcomes":["refused"]}`, "/filter"},
		{"no ids", `"chat_ids":[]`, "/chat_ids"},
		{"too many ids", `"chat_ids":[` + many + `]`, "/chat_ids"},
		{"no id", `"chat_ids":["` + canary + `"]`, "/chat_ids/0"},
		{"no outcomes", `"filter":{}`, "/filter/outcomes"},
		{"not one outcome", `"filter":{"outcomes":[]}`, "/filter/outcomes"},
		{"an unknown outcome", `"filter":{"outcomes":["shown","` + canary + `"]}`, "/filter/outcomes/1"},
		{"no time", `"filter":{"outcomes":["shown"],"from":"` + canary + `"}`, "/filter/from"},
		{"a day that never was", `"filter":{"outcomes":["shown"],"to":"2026-02-30T00:00:00Z"}`, "/filter/to"},
		{"from after to", `"filter":{"outcomes":["shown"],"from":"2026-11-22T10:00:00Z","to":"2026-11-22T09:00:00Z"}`, "/filter/from"},
		{"from at to", `"filter":{"outcomes":["shown"],"from":"2026-11-22T10:00:00Z","to":"2026-11-22T11:00:00+01:00"}`, "/filter/from"},
		{"an unknown filter", `"filter":{"outcomes":["shown"],"no_such":1}`, "/filter/no_such"},
	} {
		s.refuses("counting "+c.what, asked{method: "POST", path: "/api/v1/replays/count", token: own.token, body: "{" + c.body + "}"}, 400, c.pointer)
		body := strings.TrimPrefix(c.body+`,"expect":1`, ",")
		s.refuses("replaying "+c.what, asked{method: "POST", path: "/api/v1/replays", token: own.token, body: "{" + body + "}"}, 400, c.pointer)
	}
	s.refuses("replaying uncounted", asked{method: "POST", path: "/api/v1/replays", token: own.token, body: `{"chat_ids":[` + id + `]}`}, 400, "/expect")
	if n := len(own.chats()); n != 1 {
		t.Errorf("%d chats, want that nothing was replayed", n)
	}
}

// count counts a selection and fails the test unless it is this many, skipped for these reasons.
func (t tenant) count(expected int, s contract.ReplaySelection, reasons ...contract.ReplaySkipReason) contract.ReplayCount {
	t.Helper()
	c := want[contract.ReplayCount](t.stage, 200, asked{method: "POST", path: "/api/v1/replays/count", token: t.token, body: s})
	var skipped []contract.ReplaySkipReason
	for _, skip := range c.Skipped {
		skipped = append(skipped, skip.Reason)
		if skip.Message == "" || skip.Chats < 1 {
			t.Errorf("skipped: %+v", skip)
		}
	}
	if c.Chats != expected || !slices.Equal(skipped, reasons) || c.Limit != hub.ReplayLimit {
		t.Errorf("counted %+v, want %d chats and %v skipped", c, expected, reasons)
	}
	return c
}

func (t tenant) replay(expect int, s contract.ReplaySelection) contract.ReplayResult {
	t.Helper()
	return want[contract.ReplayResult](t.stage, 200, asked{method: "POST", path: "/api/v1/replays", token: t.token, body: contract.ReplayRequest{
		ChatIds: s.ChatIds, Filter: s.Filter, Force: s.Force, Expect: expect,
	}})
}

func (t tenant) page(id hub.ID) contract.ChatPage {
	t.Helper()
	return want[contract.ChatPage](t.stage, 200, asked{method: "GET", path: "/api/v1/chats/" + id.String(), token: t.token})
}

func chosen(ids ...hub.ID) contract.ReplaySelection { return contract.ReplaySelection{ChatIds: &ids} }

func ended(names ...contract.OutcomeName) contract.ReplaySelection {
	return contract.ReplaySelection{Filter: &contract.ReplayFilter{Outcomes: names}}
}

func forced(s contract.ReplaySelection) contract.ReplaySelection {
	yes := true
	s.Force = &yes
	return s
}

const noCredentials = contract.OutcomeNameNoCredentials // how a chat of a furnished tenant ends

func TestAReplayIsCountedAskedForAndRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		own.count(0, chosen(own.chat), contract.ReplaySkipReasonOnItsWay)
		s.work()
		own.count(1, chosen(own.chat, own.chat))
		own.count(0, ended(contract.OutcomeNameShown))
		own.count(1, ended(contract.OutcomeNameShown, noCredentials))

		p := want[contract.Problem](s, 409, asked{method: "POST", path: "/api/v1/replays", token: own.token, body: contract.ReplayRequest{
			ChatIds: &[]hub.ID{own.chat}, Expect: 2,
		}})
		if p.Code != "conflict" || !strings.Contains(p.Detail, "2 chats") || !strings.Contains(p.Detail, "1 chat.") {
			t.Errorf("another number than expected: %+v", p)
		}
		done := own.replay(1, ended(noCredentials))
		if done.Replayed != 1 || len(done.Chats) != 1 || len(done.Skipped) != 0 || done.More {
			t.Fatalf("replayed: %+v", done)
		}
		replay := own.page(done.Chats[0])
		if p := replay; p.ReplayOf == nil || *p.ReplayOf != own.chat || p.Chat.ReplayOf == nil || p.Forced || len(p.Replays) > 0 ||
			p.ReplayedBy == nil || p.ReplayedBy.UserId != own.session.Me.User.Id || p.ReplayedBy.Name != "brightwater@example.com" ||
			p.NotificationId != "firing" || p.Chat.VisitorId != "visitor" || p.Chat.Outcome.Name != contract.OutcomeNameWaiting {
			t.Errorf("replay: %+v", p)
		}
		own.count(0, chosen(own.chat), contract.ReplaySkipReasonOnItsWay)
		own.count(0, ended(noCredentials), contract.ReplaySkipReasonOnItsWay)
		s.work()
		original := own.page(own.chat)
		if original.ReplayOf != nil || original.ReplayedBy != nil || len(original.Replays) != 1 || original.Chat.Outcome.Name != noCredentials {
			t.Fatalf("original: %+v", original)
		}
		if r := original.Replays[0]; r.Id != done.Chats[0] || r.By != *replay.ReplayedBy || r.Outcome.Name != noCredentials || r.At.Before(original.Chat.ReceivedAt) {
			t.Errorf("its replay: %+v", r)
		}
		own.count(1, chosen(done.Chats[0], own.chat)) // a replay stands for its original
		own.count(1, ended(noCredentials))            // and is none itself
	})
}

func TestAnOldChatIsOnlyReplayedByForce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		s.work()
		s.pass(11 * time.Minute)
		own.token = want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/signin", body: own.operation["signIn"]}).AccessToken
		own.count(0, chosen(own.chat), contract.ReplaySkipReasonTooOld)
		if c := own.count(0, ended(noCredentials), contract.ReplaySkipReasonTooOld); !strings.Contains(c.Skipped[0].Message, "10 minutes") {
			t.Errorf("too old: %+v", c)
		}
		if d := own.dryRun(own.chat); d.Skip == nil || d.Skip.Reason != contract.ReplaySkipReasonTooOld || d.Outcome.Name != noCredentials || len(d.Details) != 1 || d.RequestBody != nil {
			t.Errorf("dry run: %+v", d)
		}
		if done := own.replay(0, chosen(own.chat)); done.Replayed != 0 || len(done.Skipped) != 1 {
			t.Errorf("not forced: %+v", done)
		}
		own.count(1, forced(chosen(own.chat)))
		replay := own.replay(1, forced(ended(noCredentials))).Chats[0]
		s.work()
		p := own.page(replay)
		if !p.Forced || p.Chat.Outcome.Name != noCredentials || !p.DeadlineAt.After(p.Chat.ReceivedAt.Add(9*time.Minute)) {
			t.Errorf("forced replay: %+v, want the whole time from now on", p)
		}
		if r := own.page(own.chat).Replays; len(r) != 1 || !r[0].Forced {
			t.Errorf("recorded: %+v", r)
		}
	})
}

func (t tenant) dryRun(id hub.ID) contract.DryRun {
	t.Helper()
	return want[contract.DryRun](t.stage, 200, asked{method: "POST", path: "/api/v1/chats/" + id.String() + "/dry-run", token: t.token})
}

func TestANewerChatIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		s.work()
		newer := announcement("firing-2", "visitor", "another visitor")
		own.send(newer, own.sign(newer))
		s.work()
		own.count(0, forced(chosen(own.chat)), contract.ReplaySkipReasonNewerChat)
		own.count(2, ended(noCredentials), contract.ReplaySkipReasonNewerChat)
		if d := own.dryRun(own.chat); d.Skip == nil || d.Skip.Reason != contract.ReplaySkipReasonNewerChat {
			t.Errorf("dry run: %+v", d)
		}
	})
}

func TestWhatIsNoChatIsNotReplayed(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	body := []byte(`{"Id":"other","Attempt":1,"Properties":{},"Notifications":[{"Action":"AgentLoggedIn","Data":{"AgentId":150}}]}`)
	if a := own.send(body, own.sign(body)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	id := own.chats()[0].Id
	own.count(0, forced(chosen(id)), contract.ReplaySkipReasonNotAChat)
	if d := own.dryRun(id); d.Outcome.Name != contract.OutcomeNameNotAChat || d.Skip == nil || d.Skip.Reason != contract.ReplaySkipReasonNotAChat || len(d.Sources) > 0 {
		t.Errorf("dry run: %+v", d)
	}
}

func TestAnotherTenantsChatsAreNotFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		victim, thief := s.furnish("brightwater"), s.furnish("moonrakers")
		s.work()
		before, nowhere := victim.state(), hub.NewID()
		c := thief.count(1, forced(chosen(victim.chat, thief.chat, nowhere, nowhere)))
		if !slices.Equal(c.NotFound, []hub.ID{victim.chat, nowhere}) {
			t.Errorf("not found: %v, want the victim's chat like one that never was", c.NotFound)
		}
		if done := thief.replay(0, forced(chosen(victim.chat))); done.Replayed != 0 || len(done.Chats) != 0 || !slices.Equal(done.NotFound, []hub.ID{victim.chat}) {
			t.Errorf("replayed: %+v", done)
		}
		if done := thief.replay(1, forced(ended(noCredentials))); done.Replayed != 1 {
			t.Errorf("replayed: %+v, want the thief's own chat", done)
		}
		if after := victim.state(); after != before {
			t.Errorf("the victim's things changed:\n%s\n%s", before, after)
		}
	})
}

// Two colleagues who press the button at the same moment get one replay.
func TestReplayingTwiceAtOnceReplaysOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		s.work()
		var colleagues sync.WaitGroup
		for range 6 {
			colleagues.Go(func() {
				a := s.ask(asked{method: "POST", path: "/api/v1/replays", token: own.token, body: contract.ReplayRequest{ChatIds: &[]hub.ID{own.chat}, Expect: 1}})
				if a.status != 200 && a.status != 409 {
					t.Errorf("replaying: %d %s", a.status, a.body)
				}
			})
		}
		colleagues.Wait()
		if chats := own.chats(); len(chats) != 2 {
			t.Errorf("%d chats, want the original and one replay", len(chats))
		}
	})
}

func TestManyChatsAreReplayedAThousandAtATime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		visitors := make([]string, hub.ReplayLimit+19) // and the one that every tenant has
		for i := range visitors {
			visitors[i] = fmt.Sprint("v", i)
		}
		for some := range slices.Chunk(visitors, 20) {
			body := announcement(some[0], some...)
			a := own.send(body, own.sign(body))
			for tries := 1; a.status == 503 && tries < 20; tries++ { // as LiveSupporti does when a machine is much too busy
				a = own.send(body, own.sign(body))
			}
			if a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
		for _, statement := range []string{
			"insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, at) select tenant_id, id, 9, 0, 0, 0, received_at from chats",
			"delete from work",
		} {
			if _, err := db.Owner.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		refused := ended(contract.OutcomeNameRefused)
		if c := own.count(hub.ReplayLimit, refused); !c.More {
			t.Errorf("counted: %+v, want more", c)
		}
		done := own.replay(hub.ReplayLimit, refused)
		if done.Replayed != hub.ReplayLimit || len(done.Chats) != 100 || !done.More {
			t.Errorf("replayed %d, named %d, more: %t", done.Replayed, len(done.Chats), done.More)
		}
		rest := own.count(20, refused, contract.ReplaySkipReasonOnItsWay)
		if rest.More || rest.Skipped[0].Chats != hub.ReplayLimit {
			t.Errorf("counted: %+v, want the rest", rest)
		}
		if done := own.replay(20, refused); done.Replayed != 20 || done.More {
			t.Errorf("replayed: %+v", done)
		}
	})
}

// A chat that nobody can read any more ends all the same, and does not come back for ever.
func TestAChatThatCannotBeReadEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := setup(t, db.Store, nil)
	s.furnish("brightwater")
	longAgo := time.Now().UTC().Add(-11 * time.Minute)
	if _, err := db.Owner.ExecContext(t.Context(), "update chats set body = 'not sealed', received_at = $1", longAgo); err != nil {
		t.Fatal(err)
	}
	s.work()
	var expired int
	err := db.Owner.QueryRowContext(t.Context(), "select count(*) from outcomes where outcome = $1", hub.Expired).Scan(&expired)
	if err != nil || expired != 1 {
		t.Errorf("%d chats expired (%v), want the one", expired, err)
	}
}

func TestChatsAreListedByTime(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	hour := func(n int) string { return s.now().Add(time.Duration(n) * time.Hour).UTC().Format(time.RFC3339) }
	for query, n := range map[string]int{
		"from=" + hour(-1): 1, "from=" + hour(1): 0, "to=" + hour(1): 1, "to=" + hour(-1): 0,
		"from=" + hour(-1) + "&to=" + hour(1) + "&outcome=waiting": 1, "from=" + hour(-1) + "&outcome=shown": 0,
	} {
		if page := want[contract.ChatList](s, 200, asked{method: "GET", path: "/api/v1/chats?" + query, token: own.token}); len(page.Chats) != n {
			t.Errorf("%s: %d chats, want %d", query, len(page.Chats), n)
		}
	}
}
