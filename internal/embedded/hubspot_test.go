package embedded_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/livesupporti/livesupportitest"
)

// office is a HubSpot account that knows Maya.
type office struct {
	*hubspottest.Server
	t *testing.T
}

const (
	crmClient = "sidecard-in-the-story"
	crmSecret = "canary-secret-of-the-operator"
)

// newOffice starts an emulated HubSpot and lets the program know where it is.
func newOffice(t *testing.T) (*office, func(*app.Config)) {
	t.Helper()
	o := &office{hubspottest.New(hubspottest.Options{}), t}
	o.Seed(maya)
	server := o.Start()
	t.Cleanup(server.Close)
	return o, func(c *app.Config) {
		c.HubSpotAPI, c.HubSpotApp, c.HubSpotClientID, c.HubSpotClientSecret = server.URL, server.URL, crmClient, crmSecret
		o.Register(crmClient, crmSecret, "Sidecard", c.PublicURL+"/connect/callback")
	}
}

// connect goes through HubSpot's login.
func (o *office) connect(w *world, c contract.Connection) contract.Connection {
	o.t.Helper()
	to, err := w.client.BeginLogin(o.t.Context(), c.Id.String())
	if err != nil {
		o.t.Fatal(err)
	}
	back, err := o.Consent(to)
	if err != nil {
		o.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		o.t.Fatal(err)
	}
	c, err = w.client.FinishLogin(o.t.Context(), u.Query().Get("state"), u.Query().Get("code"))
	if err != nil || c.Login == nil || c.Login.State != contract.LoginStateConnected {
		o.t.Fatalf("connected as %+v, %v", c.Login, err)
	}
	return c
}

func TestAHubSpotAccountIsConnectedShownLostAndConnectedAgain(t *testing.T) {
	t.Parallel()
	o, tweak := newOffice(t)
	w := newWorld(t, nil, tweak)
	c, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "hubspot", Name: "CRM", Settings: map[string]json.RawMessage{"auth": raw("oauth")}})
	if err != nil {
		t.Fatal(err)
	}
	c = o.connect(w, c)
	report, err := w.client.Check(t.Context(), c.Id.String())
	if err != nil || !report.Ok {
		t.Fatalf("check = %+v, %v", report, err)
	}
	line := func(label, field string) contract.CardLine {
		return contract.CardLine{Label: label, ConnectionId: c.Id, Field: field}
	}
	if _, err = w.client.Publish(t.Context(), []contract.CardLine{
		line("Name", "firstname"), line("Stage", "lifecyclestage"), line("Company", "company.name"), line("Deal", "deal.dealname"),
		line("At", "deal.dealstage"), line("Ticket", "ticket.subject"), line("Owner", "hubspot_owner_id"),
	}); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.chat(livesupportitest.Visitor{Email: strings.ToUpper(maya)})
	shown := w.ends(contract.OutcomeNameShown)
	want := "Maya|Customer|Harbour Couriers|Twelve cargo bikes|Offer sent|Brakes squeal after service|Inês Carvalho"
	if got := values(shown.Details); got != want {
		t.Errorf("the agent sees %s", got)
	}

	t.Log("half an hour later the token has ended")
	o.Advance(31 * time.Minute)
	w.chat(livesupportitest.Visitor{Email: "stranger@example.com"})
	w.ends(contract.OutcomeNameNoMatch)
	if n := o.Count("POST /oauth/token", 0); n != 2 {
		t.Errorf("%d token requests, want one for the login and one to renew it", n)
	}

	t.Log("somebody uninstalls the app in HubSpot")
	o.RevokeAll()
	w.chat(livesupportitest.Visitor{Email: "another@example.com"})
	lost := w.ends(contract.OutcomeNameLookupFailed)
	if !strings.Contains(lost.Chat.Outcome.Message, "connect again") {
		t.Errorf("the tenant reads %q", lost.Chat.Outcome.Message)
	}
	o.connect(w, c)
	o.RevokeAll()
	if report, err := w.client.Check(t.Context(), c.Id.String()); err != nil || report.Ok {
		t.Errorf("a check without a login: %+v, %v", report, err)
	}
	if c, err = w.client.Connection(t.Context(), c.Id.String()); err != nil || c.Login.State != contract.LoginStateNeedsReconnect {
		t.Errorf("the check left the login %+v, %v", c.Login, err)
	}
	o.connect(w, c)
	w.chat(livesupportitest.Visitor{Email: maya})
	again := w.ends(contract.OutcomeNameShown)
	if got := values(again.Details); got != want {
		t.Errorf("after connecting again the agent sees %s", got)
	}
	if strings.Contains(w.log.String(), "canary") || strings.Contains(w.log.String(), maya) {
		t.Error("a secret or a visitor is in the log")
	}
}

func values(fields []contract.Detail) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Value
	}
	return strings.Join(all, "|")
}
