package hubspottest_test

import (
	"strings"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

const details = "/account-info/2026-09/details"

func TestATokenEndsAfterThirtyMinutes(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	access := p.connect().Access
	p.Advance(29 * time.Minute)
	if a := p.getAs(access, details); a.status != 200 {
		t.Fatalf("after 29 minutes: %d %s", a.status, a.body)
	}
	p.Advance(2 * time.Minute)
	refused(t, p.getAs(access, details), 401, "EXPIRED_AUTHENTICATION", "expired 60 second(s) ago", `"expire time":["2026-11-23T12:30:00Z"]`)
}

func TestATextThatIsNoTokenEndedIn1970(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	refused(t, p.getAs("hunter2", details), 401, "EXPIRED_AUTHENTICATION", "1970-01-01T00:00:00Z", "20780 day(s) ago")
}

func TestUnknownForgottenAndMissingTokensAreNotFound(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	forgotten := p.ServiceKey()
	if a := p.getAs(forgotten, details); a.status != 200 {
		t.Fatalf("before: %d", a.status)
	}
	p.Forget(forgotten)
	for name, a := range map[string]answer{
		"forgotten": p.getAs(forgotten, details),
		"unknown":   p.getAs("pat-eu1-01234567-89ab-cdef-0123-456789abcdef", details),
		"none":      p.do("GET", details, "", ""),
		"empty":     p.getAs("", details),
		"basic":     p.do("GET", details, "", "", "Authorization", "Basic eDp5"),
		"hapikey":   p.do("GET", details+"?hapikey="+p.key, "", ""),
	} {
		if a.status != 401 || !strings.Contains(a.body, "INVALID_AUTHENTICATION") || a.header.Get("X-Hubspot-Auth-Failure") != "401 Unauthorized" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestEachTypeNeedsItsScope(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for path, scope := range map[string]string{
		"/crm/objects/2026-09/contacts/1": "crm.objects.contacts.read", "/crm/objects/2026-09/0-1/1": "crm.objects.contacts.read",
		"/crm/objects/2026-09/companies/1": "crm.objects.companies.read", "/crm/objects/2026-09/deals/1": "crm.objects.deals.read",
		"/crm/objects/2026-09/tickets/1": "tickets", "/crm/pipelines/2026-09/deals": "crm.objects.deals.read",
		"/crm/properties/2026-09/contacts": "crm.schemas.contacts.read", "/crm/owners/2026-09": "crm.objects.owners.read", details: "oauth",
	} {
		refused(t, p.getAs(p.ServiceKey("another"), path), 403, "MISSING_SCOPES", scope, "requiredGranularScopes", "https://developers.hubspot.com/scopes")
		if a := p.getAs(p.ServiceKey(scope), path); a.status == 403 {
			t.Errorf("%s with %s: %s", path, scope, a.body)
		}
	}
}

func TestSchemasOpenWithTheScopeOfRecordsToo(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	if a := p.getAs(p.ServiceKey("crm.objects.contacts.read"), "/crm/properties/2026-09/contacts"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := p.getAs(p.ServiceKey("crm.objects.tickets.read"), "/crm/objects/2026-09/tickets/1"); a.status != 404 {
		t.Errorf("the other name of the scope of tickets: %d %s", a.status, a.body)
	}
}
