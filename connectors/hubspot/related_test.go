package hubspot_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sidecard/connectors"
)

// ana puts a contact with a company, three deals and two tickets into the portal.
func ana(p *portal) string {
	company := p.put("companies", map[string]any{"name": "Lima Lda", "hubspot_owner_id": "8"})
	id := p.put("contacts", map[string]any{"email": "ana@toy.example", "firstname": "Ana", "associatedcompanyid": company})
	deal := func(name, amount, stage, created string) string {
		return p.put("deals", map[string]any{"dealname": name, "amount": amount, "dealstage": stage, "pipeline": "default", "createdate": created})
	}
	p.link(id, "deals", deal("Old", "0.10", "offer", "2025-01-01T00:00:00Z"), deal("Won", "5000", "closedwon", "2026-10-01T00:00:00.123Z"),
		deal("New", "1200.20", "offer", "2026-01-01T00:00:00Z"))
	ticket := func(subject, stage string) string {
		return p.put("tickets", map[string]any{"subject": subject, "hs_pipeline": "0", "hs_pipeline_stage": stage})
	}
	p.link(id, "tickets", ticket("Broken lamp", "1"), ticket("Lost parcel", "4"))
	return id
}

func TestCompanyDealsAndTicketsComeWithTheContact(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	res := lookup(t, open(t, p), "ana@toy.example", "company.name", "company.domain", "company.hubspot_owner_id", "company.nothing", "deal.dealname",
		"deal.dealstage", "deal.pipeline", "deals.open_count", "deals.open_amount", "ticket.subject", "ticket.hs_pipeline_stage", "tickets.open_count")
	got := record(t, res)
	has(t, got, connectors.Record{
		"company.name": text("Lima Lda"), "company.domain": {Kind: connectors.Null}, "company.hubspot_owner_id": text("queue@agency.example"),
		"deal.dealname": text("New"), "deal.dealstage": text("Offer sent"), "deal.pipeline": text("Sales"),
		"deals.open_count": number("2"), "deals.open_amount": number("1200.30"),
		"ticket.subject": text("Broken lamp"), "ticket.hs_pipeline_stage": text("New"), "tickets.open_count": number("1"),
	})
	if _, ok := got["company.nothing"]; ok || len(res.Partial) > 0 {
		t.Errorf("got %+v, lacking %v", got, res.Partial)
	}
}

