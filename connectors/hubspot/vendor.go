package hubspot

import (
	"net/url"
	"time"

	"sidecard/connectors"
)

// Facts about HubSpot that no answer of it tells. Each has a tag that says how it is known: [spec] HubSpot's OpenAPI
// files, [doc] its documentation, [obs] seen in captures and other people's code, [mem] general knowledge.

// version is the dated version of the API that every path names [doc]. It went live on 2026-09-08 and is supported for
// 18 months.
const version = "2026-09"

var sunset = time.Date(2028, time.March, 8, 0, 0, 0, 0, time.UTC)

// The servers [spec]. They are the same for all regions; people who log in to an account in Europe are sent on to
// app-eu1.hubspot.com [obs].
const (
	defaultAPI = "https://api.hubapi.com"
	defaultApp = "https://app.hubspot.com"
)

// most is how many inputs one batch call takes [doc].
const most = 100

// burst is what service keys are allowed on the smallest plan [doc]. Larger plans and OAuth are allowed more; answers
// say how much.
var burst = connectors.Limit{Calls: 100, Per: 10 * time.Second}

// objectType is a kind of record in HubSpot, by its name in paths.
type objectType string

const (
	contacts  objectType = "contacts"
	companies objectType = "companies"
	deals     objectType = "deals"
	tickets   objectType = "tickets"
)

// recordType is the number of contacts in the URLs of HubSpot's own pages [doc].
const recordType = "0-1"

// Paths [spec].
func pathBatchRead(t objectType) string {
	return "/crm/objects/" + version + "/" + string(t) + "/batch/read"
}

func pathProperties(t objectType) string { return "/crm/properties/" + version + "/" + string(t) }

func pathPipelines(t objectType) string { return "/crm/pipelines/" + version + "/" + string(t) }

func pathAssociations(from, to objectType) string {
	return "/crm/associations/" + version + "/" + string(from) + "/" + string(to) + "/batch/read"
}

const (
	pathOwners  = "/crm/owners/" + version
	pathAccount = "/account-info/" + version + "/details"
	pathToken   = "/oauth/" + version + "/token"
)

// Scopes [doc]. The one for tickets has had several names; this is the one of the authorization pages [obs].
const (
	scopeLogin   = "oauth"
	scopeSchemas = "crm.schemas.contacts.read"
	scopeOwners  = "crm.objects.owners.read"
)

var scopes = map[objectType]string{
	contacts:  "crm.objects.contacts.read",
	companies: "crm.objects.companies.read",
	deals:     "crm.objects.deals.read",
	tickets:   "tickets",
}

// oauth describes HubSpot's login. PKCE stays off: the token endpoint lists code_verifier [spec], but nothing says that
// the authorization page takes a code_challenge, and a verifier without a challenge may be refused. The code is
// protected by the client's secret in any case.
func (c connector) oauth() *connectors.OAuth {
	return &connectors.OAuth{
		AuthorizeURL: c.app + "/oauth/authorize", TokenURL: c.api + pathToken, RevokeURL: c.api + pathToken + "/revoke",
		Scopes: []string{scopeLogin, scopes[contacts], scopeSchemas},
		// A plan that lacks one of these would fail the whole installation if it were required [doc].
		Optional: []string{scopes[companies], scopes[deals], scopeOwners, scopes[tickets]},
		Account:  []string{"hub_domain", "hub_id"}, // hub_id [spec]; hub_domain is what the introspection adds [spec]
		Setting:  settingAuth, Value: authOAuth,
	}
}

// Properties that HubSpot defines [doc], those with [mem] beside them from general knowledge.
const (
	propEmail     = "email"
	propSecondary = "hs_additional_emails" // other addresses, joined by ;
	propCompany   = "associatedcompanyid"  // the primary company's id, on the contact
	propOwner     = "hubspot_owner_id"
	propCreated   = "createdate"
	propClosed    = "hs_is_closed" // [mem] on deals: true or false
	propClosedOn  = "closed_date"  // [mem] on tickets: when it was closed
	propAmount    = "amount"
	propHome      = "amount_in_home_currency" // [mem]
	propCurrency  = "deal_currency_code"      // [mem]
)

// stageProps and pipelineProps hold ids that pipelines explain [doc].
var (
	stageProps    = map[objectType]string{deals: "dealstage", tickets: "hs_pipeline_stage"}
	pipelineProps = map[objectType]string{deals: "pipeline", tickets: "hs_pipeline"}
)

// basics are what people want to see of anybody. They come first in lists, and HubSpot defines all of them [doc].
var basics = []string{
	"firstname", "lastname", propEmail, "phone", "company", "jobtitle", "lifecyclestage", propOwner, propCreated, fieldURL,
}

// recordURL is the page of a contact in HubSpot [doc].
func recordURL(uiDomain, portal, id string) string {
	return "https://" + uiDomain + "/contacts/" + url.PathEscape(portal) + "/record/" + recordType + "/" + url.PathEscape(id)
}
