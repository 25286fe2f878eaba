package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// tenant is a signed-up tenant that has one of everything.
type tenant struct {
	line
	session   contract.Session
	csv, toy  hub.ID
	chat      hub.ID
	colleague contract.Session  // of a second member
	invited   hub.ID            // an open invitation
	made      contract.NewToken // an API token that may read chats
	signedIn  hub.ID            // the session above
	operation map[string]string // a valid body by operation, for those that take one
}

// furnish signs a tenant up and gives it one of everything.
func (s *stage) furnish(company string) tenant {
	s.Helper()
	t := tenant{line: s.open(company)}
	t.session = want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/signin", body: contract.SignIn{Email: company + "@example.com", Password: password}})
	create := func(kind, settings string) hub.ID {
		body := `{"kind":"` + kind + `","name":"` + company + `-` + kind + `","settings":` + settings + `}`
		return want[contract.Connection](s, 201, asked{method: "POST", path: "/api/v1/connections", token: t.token, body: body}).Id
	}
	t.csv, t.toy = create("csv", "{}"), create("toy", `{"host":"a"}`)
	want[contract.ImportReport](s, 200, asked{method: "POST", path: "/api/v1/connections/" + t.csv.String() + "/import", token: t.token, body: customers, header: csvType})
	lines := `"lines":[{"label":"Plan","connection_id":"` + t.toy.String() + `","field":"plan","format":"text","hide_if_empty":true,"fallback":"-"}]`
	want[contract.Card](s, 200, asked{method: "PUT", path: "/api/v1/card", token: t.token, body: "{" + lines + "}"})
	notification := announcement("firing", "visitor")
	if a := t.send(notification, t.sign(notification)); a.status != 200 {
		s.Fatalf("a chat of %s: %d %s", company, a.status, a.body)
	}
	t.chat = t.chats()[0].Id
	t.colleague = s.join(t.session, "colleague."+company+"@example.com", contract.RoleMember)
	t.invited = want[contract.Invitation](s, 201, asked{method: "POST", path: "/api/v1/invitations", token: t.token, body: `{"email":"invited.` + company + `@example.com","role":"viewer"}`}).Id
	t.made = want[contract.NewToken](s, 201, asked{method: "POST", path: "/api/v1/tokens", token: t.token, body: `{"name":"` + company + `-token","scopes":["chats:read"]}`})
	for _, in := range want[contract.SessionList](s, 200, asked{method: "GET", path: "/api/v1/me/sessions", token: t.session.AccessToken}).Sessions {
		if in.Current {
			t.signedIn = in.Id
		}
	}
	link := "scl_" + strings.Repeat("n", 43)
	t.operation = map[string]string{
		"signUp":           `{"company":"C","name":"N","email":"new@example.com","password":"` + password + `"}`,
		"signIn":           `{"email":"` + company + `@example.com","password":"` + password + `"}`,
		"refresh":          `{"refresh_token":"` + *t.session.RefreshToken + `"}`,
		"signOut":          `{"refresh_token":"` + *t.session.RefreshToken + `"}`,
		"updateDesk":       `{"email":"a@example.com","api_key":"k","unsigned":"refuse"}`,
		"rotateSecret":     `{"secret":"` + strings.Repeat("x", 40) + `","keep_previous_hours":1}`,
		"createConnection": `{"kind":"csv","name":"New","settings":{}}`,
		"updateConnection": `{"name":"Renamed","settings":{"host":"b"}}`,
		"lookUp":           `{"email":"dana@example.com"}`,
		"finishLogin":      `{"state":"never-begun","code":"x"}`,
		"publishCard":      `{"based_on":1,` + lines + `}`,
		"previewCard":      `{"email":"dana@example.com",` + lines + `}`,
		"countReplays":     `{"filter":{"outcomes":["refused","expired"],"from":"2026-11-01T00:00:00Z","to":"2026-11-30T12:00:00.5+01:00"},"force":true}`,
		"replayChats":      `{"chat_ids":["` + t.chat.String() + `"],"force":true,"expect":0}`,
		"importFile":       customers,

		"confirmSignUp":    `{"token":"` + link + `"}`,
		"askReset":         `{"email":"nobody@example.com"}`,
		"confirmReset":     `{"token":"` + link + `","password":"` + password + `"}`,
		"confirmEmail":     `{"token":"` + link + `"}`,
		"showInvitation":   `{"token":"` + link + `"}`,
		"acceptInvitation": `{"token":"` + link + `","name":"N","password":"` + password + `"}`,

		"updateMe":            `{"name":"Renamed"}`,
		"changePassword":      `{"current":"` + password + `","new":"` + another + `"}`,
		"changeEmail":         `{"email":"renamed@example.com","password":"` + password + `"}`,
		"beginSecondFactor":   `{"password":"` + password + `"}`,
		"confirmSecondFactor": `{"code":"123456"}`,
		"removeSecondFactor":  `{"password":"` + password + `","code":"123456"}`,
		"switchTenant":        `{"tenant_id":"` + t.session.Me.Tenant.Id.String() + `"}`,

		"updateTenant":     `{"name":"Renamed"}`,
		"eraseVisitor":     `{"email":"nobody@example.com"}`,
		"exportTenant":     `{"password":"` + password + `"}`,
		"scheduleDeletion": `{"password":"` + password + `"}`,
		"updateMember":     `{"role":"admin"}`,
		"invite":           `{"email":"third@example.com","role":"member"}`,
		"createToken":      `{"name":"Deploys","scopes":["chats:read"],"expires_in_days":30}`,
	}
	return t
}

var csvType = http.Header{"Content-Type": {"text/csv"}}

