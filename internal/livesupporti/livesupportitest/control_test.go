package livesupportitest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

func TestControlDoesWhatTheServerDoes(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{SampleEmails: []string{"maya@lindqvist.se"}, PortalURL: "http://127.0.0.1:8080/", Speed: 30})
	ctx, control := t.Context(), sim.Control{BaseURL: s.URL + "/"}
	account, err := control.AddAccount(ctx, "second@x.se", "key-2")
	if err != nil || account.ID == "" || account.APIKey != "key-2" || len(account.Agents) == 0 {
		t.Fatalf("%+v, %v", account, err)
	}

	c := newCallback(t)
	hook, err := control.RegisterWebHook(ctx, account.ID, sim.Registration{CallbackURL: c.URL, Secret: secret, BrowserCheck: true})
	if err != nil || hook.AccountID != account.ID || hook.CallbackURL != c.URL || hook.Secret != "" {
		t.Fatalf("%+v, %v", hook, err)
	}
	var failed *sim.HandshakeError
	if _, err := control.RegisterWebHook(ctx, account.ID, sim.Registration{CallbackURL: c.URL, Secret: "short"}); !errors.As(err, &failed) {
		t.Errorf("a short secret: %v", err)
	}
	if _, err := control.RegisterWebHook(ctx, "", sim.Registration{}); err == nil || !strings.Contains(err.Error(), "several accounts") {
		t.Errorf("no account named: %v", err)
	}

	chat, err := control.StartChat(ctx, "second@x.se", sim.Visitor{Email: "maya@lindqvist.se", Message: "Hi!"})
	if err != nil || chat.Visitor.Email != "maya@lindqvist.se" || chat.WebHooks != 1 {
		t.Fatalf("%+v, %v", chat, err)
	}
	if announced, err := control.WaitAnnounced(ctx, chat.ID); err != nil || announced.Notices[0].Status != 200 {
		t.Errorf("%+v, %v", announced, err)
	}
	if stood, err := control.WaitShown(within(t, 30*time.Millisecond), chat.ID); !errors.Is(err, context.DeadlineExceeded) || stood.ID != chat.ID || stood.Shown != nil {
		t.Errorf("%+v, %v", stood, err)
	}
	if err := control.Misbehave(ctx, sim.Fault{Route: sim.RouteDetails, Mode: sim.ModeStatus, Status: 503, Count: 1}); err != nil {
		t.Error(err)
	}
	if err := control.Misbehave(ctx, sim.Fault{}); err == nil {
		t.Error("a fault without sense was taken")
	}
	if err := control.Heal(ctx); err != nil || len(s.Faults()) != 0 {
		t.Errorf("%v, %v", err, s.Faults())
	}

	shown := make(chan sim.Chat, 1)
	go func() {
		chat, err := control.WaitShown(ctx, chat.ID)
		if err != nil {
			t.Error(err)
		}
		shown <- chat
	}()
	second := livesupporti.Credentials{Email: "second@x.se", APIKey: "key-2"}
	answer, err := client(t, s).PostDetails(ctx, second, chat.Visitor.ID, detailsFor(t, chat, livesupporti.Field{Name: "Plan", Value: "Basic"}))
	if err != nil || answer.Status != 200 {
		t.Fatalf("%+v, %v", answer, err)
	}
	if chat := <-shown; chat.Shown == nil || chat.Shown.Fields[0].Value != "Basic" || chat.Shown.AfterMS <= 0 {
		t.Errorf("%+v", chat.Shown)
	}

	wire, err := control.Wire(ctx, chat.ID)
	if err != nil || len(wire) != 2 || !wire[0].Outbound || wire[1].Outbound {
		t.Fatalf("%+v, %v", wire, err)
	}
	if !strings.Contains(wire[0].Request, "ms-signature: sha256=") || !strings.Contains(wire[0].Body, "\r\n  \"Attempt\": 1") || !strings.HasPrefix(wire[0].Answer, "HTTP/1.1 200 OK") {
		t.Errorf("notification %+v", wire[0])
	}
	if !strings.Contains(wire[1].Request, "Authorization: Basic \u2022") || !strings.Contains(wire[1].Body, `"value":"Basic"`) {
		t.Errorf("details %+v", wire[1])
	}

	state, err := control.State(ctx)
	if err != nil || len(state.Accounts) != 2 || len(state.WebHooks) != 1 || len(state.Chats) != 1 || state.Posts != 1 ||
		state.Speed != 30 || state.SampleEmails[0] != "maya@lindqvist.se" || state.PortalURL != "http://127.0.0.1:8080/" {
		t.Errorf("%+v, %v", state, err)
	}
	if err := control.RemoveWebHook(ctx, hook.ID); err != nil || len(s.WebHooks()) != 0 {
		t.Error(err)
	}
	if err := control.RemoveWebHook(ctx, hook.ID); err == nil {
		t.Error("a WebHook was removed twice")
	}
	if _, err := control.Chat(ctx, "chat-99"); err == nil || !strings.Contains(err.Error(), "no such chat") {
		t.Errorf("an unknown chat: %v", err)
	}
	if _, err := control.WaitShown(ctx, "chat-99"); err == nil {
		t.Error("an unknown chat was awaited")
	}
}

