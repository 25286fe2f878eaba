package livesupporti_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"sidecard/internal/livesupporti"
)

var cred = livesupporti.Credentials{Email: "owner+desk@brightwater.example", APIKey: "KEY-canary&4711"}

// serve starts a server and returns a client whose base URL is its /api.
func serve(t *testing.T, h http.HandlerFunc) *livesupporti.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return livesupporti.NewClient(srv.URL+"/api/", srv.Client())
}

func answerWith(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestPostDetailsSendsTheDocumentedRequest(t *testing.T) {
	t.Parallel()
	body := []byte(`{"AccountId":"a","AgentId":"1","VisitorId":"v","Fields":[]}`)
	got := make(chan string, 1)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		user, password, ok := r.BasicAuth()
		got <- fmt.Sprintln(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Content-Type"),
			user == cred.Email, password == cred.APIKey, ok, bytes.Equal(sent, body), err)
	})
	for id, escaped := range map[string]string{
		"169.26.97.99-1231178": "169.26.97.99-1231178",
		"a/b?c#d %2F ü":        "a%2Fb%3Fc%23d%20%252F%20%C3%BC",
		"...":                  "...",
	} {
		answer, err := client.PostDetails(t.Context(), cred, id, body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != 200 || answer.Verdict() != livesupporti.Accepted || answer.Took <= 0 || answer.Excerpt != "" {
			t.Errorf("answer %+v", answer)
		}
		want := fmt.Sprintln("POST", "/api/visitors/"+escaped+"/details", "", livesupporti.ContentType, true, true, true, true, nil)
		if sent := <-got; sent != want {
			t.Errorf("%q:\ngot  %swant %s", id, sent, want)
		}
	}
}

func TestPostDetailsSendsNothingForAnIDThatCannotBeAddressed(t *testing.T) {
	t.Parallel()
	client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, id := range []string{"", ".", "..", "a\x00b", strings.Repeat("v", livesupporti.MaxID+1)} {
		if _, err := client.PostDetails(t.Context(), cred, id, []byte("{}")); err == nil {
			t.Errorf("%q was accepted", id)
		}
	}
}

func TestPostDetailsNeverFollowsARedirect(t *testing.T) {
	t.Parallel()
	canary := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s reached the target of a redirect", r.Method)
	}))
	t.Cleanup(canary.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		client := serve(t, answerWith(status, map[string]string{"Location": canary.URL}, ""))
		answer, err := client.PostDetails(t.Context(), cred, "v", []byte("{}"))
		if err != nil || answer.Status != status || answer.Verdict() != livesupporti.Refused {
			t.Errorf("%d: %+v, %v", status, answer, err)
		}
	}
}

func TestNewClientLeavesTheGivenClientAlone(t *testing.T) {
	t.Parallel()
	given := &http.Client{Timeout: time.Minute}
	livesupporti.NewClient(livesupporti.DefaultBaseURL, given)
	if given.CheckRedirect != nil || given.Timeout != time.Minute {
		t.Errorf("the client was changed: %+v", given)
	}
}

