package hub

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Plan is how much a tenant may use. 0 means no limit.
type Plan struct {
	Name        string
	ChatsPerDay int // accepted in a UTC day; those beyond end as OverQuota
	Connections int
	CSVRows     int // of all connections together
	Members     int // with the invitations that are open
}

// Unlimited is the plan that limits nothing.
const Unlimited = "unlimited"

// plans are all of them, the smallest first.
var plans = []Plan{
	{Name: "free", ChatsPerDay: 500, Connections: 3, CSVRows: 20_000, Members: 5},
	{Name: "team", ChatsPerDay: 5_000, Connections: 10, CSVRows: 200_000, Members: 25},
	{Name: "business", ChatsPerDay: 100_000, Connections: 50, CSVRows: 2_000_000, Members: 200},
	{Name: Unlimited},
}

// PlanNames lists the plans there are, the smallest first.
func PlanNames() []string {
	names := make([]string, len(plans))
	for i, p := range plans {
		names[i] = p.Name
	}
	return names
}

// ParsePlan finds a plan by its name. The error names all of them.
func ParsePlan(name string) (Plan, error) {
	i := slices.IndexFunc(plans, func(p Plan) bool { return p.Name == name })
	if i < 0 {
		return Plan{}, fmt.Errorf("there is no plan %q; the plans are %s", name, strings.Join(PlanNames(), ", "))
	}
	return plans[i], nil
}

// Limits are those of the tenant's plan. A plan that this version does not know limits nothing: better too much for a
// while than a tenant that stands still.
func (t Tenant) Limits() Plan {
	p, err := ParsePlan(t.Plan)
	if err != nil {
		return Plan{Name: t.Plan}
	}
	return p
}

// AllowConnections refuses more connections than the plan has, counted with the one that is to be created.
func (p Plan) AllowConnections(n int) error {
	return p.allow(n, p.Connections, "connection", "connections", "Remove one you no longer use, or ask for a larger plan.")
}

// AllowMembers refuses more members than the plan has, counted with the one who is to join and, where somebody is
// invited, with the open invitations.
func (p Plan) AllowMembers(n int) error {
	return p.allow(n, p.Members, "member", "members, with open invitations", "Remove a member or withdraw an invitation you no longer need, or ask for a larger plan.")
}

// AllowCSVRows refuses more imported rows than the plan has, counted over all connections after the load.
func (p Plan) AllowCSVRows(n int) error {
	return p.allow(n, p.CSVRows, "row", "rows from files", "Upload a shorter file, remove a list you no longer use, or ask for a larger plan. The rows from before are still there.")
}

func (p Plan) allow(n, limit int, one, many, fix string) error {
	if limit == 0 || n <= limit {
		return nil
	}
	what := many
	if limit == 1 {
		what = one
	}
	return fail(CodeQuota, fmt.Sprintf("Your plan %q has %s %s, and this would be more. %s", p.Name, thousands(limit), what, fix))
}

// thousands writes a number with commas: 20,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
