package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// on gives a tenant a plan, as its operator.
func (t tenant) on(plan string) {
	t.Helper()
	p, err := hub.ParsePlan(plan)
	must(t.T, err)
	_, err = hub.SetPlan(t.Context(), t.store, t.session.Me.Tenant.Id, p, t.now())
	must(t.T, err)
}

// fill lets so many chats come that nobody has to work on, ten with a notification.
func (t tenant) fill(n int) {
	t.Helper()
	for from := 0; from < n; from += 10 {
		visitors := make([]string, min(10, n-from))
		body := announcement(fmt.Sprint("filling ", from), visitors...)
		body = bytes.ReplaceAll(body, []byte("ChatStarted"), []byte("ChatEnded"))
		if a := t.send(body, t.sign(body)); a.status != 200 {
			t.Fatalf("filling: %d %s", a.status, a.body)
		}
	}
}

func (t tenant) usage() contract.Usage {
	t.Helper()
	return want[contract.Usage](t.stage, 200, asked{method: "GET", path: "/api/v1/usage", token: t.token})
}

// arrives lets a chat arrive and be carried, and gives its page.
func (t tenant) arrives(visitor string) contract.ChatPage {
	t.Helper()
	n := announcement("firing of "+visitor, visitor)
	if a := t.send(n, t.sign(n)); a.status != 200 {
		t.Fatalf("%s: %d %s, want that every chat is taken", visitor, a.status, a.body)
	}
	t.work()
	return t.page(t.chats()[0].Id)
}

func TestChatsBeyondThePlanAreTakenAndEndAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		own.work()
		own.on("free")
		own.fill(498)
		if p := own.arrives("the 500th"); p.Chat.Outcome.Name == contract.OutcomeNameOverQuota {
			t.Errorf("chat 500 of 500: %+v", p.Chat.Outcome)
		}
		s.pass(5 * time.Second)
		over := own.arrives("the 501st")
		if over.Chat.Outcome.Name != contract.OutcomeNameOverQuota || len(over.Sources) > 0 || over.CardVersion != nil {
			t.Errorf("chat 501 of 500: %+v", over)
		}
		u := own.usage()
		if today := u.Days[13]; u.Plan != "free" || u.ChatsToday.Used != 501 || *u.ChatsToday.Limit != 500 || today.Chats != 501 || today.OverQuota != 1 {
			t.Errorf("usage = %+v", u)
		}
		selection := chosen(over.Chat.Id)
		own.count(1, selection)
		again := own.replay(1, selection)
		own.work()
		if p := own.page(again.Chats[0]); p.Chat.Outcome.Name != contract.OutcomeNameOverQuota {
			t.Errorf("a replay on the same day: %+v", p.Chat.Outcome)
		}
		own.on("team")
		if p := own.arrives("the 503rd"); p.Chat.Outcome.Name == contract.OutcomeNameOverQuota {
			t.Errorf("after a larger plan: %+v", p.Chat.Outcome)
		}
		once := want[contract.ReplayCount](s, 200, asked{method: "POST", path: "/api/v1/replays/count", token: own.token, body: selection})
		if once.Chats == 0 { // a newer chat of the visitor would be in the way, and there is none
			t.Fatalf("it cannot be replayed: %+v", once)
		}
		again = own.replay(1, selection)
		own.work()
		if p := own.page(again.Chats[0]); p.Chat.Outcome.Name == contract.OutcomeNameOverQuota || p.Chat.Outcome.Name == contract.OutcomeNameWaiting {
			t.Errorf("a replay under the larger plan: %+v", p.Chat.Outcome)
		}
	})
}

func TestWhatAPlanRefusesSaysSoAndHowToGoOn(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater") // two connections, two members, an open invitation
	if u := own.usage(); u.Plan != "unlimited" || u.Connections != (contract.Used{Used: 2}) || u.Members.Used != 3 || u.CsvRows.Limit != nil || *u.ApiTokens.Limit != 50 || u.ApiTokens.Used != 1 {
		t.Errorf("usage = %+v", u)
	}
	own.on("free")
	page := want[contract.TenantPage](s, 200, asked{method: "GET", path: "/api/v1/tenant", token: own.token})
	if page.Plan != "free" {
		t.Errorf("the tenant's plan = %q", page.Plan)
	}
	s.refuses("taking a plan oneself", asked{method: "PATCH", path: "/api/v1/tenant", token: own.token, body: `{"name":"N","plan":"unlimited"}`}, 400, "/plan")
	connection := asked{method: "POST", path: "/api/v1/connections", token: own.token, body: `{"kind":"csv","name":"Third","settings":{}}`}
	want[contract.Connection](s, 201, connection)
	invite := func(email string) asked {
		return asked{method: "POST", path: "/api/v1/invitations", token: own.token, body: contract.InvitationCreate{Email: email, Role: contract.RoleViewer}}
	}
	for _, email := range []string{"a@example.com", "b@example.com", "b@example.com"} { // the same again replaces itself
		want[contract.Invitation](s, 201, invite(email))
	}
	upload := asked{method: "POST", path: "/api/v1/connections/" + own.csv.String() + "/import", token: own.token, header: csvType}
	upload.body = "email\n" + strings.Repeat("a@b.c\n", 20_001)
	for what, c := range map[string]struct {
		q    asked
		says string
	}{
		"a fourth connection": {connection, `Your plan "free" has 3 connections, and this would be more. Remove one you no longer use, or ask for a larger plan.`},
		"a sixth member":      {invite("c@example.com"), `Your plan "free" has 5 members, with open invitations, and this would be more.`},
		"too many rows":       {upload, `Your plan "free" has 20,000 rows from files, and this would be more.`},
	} {
		p := want[contract.Problem](s, 422, c.q)
		if p.Code != "quota" || !strings.HasPrefix(p.Detail, c.says) {
			t.Errorf("%s: %+v", what, p)
		}
		if what == "too many rows" && (p.Errors == nil || *(*p.Errors)[0].Line != 20_002) {
			t.Errorf("%s: %+v, want the line", what, p)
		}
	}
	if u := own.usage(); u.Connections != (contract.Used{Used: 3, Limit: u.Connections.Limit}) || u.Members.Used != 5 || u.CsvRows.Used != 2 {
		t.Errorf("usage = %+v", u)
	}
}
