package api_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti"
	"sidecard/internal/store/storetest"
)

// jsonRoutes lists the operations that take a JSON body, in an order that stays.
func (t tenant) jsonRoutes() []route {
	all := slices.DeleteFunc(t.routes(), func(r route) bool { return !r.takesJSON() })
	slices.SortFunc(all, func(a, b route) int { return cmp.Compare(a.operation.OperationID, b.operation.OperationID) })
	return all
}

// Whatever bytes come as the body of whatever operation, the answer is one that the contract knows, never a failure of
// ours, and never shows what a value was or how Sidecard is made.
func FuzzBody(f *testing.F) {
	s := setup(f, storetest.SQLite(f).Store, nil)
	companies := 0
	furnish := func() tenant {
		companies++
		return s.furnish(fmt.Sprintf("company%d", companies))
	}
	own := furnish()
	for i, r := range own.jsonRoutes() {
		which := uint8(i)
		f.Add(which, []byte(nil), uint8(0), "")
		f.Add(which, []byte(r.asks(own).body.(string)), uint8(255), "")
		f.Add(which, []byte("{\"a\":\"\xff\"}"), uint8(0), "")
		f.Add(which, []byte(r.asks(own).body.(string)+"{}"), uint8(0), "")
		for at, value := range []string{"1e999", "9223372036854775808", "\u0000", "[[]]", `{"~/":{}}`, "\U0001f600\u202e%s\\", "null", "-0.0"} {
			f.Add(which, []byte(nil), uint8(at), value)
		}
		for at := range uint8(8) { // whole to the contract, and no int to a decoder
			f.Add(which, []byte(nil), at, "1.0")
		}
	}
	outer := s.T
	f.Fuzz(func(t *testing.T, which uint8, raw []byte, at uint8, value string) {
		s.T = t
		defer func() { s.T = outer }()
		s.log.reset()
		routes := own.jsonRoutes()
		r := routes[int(which)%len(routes)]
		q := r.asks(own)
		if len(raw) == 0 {
			raw = withLeaf(t, q.body.(string), int(at), value)
		}
		q.body = raw
		a := s.ask(q)
		s.checkAnswer(r.String(), raw, a)
		if a.status < 400 && !acceptable(raw) {
			t.Errorf("%s takes %q: %d %s", r, raw, a.status, a.body)
		}
		if a.status < 300 || a.status == http.StatusUnauthorized { // a good body may have ended the session, or more
			if me := s.raw(asked{method: "GET", path: "/api/v1/me", token: own.token}); me.status != http.StatusOK {
				own = furnish()
			}
		}
	})
}

// checkAnswer wants an answer that tells people what is wrong, and nobody anything else.
func (s *stage) checkAnswer(what string, sent []byte, a answered) {
	s.Helper()
	text := a.header.Get("Content-Type") != "application/zip"
	if a.status >= 500 || len(a.body) > 1<<20 || text && !utf8.Valid(a.body) {
		s.Errorf("%s: %q is answered with %d %.2000s", what, sent, a.status, a.body)
	}
	if a.status < 400 {
		return
	}
	var p contract.Problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Status != a.status || p.Code == "" || p.Detail == "" || len(a.body) > 16<<10 {
		s.Errorf("%s: %q is refused with %d %.2000s (%v)", what, sent, a.status, a.body, err)
	}
	for _, leak := range []string{
		canary, "SQLSTATE", "sqlite", "pq:", "constraint", ".go:", "goroutine", "json:", "hub.", "contract.", "openapi3", "strconv.", "panic", "/internal/", "/usr/",
	} {
		if strings.Contains(string(a.body), leak) && !strings.Contains(string(sent), leak) || leak == canary && strings.Contains(string(a.body), leak) {
			s.Errorf("%s: %q is in the answer to %q: %s", what, leak, sent, a.body)
		}
	}
	if log := s.log.String(); strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, canary) {
		s.Errorf("%s: %q is logged as %s", what, sent, log)
	}
}

// acceptable says whether a body is one JSON value in UTF-8 that every reader reads alike and every database can keep.
func acceptable(body []byte) bool {
	if !utf8.Valid(body) || !json.Valid(body) {
		return false
	}
	tokens := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.Token()
		if err != nil {
			return true
		}
		if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
			return false
		}
	}
}

