package livesupportitest_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

func TestANotificationLooksAsTheASPNETSenderWritesIt(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	c := newCallback(t)
	register(t, s, c.URL+"?kept=yes")
	chat := startChat(t, s, sim.Visitor{ID: "169.26.97.99-1231178", Email: "jörgen.o'hara+<vip>@example.com"})
	r, body := c.next(t)

	want := strings.Join([]string{
		`{`,
		`  "Id": "` + chat.FiringID + `",`,
		`  "Attempt": 1,`,
		`  "Properties": {},`,
		`  "Notifications": [`,
		`    {`,
		`      "Action": "ChatStarted",`,
		`      "Data": {`,
		`        "AccountId": "` + chat.AccountID + `",`,
		`        "AgentId": "150",`,
		`        "Visitor": {`,
		`          "Id": "169.26.97.99-1231178",`,
		`          "Email": "jörgen.o'hara+<vip>@example.com"`,
		`        }`,
		`      }`,
		`    }`,
		`  ]`,
		`}`,
	}, "\r\n")
	if string(body) != want {
		t.Errorf("body\n%s\nwant\n%s", body, want)
	}
	signature := r.Header.Values(livesupporti.SignatureHeader)
	if err := livesupporti.Verify(signature, body, []byte(secret)); err != nil {
		t.Error(err)
	}
	if len(signature) != 1 || signature[0][7:] != strings.ToUpper(signature[0][7:]) {
		t.Errorf("signature %q", signature)
	}
	if r.Method != http.MethodPost || r.URL.RequestURI() != "/hooks/brw_7Qm2?kept=yes" || r.Header.Get("Content-Type") != livesupporti.ContentType {
		t.Errorf("%s %s %v", r.Method, r.URL.RequestURI(), r.Header)
	}
	for _, absent := range []string{"User-Agent", "Accept-Encoding"} {
		if r.Header.Get(absent) != "" {
			t.Errorf("%s: %s", absent, r.Header.Get(absent))
		}
	}
	announced, err := s.WaitAnnounced(t.Context(), chat.ID)
	if err != nil || announced.Notices[0].Status != 200 || announced.Notices[0].Outcome != sim.NoticeAccepted {
		t.Errorf("%+v, %v", announced, err)
	}
}

func TestVariationsOfTheNotification(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		variation sim.Variation
		has       []string
		hasNot    []string
		chat      string // agent, visitor, e-mail as read
	}{
		{"numbers", sim.Variation{Numbers: true}, []string{`"AgentId": 150,`, `"Id": 1231178,`}, nil, "150 1231178 e@x.se"},
		{"lower case", sim.Variation{LowerCase: true}, []string{`"notifications": [`, `"visitor": {`}, []string{"Id\""}, `"150" "1231178" e@x.se`},
		{"no e-mail", sim.Variation{NoEmail: true}, nil, []string{"Email"}, `"150" "1231178" `},
		{"null e-mail", sim.Variation{NullEmail: true}, []string{`"Email": null`}, nil, `"150" "1231178" `},
		{"no agent", sim.Variation{NoAgent: true}, nil, []string{"AgentId"}, `null "1231178" e@x.se`},
		{"extras", sim.Variation{Extras: true}, []string{`"StartedAt": "`, `"Country": "SE"`}, nil, `"150" "1231178" e@x.se`},
		{"compact", sim.Variation{Compact: true}, []string{`"Attempt":1,"Properties":{},`}, []string{"\n", "  "}, `"150" "1231178" e@x.se`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sim.Options{})
			c := newCallback(t)
			register(t, s, c.URL)
			startChat(t, s, sim.Visitor{ID: "1231178", Email: "e@x.se", Variation: tt.variation})
			_, body := c.next(t)
			for _, has := range tt.has {
				if !strings.Contains(string(body), has) {
					t.Errorf("%q is not in\n%s", has, body)
				}
			}
			for _, not := range tt.hasNot {
				if strings.Contains(string(body), not) {
					t.Errorf("%q is in\n%s", not, body)
				}
			}
			n, err := livesupporti.Parse(body)
			if err != nil || len(n.Chats) != 1 {
				t.Fatalf("%+v, %v", n, err)
			}
			agent, _ := n.Chats[0].AgentID.MarshalJSON()
			visitor, _ := n.Chats[0].VisitorID.MarshalJSON()
			if got := string(agent) + " " + string(visitor) + " " + n.Chats[0].Email; got != tt.chat {
				t.Errorf("read as %s, want %s", got, tt.chat)
			}
		})
	}
}