func TestAnswerHoldsRetryAfter(t *testing.T) {
	t.Parallel()
	client := serve(t, answerWith(429, map[string]string{"Retry-After": "120"}, "slow down"))
	answer, err := client.PostDetails(t.Context(), cred, "v", []byte("{}"))
	if err != nil || answer.Verdict() != livesupporti.Throttled || answer.RetryAfter != 2*time.Minute || answer.Excerpt != "slow down" {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestExcerptHasNoCredentialsAndNoControlCharacters(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte(cred.Email + ":" + cred.APIKey))
	leaks := []string{
		cred.Email, strings.ToUpper(cred.Email), url.QueryEscape(cred.Email),
		cred.APIKey, strings.ToLower(cred.APIKey), url.QueryEscape(cred.APIKey), "KEY-canary&amp;4711",
		`owner\u002Bdesk@brightwater.example`, `KEY-canary\u00264711`,
		"Basic " + basic, strings.TrimRight(basic, "="),
	}
	tests := map[string]struct{ body, want string }{
		"plain":            {"AccountId is wrong", "AccountId is wrong"},
		"empty":            {"", ""},
		"control":          {"a\x00b\r\n\tc\u202ed\u2066e\x7ff\u0085g", "a b c d e f g"},
		"not UTF-8":        {"a\xffb", "a\uFFFDb"},
		"cut at 300 bytes": {strings.Repeat("x", 299) + "üyz", strings.Repeat("x", 299)},
		"leaks":            {strings.Join(leaks[:3], "|") + "|end", "[removed]|[removed]|[removed]|end"},
		"doubled":          {cred.APIKey + cred.APIKey, "[removed][removed]"},
		"a key half beyond what is read, behind white space": {
			strings.Repeat(" ", 64<<10-5) + cred.APIKey, "",
		},
	}
	for _, leak := range leaks {
		tests["leak of "+leak] = struct{ body, want string }{"<" + leak + ">", ""}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := serve(t, answerWith(400, nil, tt.body))
			answer, err := client.PostDetails(t.Context(), cred, "v", []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			got := answer.Excerpt
			if !utf8.ValidString(got) || len(got) > 300 || strings.ContainsFunc(got, unicode.IsControl) {
				t.Errorf("excerpt %q", got)
			}
			for _, secret := range []string{"canary", "owner", "desk@", "brightwater", basic[:12]} {
				if strings.Contains(strings.ToLower(got), strings.ToLower(secret)) {
					t.Errorf("the excerpt %q holds %q", got, secret)
				}
			}
			if !strings.HasPrefix(name, "leak of") && got != tt.want {
				t.Errorf("excerpt %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnEndlessAnswerIsReadInBounds(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte("y"), 32<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	answer, err := client.PostDetails(t.Context(), cred, "v", []byte("{}"))
	if err != nil || answer.Verdict() != livesupporti.Accepted || answer.Excerpt != strings.Repeat("y", 300) {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestADrippingAnswerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		io.WriteString(w, "d")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	answer, err := client.PostDetails(t.Context(), cred, "v", []byte("{}"))
	if err != nil || answer.Verdict() != livesupporti.Accepted {
		t.Fatalf("%+v, %v", answer, err)
	}
	<-gone
	if answer.Took >= time.Second {
		t.Errorf("took %v, although the status came at once", answer.Took)
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		status  int
		body    string
		count   int
		verdict livesupporti.Verdict
		problem string
	}{
		{"a list", 200, `[{"Id":"150"},{"Id":"151"}]`, 2, livesupporti.Accepted, ""},
		{"an empty list", 200, `[]`, 0, livesupporti.Accepted, ""},
		{"a list in an object", 200, `{"Total":3,"Agents":[1,2,3]}`, 3, livesupporti.Accepted, ""},
		{"a byte order mark", 200, "\xef\xbb\xbf[1]", 1, livesupporti.Accepted, ""},
		{"two lists in an object", 200, `{"a":[1],"b":[2]}`, 0, livesupporti.Accepted, "LiveSupporti answered something else than a list of agents"},
		{"a sign-in page", 200, `<html>`, 0, livesupporti.Accepted, "LiveSupporti answered something else than a list of agents"},
		{"null", 200, `null`, 0, livesupporti.Accepted, "LiveSupporti answered something else than a list of agents"},
		{"wrong key", 401, `[1]`, 0, livesupporti.Unauthorized, ""},
		{"down", 503, ``, 0, livesupporti.Retry, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				if r.Method != http.MethodGet || r.URL.Path != "/api/agents" || user != cred.Email || password != cred.APIKey {
					t.Errorf("got %s %s", r.Method, r.URL.Path)
				}
				answerWith(tt.status, nil, tt.body)(w, r)
			})
			count, answer, err := client.Agents(t.Context(), cred)
			if count != tt.count || answer.Verdict() != tt.verdict || livesupporti.Problem(err) != tt.problem {
				t.Errorf("count %d, %s, %v", count, answer.Verdict(), err)
			}
		})
	}
}

func TestCredentialsNeverPrint(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
		fmt.Fprintf(&out, verb+"\n", cred)
		fmt.Fprintf(&out, verb+"\n", &cred)
		fmt.Fprintf(&out, verb+"\n", struct{ C livesupporti.Credentials }{cred})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "cred", cred, "pointer", &cred)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "cred", cred, "group", map[string]any{"c": cred})
	if err := json.NewEncoder(&out).Encode([]any{cred, &cred}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, cred.String(), cred.GoString())
	for _, secret := range []string{"canary", "owner", fmt.Sprintf("%x", "canary")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was printed:\n%s", secret, out.String())
		}
	}
}