// withLeaf puts a value, or a text that the answer must not repeat, in the place of one leaf of a JSON object. Beyond
// the last leaf it becomes a property more.
func withLeaf(t *testing.T, object string, at int, value string) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(object), &root); err != nil {
		t.Fatal(err)
	}
	var leaf any = canary + value
	if json.Valid([]byte(value)) {
		leaf = json.RawMessage(value)
	}
	left := at
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				v[name] = walk(v[name])
			}
			return v
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
			return v
		}
		left--
		if left == -1 {
			return leaf
		}
		return v
	}
	walk(root)
	if left >= 0 {
		root["more"] = leaf
	}
	raw, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A callback is no mirror: it sends back a value that means nothing to a browser, byte for byte, or it refuses.
func FuzzCallbackEcho(f *testing.F) {
	s := setup(f, storetest.SQLite(f).Store, nil)
	own := s.open("brightwater")
	for _, query := range []string{
		"echo=0f8fad5bd9cb469fa16570867728950e", "echo=a&echo=b", "echo=%3Cscript%3E", "echo=<svg/onload=x>", "echo=a%0d%0aSet-Cookie:a=b", "Echo=a",
		"echo=%zz", "echo=a;b", "echo=" + strings.Repeat("a", 129), "echo=.~_-", "echo=%41", "", "echo=\u212a",
	} {
		f.Add(query, "https://livesupporti.com")
		f.Add(query, "https://livesupporti.com.evil.example")
	}
	outer := s.T
	f.Fuzz(func(t *testing.T, query, origin string) {
		s.T = t
		defer func() { s.T = outer }()
		s.log.reset()
		target, err := url.Parse(s.url + own.hook)
		must(t, err)
		target.RawQuery = query
		if !printableASCII(query+origin) || strings.ContainsAny(query, " #") {
			return // nothing that HTTP can carry
		}
		a := s.raw(asked{method: "GET", path: own.hook + "?" + query, header: http.Header{"Origin": {origin}}})
		values := target.Query()["echo"]
		if good := len(values) == 1 && len(values[0]) <= 128 && values[0] != "" && strings.Trim(values[0], plain) == ""; good != (a.status == http.StatusOK) {
			t.Errorf("%q is answered with %d %s", query, a.status, a.body)
		}
		switch {
		case a.status == http.StatusOK:
			if string(a.body) != values[0] || a.header.Get("Content-Type") != "text/plain" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%q is answered with %q as %q", query, a.body, a.header.Get("Content-Type"))
			}
		case a.status != http.StatusBadRequest:
			t.Errorf("%q is answered with %d", query, a.status)
		default:
			s.checkAnswer("echo", []byte(query), a)
		}
		if allowed := a.header.Get("Access-Control-Allow-Origin"); allowed != "" && (allowed != origin || !livesupporti.OriginAllowed(origin)) {
			t.Errorf("%q is allowed for %q", allowed, origin)
		}
	})
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-"

func printableASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// A notification is taken when its bytes were signed with the desk's secret and announce something, and refused in
// words otherwise; no body makes Sidecard fail.
func FuzzCallbackNotification(f *testing.F) {
	s := setup(f, storetest.SQLite(f).Store, nil)
	own := s.open("brightwater")
	for _, body := range [][]byte{
		announcement("firing", "v1", "v2"), []byte(`{"Id":"f","Notifications":[1]}`), []byte("{}"), nil, []byte("\xef\xbb\xbf{\"id\":1,\"notifications\":[{}]}"),
		[]byte(`{"x":"\"}],","Id":"f\\","Notifications":[{"Data":{"AccountId":"\"","Visitor":{"Id":"\\\""}}}]}`),
		announcement(strings.Repeat("i", 256), strings.Repeat("v", 256)), announcement("../..", "..", "a/b"),
	} {
		for _, header := range []string{"right", "", own.sign([]byte("other")), "sha256=" + canary} {
			f.Add(body, header)
		}
	}
	outer := s.T
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		s.T = t
		defer func() { s.T = outer }()
		s.log.reset()
		if header == "right" {
			header = own.sign(body)
		}
		if !printableASCII(header) {
			return // nothing that HTTP can carry
		}
		var signatures []string
		if header != "" {
			signatures = []string{header}
		}
		mac := hmac.New(sha256.New, []byte(own.secret))
		mac.Write(body)
		signed := strings.EqualFold(strings.TrimSpace(header), "sha256="+hex.EncodeToString(mac.Sum(nil)))
		n, err := livesupporti.Parse(body)
		want := http.StatusOK
		switch {
		case !signed:
			want = http.StatusUnauthorized
		case err != nil || len(n.Chats)+len(n.Others) > 1000:
			want = http.StatusUnprocessableEntity
		}
		a := own.send(body, signatures...)
		if a.status != want || want == http.StatusOK && string(a.body) != "ok" {
			t.Errorf("%q signed %q is answered with %d %s, want %d", body, header, a.status, a.body, want)
		}
		s.checkAnswer("notification", body, a)
	})
}
