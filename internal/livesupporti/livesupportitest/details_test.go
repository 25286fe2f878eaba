package livesupportitest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"sidecard/internal/livesupporti"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

func TestAcceptedDetailsAreShown(t *testing.T) {
	t.Parallel()
	posts := make(chan sim.Post, 2)
	clock := newManualClock()
	s := start(t, sim.Options{Clock: clock, OnPost: func(p sim.Post) { posts <- p }})
	chat := startChat(t, s, sim.Visitor{ID: "a/b c", Email: "e@x.se"})
	fields := []livesupporti.Field{{Name: "Plan", Value: "<b>Care Plus</b>"}, {Name: "Empty", Value: ""}}
	body := detailsFor(t, chat, fields...)
	if _, shown := s.Details(chat.Visitor.ID); shown {
		t.Error("details are shown before they came")
	}

	clock.advance(412_000_000)
	answer, err := client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, body)
	if err != nil || answer.Status != 200 || answer.Excerpt != "" {
		t.Fatalf("%+v, %v", answer, err)
	}
	chat, err = s.WaitShown(t.Context(), chat.ID)
	if err != nil || chat.Shown.AfterMS != 412 || chat.Shown.Times != 1 || !reflect.DeepEqual(chat.Shown.Fields, fields) {
		t.Errorf("%+v, %v", chat.Shown, err)
	}
	if got, shown := s.Details(chat.Visitor.ID); !shown || !reflect.DeepEqual(got, fields) {
		t.Errorf("Details = %v", got)
	}
	post := <-posts
	if !post.Accepted || post.ChatID != chat.ID || post.AccountID != chat.AccountID || post.Status != 200 || !bytes.Equal(post.Body, body) || post.After.Milliseconds() != 412 {
		t.Errorf("post %+v", post)
	}
	if ledger := s.Posts(); len(ledger) != 1 || !reflect.DeepEqual(ledger[0], post) {
		t.Errorf("ledger %+v", ledger)
	}

	clock.advance(1_000_000_000)
	newer := []livesupporti.Field{{Name: "Plan", Value: "Basic"}}
	if _, err := client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, detailsFor(t, chat, newer...)); err != nil {
		t.Fatal(err)
	}
	chat, _ = s.Chat(chat.ID)
	if chat.Shown.AfterMS != 412 || chat.Shown.Times != 2 || !reflect.DeepEqual(chat.Shown.Fields, newer) {
		t.Errorf("after a second request: %+v", chat.Shown)
	}
}