func TestSeveralChatsComeInOneNotification(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	c := newCallback(t)
	register(t, s, c.URL)
	chats, err := s.StartChats(t.Context(), "", sim.Visitor{Email: "a@x.se"}, sim.Visitor{Email: "b@x.se"})
	if err != nil {
		t.Fatal(err)
	}
	_, body := c.next(t)
	n, err := livesupporti.Parse(body)
	if err != nil || len(n.Chats) != 2 || n.Chats[0].Email != "a@x.se" || n.Chats[1].Email != "b@x.se" {
		t.Errorf("%+v, %v", n, err)
	}
	if chats[0].FiringID != n.ID || chats[1].FiringID != n.ID || chats[0].ID == chats[1].ID {
		t.Errorf("%+v", chats)
	}
	if c.count() != 1 {
		t.Errorf("%d notifications", c.count())
	}
}

func TestANotificationIsRepeatedAfterOneMinuteAndAfterFourMore(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	s := start(t, sim.Options{Clock: clock})
	c := newCallback(t, 500, 302, 404)
	register(t, s, c.URL)
	chat := startChat(t, s, sim.Visitor{Email: "e@x.se"})

	chat = attempts(t, s, chat.ID, 1)
	if clock.advance(time.Minute-1) != 0 {
		t.Error("it was repeated before a minute had passed")
	}
	clock.advance(1)
	chat = attempts(t, s, chat.ID, 2)
	if clock.advance(4*time.Minute-1) != 0 {
		t.Error("it was repeated before four more minutes had passed")
	}
	if sim.IsAnnounced(chat) {
		t.Error("a third attempt is to come")
	}
	clock.advance(1)
	chat = attempts(t, s, chat.ID, 3)
	if clock.advance(24*time.Hour) != 0 || !sim.IsAnnounced(chat) {
		t.Error("it was not dropped after the third attempt")
	}

	var outcomes []string
	for i, notice := range chat.Notices {
		outcomes = append(outcomes, notice.Outcome)
		if notice.Attempt != i+1 {
			t.Errorf("notice %d has attempt %d", i, notice.Attempt)
		}
	}
	if want := []string{sim.NoticeAgain, sim.NoticeAgain, sim.NoticeDropped}; !reflect.DeepEqual(outcomes, want) {
		t.Errorf("outcomes %v, want %v", outcomes, want)
	}
	signatures := map[string]bool{}
	for i, body := range c.bodies {
		n, err := livesupporti.Parse(body)
		if err != nil || n.ID != chat.FiringID || n.Attempt != i+1 {
			t.Errorf("attempt %d: %+v, %v", i+1, n, err)
		}
		signature := c.requests[i].Header.Values(livesupporti.SignatureHeader)
		if err := livesupporti.Verify(signature, body, []byte(secret)); err != nil {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		signatures[signature[0]] = true
	}
	if len(signatures) != 3 {
		t.Errorf("%d different signatures for 3 attempts", len(signatures))
	}
}

func TestAcceptingEndsTheRepeats(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	s := start(t, sim.Options{Clock: clock, Speed: 60})
	c := newCallback(t, 503, 204)
	register(t, s, c.URL)
	chat := startChat(t, s, sim.Visitor{})
	attempts(t, s, chat.ID, 1)
	clock.advance(time.Second)
	chat = attempts(t, s, chat.ID, 2)
	if clock.advance(time.Hour) != 0 || chat.Notices[1].Outcome != sim.NoticeAccepted || chat.Notices[0].NextMS != 1000 {
		t.Errorf("%+v", chat.Notices)
	}
}

func TestGoneEndsItAtOnce(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	s := start(t, sim.Options{Clock: clock})
	register(t, s, newCallback(t, 410).URL)
	chat := startChat(t, s, sim.Visitor{})
	chat, err := s.WaitAnnounced(t.Context(), chat.ID)
	if err != nil || clock.advance(time.Hour) != 0 || chat.Notices[0].Outcome != sim.NoticeGone {
		t.Errorf("%+v, %v", chat.Notices, err)
	}
}

func TestABrokenConnectionIsRepeatedLikeABadAnswer(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	s := start(t, sim.Options{Clock: clock})
	c := newCallback(t)
	hook := register(t, s, c.URL)
	broken := startBroken(t, c)
	if _, err := s.RegisterWebHook(t.Context(), "", sim.Registration{CallbackURL: broken, Secret: secret}); err != nil {
		t.Fatal(err)
	}
	s.RemoveWebHook(hook.ID)
	chat := attempts(t, s, startChat(t, s, sim.Visitor{}).ID, 1)
	if got := chat.Notices[0]; got.Status != 0 || got.Problem == "" || got.Outcome != sim.NoticeAgain {
		t.Errorf("%+v", got)
	}
	if clock.advance(time.Minute) != 1 {
		t.Error("it is not repeated")
	}
	attempts(t, s, chat.ID, 2)
}

func TestAChatWithoutWebHookIsAnnouncedToNobody(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	chat, err := s.WaitAnnounced(t.Context(), startChat(t, s, sim.Visitor{}).ID)
	if err != nil || chat.WebHooks != 0 || len(chat.Notices) != 0 {
		t.Errorf("%+v, %v", chat, err)
	}
}

func TestOnlyTheAccountsOwnWebHooksAreTold(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{Accounts: []sim.Account{{Email: "other@x.se", APIKey: "k"}}})
	mine, theirs := newCallback(t), newCallback(t)
	for account, c := range map[string]*callback{email: mine, "other@x.se": theirs} {
		if _, err := s.RegisterWebHook(t.Context(), account, sim.Registration{CallbackURL: c.URL, Secret: secret}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.StartChat(t.Context(), "", sim.Visitor{}); err == nil {
		t.Error("with several accounts one must be named")
	}
	chat, err := s.StartChat(t.Context(), email, sim.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitAnnounced(t.Context(), chat.ID); err != nil || mine.count() != 1 || theirs.count() != 0 {
		t.Errorf("mine %d, theirs %d, %v", mine.count(), theirs.count(), err)
	}
}

func TestFaultsOfTheSender(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	c := newCallback(t)
	register(t, s, c.URL)
	for _, tt := range []struct {
		mode  sim.Mode
		times int
		want  error
	}{
		{sim.ModeUnsigned, 1, livesupporti.ErrUnsigned},
		{sim.ModeWrongSignature, 1, livesupporti.ErrWrongSignature},
		{sim.ModeDuplicate, 2, nil},
	} {
		if err := s.Misbehave(sim.Fault{Route: sim.RouteNotifications, Mode: tt.mode, Count: 1}); err != nil {
			t.Fatal(err)
		}
		chat := startChat(t, s, sim.Visitor{})
		for range tt.times {
			r, body := c.next(t)
			if err := livesupporti.Verify(r.Header.Values(livesupporti.SignatureHeader), body, []byte(secret)); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.mode, err, tt.want)
			}
			if !strings.Contains(string(body), chat.FiringID) {
				t.Errorf("%s: another notification came", tt.mode)
			}
		}
		if _, err := s.WaitAnnounced(t.Context(), chat.ID); err != nil {
			t.Fatal(err)
		}
	}
	if c.count() != 4 || len(s.Faults()) != 0 {
		t.Errorf("%d notifications, faults %v", c.count(), s.Faults())
	}
}
