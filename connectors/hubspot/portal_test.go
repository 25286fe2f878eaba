package hubspot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// portal is a small HubSpot account. It knows the calls that the connector makes, demands scopes for them, and misbehaves
// on command.
type portal struct {
	*httptest.Server

	mu        sync.Mutex
	objects   map[string]map[string]map[string]any // type, id, properties
	links     map[string][]string                  // "contacts/512/deals" to ids
	fields    map[string][]map[string]any          // properties by type
	pipelines map[string][]map[string]any
	owners    []map[string]any
	scopes    map[string]bool
	scripts   map[string]http.HandlerFunc // by the end of a path; "" is every path
	received  []request
	ids       int
}

type request struct {
	method, path, query, token, contentType string
	body                                    string
	inputs                                  []string // ids of a batch
	properties                              []string
}

const (
	theKey   = "pat-na1-9f3c1e-not-for-others"
	everyone = "crm.objects.contacts.read crm.objects.companies.read crm.objects.deals.read crm.objects.owners.read tickets oauth"
)

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{
		objects: make(map[string]map[string]map[string]any), links: make(map[string][]string), fields: standardFields(),
		pipelines: standardPipelines(), scopes: make(map[string]bool), scripts: make(map[string]http.HandlerFunc), ids: 500,
		owners: []map[string]any{
			{"id": "7", "email": "rui@agency.example", "firstName": "Rui", "lastName": "Costa"},
			{"id": "8", "email": "queue@agency.example", "firstName": "", "lastName": ""},
		},
	}
	for scope := range strings.FieldsSeq(everyone) {
		p.scopes[scope] = true
	}
	for _, of := range []string{"contacts", "companies", "deals", "tickets"} {
		p.objects[of] = make(map[string]map[string]any)
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// put adds an object and gives its id.
func (p *portal) put(of string, properties map[string]any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids++
	id := strconv.Itoa(p.ids)
	if email, ok := properties["email"].(string); ok {
		properties["email"] = strings.ToLower(email)
	}
	p.objects[of][id] = properties
	return id
}

func (p *portal) link(contact, of string, ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := "contacts/" + contact + "/" + of
	p.links[key] = append(p.links[key], ids...)
}

// script has the portal answer paths with this end so; nil takes that back.
func (p *portal) script(end string, answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.scripts, end)
	if answer != nil {
		p.scripts[end] = answer
	}
}

func (p *portal) withoutScope(scope string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.scopes, scope)
}

// got gives what was received since the last call.
func (p *portal) got() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.received
	p.received = nil
	return got
}

// ServeHTTP implements http.Handler.
func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	in := request{
		method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
		contentType: r.Header.Get("Content-Type"), body: string(raw),
	}
	var body struct {
		IDProperty string `json:"idProperty"`
		Inputs     []struct{ ID string }
		Properties *[]string `json:"properties"`
		History    *[]string `json:"propertiesWithHistory"`
	}
	badJSON := r.Method == http.MethodPost && json.Unmarshal(raw, &body) != nil
	for _, i := range body.Inputs {
		in.inputs = append(in.inputs, i.ID)
	}
	if body.Properties != nil {
		in.properties = *body.Properties
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = append(p.received, in)
	if script := p.scriptFor(r.URL.Path); script != nil {
		p.mu.Unlock() // a script may take its time
		defer p.mu.Lock()
		script(w, r)
		return
	}
	w.Header().Set("X-HubSpot-RateLimit-Max", "190")
	w.Header().Set("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
	switch path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
	case in.token != theKey:
		refuse(w, 401, `{"status":"error","message":"Authentication credentials not found. This API supports OAuth 2.0 authentication","correlationId":"c-401","category":"INVALID_AUTHENTICATION"}`)
	case badJSON || len(body.Inputs) > 100:
		refuse(w, 400, `{"status":"error","message":"Invalid input JSON on line 1, column 1","category":"VALIDATION_ERROR"}`)
	case r.URL.Path == "/account-info/2026-09/details":
		p.may(w, "oauth", map[string]any{
			"portalId": 4242, "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1", "utcOffset": "+01:00", "timeZone": "Europe/Madrid",
		})
	case r.URL.Path == "/crm/owners/2026-09":
		p.may(w, "crm.objects.owners.read", map[string]any{"results": p.owners})
	case len(path) == 4 && strings.HasPrefix(r.URL.Path, "/crm/properties/2026-09/"):
		p.may(w, scopeOf(path[3]), map[string]any{"results": p.fields[path[3]]})
	case len(path) == 4 && strings.HasPrefix(r.URL.Path, "/crm/pipelines/2026-09/"):
		p.may(w, scopeOf(path[3]), map[string]any{"results": p.pipelines[path[3]]})
	case len(path) == 7 && strings.HasPrefix(r.URL.Path, "/crm/associations/2026-09/contacts/"):
		p.may(w, scopeOf(path[4]), p.associations(path[4], in.inputs))
	case len(path) == 6 && strings.HasPrefix(r.URL.Path, "/crm/objects/2026-09/") && body.Properties != nil && body.History != nil:
		p.may(w, scopeOf(path[3]), p.batch(path[3], body.IDProperty, in))
	default:
		w.Header().Set("Content-Type", "text/html")
		refuse(w, 404, "<html>No such page</html>")
	}
}

