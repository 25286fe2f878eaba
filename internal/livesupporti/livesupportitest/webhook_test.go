package livesupportitest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	sim "sidecard/internal/livesupporti/livesupportitest"
)

func TestAWebHookIsCreatedWhenTheEchoComesBack(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	query := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query <- r.Method + " " + r.URL.RawQuery + " " + r.Header.Get("Origin")
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, r.URL.Query().Get("echo"))
	}))
	t.Cleanup(srv.Close)
	hook := register(t, s, srv.URL+"/hooks/t?tenant=42&x=y")
	if got := <-query; !regexp.MustCompile(`^GET echo=[0-9a-f]{32} $`).MatchString(got) {
		t.Errorf("the handshake asked %q", got)
	}
	if hooks := s.WebHooks(); len(hooks) != 1 || hooks[0] != hook || hook.Secret != secret {
		t.Errorf("WebHooks = %+v", hooks)
	}

	again, err := s.RegisterWebHook(t.Context(), email, sim.Registration{CallbackURL: hook.CallbackURL, Secret: strings.Repeat("n", 64)})
	if err != nil || again.ID != hook.ID || len(s.WebHooks()) != 1 || s.WebHooks()[0].Secret != strings.Repeat("n", 64) {
		t.Errorf("the same callback with a new secret: %+v, %v", again, err)
	}
	if !s.RemoveWebHook(hook.ID) || s.RemoveWebHook(hook.ID) || len(s.WebHooks()) != 0 {
		t.Error("a WebHook can be removed once")
	}
}

func TestAWebHookIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	echo := func(change func(string) string, contentType string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			io.WriteString(w, change(r.URL.Query().Get("echo")))
		}
	}
	same := func(v string) string { return v }
	tests := []struct {
		name    string
		handler http.HandlerFunc
		secret  string
		browser bool
		want    string
	}{
		{"trailing newline", echo(func(v string) string { return v + "\n" }, "text/plain", 200), secret, false, "line break"},
		{"quotes", echo(func(v string) string { return `"` + v + `"` }, "text/plain", 200), secret, false, "quotes"},
		{"upper case", echo(strings.ToUpper, "text/plain", 200), secret, false, "letter case"},
		{"something around it", echo(func(v string) string { return "echo: " + v }, "text/plain", 200), secret, false, "something else around it"},
		{"something else", echo(func(string) string { return "hello" }, "text/plain", 200), secret, false, "5 bytes"},
		{"empty", echo(func(string) string { return "" }, "text/plain", 200), secret, false, "it is empty"},
		{"JSON", echo(same, "application/json", 200), secret, false, `"application/json"; it must be text/plain`},
		{"HTML", echo(same, "text/html", 200), secret, false, "must be text/plain"},
		{"404", echo(same, "text/plain", 404), secret, false, "answered 404 Not Found"},
		{
			"tenant in the query", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("tenant") == "" {
					http.NotFound(w, r)
					return
				}
				echo(same, "text/plain", 200)(w, r)
			}, secret, false, "answered 404",
		},
		{"no CORS", echo(same, "text/plain", 200), secret, true, "preflight request does not allow https://app.livesupporti.com"},
		{
			"no preflight", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}, secret, true, "preflight request (OPTIONS) was answered 405",
		},
		{
			"CORS on the preflight only", func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodOptions {
					w.Header().Set("Access-Control-Allow-Origin", "*")
					return
				}
				echo(same, "text/plain", 200)(w, r)
			}, secret, true, "callback's answer does not allow",
		},
		{"short secret", echo(same, "text/plain", 200), secret[:31], false, "this one has 31"},
		{"long secret", echo(same, "text/plain", 200), strings.Repeat("s", 65), false, "this one has 65"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.handler)
			t.Cleanup(srv.Close)
			_, err := s.RegisterWebHook(t.Context(), "", sim.Registration{
				CallbackURL: srv.URL + "/hooks?tenant=1", Secret: tt.secret, BrowserCheck: tt.browser,
			})
			var failed *sim.HandshakeError
			if !errors.As(err, &failed) || !strings.Contains(failed.Reason, tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
	t.Cleanup(func() {
		if hooks := s.WebHooks(); len(hooks) != 0 {
			t.Errorf("refused WebHooks were kept: %+v", hooks)
		}
	})
}

func TestAWebHookNeedsAnAddressThatAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(srv.Close)
	for url, want := range map[string]string{
		"":                    "must be a full address",
		"/hooks/x":            "must be a full address",
		"ftp://127.0.0.1/x":   "must be a full address",
		"http://[::1/x":       "must be a full address",
		srv.URL + "/hooks/t/": "could not be reached",
	} {
		_, err := s.RegisterWebHook(t.Context(), "", sim.Registration{CallbackURL: url, Secret: secret})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want something with %q", url, err, want)
		}
	}
	if _, err := s.RegisterWebHook(t.Context(), "nobody@example.com", sim.Registration{}); err == nil {
		t.Error("an account that does not exist got a WebHook")
	}
}

func TestAWebHookPassesTheBrowserCheck(t *testing.T) {
	t.Parallel()
	s := start(t, sim.Options{})
	c := newCallback(t)
	reg := sim.Registration{CallbackURL: c.URL, Secret: strings.Repeat("ü", 32), BrowserCheck: true}
	if _, err := s.RegisterWebHook(t.Context(), "", reg); err != nil {
		t.Error(err)
	}
}
