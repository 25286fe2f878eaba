package hubspot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/hubspot"
	"sidecard/connectors/hubspot/hubspottest"
)

// patient is an emulator that the suite may ask as often as it likes.
func patient(t *testing.T) (*hubspottest.Server, *httptest.Server) {
	t.Helper()
	emulator := hubspottest.New(hubspottest.Options{Burst: 1 << 30, Daily: 1 << 30})
	server := emulator.Start()
	t.Cleanup(server.Close)
	return emulator, server
}

// sentTo gives a client whose calls all go to this server, whatever server they name.
func sentTo(server *httptest.Server) func() connectors.OpenInput {
	to, err := url.Parse(server.URL)
	if err != nil {
		panic(err) // not for a server's own URL
	}
	return func() connectors.OpenInput {
		return connectors.OpenInput{HTTP: &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
			return once.RoundTrip(r)
		})}}
	}
}

// once leaves no connection open: it would look like a leak.
var once = &http.Transport{DisableKeepAlives: true}

// failing is an emulator that answers everything with the fault.
func failing(t *testing.T, f hubspottest.Fault) func() connectors.OpenInput {
	t.Helper()
	emulator, server := patient(t)
	emulator.Fail("", slices.Repeat([]hubspottest.Fault{f}, 1000)...)
	return sentTo(server)
}

// populate puts people into the emulator: one with a value of every kind, one with gaps, one with a huge text.
func populate(emulator *hubspottest.Server) connectortest.Person {
	emulator.AddOwner(hubspottest.Owner{ID: "71", FirstName: "Inês", LastName: "Carvalho"})
	emulator.AddPipeline(hubspottest.Deals, hubspottest.Pipeline{ID: "default", Label: "Sales", Stages: []hubspottest.Stage{
		{ID: "offer", Label: "Offer sent", Metadata: map[string]string{"isClosed": "false"}},
	}})
	emulator.Define(hubspottest.Contacts, hubspottest.Property{Name: "vip", Label: "VIP", Type: "bool", FieldType: "booleancheckbox"})
	emulator.Define(hubspottest.Contacts, hubspottest.Property{Name: "seen_at", Label: "Seen", Type: "datetime", FieldType: "date"})
	emulator.Define(hubspottest.Contacts, hubspottest.Property{
		Name: "topics", Label: "Topics", Type: "enumeration", FieldType: "checkbox", Options: []hubspottest.Option{{Label: "Cargo bikes", Value: "cargo"}},
	})
	id := emulator.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{
		"email": "ana@toy.example", "hs_additional_emails": "ana@home.example", "firstname": "Ana", "lifecyclestage": "1098427", "hubspot_owner_id": "71",
		"total_revenue": "1.20050E3", "vip": "true", "date_of_birth": "1990-02-28", "seen_at": "2026-10-01T08:00:00Z", "topics": "cargo;e-bikes",
	}})
	emulator.Associate(id, hubspottest.Companies,
		emulator.Add(hubspottest.Companies, hubspottest.Record{Properties: map[string]string{"name": "Harbour Couriers"}}), true)
	emulator.Associate(id, hubspottest.Deals, emulator.Add(hubspottest.Deals, hubspottest.Record{Properties: map[string]string{
		"dealname": "Twelve cargo bikes", "amount": "46800.10", "dealstage": "offer", "pipeline": "default",
	}}), false)
	emulator.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{"email": "sparse@toy.example", "lastname": ""}})
	emulator.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{
		"email": "huge@toy.example", "jobtitle": strings.Repeat("ü", 60_000),
	}})
	return connectortest.Person{Email: "ana@toy.example", Record: connectors.Record{
		"firstname": text("Ana"), "lifecyclestage": text("Gold circle"), "hubspot_owner_id": text("Inês Carvalho"), "total_revenue": number("1200.5"),
		"vip": {Kind: connectors.Bool, Text: "true"}, "date_of_birth": {Kind: connectors.Date, Text: "1990-02-28"},
		"seen_at": datetime("2026-10-01T08:00:00Z"), "topics": {Kind: connectors.List, Text: "Cargo bikes, e-bikes"}, "phone": {Kind: connectors.Null},
		"record_url": text("https://app.hubspot.com/contacts/62515/record/0-1/" + id), "company.name": text("Harbour Couriers"),
		"deal.dealname": text("Twelve cargo bikes"), "deal.dealstage": text("Offer sent"), "deals.open_count": number("1"),
		"deals.open_amount": number("46800.10"), "tickets.open_count": number("0"),
	}}
}