func (p *portal) scriptFor(path string) http.HandlerFunc {
	for _, end := range slices.Sorted(maps.Keys(p.scripts)) {
		if strings.HasSuffix(path, end) {
			return p.scripts[end]
		}
	}
	return nil
}

func scopeOf(of string) string {
	if of == "tickets" {
		return of
	}
	return "crm.objects." + of + ".read"
}

func refuse(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// may answers if the key has the scope. Batches have a status of their own when something lacks.
func (p *portal) may(w http.ResponseWriter, scope string, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	if !p.scopes[scope] {
		refuse(w, 403, fmt.Sprintf(`{"status":"error","message":"This app hasn't been granted all required scopes to make this call.",
			"correlationId":"c-403","category":"MISSING_SCOPES","errors":[{"message":"scopes","context":{"requiredGranularScopes":[%q]}}]}`, scope))
		return
	}
	if _, lacking := answer["errors"]; lacking {
		w.WriteHeader(http.StatusMultiStatus)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// batch reads objects by id or address. What is not defined is left out, what is not set is null.
func (p *portal) batch(of, by string, in request) map[string]any {
	results, seen, missing := []any{}, make(map[string]bool), []string{}
	for _, asked := range in.inputs {
		id := asked
		if by == "email" {
			id = p.contactBy(strings.ToLower(asked))
		}
		object, ok := p.objects[of][id]
		if !ok {
			missing = append(missing, asked)
			continue
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		shown := map[string]any{"hs_object_id": id, "createdate": "2025-03-04T09:15:22.113Z", "lastmodifieddate": "2026-10-01T08:00:00Z"}
		for _, f := range p.fields[of] {
			if name := f["name"].(string); slices.Contains(in.properties, name) || object[name] != nil && name == "createdate" {
				shown[name] = object[name]
			}
		}
		results = append(results, map[string]any{"id": id, "properties": shown, "archived": false})
	}
	answer := map[string]any{"status": "COMPLETE", "results": results}
	if len(missing) > 0 {
		answer["numErrors"] = 1
		answer["errors"] = []any{map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "context": map[string]any{"ids": missing}}}
	}
	return answer
}

// contactBy finds a contact by its primary address, else by another one.
func (p *portal) contactBy(email string) string {
	for id, c := range p.objects["contacts"] {
		if c["email"] == email {
			return id
		}
	}
	for id, c := range p.objects["contacts"] {
		others, _ := c["hs_additional_emails"].(string)
		if slices.Contains(strings.Split(strings.ToLower(others), ";"), email) {
			return id
		}
	}
	return ""
}

// associations lists each company twice, by its two labels.
func (p *portal) associations(of string, contacts []string) map[string]any {
	results := []any{}
	for _, c := range contacts {
		to := []any{}
		for _, id := range p.links["contacts/"+c+"/"+of] {
			to = append(to, map[string]any{"toObjectId": id}, map[string]any{"toObjectId": json.Number(id)})
		}
		if len(to) > 0 {
			results = append(results, map[string]any{"from": map[string]any{"id": c}, "to": to})
		}
	}
	return map[string]any{"status": "COMPLETE", "results": results}
}
