package api_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti"
	"sidecard/internal/store/storetest"
)

// line is a tenant's desk as LiveSupporti knows it: where to call, and the secret.
type line struct {
	*stage
	token  string // access token, to look at what came
	hook   string // path of the callback
	secret string
}

// open signs a tenant up and gives its desk a secret.
func (s *stage) open(company string) line {
	s.Helper()
	token := s.signUp(company).AccessToken
	d := want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: token})
	secret := want[contract.NewSecret](s, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: token, body: `{}`})
	return line{s, token, strings.TrimPrefix(d.CallbackUrl, s.url), secret.Secret}
}

// announcement is a notification as the ASP.NET sender writes it: indented, with CRLF line ends.
func announcement(id string, visitors ...string) []byte {
	elements := make([]string, len(visitors))
	for i, v := range visitors {
		elements[i] = fmt.Sprintf("    {\r\n      \"Action\": \"ChatStarted\",\r\n      \"Data\": {\r\n        \"AccountId\": \"acc\",\r\n        \"AgentId\": 150,\r\n        \"Visitor\": {\"Id\": %q, \"Email\": \"dana@example.com\"}\r\n      }\r\n    }", v)
	}
	return fmt.Appendf(nil, "{\r\n  \"Id\": %q,\r\n  \"Attempt\": 1,\r\n  \"Properties\": {},\r\n  \"Notifications\": [\r\n%s\r\n  ]\r\n}", id, strings.Join(elements, ",\r\n"))
}

func (l line) send(body []byte, signatures ...string) answered {
	l.Helper()
	return l.raw(asked{method: "POST", path: l.hook, body: body, header: http.Header{"Ms-Signature": signatures, "User-Agent": {"Sender/1"}}})
}

func (l line) sign(body []byte) string { return livesupporti.Sign(body, []byte(l.secret)) }

func (l line) rejections() []contract.Rejection {
	l.Helper()
	return want[contract.RejectionList](l.stage, 200, asked{method: "GET", path: "/api/v1/desk/rejections", token: l.token}).Rejections
}

func (l line) chats() []contract.Chat {
	l.Helper()
	return want[contract.ChatList](l.stage, 200, asked{method: "GET", path: "/api/v1/chats", token: l.token}).Chats
}

func TestANotificationIsTakenOnce(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	body := announcement("firing-1", "v1", "v2")
	for range 3 {
		a := l.send(body, l.sign(body))
		if a.status != 200 || string(a.body) != "ok" || a.header.Get("Content-Type") != "text/plain" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("answered %d %q %v", a.status, a.body, a.header)
		}
	}
	if got := len(l.chats()); got != 2 {
		t.Errorf("%d chats of one notification about two, sent three times", got)
	}
	if got := l.log.String(); !strings.Contains(got, `"fresh":2,"repeated":0`) || !strings.Contains(got, `"fresh":0,"repeated":2`) {
		t.Error("the log does not count what was fresh and what repeated")
	}
	if token := strings.TrimPrefix(l.hook, "/hooks/"); strings.Contains(l.log.String(), token) {
		t.Error("a callback's token is in the log")
	}
}

func TestASignatureMayBeWrittenInAnyCase(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	for i, change := range []func(string) string{strings.ToUpper, strings.ToLower, func(s string) string { return s }} {
		body := announcement(fmt.Sprint("firing-", i), "v")
		if a := l.send(body, change(l.sign(body))); a.status != 200 {
			t.Errorf("signature %d: %d %s", i, a.status, a.body)
		}
	}
}