func TestAContactWithNothingAroundHasEmptyFields(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example"})
	got := record(t, lookup(t, open(t, p), "ana@toy.example", "company.name", "company.nothing", "deal.dealname", "deals.open_count", "deals.open_amount", "ticket.subject"))
	null := connectors.Value{Kind: connectors.Null}
	has(t, got, connectors.Record{
		"company.name": null, "deal.dealname": null, "ticket.subject": null, "deals.open_count": number("0"), "deals.open_amount": number("0"),
	})
	if len(got) != 5 {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutAnOpenDealTheNewestIsShownAndNoTicket(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	id := p.put("contacts", map[string]any{"email": "ana@toy.example"})
	for i, created := range []string{"2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"} {
		p.link(id, "deals", p.put("deals", map[string]any{
			"dealname": fmt.Sprint("Deal ", i), "dealstage": "closedwon", "pipeline": "default", "createdate": created,
		}))
	}
	p.link(id, "tickets", p.put("tickets", map[string]any{"subject": "Done", "hs_pipeline": "0", "hs_pipeline_stage": "4"}))
	has(t, record(t, lookup(t, open(t, p), "ana@toy.example", "deal.dealname", "ticket.subject", "tickets.open_count")), connectors.Record{
		"deal.dealname": text("Deal 1"), "ticket.subject": {Kind: connectors.Null}, "tickets.open_count": number("0"),
	})
}

func TestWithoutPipelinesObjectsSayThemselvesWhetherTheyAreOpen(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.script("pipelines/2026-09/deals", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	p.script("pipelines/2026-09/tickets", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	id := p.put("contacts", map[string]any{"email": "ana@toy.example"})
	p.link(id, "deals", p.put("deals", map[string]any{"dealname": "Open", "dealstage": "offer"}),
		p.put("deals", map[string]any{"dealname": "Closed", "dealstage": "closedwon", "hs_is_closed": "true"}))
	p.link(id, "tickets", p.put("tickets", map[string]any{"subject": "Open", "closed_date": nil}),
		p.put("tickets", map[string]any{"subject": "Done", "closed_date": "2026-10-01T00:00:00Z"}))
	res := lookup(t, open(t, p), "ana@toy.example", "deal.dealstage", "deal.dealname", "deals.open_count", "ticket.subject", "tickets.open_count")
	has(t, record(t, res), connectors.Record{
		"deal.dealname": text("Open"), "deal.dealstage": text("offer"), "deals.open_count": number("1"), "ticket.subject": text("Open"), "tickets.open_count": number("1"),
	})
	if len(res.Partial) != 1 || res.Partial[0].Class != connectors.Transient {
		t.Errorf("lacking %+v", res.Partial)
	}
}

func TestAmountsInSeveralCurrenciesAreAddedAsConverted(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	id := p.put("contacts", map[string]any{"email": "ana@toy.example"})
	for _, currency := range []string{"EUR", "USD"} {
		p.link(id, "deals", p.put("deals", map[string]any{
			"amount": "100", "amount_in_home_currency": "90.5", "deal_currency_code": currency, "dealstage": "offer", "pipeline": "default",
		}))
	}
	src := open(t, p)
	has(t, record(t, lookup(t, src, "ana@toy.example", "deals.open_amount")), connectors.Record{"deals.open_amount": number("181.0")})
	p.link(id, "deals", p.put("deals", map[string]any{"amount": "7", "deal_currency_code": "BRL", "dealstage": "offer", "pipeline": "default"}))
	res := lookup(t, src, "ana@toy.example", "deals.open_amount", "deals.open_count")
	if _, ok := res.Records[0]["deals.open_amount"]; ok || len(res.Partial) != 1 || res.Partial[0].Code != "hubspot.amounts" {
		t.Errorf("a sum of what cannot be added: %+v", res)
	}
	has(t, res.Records[0], connectors.Record{"deals.open_count": number("3")})
}

func TestTooManyDealsAreNotCounted(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	id := p.put("contacts", map[string]any{"email": "ana@toy.example"})
	for i := range 101 {
		p.link(id, "deals", p.put("deals", map[string]any{
			"dealname": fmt.Sprint("Deal ", i), "amount": "1", "dealstage": "offer", "pipeline": "default", "createdate": fmt.Sprintf("2026-01-01T00:%02d:%02dZ", i/60, i%60),
		}))
	}
	res := lookup(t, open(t, p), "ana@toy.example", "deal.dealname", "deals.open_count", "deals.open_amount")
	has(t, record(t, res), connectors.Record{"deal.dealname": text("Deal 100")})
	if len(res.Records[0]) != 1 || len(res.Partial) != 1 || res.Partial[0].Code != "hubspot.many_deals" {
		t.Errorf("got %+v", res)
	}
	for _, r := range p.got() {
		if len(r.inputs) > 100 {
			t.Errorf("%s was asked for %d inputs", r.path, len(r.inputs))
		}
	}
}

func TestWhatMayNotBeReadIsNamedAndTheRestShown(t *testing.T) {
	t.Parallel()
	for scope, lost := range map[string][]string{
		"crm.objects.companies.read": {"company.name", "company.hubspot_owner_id"},
		"crm.objects.deals.read":     {"deal.dealname", "deals.open_count", "deals.open_amount"},
		"tickets":                    {"ticket.subject", "tickets.open_count"},
	} {
		p := newPortal(t)
		ana(p)
		p.withoutScope(scope)
		src := open(t, p)
		res := lookup(t, src, "ana@toy.example", everyField...)
		got := record(t, res)
		for _, id := range lost {
			if v, ok := got[id]; ok {
				t.Errorf("without %s, %s is %+v", scope, id, v)
			}
		}
		has(t, got, connectors.Record{"firstname": text("Ana")})
		if len(res.Partial) != 1 || !strings.Contains(res.Partial[0].Fix, scope) || res.Partial[0].Class != connectors.Misconfigured {
			t.Errorf("without %s, lacking %+v", scope, res.Partial)
		}
		if res := lookup(t, src, "ana@toy.example", "firstname"); len(res.Partial) > 0 {
			t.Errorf("nobody asked for what %s gives: %+v", scope, res.Partial)
		}
	}
}

func TestLabelsThatFailLeaveTheRawValue(t *testing.T) {
	t.Parallel()
	for end, fields := range map[string]connectors.Record{
		"/owners/2026-09":              {"hubspot_owner_id": text("7"), "lifecyclestage": text("Trial user")},
		"/properties/2026-09/contacts": {"hubspot_owner_id": text("Rui Costa"), "lifecyclestage": text("4711")},
	} {
		p := newPortal(t)
		p.put("contacts", map[string]any{"email": "ana@toy.example", "lifecyclestage": "4711", "hubspot_owner_id": "7"})
		p.script(end, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
		src := open(t, p)
		for range 2 {
			res := lookup(t, src, "ana@toy.example", "hubspot_owner_id", "lifecyclestage")
			has(t, record(t, res), fields)
			if len(res.Partial) != 1 || res.Partial[0].Code != "hubspot.503" {
				t.Errorf("%s: lacking %+v", end, res.Partial)
			}
		}
		asked := 0
		for _, r := range p.got() {
			if strings.HasSuffix(r.path, end) {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("%s was asked %d times within half a minute", end, asked)
		}
	}
}

func TestAPropertyRemovedSinceIsAbsentAndNoFailure(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "firstname": "Ana"})
	res := lookup(t, open(t, p), "ana@toy.example", "firstname", "plan_of_last_year")
	got := record(t, res)
	if _, ok := got["plan_of_last_year"]; ok || len(got) != 1 || len(res.Partial) > 0 {
		t.Errorf("got %+v", res)
	}
}

func TestOwnersAreReadPageByPage(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "hubspot_owner_id": "9"})
	p.script("owners/2026-09", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("after") {
		case "":
			_, _ = io.WriteString(w, `{"results":[{"id":"7","firstName":"Rui"}],"paging":{"next":{"after":"100"}}}`)
		case "100":
			_, _ = io.WriteString(w, `{"results":[{"id":9,"firstName":"Eva","lastName":"Reis"}],"paging":{"next":{"after":"100"}}}`)
		}
	})
	src := open(t, p)
	has(t, record(t, lookup(t, src, "ana@toy.example", "hubspot_owner_id")), connectors.Record{"hubspot_owner_id": text("Eva Reis")})
	pages := 0
	for _, r := range p.got() {
		if strings.HasSuffix(r.path, "owners/2026-09") {
			pages++
		}
	}
	if pages != 2 {
		t.Errorf("read %d pages; the second one leads to itself", pages)
	}
}

func TestARecordIsBoundedAsAWhole(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	values, ids := map[string]any{"email": "ana@toy.example"}, []string{}
	for i := range 30 {
		id := fmt.Sprintf("note%d", i)
		p.fields["contacts"] = append(p.fields["contacts"], field(id, "Note", "string", "textarea"))
		values[id], ids = strings.Repeat("n", 5000), append(ids, id)
	}
	p.put("contacts", values)
	size := 0
	for _, v := range record(t, lookup(t, open(t, p), "ana@toy.example", ids...)) {
		size += len(v.Text)
	}
	if size != 64<<10 {
		t.Errorf("a record of %d bytes", size)
	}
}

func TestHugeValuesAreCut(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "firstname": strings.Repeat("ü", 60_000)})
	v := record(t, lookup(t, open(t, p), "ana@toy.example", "firstname"))["firstname"]
	if len(v.Text) > 4<<10 || !strings.HasSuffix(v.Text, "ü…") || v.Kind != connectors.Text {
		t.Errorf("%d bytes that end in %q", len(v.Text), v.Text[len(v.Text)-6:])
	}
}
