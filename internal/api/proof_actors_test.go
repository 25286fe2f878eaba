package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// caller is who asks in a proof.
type caller struct {
	name   string
	bearer string   // empty: none is sent
	role   hub.Role // empty: nobody that may ask anything
	token  bool     // an API token
	scopes []string // of an API token
}

// everyScope is every scope of the contract.
func everyScope() []string {
	var all []string
	for _, value := range document().Components.Schemas["Scope"].Value.Enum {
		all = append(all, value.(string))
	}
	return all
}

// roleOf and scopeOf read the document past the program: what it says about who may.
func (r route) roleOf() hub.Role { return hub.Role(r.extension("x-role")) }
func (r route) scopeOf() string  { return r.extension("x-scope") }

func (r route) extension(name string) string {
	text, _ := r.operation.Extensions[name].(string)
	return text
}

// refusal says how the contract has an operation answer a caller before anything else is looked at: with which status,
// and a word of the sentence. 0 is for callers that may.
func (r route) refusal(c caller) (status int, word string) {
	rank := func(role hub.Role) int {
		return slices.Index([]hub.Role{hub.RoleViewer, hub.RoleMember, hub.RoleAdmin, hub.RoleOwner}, role)
	}
	switch {
	case r.public:
		return 0, ""
	case c.role == "":
		return http.StatusUnauthorized, ""
	case rank(c.role) < rank(r.roleOf()):
		return http.StatusForbidden, "role " + string(r.roleOf())
	case c.token && r.scopeOf() == "none":
		return http.StatusForbidden, "Only people"
	case c.token && !slices.Contains(c.scopes, r.scopeOf()):
		return http.StatusForbidden, "scope " + r.scopeOf()
	}
	return 0, ""
}

// apiToken makes an API token of a tenant.
func (t tenant) apiToken(scopes ...string) contract.NewToken {
	t.Helper()
	body := `{"name":"` + t.session.Me.Tenant.Name + ` token","scopes":["` + strings.Join(scopes, `","`) + `"]}`
	return want[contract.NewToken](t.stage, 201, post("/tokens", t.token, body))
}

// people are an owner, an admin, a member and a viewer of a tenant. Admin and viewer join it.
func (t tenant) people() []caller {
	t.Helper()
	name := t.session.Me.Tenant.Name
	joins := func(role contract.Role) caller {
		in := t.join(t.session, fmt.Sprintf("%s.%s@example.com", role, name), role)
		return caller{name: fmt.Sprintf("%s's %s", name, role), bearer: in.AccessToken, role: hub.Role(role)}
	}
	return []caller{
		{name: name + "'s owner", bearer: t.token, role: hub.RoleOwner},
		joins(contract.RoleAdmin),
		{name: name + "'s member", bearer: t.colleague.AccessToken, role: hub.RoleMember},
		joins(contract.RoleViewer),
	}
}

// parameters gives an operation's parameters of a place ("path", "query") that are ids.
func (r route) parameters(in string) []*openapi3.Parameter {
	var all []*openapi3.Parameter
	for _, list := range []openapi3.Parameters{r.item.Parameters, r.operation.Parameters} {
		for _, p := range list {
			if p.Value.In == in && p.Value.Schema.Value.Format == "uuid" {
				all = append(all, p.Value)
			}
		}
	}
	return all
}