func TestWhatIsNotSignedRightlyIsRefusedAndListed(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	l, other := s.open("brightwater"), s.open("other")
	body := announcement("firing-1", "v1")
	good := l.sign(body)
	mac := hmac.New(sha256.New, []byte(l.secret))
	mac.Write(body)
	sum := mac.Sum(nil)
	compact := bytes.ReplaceAll(body, []byte("\r\n"), nil)
	cases := []struct {
		name       string
		body       []byte
		signatures []string
		code       string
	}{
		{"none", body, nil, "unsigned"},
		{"empty", body, []string{""}, "malformed_signature"},
		{"two headers", body, []string{good, good}, "malformed_signature"},
		{"another algorithm", body, []string{"sha1=" + strings.TrimPrefix(good, "sha256=")}, "malformed_signature"},
		{"no algorithm", body, []string{strings.TrimPrefix(good, "sha256=")}, "malformed_signature"},
		{"63 digits", body, []string{good[:len(good)-1]}, "malformed_signature"},
		{"65 digits", body, []string{good + "0"}, "malformed_signature"},
		{"no digits", body, []string{"sha256=" + strings.Repeat("zz", 32)}, "malformed_signature"},
		{"base64", body, []string{"sha256=" + base64.StdEncoding.EncodeToString(sum)}, "malformed_signature"},
		{"two in one header", body, []string{good + "," + good}, "malformed_signature"},
		{"another tenant's secret", body, []string{other.sign(body)}, "wrong_signature"},
		{"of nothing", body, []string{livesupporti.Sign(nil, []byte(l.secret))}, "wrong_signature"},
		{"of the body written anew", compact, []string{good}, "wrong_signature"},
		{"a newline more", append(bytes.Clone(body), '\n'), []string{good}, "wrong_signature"},
		{"a byte order mark more", append([]byte("\xef\xbb\xbf"), body...), []string{good}, "wrong_signature"},
		{"one bit else", body, []string{"sha256=" + hex.EncodeToString(append([]byte{sum[0] ^ 1}, sum[1:]...))}, "wrong_signature"},
	}
	for _, c := range cases {
		a := l.send(c.body, c.signatures...)
		if a.status != 401 || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(a.body), `"code":"`+c.code+`"`) {
			t.Errorf("%s: %d %s, want 401 %s", c.name, a.status, a.body, c.code)
		}
		listed := l.rejections()
		if len(listed) == 0 || listed[0].Code != c.code || listed[0].Headers["User-Agent"] != "Sender/1" || int(listed[0].Bytes) != len(c.body) {
			t.Fatalf("%s: listed %+v", c.name, listed)
		}
		hash := sha256.Sum256(c.body)
		if listed[0].BodySha256 == nil || *listed[0].BodySha256 != hex.EncodeToString(hash[:]) {
			t.Errorf("%s: hash %v", c.name, listed[0].BodySha256)
		}
		if _, kept := listed[0].Headers["Ms-Signature"]; kept {
			t.Errorf("%s: the signature was kept", c.name)
		}
		s.pass(time.Second) // only so many are listed in a moment
	}
	if got := len(l.rejections()); got != len(cases) {
		t.Errorf("%d rejections are listed, want %d", got, len(cases))
	}
	if got := len(l.chats()) + len(other.chats()) + len(other.rejections()); got != 0 {
		t.Errorf("%d chats or rejections where none may be", got)
	}
	d := want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: l.token})
	if d.Problem == nil || d.Problem.Code != "wrong_signature" || d.Problem.Fix == "" {
		t.Errorf("the desk shows %+v", d.Problem)
	}
}

func TestAChunkedBodyIsVerifiedAsItIs(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	body := announcement("firing-1", "v1")
	a := l.raw(asked{method: "POST", path: l.hook, body: struct{ *bytes.Buffer }{bytes.NewBuffer(body)}, header: http.Header{"Ms-Signature": {l.sign(body)}}})
	if a.status != 200 {
		t.Errorf("answered %d %s", a.status, a.body)
	}
}

func TestAnUnsignedNotificationIsTakenWhenTheDeskSaysSo(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	want[contract.Desk](l.stage, 200, asked{method: "PATCH", path: "/api/v1/desk", token: l.token, body: `{"unsigned":"accept"}`})
	if a := l.send(announcement("firing-1", "v1")); a.status != 200 {
		t.Errorf("unsigned: %d %s", a.status, a.body)
	}
	body := announcement("firing-2", "v2")
	if a := l.send(body, livesupporti.Sign(body, []byte("not the secret"))); a.status != 401 {
		t.Errorf("wrongly signed: %d %s", a.status, a.body)
	}
	chats := l.chats()
	if len(chats) != 1 {
		t.Fatalf("chats: %+v", chats)
	}
	page := want[contract.ChatPage](l.stage, 200, asked{method: "GET", path: "/api/v1/chats/" + chats[0].Id.String(), token: l.token})
	if !page.Unsigned || page.NotificationId != "firing-1" || page.Action != "ChatStarted" || page.AgentId != "150" {
		t.Errorf("chat: %+v", page)
	}
}

