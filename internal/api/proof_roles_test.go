package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// Who may do what is exactly what x-role and x-scope of the contract say: every operation is tried by every role, and
// by API tokens with each scope alone, with all but it, with all, and with all under each role. What is refused says
// what is missing, and changes nothing although the request was a good one.
func TestProofRolesAndScopes(t *testing.T) {
	t.Parallel()
	prove(t, 1500, func(p *proof, s *stage, db storetest.Database) {
		own := s.furnish("brightwater")
		id := own.session.Me.Tenant.Id
		callers := append(own.people(), own.tokens(db)...)
		before := holdings(p, db, id)
		for _, c := range callers {
			for _, r := range own.routes() {
				if !r.public {
					p.mayOrNot(own, r, c)
				}
			}
		}
		p.unchanged("refused requests", before, holdings(p, db, id))
	})
}

// In a tenant that requires a second factor, who has none may only do what the contract excepts.
func TestProofSecondFactorComesFirst(t *testing.T) {
	t.Parallel()
	prove(t, 100, func(p *proof, s *stage, db storetest.Database) {
		own := s.furnish("brightwater")
		id := own.session.Me.Tenant.Id
		people := own.people()
		_, err := db.Owner.ExecContext(p.Context(), "update tenants set second_factor_required = true where id = $1", id.String())
		must(p, err)
		s.pass(5 * time.Second) // then every process has noticed
		before := holdings(p, db, id)
		for _, c := range people {
			for _, r := range own.routes() {
				bare, _ := r.operation.Extensions["x-without-second-factor"].(bool)
				if r.public {
					continue
				}
				if bare {
					p.mayOrNot(own, r, c)
					continue
				}
				q := r.asks(own)
				q.token = c.bearer
				a := own.ask(q)
				var told contract.Problem
				p.holds(readProblem(a, &told) && a.status == http.StatusForbidden && told.Code == "second_factor_missing",
					"%s's %s: %d %s, want 403 second_factor_missing", c.name, r, a.status, a.body)
			}
		}
		p.unchanged("refused requests", before, holdings(p, db, id))
	})
}

// mayOrNot is a case: an operation by a caller. Where the contract refuses it, a good request is sent, which would show
// its effect; where not, one that only the check after that of roles and scopes refuses.
func (p *proof) mayOrNot(t tenant, r route, c caller) {
	p.Helper()
	status, word := r.refusal(c)
	q := r.asks(t)
	q.token = c.bearer
	if status == 0 {
		status, word = http.StatusBadRequest, "no_such_parameter"
		q.path += "?no_such_parameter=1"
	}
	a := t.ask(q)
	p.holds(a.status == status && strings.Contains(string(a.body), word),
		"%s's %s (x-role %s, x-scope %s): %d %.300s, want %d and %q", c.name, r, r.roleOf(), r.scopeOf(), a.status, a.body, status, word)
}

// tokens are API tokens of a tenant: each scope alone, all but each, all, and all under each role.
func (t tenant) tokens(db storetest.Database) []caller {
	t.Helper()
	var all []caller
	add := func(name string, role hub.Role, scopes ...string) {
		made := t.apiToken(scopes...)
		if role != hub.RoleOwner { // as if somebody with that role had made it
			_, err := db.Owner.ExecContext(t.Context(), "update api_tokens set role = $1 where id = $2", string(role), made.Details.Id.String())
			must(t.T, err)
		}
		all = append(all, caller{name: name, bearer: made.Token, role: role, token: true, scopes: scopes})
	}
	every := everyScope()
	for i, scope := range every {
		add("the token with "+scope, hub.RoleOwner, scope)
		add("the token with all but "+scope, hub.RoleOwner, slices.Concat(every[:i], every[i+1:])...)
	}
	for _, role := range []hub.Role{hub.RoleViewer, hub.RoleMember, hub.RoleAdmin, hub.RoleOwner} {
		add("the "+string(role)+"'s token with all scopes", role, every...)
	}
	return all
}
