package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/csv"
	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// Every operation answers as the contract says: each is done once with success, and refused in each way that there is
// for it. Status, type, headers and body are held against the document; so is every other answer in these tests.
func TestProofAnswersKeepTheContract(t *testing.T) {
	t.Parallel()
	prove(t, 350, func(p *proof, s *stage, _ storetest.Database) {
		s.withClub()
		done := p.doEverything(s)
		for _, item := range document().Paths.Map() {
			for _, o := range item.Operations() {
				p.holds(done[o.OperationID], "%s was never done with success", o.OperationID)
			}
		}
		own := s.furnish("moonrakers")
		people := own.people()
		scopeless := map[string]caller{}
		for _, scope := range everyScope()[:2] {
			scopeless[scope] = caller{name: "a token with " + scope, bearer: own.apiToken(scope).Token}
		}
		for _, r := range own.routes() {
			p.refuseInEveryWay(own, r, people[len(people)-1], scopeless)
		}
	})
}

// doEverything does every operation with success, and tells which those were.
func (p *proof) doEverything(s *stage) map[string]bool {
	p.Helper()
	done := map[string]bool{}
	does := func(operation string, q asked) answered {
		p.Helper()
		a := s.ask(q)
		path, _, _ := strings.Cut(q.path, "?")
		route, _ := operationFor(q.method, path)
		if route == nil || route.Operation.OperationID != operation {
			p.Fatalf("%s %s is not %s", q.method, q.path, operation)
		}
		p.holds(a.status < 300 && route.Operation.Responses.Value(strconv.Itoa(a.status)) != nil, "%s: %d %.300s, which is no success of the contract", operation, a.status, a.body)
		done[operation] = true
		return a
	}
	a := furnishAudited(s)
	look := func() {
		for _, r := range a.routes() {
			if r.method == http.MethodGet {
				does(r.operation.OperationID, r.asks(a.tenant))
			}
		}
	}
	look()
	for _, step := range everyChange {
		if step.operation == "endLogin" {
			continue // there is one to end below
		}
		answer := does(step.operation, step.asks(a))
		if step.then != nil {
			step.then(a, answer.body)
		}
	}
	s.post("/auth/signup", "", contract.SignUp{Company: "Late", Email: "late@example.com", Password: password})
	does("confirmSignUp", post("/auth/signup/confirm", "", contract.LinkConfirm{Token: s.link("late@example.com", hub.MailConfirmSignUp)}))

	c := read[contract.Connection](s, does("createConnection", post("/connections", a.token, `{"kind":"club","name":"Club","settings":{"access":"login"}}`)).body)
	path := "/connections/" + c.Id.String() + "/login"
	begun := read[contract.LoginBegun](s, does("beginLogin", post(path, a.token, nil)).body)
	at, err := url.Parse(begun.AuthorizeUrl)
	must(p, err)
	does("finishLogin", post("/connections/login/finish", a.token, contract.LoginFinish{State: at.Query().Get("state"), Code: new("code")}))
	does("endLogin", asked{method: "DELETE", path: "/api/v1" + path, token: a.token})
	a.work()
	return done
}

// refuseInEveryWay has an operation refused in each way that its kind allows, each of which is a case.
func (p *proof) refuseInEveryWay(t tenant, r route, viewer caller, scopeless map[string]caller) {
	p.Helper()
	refused := func(why string, status int, change func(*asked)) {
		p.Helper()
		q := r.asks(t)
		change(&q)
		a := t.ask(q)
		var told contract.Problem
		p.holds(a.status == status && readProblem(a, &told) && told.Detail != "", "%s %s: %d %.300s, want %d", r, why, a.status, a.body, status)
	}
	refused("with a parameter that is none", 400, func(q *asked) { q.path += "?no_such_parameter=1" })
	if !r.public {
		refused("without a token", 401, func(q *asked) { q.token = "" })
		if status, _ := r.refusal(viewer); status != 0 {
			refused("by a viewer", status, func(q *asked) { q.token = viewer.bearer })
		}
		for scope, c := range scopeless {
			if scope != r.scopeOf() {
				refused("by "+c.name, 403, func(q *asked) { q.token = c.bearer })
			}
		}
	}
	for _, at := range r.places(t) {
		if at.in == "path" {
			refused("of nothing", 404, func(q *asked) { at.put(q, hub.NewID().String()) })
			refused("of no id", 400, func(q *asked) { at.put(q, canary) })
		} else {
			refused("with no id as "+at.name, 400, func(q *asked) { at.put(q, canary) })
		}
	}
	if r.operation.RequestBody == nil {
		return
	}
	refused("of another type", 415, func(q *asked) { q.header = http.Header{"Content-Type": {"application/pdf"}} })
	refused("packed", 415, func(q *asked) {
		q.header = http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}
		if !r.takesJSON() {
			q.header["Content-Type"] = csvType["Content-Type"]
		}
	})
	if !r.takesJSON() {
		refused("of a large file", 413, func(q *asked) { q.body = "email\n" + strings.Repeat("dana@example.com\n", maxUpload/16) })
		refused("of a file without addresses", 422, func(q *asked) { q.body = "a,b\n1,2\n" })
		return
	}
	refused("without a body", 400, func(q *asked) { q.body = nil })
	refused("with half of it", 400, func(q *asked) { q.body = q.body.(string)[:5] })
	refused("with too much of it", 413, func(q *asked) { q.body = `{"a":"` + strings.Repeat("x", 1<<20) + `"}` })
	for _, m := range mutants(r.operation.RequestBody.Value.Content["application/json"].Schema.Value, r.asks(t).body.(string)) {
		refused(m.name+" at "+m.pointer, 400, func(q *asked) { q.body = m.body })
	}
}

// club is a connector that is signed in to at its vendor.
type club struct {
	toy
	vendor string // URL
}

func (c club) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "club", Name: "Club", Summary: "Knows its members.", Version: 1, Guide: "# Club", Settings: json.RawMessage(`{
		"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,
		"properties":{"access":{"type":"string","enum":["login"],"title":"Access","description":"How to sign in."}}}`),
		OAuth: &connectors.OAuth{AuthorizeURL: c.vendor + "/authorize", TokenURL: c.vendor + "/token", Setting: "access", Value: "login"},
	}
}

// withClub adds the club to the stage, before anybody uses it.
func (s *stage) withClub() {
	s.Helper()
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token":"an access token","refresh_token":"a refresh token","expires_in":3600}`)
	}))
	s.Cleanup(vendor.Close)
	registry, err := connectors.NewRegistry(csv.New(), toy{}, club{vendor: vendor.URL})
	must(s.T, err)
	s.hub.Connectors = registry
	s.hub.OAuth = map[string]hub.OAuthClient{"club": {ID: "sidecard", Secret: "a client secret"}}
	s.hub.Way.HTTP = func(int64) *http.Client { return vendor.Client() }
}