// The secret before stays good for as long as was said, and not a second longer.
func TestARotatedSecretOverlaps(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	next := want[contract.NewSecret](l.stage, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: l.token, body: `{"keep_previous_hours":1}`})
	try := func(id, secret string) int {
		body := announcement(id, "v"+id)
		return l.send(body, livesupporti.Sign(body, []byte(secret))).status
	}
	if got := try("1", l.secret); got != 200 {
		t.Errorf("the old secret at once: %d", got)
	}
	if got := try("2", next.Secret); got != 200 {
		t.Errorf("the new secret: %d", got)
	}
	l.pass(next.PreviousValidUntil.Sub(l.now()) - time.Second)
	if got := try("3", l.secret); got != 200 {
		t.Errorf("the old secret a second before its end: %d", got)
	}
	l.pass(2 * time.Second)
	if got := try("4", l.secret); got != 401 {
		t.Errorf("the old secret a second after its end: %d", got)
	}
	if got := try("5", next.Secret); got != 200 {
		t.Errorf("the new secret later: %d", got)
	}
}

func TestABodyThatIsNoNotificationIsRefusedAndListed(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	for name, body := range map[string]string{
		"nothing":             "",
		"no JSON":             "hunter2",
		"a list":              "[]",
		"no notifications":    `{"Id":"1"}`,
		"null notifications":  `{"Id":"1","Notifications":null}`,
		"empty notifications": `{"Id":"1","Notifications":[]}`,
		"no id":               `{"Notifications":[{"hunter2":1}]}`,
		"no UTF-8":            "{\"Id\":\"\xff\",\"Notifications\":[{}]}",
	} {
		a := l.send([]byte(body), l.sign([]byte(body)))
		if a.status != 422 || !strings.Contains(string(a.body), `"code":"bad_notification"`) || strings.Contains(string(a.body), "hunter2") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if listed := l.rejections(); len(listed) == 0 || listed[0].Code != "bad_notification" || int(listed[0].Bytes) != len(body) {
			t.Errorf("%s: listed %+v", name, listed)
		}
		l.pass(time.Second)
	}
}

func TestWhatIsNoChatIsAcknowledgedAndKept(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	body := []byte(`{"ID":1,"notifications":[{"Action":"VisitorData","Data":{"What":1}},{"data":{"accountid":"a","visitor":{"ID":7,"email":null}}}]}`)
	if a := l.send(body, l.sign(body)); a.status != 200 {
		t.Fatalf("answered %d %s", a.status, a.body)
	}
	chats := l.chats()
	if len(chats) != 2 {
		t.Fatalf("chats: %+v", chats)
	}
	outcomes := map[contract.OutcomeName]int{}
	for _, c := range chats {
		outcomes[c.Outcome.Name]++
	}
	if outcomes[contract.OutcomeNameNotAChat] != 1 || outcomes[contract.OutcomeNameWaiting] != 1 {
		t.Errorf("outcomes: %v", outcomes)
	}
}

func TestABodyTooLargeIsRefusedAndListed(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	limit := int(l.hub.Limits.MaxBody)
	large := bytes.Repeat([]byte("x"), 2<<20)
	for name, c := range map[string]struct {
		body   any
		status int
	}{
		"2 MB":                  {large, 413},
		"2 MB in chunks":        {struct{ *bytes.Buffer }{bytes.NewBuffer(large)}, 413},
		"one byte too many":     {large[:limit+1], 413},
		"one too many, chunked": {struct{ *bytes.Buffer }{bytes.NewBuffer(large[:limit+1])}, 413},
		"just as many":          {large[:limit], 401},
	} {
		a := l.raw(asked{method: "POST", path: l.hook, body: c.body, header: http.Header{"Ms-Signature": {"sha256=" + strings.Repeat("00", 32)}}})
		if a.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, c.status)
		}
		listed := l.rejections()
		if c.status == 413 && (len(listed) == 0 || listed[0].Code != "too_large" || listed[0].BodySha256 != nil || listed[0].Bytes <= limit) {
			t.Errorf("%s: listed %+v", name, listed)
		}
		l.pass(time.Second)
	}
}

func TestAPackedBodyIsRefused(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	body := announcement("firing-1", "v1")
	for encoding, status := range map[string]int{"gzip": 415, "br": 415, "identity": 200} {
		a := l.raw(asked{method: "POST", path: l.hook, body: body, header: http.Header{"Ms-Signature": {l.sign(body)}, "Content-Encoding": {encoding}}})
		if a.status != status {
			t.Errorf("%s: %d %s, want %d", encoding, a.status, a.body, status)
		}
	}
}

