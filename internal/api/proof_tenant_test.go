package api_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// Whoever is not of a tenant, or not any more, learns nothing of it and changes nothing in it, whatever operation they
// try with whatever id, and cannot tell an id of it from one that never was.
func TestProofNobodyReachesAnotherTenant(t *testing.T) {
	t.Parallel()
	prove(t, 1200, func(p *proof, s *stage, db storetest.Database) {
		v := newVictim(s)
		thief := s.furnish("moonrakers")
		callers := append(thief.people(), v.former()...)
		scopes := everyScope()
		callers = append(callers,
			caller{name: "moonrakers' API token", bearer: thief.apiToken(scopes...).Token, role: hub.RoleOwner, token: true, scopes: scopes},
			caller{name: "anybody"})
		routes := thief.routes()
		slices.SortFunc(routes, func(a, b route) int { return cmp.Compare(a.late()+a.String(), b.late()+b.String()) })
		before := holdings(p, db, v.id)
		for _, c := range callers {
			for _, r := range routes {
				v.namedBy(p, r, thief, c)
			}
		}
		for _, c := range callers {
			for _, r := range routes {
				if !r.owned { // those are named above, with every id there is
					v.passedBy(p, r, thief, c)
				}
			}
		}
		p.unchanged("the victim", before, holdings(p, db, v.id))
	})
}

// late puts operations last that end the caller's own membership or session.
func (r route) late() string {
	switch r.operation.OperationID {
	case "leaveTenant", "switchTenant":
		return "2 "
	case "endOtherSessions", "changePassword", "scheduleDeletion":
		return "1 "
	}
	return "0 "
}

// victim is a tenant whose every text and id is known.
type victim struct {
	tenant
	id    hub.ID
	ids   map[string]hub.ID
	texts []string // what no answer to others may hold
}

func newVictim(s *stage) victim {
	s.Helper()
	v := victim{tenant: s.furnish("brightwater")}
	v.id = v.session.Me.Tenant.Id
	rows := "email,name,plan\nvisitor@brightwater.example,Canary Visitor,Canary Plan\n"
	want[contract.ImportReport](s, 200, asked{method: "POST", path: "/api/v1/connections/" + v.csv.String() + "/import?filename=canary.csv", token: v.token, body: rows, header: csvType})
	want[contract.Connection](s, 200, asked{method: "PATCH", path: "/api/v1/connections/" + v.toy.String(), token: v.token, body: `{"settings":{"host":"canary.host","password":"canary password"}}`})
	want[contract.Desk](s, 200, asked{method: "PATCH", path: "/api/v1/desk", token: v.token, body: `{"email":"canary@live.example","api_key":"canary-key-0123"}`})
	v.ids = map[string]hub.ID{
		"tenant": v.id, "owner": v.session.Me.User.Id, "colleague": v.colleague.Me.User.Id, "session": v.signedIn, "invitation": v.invited,
		"token": v.made.Details.Id, "file": v.csv, "toy": v.toy, "chat": v.chat,
	}
	v.texts = []string{
		"brightwater", "Canary", "canary", v.secret, v.hook, strings.TrimPrefix(v.hook, "/hooks/"),
		v.token, *v.session.RefreshToken, v.session.AccessToken, v.colleague.AccessToken, v.made.Token,
	}
	return v
}

// former are callers that were of the tenant once: an API token, a session and a member.
func (v victim) former() []caller {
	v.Helper()
	revoked := v.apiToken(everyScope()...)
	want[struct{}](v.stage, 204, asked{method: "DELETE", path: "/api/v1/tokens/" + revoked.Details.Id.String(), token: v.token})
	ended := want[contract.Session](v.stage, 200, post("/auth/signin", "", v.operation["signIn"]))
	want[struct{}](v.stage, 204, post("/auth/signout", "", contract.Refresh{RefreshToken: ended.RefreshToken}))
	removed := v.join(v.session, "removed.brightwater@example.com", contract.RoleAdmin)
	want[struct{}](v.stage, 204, asked{method: "DELETE", path: "/api/v1/members/" + removed.Me.User.Id.String(), token: v.token})
	v.pass(5 * time.Second) // then every process has noticed
	return []caller{
		{name: "a revoked API token", bearer: revoked.Token},
		{name: "an ended session", bearer: ended.AccessToken},
		{name: "a removed member", bearer: removed.AccessToken},
	}
}