func TestConnectorKeepsItsPromises(t *testing.T) {
	emulator, server := patient(t)
	known := populate(emulator)
	wide, wideServer := patient(t)
	for i := range 1200 {
		wide.Define(hubspottest.Contacts, hubspottest.Property{Name: fmt.Sprintf("p%d", i), Label: fmt.Sprintf("P %d", i%7), Type: "string", FieldType: "text"})
	}
	locked := httptest.NewUnstartedServer(emulator)
	locked.Config.ErrorLog = log.New(io.Discard, "", 0) // it is refused on purpose
	locked.StartTLS()
	t.Cleanup(locked.Close)
	revoked := emulator.ServiceKey()
	emulator.Forget(revoked)
	good := keySettings(emulator.ServiceKey())
	var ownersFail atomic.Bool
	ways := func() connectors.OpenInput {
		in := sentTo(server)()
		answer := in.HTTP.Transport
		in.HTTP.Transport = trip(func(r *http.Request) (*http.Response, error) {
			if ownersFail.Load() && strings.Contains(r.URL.Path, "/owners/") {
				return nil, errors.New("the connection broke")
			}
			return answer.RoundTrip(r)
		})
		return in
	}
	harness := connectortest.Harness{
		Connector: hubspot.New(hubspot.Options{API: server.URL, App: server.URL}),
		Good:      good,
		Host:      ways,
		Known:     known,
		Second:    connectortest.Second{Email: "ana@home.example"},
		NoKind:    map[connectors.Kind]string{connectors.JSON: "HubSpot's values are texts"},
		Sparse:    connectortest.Sparse{Email: "sparse@toy.example", Null: "phone", Empty: "lastname", Absent: "no_such_property"},
		Twins:     connectortest.Twins{Never: "HubSpot keeps one contact for an address"},
		Huge:      connectortest.Huge{Email: "huge@toy.example", Field: "jobtitle"},
		Beside: connectortest.Beside{Fields: []string{"hubspot_owner_id"}, Break: func() func() {
			ownersFail.Store(true)
			return func() { ownersFail.Store(false) }
		}},
		Wide: connectortest.Wide{Settings: keySettings(wide.ServiceKey()), Host: sentTo(wideServer), Fields: 1200},
		Add: func(email string) error {
			emulator.Add(hubspottest.Contacts, hubspottest.Record{Properties: map[string]string{"email": strings.ToLower(email)}})
			return nil
		},
		State: func() (string, error) {
			raw, err := json.Marshal(emulator.State())
			return string(raw), err
		},
		BadCredential: connectortest.Fault{
			Settings: keySettings("pat-na1-00000000-0000-0000-0000-000000000000"), Step: "Sign in", Says: "Service keys", Class: connectors.AuthRevoked, Code: "hubspot.revoked",
		},
		Revoked: connectortest.Fault{Settings: keySettings(revoked), Step: "Sign in", Says: "Service keys", Class: connectors.AuthRevoked, Code: "hubspot.revoked"},
		MissingPermission: connectortest.Fault{
			Settings: keySettings(emulator.ServiceKey("oauth", "crm.schemas.contacts.read")), Step: "Read contacts", Says: "crm.objects.contacts.read",
			Class: connectors.Misconfigured, Code: "hubspot.missing_scopes",
		},
		Unreachable: connectortest.Fault{
			Settings: good, Step: "Reach HubSpot", Says: "HubSpot cannot be reached", Class: connectors.Transient, Code: "hubspot.unreachable",
			Host: func() connectors.OpenInput {
				return connectors.OpenInput{HTTP: &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") })}}
			},
		},
		BadTLS: connectortest.Fault{
			Settings: good, Host: sentTo(locked), Step: "Reach HubSpot", Says: "cannot prove that it is HubSpot", Class: connectors.Transient, Code: "hubspot.certificate",
		},
		MissingTable: connectortest.Fault{Never: "every account has contacts"},
		Login:        login(t, emulator, server),
	}
	for name, f := range map[string]struct {
		fault hubspottest.Fault
		want  connectortest.Fault
	}{
		"burst":     {hubspottest.TooMany(hubspottest.PolicyTenSeconds, 0), connectortest.Fault{Class: connectors.RateLimited, Code: "hubspot.limit", RetryAfter: 10 * time.Second}},
		"told":      {hubspottest.TooMany(hubspottest.PolicyTenSeconds, 4*time.Second), connectortest.Fault{Class: connectors.RateLimited, Code: "hubspot.limit", RetryAfter: 4 * time.Second}},
		"day":       {hubspottest.TooMany(hubspottest.PolicyDaily, 0), connectortest.Fault{Class: connectors.RateLimited, Code: "hubspot.daily_limit", RetryAfter: time.Hour}},
		"locked":    {hubspottest.Locked, connectortest.Fault{Class: connectors.Transient, Code: "hubspot.locked", RetryAfter: 2 * time.Second}},
		"moving":    {hubspottest.Moving(time.Hour), connectortest.Fault{Class: connectors.Transient, Code: "hubspot.moving", RetryAfter: time.Hour}},
		"gateway":   {hubspottest.BadGateway, connectortest.Fault{Class: connectors.Transient, Code: "hubspot.502"}},
		"cut":       {hubspottest.Cut, connectortest.Fault{Class: connectors.Transient, Code: "hubspot.truncated"}},
		"reset":     {hubspottest.Reset, connectortest.Fault{Class: connectors.Transient, Code: "hubspot.broken_off"}},
		"page":      {hubspottest.NotJSON, connectortest.Fault{Class: connectors.Transient, Code: "hubspot.web_page"}},
		"huge":      {hubspottest.Huge, connectortest.Fault{Class: connectors.Bug, Code: "hubspot.too_large"}},
		"invalid":   {hubspottest.Invalid, connectortest.Fault{Class: connectors.Bug, Code: "hubspot.400"}},
		"no route":  {hubspottest.NoSuchRoute, connectortest.Fault{Class: connectors.Bug, Code: "hubspot.404"}},
		"gibberish": {hubspottest.UndecodableToken, connectortest.Fault{Class: connectors.AuthRevoked, Code: "hubspot.not_a_key"}},
	} {
		f.want.Name, f.want.Settings, f.want.Host = name, good, failing(t, f.fault)
		harness.Faults = append(harness.Faults, f.want)
	}
	connectortest.Run(t, harness)
}

// login is a tenant's consent at the emulator.
func login(t *testing.T, emulator *hubspottest.Server, server *httptest.Server) connectortest.Login {
	t.Helper()
	const home = "https://sidecard.example/oauth"
	oauth := hubspot.New(hubspot.Options{API: server.URL, App: server.URL}).Spec().OAuth
	emulator.Register("client", "client secret", "Sidecard", home)
	app := url.Values{"client_id": {"client"}, "client_secret": {"client secret"}, "redirect_uri": {home}}
	asked := maps.Clone(app)
	asked.Del("client_secret")
	asked.Set("scope", strings.Join(oauth.Scopes, " "))
	asked.Set("optional_scope", strings.Join(oauth.Optional, " "))
	back, err := emulator.Consent(oauth.AuthorizeURL + "?" + asked.Encode())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(grant, name, value string) (access, refresh string) {
		form := maps.Clone(app)
		form.Set("grant_type", grant)
		form.Set(name, value)
		resp, err := (&http.Client{Transport: once}).PostForm(oauth.TokenURL, form)
		if err != nil {
			t.Error(err)
			return "", ""
		}
		defer resp.Body.Close()
		var tokens struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil || tokens.Access == "" {
			t.Errorf("status %d: %v", resp.StatusCode, err)
		}
		return tokens.Access, tokens.Refresh
	}
	_, refresh := exchange("authorization_code", "code", u.Query().Get("code"))
	return connectortest.Login{
		Settings: connectors.Settings{"auth": json.RawMessage(`"oauth"`)},
		Renew: func() string {
			access, _ := exchange("refresh_token", "refresh_token", refresh)
			return access
		},
		Expire: func() { emulator.Advance(31 * time.Minute) },
	}
}