func TestAnUnknownCallbackIsNotFoundWhateverIsSent(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	body := announcement("firing-1", "v1")
	large := bytes.Repeat([]byte("x"), 2<<20)
	var first []byte
	for _, hook := range []string{"/hooks/0000000000000000000000", l.hook + "x", l.hook[:len(l.hook)-1], strings.ToUpper(l.hook[7:]), "/hooks/%00", "/hooks/" + strings.Repeat("a", 5000), "/hooks/%ff%fe"} {
		if !strings.HasPrefix(hook, "/hooks/") {
			hook = "/hooks/" + hook
		}
		for _, q := range []asked{
			{method: "POST", path: hook, body: body, header: http.Header{"Ms-Signature": {l.sign(body)}}},
			{method: "POST", path: hook, body: body},
			{method: "POST", path: hook, body: large},
			{method: "GET", path: hook + "?echo=abc"},
		} {
			a := l.raw(q)
			if first == nil {
				first = a.body
			}
			if a.status != 404 || !bytes.Equal(a.body, first) || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %.40s: %d %s", q.method, hook, a.status, a.body)
			}
		}
	}
	if got := len(l.rejections()); got != 0 {
		t.Errorf("%d rejections of somebody else's requests", got)
	}
}

func TestWhoTriesManyCallbackURLsIsSlowedDownAndNobodyElse(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	slowed := 0
	for range 400 {
		switch a := l.raw(asked{method: "POST", path: "/hooks/" + rand.Text(), body: []byte("{}")}); a.status {
		case 404:
		case 429:
			if slowed++; a.header.Get("Retry-After") == "" {
				t.Error("nothing says when to come again")
			}
		default:
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if slowed < 300 {
		t.Errorf("%d of 400 were slowed down, want most", slowed)
	}
	body := announcement("firing-1", "v1")
	if a := l.send(body, l.sign(body)); a.status != 200 {
		t.Errorf("a real notification from the same address: %d %s", a.status, a.body)
	}
}

func TestNothingButTheTokenFollowsHooks(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	for _, path := range []string{"/hooks", "/hooks/", l.hook + "/", l.hook + "/x", l.hook + "%2Fx"} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "PUT"} {
			if a := l.raw(asked{method: method, path: path + "?echo=abc"}); a.status != 404 {
				t.Errorf("%s %s: %d", method, path, a.status)
			}
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		a := l.raw(asked{method: method, path: l.hook})
		if a.status != 405 || !strings.Contains(a.header.Get("Allow"), "POST") {
			t.Errorf("%s: %d %v", method, a.status, a.header)
		}
	}
}

func TestEchoGivesBackTheValueAndNothingElse(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	guid := "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
	for query, status := range map[string]int{
		"echo=" + guid:                           200,
		"echo=A.b_c~d-1":                         200,
		"echo=" + strings.Repeat("a", 128):       200,
		"other=1&echo=" + guid:                   200,
		"":                                       400,
		"echo":                                   400,
		"echo=":                                  400,
		"echo=a&echo=b":                          400,
		"Echo=" + guid:                           400,
		"echo=" + strings.Repeat("a", 129):       400,
		"echo=%3Cscript%3Ealert(1)%3C/script%3E": 400,
		"echo=a%0Ab":                             400,
		"echo=a+b":                               400,
		"echo=%00":                               400,
		"echo=%C3%A9":                            400,
		"echo=%zz":                               400,
	} {
		a := l.raw(asked{method: "GET", path: l.hook + "?" + query})
		h := a.header
		if a.status != status {
			t.Errorf("%q: %d %s, want %d", query, a.status, a.body, status)
			continue
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: headers %v", query, h)
		}
		if status == 200 {
			value := query[strings.Index(query, "echo=")+5:]
			if string(a.body) != value || h.Get("Content-Type") != "text/plain" || h.Get("Content-Length") != fmt.Sprint(len(value)) {
				t.Errorf("%q: %q as %q", query, a.body, h.Get("Content-Type"))
			}
		} else if strings.Contains(string(a.body), "script") || strings.Contains(string(a.body), "aaaa") {
			t.Errorf("%q: the value is in the refusal: %s", query, a.body)
		}
	}
	head := l.raw(asked{method: "HEAD", path: l.hook + "?echo=abc"})
	if head.status != 200 || head.header.Get("Content-Length") != "3" || len(head.body) != 0 {
		t.Errorf("HEAD: %d %v", head.status, head.header)
	}
}

func TestOnlyLiveSupportiMayReadAnAnswerFromABrowser(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	for origin, allowed := range map[string]bool{
		"https://livesupporti.com":             true,
		"https://app.livesupporti.com":         true,
		"https://a.b.livesupporti.com":         true,
		"":                                     false,
		"null":                                 false,
		"http://livesupporti.com":              false,
		"http://app.livesupporti.com":          false,
		"https://livesupporti.com.example.com": false,
		"https://evil-livesupporti.com":        false,
		"https://livesupporti.com:8443":        false,
		"https://user@livesupporti.com":        false,
		"https://example.com/livesupporti.com": false,
		"https://.livesupporti.com":            false,
		"https://livesupporti.com.":            false,
		"https://example.com":                  false,
	} {
		expect := ""
		if allowed {
			expect = origin
		}
		header := http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"content-type, x-requested-with"}}
		pre := l.raw(asked{method: "OPTIONS", path: l.hook, header: header})
		if pre.status != 204 || pre.header.Get("Access-Control-Allow-Origin") != expect || len(pre.body) != 0 {
			t.Errorf("preflight of %q: %d %v", origin, pre.status, pre.header)
		}
		if got := pre.header.Get("Access-Control-Allow-Headers"); allowed && got != "content-type, x-requested-with" || !allowed && got != "" {
			t.Errorf("preflight of %q allows the headers %q", origin, got)
		}
		for _, q := range []asked{
			{method: "GET", path: l.hook + "?echo=abc"}, {method: "GET", path: l.hook}, {method: "GET", path: "/hooks/unknown?echo=abc"}, {method: "POST", path: l.hook},
		} {
			q.header = header
			a := l.raw(q)
			if a.header.Get("Access-Control-Allow-Origin") != expect || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s %s from %q: %v", q.method, q.path, origin, a.header)
			}
		}
		if a := l.raw(asked{method: "GET", path: "/api/v1/me", header: header}); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("the API lets %q read its answers", origin)
		}
	}
	odd := l.raw(asked{method: "OPTIONS", path: l.hook, header: http.Header{"Origin": {"https://livesupporti.com"}, "Access-Control-Request-Headers": {"a: b, <x>"}}})
	if got := odd.header.Get("Access-Control-Allow-Headers"); got != "Content-Type" {
		t.Errorf("odd header names: %q", got)
	}
}

func TestWhileTheStoreIsAwayTheSenderIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	store := &away{}
	s := setup(t, storetest.SQLite(t).Store, func(real hub.Store) hub.Store { store.Store = real; return store })
	l := s.open("brightwater")
	body := announcement("firing-1", "v1")
	store.leave(hub.ErrUnavailable)
	for _, q := range []asked{
		{method: "POST", path: l.hook, body: body, header: http.Header{"Ms-Signature": {l.sign(body)}}},
		{method: "POST", path: l.hook, body: body},
		{method: "POST", path: "/hooks/unknown", body: body},
		{method: "GET", path: l.hook + "?echo=abc"},
		{method: "GET", path: "/readyz"},
		{method: "GET", path: "/api/v1/desk", token: l.token},
		{method: "POST", path: "/api/v1/auth/signin", body: contract.SignIn{Email: "a@example.com", Password: password}},
	} {
		a := s.ask(q)
		if a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), `"code":"unavailable"`) || !strings.Contains(string(a.body), `"request_id"`) {
			t.Errorf("%s %s: %d %v %s", q.method, q.path, a.status, a.header, a.body)
		}
	}
	if a := s.raw(asked{method: "GET", path: "/livez"}); a.status != 200 {
		t.Errorf("alive: %d", a.status)
	}

	store.leave(errors.New("hunter2: no space left on /var/lib/db"))
	for _, q := range []asked{
		{method: "POST", path: l.hook, body: body, header: http.Header{"Ms-Signature": {l.sign(body)}}},
		{method: "GET", path: l.hook + "?echo=abc"},
		{method: "GET", path: "/readyz"},
	} {
		s.refuses("broken: "+q.method+" "+q.path, q, 503, "")
	}
	s.refuses("broken: the desk", asked{method: "GET", path: "/api/v1/desk", token: l.token}, 500, "")

	store.leave(nil)
	if a := s.raw(asked{method: "GET", path: "/readyz"}); a.status != 200 {
		t.Errorf("ready again: %d", a.status)
	}
	if a := l.send(body, l.sign(body)); a.status != 200 || len(l.chats()) != 1 {
		t.Errorf("sent again: %d %s, %d chats", a.status, a.body, len(l.chats()))
	}
}