// route is an operation of the contract as a tenant would call it.
type route struct {
	method, path string // with the tenant's ids in it
	template     string // the same as the contract writes it
	item         *openapi3.PathItem
	operation    *openapi3.Operation
	public       bool
	owned        bool // it has a tenant's id in its path
}

func (r route) String() string { return r.method + " " + r.operation.OperationID }

func (r route) takesJSON() bool {
	return r.operation.RequestBody != nil && r.operation.RequestBody.Value.Content["application/json"] != nil
}

// asks gives a valid request for the route.
func (r route) asks(t tenant) asked {
	q := asked{method: r.method, path: r.path}
	if !r.public {
		q.token = t.token
	}
	if r.operation.RequestBody != nil {
		q.body = t.operation[r.operation.OperationID]
	}
	if r.operation.OperationID == "importFile" {
		q.header = csvType
	}
	return q
}

// routes lists the contract's operations with a tenant's ids in their paths. It fails the test for an operation that
// takes a body and has no valid one above, so that no new operation escapes.
func (t tenant) routes() []route {
	t.Helper()
	var all []route
	paths := document().Paths.Map()
	for _, template := range slices.Sorted(maps.Keys(paths)) {
		for method, o := range paths[template].Operations() {
			path := strings.NewReplacer(t.named(o.OperationID)...).Replace(template)
			if strings.Contains(path, "{") {
				t.Fatalf("%s has a parameter that the tests do not know", template)
			}
			if o.RequestBody != nil && t.operation[o.OperationID] == "" {
				t.Fatalf("%s has no valid body here", o.OperationID)
			}
			all = append(all, route{
				method: method, path: path, template: template, item: paths[template], operation: o,
				public: o.Security != nil && len(*o.Security) == 0, owned: path != template,
			})
		}
	}
	return all
}

// named lists the parameters of paths with the tenant's ids for them, as an operation needs them.
func (t tenant) named(operation string) []string {
	connection := t.toy
	if operation == "importFile" {
		connection = t.csv
	}
	return []string{
		"{connection_id}", connection.String(), "{chat_id}", t.chat.String(), "{user_id}", t.colleague.Me.User.Id.String(),
		"{session_id}", t.signedIn.String(), "{invitation_id}", t.invited.String(), "{token_id}", t.made.Details.Id.String(),
	}
}

// mutant is a body with one thing wrong, and the place where.
type mutant struct {
	name, body, pointer string
}

// canary is what stands in wrong values: no answer may repeat it.
const canary = "hunter2"

// mutants breaks a valid body in every way that its schema forbids, one at a time.
func mutants(s *openapi3.Schema, valid string) []mutant {
	var all []mutant
	var root any
	if err := json.Unmarshal([]byte(valid), &root); err != nil {
		panic(err)
	}
	var walk func(s *openapi3.Schema, value any, pointer string, put func(any))
	walk = func(s *openapi3.Schema, value any, pointer string, put func(any)) {
		try := func(name string, wrong any) {
			put(wrong)
			raw, err := json.Marshal(root)
			if err != nil {
				panic(err)
			}
			all = append(all, mutant{name, string(raw), pointer})
			put(value)
		}
		for _, w := range wrongValues(s) {
			try(w.name, w.value)
		}
		switch v := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if p := s.Properties[name]; p != nil {
					walk(p.Value, v[name], pointer+"/"+name, func(x any) { v[name] = x })
				}
			}
			for _, name := range s.Required {
				kept := v[name]
				delete(v, name)
				raw, _ := json.Marshal(root)
				all = append(all, mutant{"missing", string(raw), pointer + "/" + name})
				v[name] = kept
			}
			if s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has {
				v["no_such_property"] = canary
				raw, _ := json.Marshal(root)
				all = append(all, mutant{"unknown", string(raw), pointer + "/no_such_property"})
				delete(v, "no_such_property")
			}
		case []any:
			walk(s.Items.Value, v[0], pointer+"/0", func(x any) { v[0] = x })
		}
	}
	walk(s, root, "", func(x any) { root = x })
	return all
}

type wrongValue struct {
	name  string
	value any
}

// wrongValues lists values that a schema forbids.
func wrongValues(s *openapi3.Schema) []wrongValue {
	all := []wrongValue{{"null", nil}}
	add := func(name string, value any) { all = append(all, wrongValue{name, value}) }
	switch {
	case s.Type.Is("string"):
		add("a number", 12345)
		add("an object", map[string]any{canary: canary})
		add("NUL", "x\x00")
		if s.MinLength > 0 {
			add("too short", strings.Repeat("x", int(s.MinLength)-1))
		}
		if s.MaxLength != nil {
			add("too long", strings.Repeat(canary, int(*s.MaxLength)))
		}
		if s.Enum != nil || slices.Contains([]string{"email", "uuid", "date-time"}, s.Format) {
			add("none of these", canary)
		}
		if s.Pattern != "" {
			add("odd characters", canary+" "+strings.Repeat("é", 32))
		}
	case s.Type.Is("integer"):
		add("a text", canary)
		add("a fraction", 1.5)
		if s.Min != nil {
			add("too little", *s.Min-1)
		}
		if s.Max != nil {
			add("too much", *s.Max+1)
		}
		add("far too much", 1e300)
	case s.Type.Is("boolean"):
		add("a text", canary)
	case s.Type.Is("array"):
		add("a text", canary)
		add("empty", []any{})
		add("too many", make([]any, *s.MaxItems+1))
	case s.Type.Is("object"):
		add("a text", canary)
		add("a list", []any{canary})
		if s.MinProps > 0 {
			add("empty", map[string]any{})
		}
	}
	return all
}
