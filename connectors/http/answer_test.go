package http_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
)

func TestStatusesHaveAClass(t *testing.T) {
	t.Parallel()
	const (
		misconfigured = connectors.Misconfigured
		transient     = connectors.Transient
	)
	a := newAPI(t)
	src := open(t, a.settings(nil))
	for status, want := range map[int]connectors.Class{
		300: misconfigured, 301: misconfigured, 302: misconfigured, 304: misconfigured, 307: misconfigured, 308: misconfigured,
		400: misconfigured, 401: connectors.AuthRevoked, 402: misconfigured, 403: misconfigured, 405: misconfigured, 406: misconfigured,
		407: misconfigured, 408: transient, 409: misconfigured, 410: misconfigured, 411: misconfigured, 413: misconfigured, 414: misconfigured,
		415: misconfigured, 418: misconfigured, 421: misconfigured, 422: misconfigured, 423: transient, 425: transient, 426: misconfigured,
		429: connectors.RateLimited, 431: misconfigured, 451: misconfigured, 500: transient, 501: misconfigured, 502: transient, 503: transient,
		504: transient, 505: misconfigured, 520: transient, 525: transient, 599: transient, 600: connectors.Bug, 999: connectors.Bug,
	} {
		a.say(status, "text/html", "<html>canary for ana@toy.example</html>")
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, want, fmt.Sprintf("http.%d", status))
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: the API's own text is told: %v", status, err)
		}
		s := step(t, check(t, src), map[bool]string{true: "Sign in", false: "Ask for somebody unknown"}[status == 401])
		if s.State != connectors.StepFail || s.Detail != e.Message || s.Advice != e.Fix {
			t.Errorf("%d: %+v", status, s)
		}
	}
}

func TestRetryAfterIsReadWithinReason(t *testing.T) {
	t.Parallel()
	a, c := newAPI(t), &clock{}
	src := open(t, a.settings(nil), c.edit)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "3600": time.Hour, "36000": time.Hour, "99999999999999999999": time.Hour,
		"-5": 0, "1.5": 0, "soon": 0, "7 seconds": 0, "٧": 0,
		c.now().Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		c.now().Add(-time.Hour).Format(http.TimeFormat):       0,
		c.now().AddDate(100, 0, 0).Format(http.TimeFormat):    time.Hour,
	} {
		a.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if e := mustFail(t, err, connectors.RateLimited, "http.429"); e.RetryAfter != want {
			t.Errorf("%q: wait %s, want %s", text, e.RetryAfter, want)
		}
	}
}

