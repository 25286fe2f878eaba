package hubspot_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sidecard/connectors"
)

func discover(t *testing.T, src connectors.Source) connectors.Catalog {
	t.Helper()
	c, err := src.(connectors.Discoverer).Discover(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, c connectors.Catalog, id string) connectors.Field {
	t.Helper()
	i := slices.IndexFunc(c.Fields, func(f connectors.Field) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("no field %s", id)
	}
	return c.Fields[i]
}

func TestDiscoverListsAllThatACardMayShow(t *testing.T) {
	t.Parallel()
	c := discover(t, open(t, newPortal(t)))
	for _, want := range []connectors.Field{
		{ID: "record_url", Label: "Page in HubSpot", Kind: connectors.Text, Group: "Contact"},
		{ID: "firstname", Label: "First name", Kind: connectors.Text, Group: "Contact"},
		{ID: "topics", Label: "Topics", Kind: connectors.List, Group: "Contact"},
		{ID: "spent", Label: "Spent", Kind: connectors.Number, Group: "Contact"},
		{ID: "vip", Label: "VIP", Kind: connectors.Bool, Group: "Contact"},
		{ID: "born", Label: "Born", Kind: connectors.Date, Group: "Contact"},
		{ID: "createdate", Label: "Create date", Kind: connectors.DateTime, Group: "Contact"},
		{ID: "hubspot_owner_id", Label: "Contact owner", Kind: connectors.Text, Group: "Contact"},
		{ID: "secret_score", Label: "Secret score", Kind: connectors.Number, Group: "Contact", Minor: true},
		{ID: "hs_additional_emails", Label: "Additional emails", Kind: connectors.List, Group: "Contact", Minor: true},
		{ID: "company.name", Label: "Name", Kind: connectors.Text, Group: "Company"},
		{ID: "deal.dealstage", Label: "Deal stage", Kind: connectors.Text, Group: "Newest open deal"},
		{ID: "deals.open_count", Label: "Open deals", Kind: connectors.Number, Group: "Deals"},
		{ID: "deals.open_amount", Label: "Amount of open deals", Kind: connectors.Number, Group: "Deals"},
		{ID: "ticket.subject", Label: "Ticket name", Kind: connectors.Text, Group: "Newest open ticket"},
		{ID: "tickets.open_count", Label: "Open tickets", Kind: connectors.Number, Group: "Tickets"},
	} {
		if got := find(t, c, want.ID); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestDiscoverPutsWhatIsRarelyWantedLastAndLeavesOutWhatIsArchived(t *testing.T) {
	t.Parallel()
	c := discover(t, open(t, newPortal(t)))
	minor := make(map[string]bool)
	for _, f := range c.Fields {
		if minor[f.Group] && !f.Minor {
			t.Errorf("%s comes after what is rarely wanted", f.ID)
		}
		minor[f.Group] = f.Minor
		if f.ID == "old" {
			t.Error("an archived property is listed")
		}
	}
	if !minor["Contact"] {
		t.Error("no property of contacts is rarely wanted")
	}
}

func TestWhatIsDiscoveredCanBeLookedUpAsTheSameKind(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	src := open(t, p)
	c := discover(t, src)
	var ids []string
	for _, f := range c.Fields {
		ids = append(ids, f.ID)
	}
	got := record(t, lookup(t, src, "ana@toy.example", ids...))
	for _, f := range c.Fields {
		if v, ok := got[f.ID]; !ok || v.Kind != f.Kind && v.Kind != connectors.Null {
			t.Errorf("%s is %+v (there: %v), discovered as %s", f.ID, v, ok, f.Kind)
		}
	}
}

func TestDiscoverTakesThousandsOfPropertiesInAStableOrder(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for i := range 3000 {
		p.fields["contacts"] = append(p.fields["contacts"], field(fmt.Sprintf("p%d", i), "Same label", "string", "text"))
	}
	p.fields["contacts"] = append(p.fields["contacts"], field("unlabelled", "", "string", "text"), field("No Name", "x", "string", "text"))
	first, again := discover(t, open(t, p)), discover(t, open(t, p))
	if !reflect.DeepEqual(first, again) {
		t.Error("two catalogs differ")
	}
	if len(first.Fields) < 3000 || find(t, first, "unlabelled").Label != "unlabelled" {
		t.Errorf("%d fields", len(first.Fields))
	}
	if first.Fields[0].ID != "record_url" || first.Fields[1].ID != "firstname" || first.Fields[2].ID != "lastname" {
		t.Errorf("the list starts with %+v", first.Fields[:3])
	}
}

func TestDiscoverLeavesOutWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withoutScope("crm.objects.deals.read")
	for _, f := range discover(t, open(t, p)).Fields {
		if strings.HasPrefix(f.ID, "deal") {
			t.Errorf("listed %s", f.ID)
		}
	}
	p.withoutScope("crm.objects.contacts.read")
	_, err := open(t, p).(connectors.Discoverer).Discover(within(t))
	if e := connectors.AsError(err); e == nil || e.Class != connectors.Misconfigured {
		t.Errorf("without contacts: %v", err)
	}
}

func TestDiscoverFailsRatherThanForgetFields(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.script("properties/2026-09/tickets", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	_, err := open(t, p).(connectors.Discoverer).Discover(within(t))
	if e := connectors.AsError(err); e == nil || e.Class != connectors.Transient {
		t.Errorf("got %v", err)
	}
}
