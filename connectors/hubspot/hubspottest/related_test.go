package hubspottest_test

import (
	"strconv"
	"strings"
	"testing"

	"sidecard/connectors/hubspot/hubspottest"
)

func TestAPrimaryCompanyComesTwiceBesideItsContact(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	company := p.Add(hubspottest.Companies, hubspottest.Record{Properties: map[string]string{"name": "Harbour"}})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	p.Associate(id, hubspottest.Companies, company, true)
	r := decoded[record](t, p.get(contactPath+id+"?associations=companies,deals,unicorns&properties=associatedcompanyid"), 200)
	list := r.Associations["companies"].Results
	if len(list) != 2 || list[0].ID != company || list[1].ID != company || list[0].Type != "contact_to_company" || list[1].Type != "contact_to_company_unlabeled" {
		t.Errorf("%+v", list)
	}
	if v := r.Properties["associatedcompanyid"]; v == nil || *v != company {
		t.Errorf("associatedcompanyid %v", v)
	}
	if _, there := r.Associations["deals"]; there {
		t.Error("deals without any")
	}
	if body := p.get(contactPath + id + "?associations=deals").body; strings.Contains(body, "associations") {
		t.Errorf("associations without any: %s", body)
	}
}

func TestAssociationsOfManyNameTheirTypes(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	alone := p.Add(hubspottest.Contacts, contact("bo@example.com"))
	p.Associate(id, hubspottest.Companies, "900", true)
	p.Associate(id, hubspottest.Deals, "77", false)
	p.Associate(id, hubspottest.Tickets, "88", false)
	ask := `{"inputs":[{"id":"` + id + `"},{"id":"` + alone + `"}]}`
	for kind, want := range map[string]string{
		"companies": `"toObjectId":"900","associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"},{"category":"HUBSPOT_DEFINED","typeId":279,"label":null}]`,
		"deals":     `"toObjectId":"77","associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":4,"label":null}]`,
		"tickets":   `"toObjectId":"88","associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":15,"label":null}]`,
	} {
		a := p.post("/crm/associations/2026-09/contacts/"+kind+"/batch/read", ask)
		refused(t, a, 200, `"from":{"id":"`+id+`"}`, want)
		if strings.Contains(a.body, `"from":{"id":"`+alone+`"}`) {
			t.Errorf("who has none is there: %s", a.body)
		}
	}
	refused(t, p.post("/crm/associations/2026-09/contacts/deals/batch/read", `{}`), 400, "VALIDATION_ERROR")
	refused(t, p.get("/crm/objects/2026-03/contacts/"+id+"/associations/deals"), 200, `"toObjectId":"77"`)
}

func TestPropertiesComeAllAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for i := range 300 {
		p.Define(hubspottest.Contacts, hubspottest.Property{Name: "p" + strconv.Itoa(i), Type: "string", FieldType: "text"})
	}
	all := decoded[struct {
		Results []hubspottest.Property
		Paging  any
	}](t, p.get("/crm/properties/2026-09/contacts"), 200)
	named := map[string]hubspottest.Property{}
	for _, property := range all.Results {
		named[property.Name] = property
	}
	if len(named) < 315 || all.Paging != nil {
		t.Errorf("%d properties, paging %v", len(named), all.Paging)
	}
	if o := named["hubspot_owner_id"]; !o.ExternalOptions || o.ReferencedObjectType != "OWNER" {
		t.Errorf("owner %+v", o)
	}
	if !named["email"].HasUniqueValue || named["date_of_birth"].Type != "date" || !named["hs_all_contact_vids"].Hidden {
		t.Error("email, date of birth or merged ids")
	}
}

func TestOwnersArePagedByAHundred(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for i := range 101 {
		p.AddOwner(hubspottest.Owner{ID: strconv.Itoa(i + 1)})
	}
	p.AddOwner(hubspottest.Owner{ID: "900", Archived: true})
	first := decoded[many](t, p.get("/crm/owners/2026-09"), 200)
	if len(first.Results) != 100 || first.Paging == nil {
		t.Fatalf("%d owners, paging %v", len(first.Results), first.Paging)
	}
	if second := decoded[many](t, p.get("/crm/owners/2026-09?after="+first.Paging.Next.After), 200); len(second.Results) != 1 || second.Paging != nil {
		t.Errorf("%+v", second)
	}
	if gone := decoded[many](t, p.get("/crm/owners/2026-09?archived=true"), 200); len(gone.Results) != 1 || gone.Results[0].ID != "900" {
		t.Errorf("%+v", gone)
	}
	refused(t, p.get("/crm/owners/2026-09/7"), 200, `"id":"7"`, `"type":"PERSON"`)
	refused(t, p.get("/crm/owners/2026-09/12345"), 404)
}

func TestPipelinesHaveTheirStages(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Seed("ana@example.com")
	refused(t, p.get("/crm/pipelines/2026-09/deals"), 200, `"id":"contractsent","label":"Offer sent","metadata":{"isClosed":"false"`)
	refused(t, p.get("/crm/pipelines/2026-09/tickets"), 200, `"ticketState":"CLOSED"`)
	refused(t, p.get("/crm/pipelines/2026-09/companies"), 200, `"results":[]`)
}

func TestTheAccountSaysWhereItIs(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.SetAccount(hubspottest.Account{PortalID: 7, TimeZone: "Europe/Lisbon", UIDomain: "app-eu1.hubspot.com"})
	refused(t, p.get(details), 200, `"portalId":7`, `"timeZone":"Europe/Lisbon"`, `"uiDomain":"app-eu1.hubspot.com"`)
	refused(t, p.get("/account-info/2026-09/api-usage/daily/private-apps"), 200, `"currentUsage":2`)
}
