package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"sidecard/internal/api/contract"
	"sidecard/internal/store/storetest"
)

// No column of the database can be assigned by guessing its name: in every object of every body, each name that the
// contract does not list is refused by name, and nothing changes. Names are not taken in another case either, as
// Go's decoder would.
func TestProofMassAssignment(t *testing.T) {
	t.Parallel()
	prove(t, 3000, func(p *proof, s *stage, db storetest.Database) {
		own := s.furnish("brightwater")
		id := own.session.Me.Tenant.Id
		known := map[string]bool{"is_admin": true, "plan": true, "owner": true, "__proto__": true, "constructor": true}
		for _, columns := range tables(p, db) {
			for _, column := range columns {
				known[column] = true
			}
		}
		guesses := slices.Sorted(maps.Keys(known))
		before := holdings(p, db, id)
		for _, r := range own.jsonRoutes() {
			schema := r.operation.RequestBody.Value.Content["application/json"].Schema.Value
			for _, g := range assignments(schema, r.asks(own).body.(string), guesses) {
				q := r.asks(own)
				q.body = g.body
				a := own.ask(q)
				var told contract.Problem
				p.holds(readProblem(a, &told) && a.status == 400 && names(told, g.pointer) && !strings.Contains(string(a.body), canary),
					"%s with %s: %d %.300s, want 400 that points there", r, g.pointer, a.status, a.body)
			}
		}
		p.unchanged("refused properties", before, holdings(p, db, id))
	})
}

// assignments adds each guess to each object of a valid body, one at a time, and its own properties in another case.
func assignments(s *openapi3.Schema, valid string, guesses []string) []mutant {
	var root any
	if err := json.Unmarshal([]byte(valid), &root); err != nil {
		panic(err)
	}
	var all []mutant
	var walk func(s *openapi3.Schema, value any, pointer string)
	walk = func(s *openapi3.Schema, value any, pointer string) {
		switch v := value.(type) {
		case map[string]any:
			tried := slices.Clone(guesses)
			for name := range s.Properties {
				tried = append(tried, strings.ToUpper(name[:1])+name[1:])
			}
			for _, name := range tried {
				if _, sent := v[name]; sent || s.Properties[name] != nil {
					continue
				}
				v[name] = canary
				raw, err := json.Marshal(root)
				if err != nil {
					panic(err)
				}
				all = append(all, mutant{name, string(raw), pointer + "/" + name})
				delete(v, name)
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(propertyOf(s, name), v[name], pointer+"/"+name)
			}
		case []any:
			walk(s.Items.Value, v[0], pointer+"/0")
		}
	}
	walk(s, root, "")
	return all
}

// propertyOf gives the schema of a property; an empty one where the contract leaves it to the connector.
func propertyOf(s *openapi3.Schema, name string) *openapi3.Schema {
	if p := s.Properties[name]; p != nil {
		return p.Value
	}
	return &openapi3.Schema{}
}

// readProblem reads a refusal.
func readProblem(a answered, into *contract.Problem) bool {
	return json.Unmarshal(a.body, into) == nil && into.Status == a.status
}
