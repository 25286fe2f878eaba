package livesupportitest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
)

func TestFIFOKeepsTheNewest(t *testing.T) {
	t.Parallel()
	q := fifo[int]{limit: 3}
	for i := 1; i <= 8; i++ {
		displaced, full := q.push(i)
		if full != (i > 3) || full && displaced != i-3 {
			t.Errorf("push(%d) displaced %d, %v", i, displaced, full)
		}
	}
	if got := q.last(9); !reflect.DeepEqual(got, []int{6, 7, 8}) {
		t.Errorf("last(9) = %v", got)
	}
	if got := q.last(2); !reflect.DeepEqual(got, []int{7, 8}) {
		t.Errorf("last(2) = %v", got)
	}
}

// post sends details for a visitor without a network.
func post(s *Server, visitor string) int {
	account := s.Accounts()[0]
	body, err := livesupporti.Details(livesupporti.Text(account.ID), livesupporti.Text("150"), livesupporti.Text(visitor), nil)
	if err != nil {
		return 0
	}
	r := httptest.NewRequest(http.MethodPost, "/api/visitors/"+visitor+"/details", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", livesupporti.ContentType)
	r.SetBasicAuth(account.Email, account.APIKey)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := New(Options{KeepChats: 50, KeepPosts: 20, KeepWire: 10, Accounts: []Account{{Email: "o@x.se", APIKey: "k"}}})
	t.Cleanup(s.Close)
	const chats = 1000
	for i := range chats {
		visitor := fmt.Sprintf("v%d", i/2) // each comes twice
		if _, err := s.StartChat(t.Context(), "", Visitor{ID: visitor}); err != nil {
			t.Fatal(err)
		}
		if status := post(s, visitor); status != 200 {
			t.Fatalf("details for %s: %d", visitor, status)
		}
	}
	if status := post(s, "v0"); status != 404 {
		t.Errorf("details for a forgotten visitor: %d", status)
	}
	wired := 0
	for _, c := range s.chats {
		if len(c.wire) > 0 {
			wired++
		}
	}
	if len(s.chats) != 50 || len(s.byVisitor) != 25 || wired != 10 || len(s.Posts()) != 20 || s.postCount != chats+1 {
		t.Errorf("%d chats, %d visitors, %d with their wire, %d posts of %d",
			len(s.chats), len(s.byVisitor), wired, len(s.Posts()), s.postCount)
	}
}

func TestNoWireIsKeptWhenNoneIsWanted(t *testing.T) {
	t.Parallel()
	s := New(Options{KeepWire: -1, Accounts: []Account{{Email: "o@x.se", APIKey: "k"}}})
	t.Cleanup(s.Close)
	chat, err := s.StartChat(t.Context(), "", Visitor{ID: "v"})
	if err != nil || post(s, "v") != 200 || len(s.Wire(chat.ID)) != 0 {
		t.Errorf("%v, %v", err, s.Wire(chat.ID))
	}
}

func TestASlowListenerIsLetGo(t *testing.T) {
	t.Parallel()
	s := New(Options{Accounts: []Account{{Email: "o@x.se", APIKey: "k"}}})
	t.Cleanup(s.Close)
	slow := &subscriber{events: make(chan []byte, backlog)}
	s.subscribers[slow] = struct{}{}
	for range backlog + 1 {
		if _, err := s.StartChat(t.Context(), "", Visitor{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.subscribers) != 0 {
		t.Error("a listener that reads nothing is still fed")
	}
}

func TestRememberSurvivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(503)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, r.URL.Query().Get("echo"))
	}))
	t.Cleanup(hook.Close)
	boot := func() *Server {
		t.Helper()
		s := New(Options{})
		t.Cleanup(s.Close)
		if err := s.Remember(path); err != nil {
			t.Fatal(err)
		}
		return s
	}

	first := boot()
	id := first.AddAccount("o@x.se", "k")
	secret := strings.Repeat("s", 40)
	for _, path := range []string{"/kept", "/removed"} {
		if _, err := first.RegisterWebHook(t.Context(), "", Registration{CallbackURL: hook.URL + path, Secret: secret}); err != nil {
			t.Fatal(err)
		}
	}
	first.RemoveWebHook(first.WebHooks()[1].ID)
	chat, err := first.StartChat(t.Context(), "", Visitor{ID: "77", Email: "e@x.se", Variation: Variation{Numbers: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Wait(t.Context(), chat.ID, func(c Chat) bool { return len(c.Notices) == 1 }); err != nil {
		t.Fatal(err)
	}
	first.Close()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, `{"chat":{"id":"cut o`)
	file.Close()

	second := boot()
	accounts, hooks := second.Accounts(), second.WebHooks()
	if len(accounts) != 1 || accounts[0].ID != id || accounts[0].APIKey != "k" {
		t.Errorf("accounts %+v", accounts)
	}
	if len(hooks) != 1 || hooks[0].CallbackURL != hook.URL+"/kept" || hooks[0].Secret != secret {
		t.Errorf("WebHooks %+v", hooks)
	}
	recalled, ok := second.Chat(chat.ID)
	if !ok || recalled.Visitor.Email != "e@x.se" || !recalled.StartedAt.Equal(chat.StartedAt) || !IsAnnounced(recalled) {
		t.Errorf("chat %+v", recalled)
	}
	body := `{"AccountId":"` + id + `","AgentId":150,"VisitorId":77,"Fields":[{"name":"n","value":"v"}]}`
	r := httptest.NewRequest(http.MethodPost, "/api/visitors/77/details", strings.NewReader(body))
	r.Header.Set("Content-Type", livesupporti.ContentType)
	r.SetBasicAuth("o@x.se", "k")
	w := httptest.NewRecorder()
	if second.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("details after the restart: %d %s", w.Code, w.Body)
	}
	newer, err := second.StartChat(t.Context(), "", Visitor{})
	if err != nil || newer.ID == chat.ID {
		t.Errorf("a new chat: %+v, %v", newer, err)
	}
	second.Close()

	third := boot()
	if fields, shown := third.Details("77"); !shown || fields[0].Value != "v" {
		t.Errorf("details after a second restart: %v", fields)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	third.Close()
	if err := os.WriteFile(path, []byte("damaged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth := New(Options{})
	t.Cleanup(fourth.Close)
	if err := fourth.Remember(path); err == nil || !strings.Contains(err.Error(), "line 1 is damaged") {
		t.Errorf("a damaged file: %v", err)
	}
}

func BenchmarkChat(b *testing.B) {
	var s *Server
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, r.URL.Query().Get("echo"))
		}
	}))
	defer hook.Close()
	s, err := Start(Options{KeepWire: -1, KeepPosts: 1, KeepChats: 100_000, Accounts: []Account{{Email: "o@x.se", APIKey: "k"}}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.RegisterWebHook(b.Context(), "", Registration{CallbackURL: hook.URL, Secret: strings.Repeat("s", 40)}); err != nil {
		b.Fatal(err)
	}
	api := livesupporti.NewClient(s.URL+"/api", client)
	cred := livesupporti.Credentials{Email: "o@x.se", APIKey: "k"}
	account := livesupporti.Text(s.Accounts()[0].ID)
	b.ReportAllocs()
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			chat, err := s.StartChat(b.Context(), "", Visitor{Email: "e@x.se"})
			if err != nil {
				b.Error(err)
				return
			}
			body, err := livesupporti.Details(account, livesupporti.Text(chat.AgentID), livesupporti.Text(chat.Visitor.ID), nil)
			if err != nil {
				b.Error(err)
				return
			}
			answer, err := api.PostDetails(b.Context(), cred, chat.Visitor.ID, body)
			if err != nil || answer.Status != 200 {
				b.Errorf("%+v, %v", answer, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "chats/s")
}