func TestRedirectsAreToldWithTheFinalURL(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	plain := strings.TrimPrefix(a.URL, "http://")
	for to, want := range map[string]string{
		"https://127.0.0.1/x":                            "https://",
		a.URL + "/customers/?email=ana@toy.example":      "with a slash",
		"//www." + plain + "/customers":                  "www.",
		"https://login.example.com/?for=ana@toy.example": "final URL",
		"": "final URL",
		"http://169.254.169.254/latest/meta-data/iam/?canary=1": "final URL",
	} {
		a.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
		_, err := open(t, a.settings(nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if e := mustFail(t, err, connectors.Misconfigured, "http.302"); !strings.Contains(e.Fix, want) || strings.Contains(e.Fix, "canary") {
			t.Errorf("%s: %s", to, e.Fix)
		}
	}
}

func TestAnswersThatAreNoRecordAreToldInWords(t *testing.T) {
	t.Parallel()
	const jsonType = "application/json"
	for _, c := range []struct {
		name, contentType, body string
		class                   connectors.Class
		code, says              string
	}{
		{"web page", "text/html; charset=utf-8", "<!DOCTYPE html><html>", connectors.Misconfigured, "http.html", "web page"},
		{"web page that claims to be JSON", jsonType, "\n<HTML><body>", connectors.Misconfigured, "http.html", "web page"},
		{"XML", "application/xml", "<customer/>", connectors.Misconfigured, "http.xml", "XML"},
		{"XML by its looks", "text/plain", "<?xml version='1.0'?><a/>", connectors.Misconfigured, "http.xml", "XML"},
		{"text", "text/csv", "email,name", connectors.Misconfigured, "http.content_type", "text/csv"},
		{"hostile type", `x"><script>/y`, "hello", connectors.Misconfigured, "http.json", "JSON"},
		{"no JSON", jsonType, "{'email': 1}", connectors.Misconfigured, "http.json", "JSON"},
		{"two values", jsonType, "{} {}", connectors.Misconfigured, "http.json", "JSON"},
		{"guarded JSON", jsonType, ")]}',\n{}", connectors.Misconfigured, "http.json", "JSON"},
		{"nothing", jsonType, "", connectors.Misconfigured, "http.empty", "empty"},
		{"spaces", jsonType, " \r\n ", connectors.Misconfigured, "http.empty", "empty"},
		{"cut", jsonType, `{"data": {"items": [{"email": "ana`, connectors.Transient, "http.truncated", "breaks off"},
		{"cut after a comma", jsonType, `[1,`, connectors.Transient, "http.truncated", "breaks off"},
		{"large", jsonType, `{"a": "` + strings.Repeat("x", 600<<10) + `"}`, connectors.Misconfigured, "http.too_large", "512 KB"},
		{"endless spaces", jsonType, strings.Repeat(" ", 600<<10), connectors.Misconfigured, "http.too_large", "512 KB"},
		{"deep", jsonType, strings.Repeat("[", 1<<18) + strings.Repeat("]", 1<<18), connectors.Misconfigured, "http.too_deep", "64 levels"},
		{"deep and cut", jsonType, strings.Repeat(`{"a":`, 1000), connectors.Misconfigured, "http.too_deep", "64 levels"},
		{"many", jsonType, "[" + strings.Repeat("0,", 100_000) + "0]", connectors.Misconfigured, "http.too_many", "50,000"},
		{"a name twice", jsonType, `{"data": {"items": [{"email": "ana@toy.example", "email": "eve@toy.example"}]}}`, connectors.Misconfigured, "http.named_twice", "alike"},
		{"a name twice, escaped", jsonType, `{"data": 1, "d\u0061ta": 2}`, connectors.Misconfigured, "http.named_twice", "alike"},
		{"not UTF-8", jsonType, "{\"data\": \"J\xfcrgen\"}", connectors.Misconfigured, "http.not_utf8", "UTF-8"},
		{"UTF-16", jsonType, "\xff\xfe{\x00}\x00", connectors.Misconfigured, "http.not_utf8", "UTF-8"},
		{"a text", jsonType, `"ana@toy.example"`, connectors.Misconfigured, "http.no_record_path", "data"},
		{"no path", jsonType, `{"data": {"people": []}}`, connectors.Misconfigured, "http.no_record_path", "data.items"},
		{"a list on the way", jsonType, `{"data": [{"items": []}]}`, connectors.Misconfigured, "http.no_record_path", "data.items"},
		{"a number in place of a record", jsonType, `{"data": {"items": 7}}`, connectors.Misconfigured, "http.no_record", "data.items"},
		{"texts in place of records", jsonType, `{"data": {"items": ["ana@toy.example"]}}`, connectors.Misconfigured, "http.no_record", "data.items"},
	} {
		a := newAPI(t)
		a.say(http.StatusOK, c.contentType, c.body)
		src := open(t, a.settings(nil))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, c.class, c.code)
		if !strings.Contains(e.Message+e.Fix, c.says) {
			t.Errorf("%s: %s %s", c.name, e.Message, e.Fix)
		}
		report := check(t, src)
		if last := report.Steps[len(report.Steps)-1]; report.OK() || last.Detail != e.Message || last.Name == "Find the server" {
			t.Errorf("%s: %+v", c.name, report.Steps)
		}
	}
}

func TestAnswersThatMeanNobody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, c := range []struct {
		settings map[string]any
		status   int
		body     string
	}{
		{nil, 404, `{"error": "no such customer"}`},
		{nil, 404, ``},
		{nil, 204, ``},
		{map[string]any{"not_found": []string{"410", "422"}}, 422, `{}`},
		{nil, 200, `{"data": {"items": []}}`},
		{nil, 200, `{"data": {"items": {}}}`},
		{nil, 200, `{"data": {"items": null}}`},
		{nil, 200, `{"data": {"items": [null, {}]}}`},
		{nil, 200, `{"data": null}`},
		{nil, 200, `{"data": {}}`},
		{nil, 200, `[]`},
		{nil, 200, `null`},
		{nil, 200, "\ufeff{}"},
		{map[string]any{"record_path": "data.items[0]"}, 200, `{"data": {"items": []}}`},
		{map[string]any{"record_path": "data.items[3].customer"}, 200, `{"data": {"items": [{"customer": {"email": "ana@toy.example"}}]}}`},
		{map[string]any{"record_path": nil}, 200, `{}`},
		{map[string]any{"path_may_lack": true}, 200, `{"total": 0}`},
		{nil, 200, `{"data": {"items": [{"email": "eve@toy.example"}, {"name": "Ana"}, {"email": null}, {"email": 7}]}}`},
	} {
		a.say(c.status, "application/json", c.body)
		if res := lookup(t, open(t, a.settings(c.settings)), "ana@toy.example"); res.Match != connectors.None || res.MatchedOn != "" || len(res.Records) != 0 {
			t.Errorf("%d %s: %+v", c.status, c.body, res)
		}
	}
	a.say(404, "application/json", `{}`)
	_, err := open(t, a.settings(map[string]any{"not_found": []string{"204"}})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "http.404")
}