func TestControlRefusesWhatABrowserCouldBeMadeToSend(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	tests := []struct {
		name   string
		header map[string]string
		body   string
		status int
	}{
		{"a form", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "email=x", 415},
		{"text", map[string]string{"Content-Type": "text/plain"}, `{"email":"x"}`, 415},
		{"another site", map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, `{"email":"x"}`, 403},
		{"another origin", map[string]string{"Content-Type": "application/json", "Origin": "https://evil.example"}, `{"email":"x"}`, 403},
		{"an unknown property", map[string]string{"Content-Type": "application/json"}, `{"mail":"x"}`, 400},
		{"no JSON", map[string]string{"Content-Type": "application/json"}, `x`, 400},
		{"too much", map[string]string{"Content-Type": "application/json"}, `{"email":"` + strings.Repeat("x", 64<<10) + `"}`, 400},
		{"the page itself", map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}, `{"email":"x"}`, 201},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/sim/chats", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range tt.header {
				req.Header.Set(name, value)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("answered %d, want %d", resp.StatusCode, tt.status)
			}
		})
	}
	resp, err := http.Get(s.URL + "/sim/chats/chat-1?wait=longer")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("an unknown wait: %d", resp.StatusCode)
	}
}

// listen opens the event stream and returns a function that reads the next
// event of a kind.
func listen(t *testing.T, s *sim.Server) func(kind string, v any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/sim/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("Content-Type %q", resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewReader(resp.Body)
	read := func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(line, "\n")
	}
	if read() != "retry: 1000" {
		t.Fatal("the stream does not begin with its retry time")
	}
	return func(kind string, v any) {
		t.Helper()
		for read() != "event: "+kind {
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(read(), "data: ")), v); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsTellWhatChanges(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	next := listen(t, s)
	chat := startChat(t, s, sim.Visitor{Email: "e@x.se"})
	var got sim.Chat
	if next("chat", &got); got.ID != chat.ID || got.Visitor.Email != "e@x.se" || got.Shown != nil {
		t.Errorf("%+v", got)
	}
	if _, err := client(t, s).PostDetails(t.Context(), cred, chat.Visitor.ID, detailsFor(t, chat, livesupporti.Field{Name: "n", Value: "v"})); err != nil {
		t.Fatal(err)
	}
	if next("chat", &got); got.Shown == nil || got.Shown.Fields[0].Value != "v" {
		t.Errorf("%+v", got)
	}
	if err := s.Misbehave(sim.Fault{Route: sim.RouteAgents, Mode: sim.ModeHang}); err != nil {
		t.Fatal(err)
	}
	var setup sim.Setup
	if next("setup", &setup); len(setup.Faults) != 1 || len(setup.Accounts) != 1 {
		t.Errorf("%+v", setup)
	}
}

func TestListenAndServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.ListenAndServe(t.Context(), ln.Addr().String(), sim.Options{}); err == nil {
		t.Error("an address in use was taken")
	}
	s := sim.New(sim.Options{})
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	if _, err := (sim.Control{BaseURL: "http://" + ln.Addr().String()}).State(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := sim.ListenAndServe(ctx, "127.0.0.1:0", sim.Options{StateFile: t.TempDir() + "/no/such/folder"}); err == nil {
		t.Error("a state file that cannot be written was accepted")
	}
	if err := sim.ListenAndServe(ctx, "127.0.0.1:0", sim.Options{StateFile: t.TempDir() + "/state"}); err != nil {
		t.Error(err)
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	get := func(path string) (http.Header, string) {
		t.Helper()
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
		}
		return resp.Header, string(body)
	}
	header, html := get("/")
	if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	for _, forbidden := range []string{"<style", "<script>", " style=", " onclick=", " onload=", "http://", "https://", "javascript:"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
	for _, id := range []string{"start-email", "start-chat", "card-place", "announcer", "webhook-url", "fault-what"} {
		if strings.Count(html, `id="`+id+`"`) != 1 {
			t.Errorf("the page does not have one #%s", id)
		}
	}
	seen := []string{"console.js", "console.css", "icon.svg"}
	for i := 0; i < len(seen); i++ {
		if !strings.HasSuffix(seen[i], ".js") && !strings.Contains(html, `"`+seen[i]+`"`) {
			t.Errorf("the page does not load %s", seen[i])
		}
		_, text := get("/" + seen[i])
		if strings.Contains(text, "innerHTML") || strings.Contains(text, "url(") || strings.Contains(text, "@import") {
			t.Errorf("%s writes markup or loads something", seen[i])
		}
		for line := range strings.Lines(text) {
			if _, module, ok := strings.Cut(line, ` from "./`); ok && !slices.Contains(seen, strings.TrimSuffix(module, "\";\n")) {
				seen = append(seen, strings.TrimSuffix(module, "\";\n"))
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %v were found", seen)
	}
}
