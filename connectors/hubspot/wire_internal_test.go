package hubspot

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

func TestTextsTakeIDsOfEitherForm(t *testing.T) {
	t.Parallel()
	var o struct{ A, B, C, D, E text }
	if err := decode([]byte(`{"A":"x","B":900719925474099312,"C":null,"D":{"x":1},"E":true}`), &o); err != nil {
		t.Fatal(err)
	}
	want := struct{ A, B, C, D, E text }{A: text{true, "x"}, B: text{true, "900719925474099312"}, E: text{true, "true"}}
	if o != want {
		t.Errorf("got %+v", o)
	}
}

func TestAddressesThatNobodyCanHaveAreNotAskedFor(t *testing.T) {
	t.Parallel()
	got := addresses([]connectors.Query{
		{Email: "B@toy.example"},
		{Email: "a@toy.example "},
		{Email: "b@toy.example"},
		{Email: ""},
		{Email: "@"},
		{Email: "a@"},
		{Email: "@b"},
		{Email: "a\n@b.example"},
		{Email: "\xff@b.example"},
		{Email: strings.Repeat("a", maxAddress) + "@b"},
	})
	if len(got) != 2 || got[0] != "a@toy.example" || got[1] != "b@toy.example" {
		t.Errorf("got %q", got)
	}
}

func TestFieldsAreReadFromTheirIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]wish{
		"plan": {"plan", contacts, "plan"}, "company.name": {"company.name", companies, "name"}, "deal.amount": {"deal.amount", deals, "amount"},
		"ticket.subject": {"ticket.subject", tickets, "subject"}, "deals.open_count": {id: "deals.open_count", of: deals},
		"deals.open_amount": {id: "deals.open_amount", of: deals}, "tickets.open_count": {id: "tickets.open_count", of: tickets}, "record_url": {id: "record_url"},
	} {
		if got, ok := wishOf(id); !ok || got != want {
			t.Errorf("%s is %+v (%v)", id, got, ok)
		}
	}
	for _, id := range []string{"", "A B", "company.", "deal.a.b", "deals.won_count", "x\"y", "Ä", "company.\n", strings.Repeat("a", 101)} {
		if got, ok := wishOf(id); ok {
			t.Errorf("%q was taken for %+v", id, got)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"status":"COMPLETE","results":[{"id":"512","properties":{"email":"ana@toy.example","hs_additional_emails":"a@b;c@d","plan":null},"archived":false}]}`))
	f.Add([]byte(`{"results":[{"id":1,"properties":{"email":7}}],"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["x@y"]}}]}`))
	f.Add([]byte(`{"results":[{"from":{"id":"1"},"to":[{"toObjectId":"2"}],"paging":{"next":{"after":"3"}}}]}`))
	f.Add([]byte(`{"results":[{"id":"default","label":"Sales","stages":[{"id":"1","label":"New","metadata":{"isClosed":"true"}}]}],"paging":null}`))
	f.Add([]byte(`{"portalId":4242,"uiDomain":"app.hubspot.com","utcOffsetMilliseconds":-18000000}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{&links{}, &page[property]{}, &page[pipeline]{}, &page[owner]{}, &account{}} {
			_ = decode(body, into) // must end, and not panic
		}
		var b batch
		if decode(body, &b) != nil {
			return
		}
		p := &people{seen: make(map[string]bool), primary: make(map[string]object), secondary: make(map[string][]object), failed: make(map[string]bool)}
		for _, o := range b.Results {
			p.add(o)
		}
		p.note(b, []string{"ana@toy.example"})
		q := connectors.Query{Email: "ana@toy.example", Fields: []string{"email", "plan", "record_url"}}
		a := p.answer(q, wishes(q.Fields), &reading{parts: map[objectType]*part{contacts: {}}})
		if records := len(a.Result.Records); (a.Result.Match == connectors.Found) != (records == 1) || (a.Result.Match == connectors.None) != (records == 0) {
			t.Errorf("%s with %d records", a.Result.Match, records)
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(403, `{"category":"MISSING_SCOPES","message":"m","errors":[{"context":{"requiredGranularScopes":["a.b.read"]}}],"context":{"requiredScopes":"x"}}`, "3")
	f.Add(401, `{"category":"EXPIRED_AUTHENTICATION","context":{"expire time":["1970-01-01T00:00:00Z"]}}`, "")
	f.Add(429, `{"policyName":"DAILY","message":"You have reached your daily limit."}`, "Mon, 23 Nov 2026 12:00:05 GMT")
	f.Add(502, `<html>`, "-1")
	s := &source{now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
	f.Fuzz(func(t *testing.T, status int, body, retry string) {
		const address = "visitor.9f3c@toy.example"
		resp := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retry}}}
		e := s.refusal(question{what: "contacts", scope: scopes[contacts]}, resp, []byte(body))
		if e.Class == "" || e.Code == "" || e.Message == "" || e.Fix == "" || !utf8.ValidString(e.Message+e.Fix) {
			t.Errorf("no words: %+v", e)
		}
		if e.RetryAfter < 0 || e.RetryAfter > maxWait {
			t.Errorf("wait %s", e.RetryAfter)
		}
		if strings.Contains(e.Error()+e.Message+e.Fix+e.Reference, address) {
			t.Errorf("told an address: %+v", e)
		}
	})
}

func TestDecodingIsBounded(t *testing.T) {
	t.Parallel()
	var into batch
	for body, want := range map[string]error{
		"": errEmpty, " \n": errEmpty, `[]`: errNoJSON, `{"results":`: errTruncated, `{} {}`: errNoJSON, "{\"a\":\"\xff\"}": errEncoding, `{"status":5}`: errNoJSON,
		strings.Repeat(`{"a":`, maxDepth+1) + strings.Repeat("}", maxDepth+1): errTooDeep,
	} {
		if err := decode([]byte(body), &into); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", body, err, want)
		}
	}
	if err := decode([]byte(`{"new":{"deep":[1,{"x":"{[{["}]},"status":"COMPLETE"}`), &into); err != nil || into.Status != "COMPLETE" {
		t.Errorf("what is new in an answer is not left out: %v", err)
	}
}