// broken runs a listener that treats each connection as told.
func broken(t *testing.T, treat func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			treat(conn.(*net.TCPConn))
		}
	}()
	return "http://" + ln.Addr().String()
}

func readRequest(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 4096))
}

func TestProblemWordsWhatWentWrong(t *testing.T) {
	t.Parallel()
	closed := broken(t, func(c *net.TCPConn) { readRequest(c); c.Close() })
	reset := broken(t, func(c *net.TCPConn) { readRequest(c); c.SetLinger(0); c.Close() })
	silent := broken(t, func(c *net.TCPConn) { t.Cleanup(func() { c.Close() }) })
	untrusted := quietServer(t)
	untrusted.StartTLS()
	trusting := untrusted.Client()
	trusting.Transport.(*http.Transport).TLSClientConfig.ServerName = "livesupporti.com"

	plain := quietServer(t)
	plain.Start()
	refusing := failing{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	t.Cleanup(cancelLate)

	tests := []struct {
		name string
		base string
		hc   *http.Client
		ctx  context.Context
		want string
	}{
		{"refused", "http://127.0.0.1", &http.Client{Transport: refusing}, t.Context(), "connection refused"},
		{"reset", reset, &http.Client{}, t.Context(), "connection was reset"},
		{"closed", closed, &http.Client{}, t.Context(), "connection was closed before an answer came"},
		{"client time-out", silent, &http.Client{Timeout: 20 * time.Millisecond}, t.Context(), "LiveSupporti did not answer in time"},
		{"deadline", silent, &http.Client{}, late, "LiveSupporti did not answer in time"},
		{"cancelled", silent, &http.Client{}, cancelled, "the request was cancelled"},
		{"unknown authority", untrusted.URL, &http.Client{}, t.Context(), "TLS certificate is not trusted"},
		{"other name", untrusted.URL, trusting, t.Context(), "TLS certificate belongs to another name"},
		{"no TLS", strings.Replace(plain.URL, "http://", "https://", 1), &http.Client{}, t.Context(), "TLS could not be agreed on"},
		{"no such name", "http://livesupporti.invalid", &http.Client{Transport: failing{&net.DNSError{Name: "livesupporti.invalid", IsNotFound: true}}}, t.Context(), "the name of LiveSupporti's server was not found"},
		{"something else", "http://127.0.0.1", &http.Client{Transport: failing{errors.New("KEY-canary")}}, t.Context(), "LiveSupporti could not be reached"},
		{"base URL", "http://[canary", &http.Client{}, t.Context(), "LiveSupporti could not be reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer, err := livesupporti.NewClient(tt.base, tt.hc).PostDetails(tt.ctx, cred, "visitor-canary", []byte("{}"))
			if err == nil {
				t.Fatalf("answer %+v", answer)
			}
			if got := livesupporti.Problem(err); got != tt.want {
				t.Errorf("Problem = %q, want %q (%v)", got, tt.want, err)
			}
			if strings.Contains(err.Error(), "visitor-canary") {
				t.Errorf("the error names the visitor: %v", err)
			}
			if answer.Verdict() != livesupporti.Retry {
				t.Errorf("no answer means %s", answer.Verdict())
			}
		})
	}
	if got := livesupporti.Problem(nil); got != "" {
		t.Errorf("Problem(nil) = %q", got)
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// quietServer is a server, not yet started, whose complaints about handshakes
// are not printed.
func quietServer(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(srv.Close)
	return srv
}
