package hubspottest_test

import (
	"strings"
	"testing"

	"sidecard/connectors/hubspot/hubspottest"
)

func TestEveryVersionAnswersAtItsOwnPaths(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	for _, path := range []string{
		"/crm/v3/objects/contacts/" + id, "/crm/objects/2026-03/contacts/" + id, "/crm/objects/2026-09/contacts/" + id, "/crm/objects/2026-09/0-1/" + id,
		"/crm/v3/properties/contacts", "/crm/properties/2026-03/contacts", "/crm/properties/2026-09/contacts",
		"/crm/v3/owners", "/crm/owners/2026-03", "/crm/owners/2026-09",
		"/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals", "/crm/pipelines/2026-09/deals",
		"/account-info/v3/details", "/account-info/2026-03/details", "/account-info/2026-09/details",
		"/account-info/2026-09/api-usage/daily/private-apps",
		"/crm/v4/objects/contacts/" + id + "/associations/companies", "/crm/objects/2026-03/contacts/" + id + "/associations/companies",
	} {
		if a := p.get(path); a.status != 200 {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
	batch := `{"inputs":[],"properties":[],"propertiesWithHistory":[]}`
	for _, path := range []string{
		"/crm/v3/objects/contacts/batch/read", "/crm/objects/2026-03/contacts/batch/read", "/crm/objects/2026-09/contacts/batch/read",
		"/crm/v3/objects/contacts/search", "/crm/objects/2026-03/contacts/search", "/crm/objects/2026-09/contacts/search",
		"/crm/v4/associations/contacts/deals/batch/read", "/crm/associations/2026-03/contacts/deals/batch/read", "/crm/associations/2026-09/contacts/deals/batch/read",
	} {
		if a := p.post(path, batch); a.status != 200 {
			t.Errorf("POST %s: %d %s", path, a.status, a.body)
		}
	}
}

func TestUnknownPathsGetAPageAndNoJSON(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	for name, path := range map[string]string{
		"version before family":                  "/crm/2026-09/objects/contacts/" + id,
		"v3 behind family":                       "/crm/objects/v3/contacts/" + id,
		"version that never was":                 "/crm/objects/2026-06/contacts/" + id,
		"no version":                             "/crm/objects/contacts/" + id,
		"route without prefix":                   "/objects/contacts/" + id,
		"owners with letters behind":             "/crm/owners/2026-09x",
		"associations of one record in 2026-09":  "/crm/objects/2026-09/contacts/" + id + "/associations/companies",
		"associations of one record in v3 lists": "/crm/v3/associations/contacts/companies",
		"versioned login page":                   "/oauth/2026-09/authorize",
		"root":                                   "/",
	} {
		a := p.get(path)
		if a.status != 404 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, "<html>") {
			t.Errorf("%s: %d %s %s", name, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
}

func TestNothingWrites(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	for _, method := range []string{"PATCH", "DELETE", "PUT"} {
		if a := p.do(method, "/crm/objects/2026-09/contacts/"+id, "application/json", "{}", "Authorization", "Bearer "+p.key); a.status != 404 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	refused(t, p.post("/crm/objects/2026-09/contacts", `{"properties":{}}`), 404, "<html>")
	if n := len(p.State()[hubspottest.Contacts]); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

func TestUnknownTypesAndRecordsAreRefusedInTheirOwnForms(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	refused(t, p.get("/crm/objects/2026-09/unicorns/5"), 404, "Unable to infer object type from: unicorns")
	refused(t, p.get("/crm/objects/2026-09/contacts/ana@example.com"), 404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.")
	a := p.get("/crm/objects/2026-09/contacts/999")
	refused(t, a, 404, `"message":"resource not found"`)
	if strings.Contains(a.body, "category") {
		t.Errorf("a category: %s", a.body)
	}
	if id := a.header.Get("X-Hubspot-Correlation-Id"); id == "" || !strings.Contains(a.body, id) {
		t.Errorf("the header's id %q is not in %s", id, a.body)
	}
	refused(t, p.get("/crm/objects/2026-09/contacts/x?idProperty=shoesize"), 400, "VALIDATION_ERROR")
}
