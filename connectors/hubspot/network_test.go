package hubspot_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
)

func TestAnswersThatAreNoneHaveAClass(t *testing.T) {
	t.Parallel()
	good := `{"status":"COMPLETE","results":[{"id":"1","properties":{"email":"ana@toy.example"}}]}`
	say := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-HubSpot-Correlation-Id", "5e1e-77")
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		class  connectors.Class
		code   string
	}{
		"a web page":      {say("text/html", cloud), connectors.Transient, "hubspot.web_page"},
		"a page as JSON":  {say("application/json", " "+cloud), connectors.Transient, "hubspot.web_page"},
		"truncated":       {say("application/json", good[:40]), connectors.Transient, "hubspot.truncated"},
		"empty":           {say("application/json", ""), connectors.Transient, "hubspot.truncated"},
		"204":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, connectors.Transient, "hubspot.truncated"},
		"a list":          {say("application/json", "["+good+"]"), connectors.Bug, "hubspot.unexpected"},
		"two values":      {say("application/json", good+good), connectors.Bug, "hubspot.unexpected"},
		"of another form": {say("application/json", `{"results":{"id":"1"}}`), connectors.Bug, "hubspot.unexpected"},
		"no UTF-8":        {say("application/json", "{\"status\":\"\xff\"}"), connectors.Bug, "hubspot.unexpected"},
		"deep":            {say("application/json", strings.Repeat(`{"a":`, 100_000)), connectors.Bug, "hubspot.too_deep"},
		"ten megabytes":   {say("application/json", strings.Repeat(" ", 10<<20)), connectors.Bug, "hubspot.too_large"},
		"packed, unasked": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.WriteHeader(200)
		}, connectors.Bug, "hubspot.unexpected"},
		"another type":     {say("text/plain", good), "", ""},
		"gzip":             {zipped(good), "", ""},
		"reset":            {cutOff, connectors.Transient, "hubspot.broken_off"},
		"batch unfinished": {say("application/json", `{"status":"PENDING","results":[]}`), connectors.Transient, "hubspot.unfinished"},
		"other batch error": {
			say("application/json", `{"status":"COMPLETE","errors":[{"category":"VALIDATION_ERROR","context":{"ids":["Ana@toy.example"]}}]}`),
			connectors.Transient, "hubspot.unfinished",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPortal(t)
			p.script("contacts/batch/read", c.answer)
			src := open(t, p)
			if c.code == "" {
				record(t, lookup(t, src, "ana@toy.example", "email"))
				return
			}
			if e := refusal(t, src); e.Class != c.class || e.Code != c.code {
				t.Errorf("got %+v", e)
			}
			if n := len(p.got()); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func zipped(body string) http.HandlerFunc {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"status":`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// trip answers requests in place of the network.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func through(f trip) func(*connectors.OpenInput) {
	return func(in *connectors.OpenInput) { in.HTTP = &http.Client{Transport: f} }
}

type refused struct{}

func (refused) Error() string   { return "10.0.0.1 is private" }
func (refused) Forbidden() bool { return true }

func TestCallsWithoutAnAnswerHaveAClass(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for name, c := range map[string]struct {
		err   error
		class connectors.Class
		code  string
	}{
		"refused":      {refused{}, connectors.Forbidden, "forbidden"},
		"no such host": {&net.DNSError{Err: "no such host", Name: "api.hubapi.com"}, connectors.Transient, "hubspot.dns"},
		"silence":      {context.DeadlineExceeded, connectors.Transient, "hubspot.no_answer"},
		"no door":      {errors.New("connection refused"), connectors.Transient, "hubspot.unreachable"},
	} {
		src := open(t, p, through(func(*http.Request) (*http.Response, error) { return nil, c.err }))
		if e := refusal(t, src); e.Class != c.class || e.Code != c.code {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := refusal(t, open(t, p, func(in *connectors.OpenInput) { in.HTTP = nil })); e.Class != connectors.Bug {
		t.Errorf("without a client: %+v", e)
	}
}

func TestEveryCallWaitsForItsTurnAndLearnsTheLimit(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	l := &limits{}
	src := open(t, p, func(in *connectors.OpenInput) { in.Calls = l })
	lookup(t, src, "ana@toy.example", everyField...)
	if _, err := src.Check(within(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := src.(connectors.Discoverer).Discover(within(t)); err != nil {
		t.Fatal(err)
	}
	if n := len(p.got()); l.waits != n || n < 15 {
		t.Errorf("%d calls, %d turns", n, l.waits)
	}
	if want := (connectors.Limit{Calls: 190, Per: 10 * time.Second}); len(l.learnt) == 0 || l.learnt[0] != want {
		t.Errorf("learnt %+v", l.learnt)
	}
	l.refuses = &connectors.Error{Class: connectors.RateLimited, Code: "held_back", Message: "m", Fix: "f"}
	if e := refusal(t, src); e.Code != "held_back" || len(p.got()) != 0 {
		t.Errorf("without a turn: %+v", e)
	}
}

func TestOddLimitsAreNotLearnt(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	l := &limits{}
	src := open(t, p, func(in *connectors.OpenInput) { in.Calls = l })
	for _, odd := range [][2]string{{"", "10000"}, {"100", ""}, {"0", "10000"}, {"-1", "10000"}, {"100", "0"}, {"1e3", "10000"}, {"9999999", "10000"}, {"100", "999999999"}} {
		p.script("", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-HubSpot-RateLimit-Max", odd[0])
			w.Header().Set("X-HubSpot-RateLimit-Interval-Milliseconds", odd[1])
			_, _ = io.WriteString(w, `{"results":[]}`)
		})
		lookup(t, src, "ana@toy.example", "email")
	}
	if len(l.learnt) > 0 {
		t.Errorf("learnt %+v", l.learnt)
	}
}

func TestALimitHitBesideTheContactLeavesTheContact(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	p.script("deals/batch/read", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 429, limited("TEN_SECONDLY_ROLLING", "")) })
	res := lookup(t, open(t, p), "ana@toy.example", "firstname", "deal.dealname")
	has(t, record(t, res), connectors.Record{"firstname": text("Ana")})
	if len(res.Partial) != 1 || res.Partial[0].Class != connectors.RateLimited {
		t.Errorf("lacking %+v", res.Partial)
	}
}

func TestALoginThatExpiresMidwayIsToldSoThatItIsRenewed(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	p.script("pipelines/2026-09/deals", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, expired) })
	src := open(t, p, byLogin(theKey))
	queries := []connectors.Query{{Email: "ana@toy.example", Fields: []string{"deal.dealstage"}}, {Email: "ana@toy.example", Fields: []string{"firstname"}}}
	answers := src.(connectors.BatchLooker).LookupBatch(within(t), queries)
	if e := connectors.AsError(answers[0].Err); e == nil || e.Class != connectors.AuthExpired {
		t.Errorf("got %+v", answers[0])
	}
	if answers[1].Err != nil {
		t.Errorf("the other visitor: %v", answers[1].Err)
	}
	p.script("pipelines/2026-09/deals", nil)
	has(t, record(t, lookup(t, src, "ana@toy.example", "deal.dealstage")), connectors.Record{"deal.dealstage": text("Offer sent")})
}