// namedBy has a caller put every id of the victim, and what is none, wherever an operation takes an id.
func (v victim) namedBy(p *proof, r route, thief tenant, c caller) {
	p.Helper()
	type named struct {
		what, id string
		garbage  bool
	}
	all := []named{{what: "no", id: hub.NewID().String()}, {what: "the nil", id: hub.ID{}.String()}}
	for what, id := range v.ids {
		all = append(all, named{what: "the victim's " + what, id: id.String()})
	}
	for _, text := range []string{"hunter2", "%27%20or%20%271%27=%271", "%00", v.chat.String() + "0", "*"} {
		all = append(all, named{what: "the garbage " + text, id: text, garbage: true})
	}
	for _, n := range all {
		for _, at := range r.places(thief) {
			q := r.asks(thief)
			q.token = c.bearer
			at.put(&q, n.id)
			status := http.StatusNotFound
			if n.garbage {
				status = http.StatusBadRequest
			}
			allowed := []int{status}
			if at.in != "path" { // an id among others: there is nothing by it, or the others come without it
				allowed = []int{status, http.StatusBadRequest, http.StatusOK}
			}
			if refused, _ := r.refusal(c); refused != 0 {
				allowed = []int{refused}
			}
			v.hidden(p, c.name+"'s "+r.String()+" with "+n.what+" id as "+at.in+" "+at.name, q, allowed...)
		}
	}
}

// passedBy has a caller ask for an operation as for their own things; there, nothing of the victim may appear.
func (v victim) passedBy(p *proof, r route, thief tenant, c caller) {
	p.Helper()
	q := r.asks(thief)
	q.token = c.bearer
	what := c.name + "'s " + r.String()
	if r.public { // with the victim's address, and without its secrets
		q.body = strings.NewReplacer(
			"moonrakers@", "brightwater@", *thief.session.RefreshToken, "scr_"+strings.Repeat("n", 43), password, "not that password 1",
		).Replace(q.body.(string))
	}
	if refused, _ := r.refusal(c); refused != 0 {
		v.hidden(p, what, q, refused)
		return
	}
	v.hidden(p, what, q)
}

// hidden is a case: the answer has one of the statuses, any below 500 when none is named, and holds nothing of the
// victim's but the ids that were in the request.
func (v victim) hidden(p *proof, what string, q asked, statuses ...int) {
	p.Helper()
	a := v.ask(q)
	told := string(a.body)
	for name, values := range a.header {
		told += "\n" + name + ": " + strings.Join(values, ", ")
	}
	sent := q.path
	if body, ok := q.body.(string); ok {
		sent += body
	}
	var seen []string
	for _, text := range v.texts {
		if strings.Contains(told, text) {
			seen = append(seen, text)
		}
	}
	for kind, id := range v.ids {
		if strings.Contains(told, id.String()) && !strings.Contains(sent, id.String()) {
			seen = append(seen, "the id of its "+kind)
		}
	}
	fits := a.status < 500 && (len(statuses) == 0 || slices.Contains(statuses, a.status))
	p.holds(fits && len(seen) == 0, "%s: %d %.300s, want %v; it shows %q", what, a.status, a.body, statuses, seen)
}

// place is where an operation takes an id.
type place struct {
	in, name string
	put      func(q *asked, id string)
}

// places lists where an operation takes ids: in its path, its query and its body.
func (r route) places(t tenant) []place {
	var all []place
	own := t.named(r.operation.OperationID)
	for _, parameter := range r.parameters("path") {
		all = append(all, place{"path", parameter.Name, func(q *asked, id string) {
			i := slices.Index(own, "{"+parameter.Name+"}")
			q.path = strings.Replace(q.path, own[i+1], id, 1)
		}})
	}
	for _, parameter := range r.parameters("query") {
		all = append(all, place{"query", parameter.Name, func(q *asked, id string) {
			q.path += "?" + parameter.Name + "=" + id
		}})
	}
	if !r.takesJSON() {
		return all
	}
	schema := r.operation.RequestBody.Value.Content["application/json"].Schema.Value
	for _, pointer := range idsIn(schema, "") {
		all = append(all, place{"body", pointer, func(q *asked, id string) {
			var root any
			if err := json.Unmarshal([]byte(q.body.(string)), &root); err != nil {
				panic(err)
			}
			steps := strings.Split(pointer, "/")[1:]
			if !putAt(root, steps, id) { // the valid body chooses another way
				root = map[string]any{steps[0]: []any{id}}
			}
			raw, err := json.Marshal(root)
			if err != nil {
				panic(err)
			}
			q.body = string(raw)
		}})
	}
	return all
}

// idsIn lists the pointers to ids in a schema's values; of a list, to its first element.
func idsIn(s *openapi3.Schema, pointer string) []string {
	if s.Format == "uuid" {
		return []string{pointer}
	}
	var all []string
	for name, property := range s.Properties {
		all = append(all, idsIn(property.Value, pointer+"/"+name)...)
	}
	if s.Items != nil {
		all = append(all, idsIn(s.Items.Value, pointer+"/0")...)
	}
	return all
}

// putAt puts a value into a JSON value. It gives false when there is nothing to hold it.
func putAt(in any, steps []string, value any) bool {
	switch holder := in.(type) {
	case map[string]any:
		if len(steps) == 1 {
			holder[steps[0]] = value
			return true
		}
		return holder[steps[0]] != nil && putAt(holder[steps[0]], steps[1:], value)
	case []any:
		if len(steps) == 1 {
			holder[0] = value
			return true
		}
		return putAt(holder[0], steps[1:], value)
	}
	return false
}