func TestDetailsAreCheckedStrictly(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{Accounts: []sim.Account{{Email: "other@x.se", APIKey: "other-key"}}})
	chat, err := s.StartChat(t.Context(), email, sim.Visitor{ID: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := s.StartChat(t.Context(), email, sim.Visitor{ID: "77", Variation: sim.Variation{Numbers: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartChat(t.Context(), email, sim.Visitor{ID: "v3", Variation: sim.Variation{NoAgent: true}}); err != nil {
		t.Fatal(err)
	}
	a := chat.AccountID
	right := `{"AccountId":"` + a + `","AgentId":"150","VisitorId":"v1","Fields":[{"name":"n","value":"v"}]}`
	tests := []struct {
		name        string
		user, key   string
		contentType string
		visitor     string
		body        string
		status      int
		reason      string
	}{
		{"right", email, apiKey, livesupporti.ContentType, "v1", right, 200, ""},
		{"right, laid out otherwise", email, apiKey, "application/json;charset=UTF-8", "v1", strings.ReplaceAll(right, ",", ",\n "), 200, ""},
		{"right, e-mail in capitals", strings.ToUpper(email), apiKey, livesupporti.ContentType, "v1", right, 200, ""},
		{"numbers", email, apiKey, livesupporti.ContentType, "77", `{"AccountId":"` + numbers.AccountID + `","AgentId":150,"VisitorId":77,"Fields":[]}`, 200, ""},
		{"no agent: null", email, apiKey, livesupporti.ContentType, "v3", `{"AccountId":"` + a + `","AgentId":null,"VisitorId":"v3","Fields":[]}`, 200, ""},
		{"no agent: absent", email, apiKey, livesupporti.ContentType, "v3", `{"AccountId":"` + a + `","VisitorId":"v3","Fields":[]}`, 200, ""},

		{"no credentials", "", "", livesupporti.ContentType, "v1", right, 401, "e-mail and API key"},
		{"wrong key", email, "wrong", livesupporti.ContentType, "v1", right, 401, "e-mail and API key"},
		{"unknown e-mail", "x@x.se", apiKey, livesupporti.ContentType, "v1", right, 401, "e-mail and API key"},
		{"another account", "other@x.se", "other-key", livesupporti.ContentType, "v1", right, 404, "no visitor"},
		{"unknown visitor", email, apiKey, livesupporti.ContentType, "v9", right, 404, "no visitor"},
		{"no content type", email, apiKey, "", "v1", right, 400, "Content-Type"},
		{"no charset", email, apiKey, "application/json", "v1", right, 400, "Content-Type"},
		{"other charset", email, apiKey, "application/json; charset=latin1", "v1", right, 400, "Content-Type"},
		{"form", email, apiKey, "application/x-www-form-urlencoded", "v1", right, 400, "Content-Type"},
		{"not JSON", email, apiKey, livesupporti.ContentType, "v1", "x", 400, "not a JSON object"},
		{"undocumented property", email, apiKey, livesupporti.ContentType, "v1", `{"X":1,` + right[1:], 400, "not documented"},
		{"value a number", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, `"v"}`, `25}`, 1), 400, "Fields[0].value must be a string"},
		{"other account id", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, a, "b", 1), 400, "AccountId is not the one"},
		{"other visitor id", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, `"v1"`, `"v2"`, 1), 400, "VisitorId is not the one"},
		{"other agent id", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, `"150"`, `"151"`, 1), 400, "AgentId is not the one"},
		{"agent id as a number", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, `"150"`, `150`, 1), 400, "AgentId is not the one"},
		{"numbers as strings", email, apiKey, livesupporti.ContentType, "77", `{"AccountId":"` + a + `","AgentId":"150","VisitorId":"77","Fields":[]}`, 400, "VisitorId is not the one"},
		{"agent null", email, apiKey, livesupporti.ContentType, "v1", strings.Replace(right, `"150"`, `null`, 1), 400, "AgentId is not the one"},
		{"too large", email, apiKey, livesupporti.ContentType, "v1", strings.Repeat(" ", 256<<10) + right, 400, "256 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/api/visitors/"+tt.visitor+"/details", strings.NewReader(tt.body))
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.key)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.reason) {
				t.Errorf("%d %s, want %d and %q", w.Code, w.Body, tt.status, tt.reason)
			}
			if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("a 401 must say how to authenticate")
			}
		})
	}
}

func TestARefusalIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	chat := startChat(t, s, sim.Visitor{})
	wrong := livesupporti.Credentials{Email: email, APIKey: "wrong"}
	for range 25 {
		if _, err := client(t, s).PostDetails(t.Context(), wrong, chat.Visitor.ID, detailsFor(t, chat)); err != nil {
			t.Fatal(err)
		}
	}
	chat, _ = s.Chat(chat.ID)
	if chat.Posts != 25 || len(chat.Refusals) != 20 || chat.Refusals[0].Status != 401 || chat.Refusals[0].Reason == "" || chat.Shown != nil {
		t.Errorf("%+v", chat)
	}
}

func TestAVisitorWhoComesBackToAnotherAgent(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	first := startChat(t, s, sim.Visitor{ID: "v", AgentID: "150"})
	second := startChat(t, s, sim.Visitor{ID: "v", AgentID: "151"})
	post := func(chat sim.Chat, value string) {
		t.Helper()
		answer, err := client(t, s).PostDetails(t.Context(), cred, "v", detailsFor(t, chat, livesupporti.Field{Name: "n", Value: value}))
		if err != nil || answer.Status != 200 {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	post(second, "new")
	post(first, "old")
	for id, want := range map[string]string{first.ID: "old", second.ID: "new"} {
		if chat, _ := s.Chat(id); chat.Shown == nil || chat.Shown.Fields[0].Value != want {
			t.Errorf("%s shows %+v, want %q", id, chat.Shown, want)
		}
	}
	if got, _ := s.Details("v"); got[0].Value != "new" {
		t.Errorf("the visitor's newest chat shows %v", got)
	}
}

func TestAgentsNeedCredentials(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	count, answer, err := client(t, s).Agents(t.Context(), cred)
	if count != 2 || answer.Status != 200 || err != nil {
		t.Errorf("%d, %+v, %v", count, answer, err)
	}
	id := s.AddAccount(strings.ToUpper(email), "new-key")
	if _, answer, err = client(t, s).Agents(t.Context(), cred); answer.Status != 401 || err != nil {
		t.Errorf("the old key: %+v, %v", answer, err)
	}
	if accounts := s.Accounts(); len(accounts) != 1 || accounts[0].ID != id || accounts[0].APIKey != "new-key" {
		t.Errorf("%+v", accounts)
	}
}