// TestCompressedAnswersAreBoundedAfterDecompression measures memory, and so runs alone.
func TestCompressedAnswersAreBoundedAfterDecompression(t *testing.T) {
	packed := func(write func(io.Writer)) []byte {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		write(z)
		z.Close()
		return b.Bytes()
	}
	good := packed(func(w io.Writer) { _, _ = io.WriteString(w, `{"data": {"items": [`+ana+`]}}`) })
	bomb := packed(func(w io.Writer) {
		zeros := make([]byte, 1<<20)
		for range 16 {
			_, _ = w.Write(zeros)
		}
	})
	a := newAPI(t)
	send := func(encoding string, body []byte) error {
		a.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", encoding)
			_, _ = w.Write(body)
		})
		_, err := open(t, a.settings(nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		return err
	}
	if err := send("gzip", good); err != nil {
		t.Error(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustFail(t, send("gzip", bomb), connectors.Misconfigured, "http.too_large")
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 { // the bomb is 16 MB
		t.Errorf("the bomb took %d bytes", grown)
	}
	mustFail(t, send("gzip", good[:len(good)/2]), connectors.Transient, "http.broken_off")
	mustFail(t, send("gzip", []byte("no gzip at all")), connectors.Transient, "http.broken_off")
	mustFail(t, send("br", good), connectors.Misconfigured, "http.encoding")
}

func TestSeveralRecords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf(`{"email": "Ana@Toy.Example ", "n": %d}`, i))
	}
	a.say(200, "application/json", `{"data": {"items": [{"email": "eve@toy.example"}, `+strings.Join(many, ",")+`]}}`)
	if res := lookup(t, open(t, a.settings(nil)), "ana@toy.example"); res.Match != connectors.Ambiguous || len(res.Records) != 10 || res.MatchedOn != "email" {
		t.Errorf("%s, %d records, matched on %q", res.Match, len(res.Records), res.MatchedOn)
	}
	first := lookup(t, open(t, a.settings(map[string]any{"take_first": true})), "ana@toy.example")
	if first.Match != connectors.Found || len(first.Records) != 1 || first.Records[0]["n"].Text != "0" {
		t.Errorf("the first of several: %+v", first)
	}
	// Without an address field nobody notices the stranger before her.
	first = lookup(t, open(t, a.settings(map[string]any{"take_first": true, "email_field": nil})), "ana@toy.example")
	if first.Records[0]["email"].Text != "eve@toy.example" {
		t.Errorf("the first of all: %+v", first)
	}
	a.say(200, "application/json", `{"contact": {"emails": ["old@toy.example", "ANA@toy.example"]}}`)
	in := lookup(t, open(t, a.settings(map[string]any{"record_path": nil, "email_field": "contact.emails"})), "ana@toy.example")
	if in.Match != connectors.Found || in.MatchedOn != "contact.emails" {
		t.Errorf("one of several addresses: %+v", in)
	}
}
