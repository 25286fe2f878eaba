package hubspot_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sidecard/connectors"
)

func TestValuesAreTypedAndWordedByTheSchema(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	id := p.put("contacts", map[string]any{
		"email": "ana@toy.example", "firstname": "Ana", "lastname": "", "lifecyclestage": "4711", "hubspot_owner_id": "7", "plan": "gone",
		"helper": "8", "topics": "a;b;c", "spent": "-1.2345E3", "vip": "true", "born": "1990-02-28", "bio": "<p>Likes&nbsp;<b>bees</b></p><script>x</script>",
	})
	got := record(t, lookup(t, open(t, p), "Ana@Toy.Example", "firstname", "lastname", "lifecyclestage", "hubspot_owner_id", "plan", "topics", "spent",
		"vip", "helper", "born", "bio", "createdate", "phone", "no_such_property", "No Such Field", "record_url"))
	has(t, got, connectors.Record{
		"firstname": text("Ana"), "lastname": text(""), "lifecyclestage": text("Trial user"), "hubspot_owner_id": text("Rui Costa"),
		"plan": text("gone"), "topics": {Kind: connectors.List, Text: "Apples, Bees, c"}, "spent": number("-1234.5"),
		"vip": {Kind: connectors.Bool, Text: "true"}, "born": {Kind: connectors.Date, Text: "1990-02-28"}, "bio": text("Likes\u00a0bees"),
		"helper": text("queue@agency.example"), "phone": {Kind: connectors.Null}, "record_url": text("https://app-eu1.hubspot.com/contacts/4242/record/0-1/" + id),
	})
	if len(got) != 14 {
		t.Errorf("the record has %d fields: %v", len(got), got)
	}
}

func TestAllIsShownWhenNobodySaysWhich(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	id := ana(p)
	src := open(t, p)
	res := lookup(t, src, "ana@toy.example")
	got := record(t, res)
	has(t, got, connectors.Record{
		"firstname": text("Ana"), "company.name": text("Lima Lda"), "deal.dealname": text("New"), "ticket.subject": text("Broken lamp"),
		"record_url": text("https://app-eu1.hubspot.com/contacts/4242/record/0-1/" + id), "deals.open_count": number("2"),
	})
	if n := len(discover(t, src).Fields); len(got) != n || len(res.Partial) > 0 {
		t.Errorf("%d of %d fields, lacking %v", len(got), n, res.Partial)
	}
}

func TestTheBasicsAreShownWhenNobodyKnowsWhichFieldsThereAre(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	p.script("properties/2026-09/contacts", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	res := lookup(t, open(t, p), "ana@toy.example")
	has(t, record(t, res), connectors.Record{"firstname": text("Ana"), "phone": {Kind: connectors.Null}, "email": text("ana@toy.example")})
	if len(res.Partial) != 1 || res.Partial[0].Code != "hubspot.503" {
		t.Errorf("lacking %+v", res.Partial)
	}
}

func TestOneCallAnswersForSomebodyUnknown(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	res := lookup(t, open(t, p), "nobody@toy.example", "firstname", "company.name", "deals.open_count")
	if res.Match != connectors.None || res.MatchedOn != "" || len(res.Partial) != 0 {
		t.Errorf("got %+v", res)
	}
	got := p.got()
	if len(got) != 1 || got[0].method != http.MethodPost || got[0].path != "/crm/objects/2026-09/contacts/batch/read" || got[0].query != "" {
		t.Fatalf("asked %+v", got)
	}
	if !slices.Equal(got[0].inputs, []string{"nobody@toy.example"}) || got[0].contentType != "application/json" {
		t.Errorf("asked %+v", got[0])
	}
	if strings.Contains(got[0].body, "hapikey") || got[0].token != theKey {
		t.Error("the key travels another way")
	}
}

func TestASecondaryAddressFindsTheContactAndIsTold(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "firstname": "Ana", "hs_additional_emails": "ana@home.example;Ana@Old.Example"})
	src := open(t, p)
	for email, on := range map[string]string{
		"ana@toy.example": "email", "ANA@home.example": "hs_additional_emails", " ana@old.example ": "hs_additional_emails",
	} {
		res := lookup(t, src, email, "firstname")
		has(t, record(t, res), connectors.Record{"firstname": text("Ana")})
		if res.MatchedOn != on {
			t.Errorf("%s matched on %q, want %q", email, res.MatchedOn, on)
		}
	}
}

func TestThePrimaryAddressWins(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "one@toy.example", "firstname": "One", "hs_additional_emails": "two@toy.example"})
	p.put("contacts", map[string]any{"email": "two@toy.example", "firstname": "Two"})
	b := open(t, p).(connectors.BatchLooker)
	answers := b.LookupBatch(within(t), []connectors.Query{{Email: "one@toy.example"}, {Email: "two@toy.example"}})
	for i, want := range []string{"One", "Two"} {
		if answers[i].Err != nil || answers[i].Result.MatchedOn != "email" {
			t.Fatalf("%d: %+v", i, answers[i])
		}
		has(t, record(t, answers[i].Result), connectors.Record{"firstname": text(want)})
	}
}

func TestNobodyAsksFurtherWhenHubSpotRefusesToSayWhichFieldsThereAre(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{gone: 401, limited("DAILY", ""): 429} {
		p := newPortal(t)
		p.script("", func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, body) })
		_, err := open(t, p).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if n := len(p.got()); err == nil || n != 1 {
			t.Errorf("%d: asked %d times: %v", status, n, err)
		}
	}
}

func TestAContactFoundInTwoCallsIsOneContact(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "a@toy.example", "hs_additional_emails": "z@toy.example"})
	queries := []connectors.Query{{Email: "a@toy.example", Fields: []string{"email"}}, {Email: "z@toy.example", Fields: []string{"email"}}}
	for i := range 120 {
		queries = append(queries, connectors.Query{Email: fmt.Sprintf("m%d@toy.example", i), Fields: []string{"email"}})
	}
	answers := open(t, p).(connectors.BatchLooker).LookupBatch(within(t), queries)
	if len(p.got()) != 3 { // two for the contacts, one for the schema
		t.Error("the addresses were not split")
	}
	for _, a := range answers[:2] {
		has(t, record(t, a.Result), connectors.Record{"email": text("a@toy.example")})
	}
}

func TestWhatIsNoUTF8IsNobodyElse(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "\ufffd@toy.example"})
	answers := open(t, p).(connectors.BatchLooker).LookupBatch(within(t), []connectors.Query{
		{Email: "\ufffd@toy.example", Fields: []string{"email"}}, {Email: "\xff@toy.example", Fields: []string{"email"}},
	})
	if answers[0].Result.Match != connectors.Found || answers[1].Result.Match != connectors.None {
		t.Errorf("got %+v", answers)
	}
}

// everyField names one field of each sort.
var everyField = []string{
	"firstname", "hubspot_owner_id", "plan", "spent", "record_url", "company.name", "company.hubspot_owner_id", "deal.dealname", "deal.dealstage",
	"deals.open_count", "deals.open_amount", "ticket.subject", "tickets.open_count", "no_such_property",
}

// crowd fills the portal with people, and gives addresses of them and of strangers.
func crowd(p *portal, r *rand.Rand) []string {
	var emails []string
	for i := range 60 {
		email := fmt.Sprintf("p%d@toy.example", i)
		properties := map[string]any{"email": email, "firstname": fmt.Sprintf("P%d", i), "spent": fmt.Sprint(i), "hubspot_owner_id": "7"}
		emails = append(emails, email)
		if i%3 == 0 {
			other := fmt.Sprintf("other%d@toy.example", i)
			properties["hs_additional_emails"] = other + ";second." + other
			emails = append(emails, other, strings.ToUpper(other), "second."+other)
		}
		if i%4 == 0 {
			properties["associatedcompanyid"] = p.put("companies", map[string]any{"name": fmt.Sprintf("C%d", i), "hubspot_owner_id": "8"})
		}
		id := p.put("contacts", properties)
		for n := range r.IntN(4) {
			stage := []string{"offer", "closedwon"}[r.IntN(2)]
			p.link(id, "deals", p.put("deals", map[string]any{
				"dealname": fmt.Sprintf("D%d.%d", i, n), "amount": fmt.Sprintf("%d.5", n), "dealstage": stage, "pipeline": "default",
				"createdate": fmt.Sprintf("2026-0%d-01T00:00:00Z", 1+r.IntN(9)),
			}))
		}
		if i%5 == 0 {
			p.link(id, "tickets", p.put("tickets", map[string]any{"subject": fmt.Sprintf("T%d", i), "hs_pipeline": "0", "hs_pipeline_stage": "1"}))
		}
	}
	for i := range 20 {
		emails = append(emails, fmt.Sprintf("stranger%d@toy.example", i))
	}
	return append(emails, "", "no address", "nul\x00@toy.example")
}

func TestABatchAnswersLikeSingleLookups(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	r := rand.New(rand.NewPCG(4, 2))
	emails := crowd(p, r)
	src := open(t, p)
	single := func(q connectors.Query) connectors.Answer {
		res, err := src.Lookup(within(t), q)
		return connectors.Answer{Result: res, Err: err}
	}
	for range 30 {
		var queries []connectors.Query
		for range 1 + r.IntN(110) { // with duplicates, and beyond what one call takes
			var fields []string
			for _, f := range everyField {
				if r.IntN(3) == 0 {
					fields = append(fields, f)
				}
			}
			queries = append(queries, connectors.Query{Email: emails[r.IntN(len(emails))], Fields: fields})
		}
		answers := src.(connectors.BatchLooker).LookupBatch(within(t), queries)
		for i, q := range queries {
			if want := single(q); !reflect.DeepEqual(answers[i], want) {
				t.Fatalf("%+v: a batch says %+v, a lookup %+v", q, answers[i], want)
			}
		}
	}
}

func TestABatchTakesAsManyCallsAsOneLookup(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	emails := crowd(p, rand.New(rand.NewPCG(1, 1)))
	src := open(t, p)
	queries := make([]connectors.Query, 0, 100)
	for _, email := range emails[:100] {
		queries = append(queries, connectors.Query{Email: email, Fields: everyField})
	}
	src.(connectors.BatchLooker).LookupBatch(within(t), queries)
	p.got()
	src.(connectors.BatchLooker).LookupBatch(within(t), queries)
	var paths []string
	for _, r := range p.got() {
		paths = append(paths, strings.TrimSuffix(r.path, "/batch/read"))
	}
	slices.Sort(paths)
	want := []string{
		"/crm/associations/2026-09/contacts/deals", "/crm/associations/2026-09/contacts/tickets", "/crm/objects/2026-09/companies",
		"/crm/objects/2026-09/contacts", "/crm/objects/2026-09/deals", "/crm/objects/2026-09/tickets",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("with labels known, a hundred visitors took %q", paths)
	}
}
