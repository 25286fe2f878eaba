package hubspot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"sidecard/connectors"
)

// The names of the steps.
const (
	stepReach     = "Reach HubSpot"
	stepSignIn    = "Sign in"
	stepContacts  = "Read contacts"
	stepCompanies = "Read companies"
	stepDeals     = "Read deals"
	stepTickets   = "Read tickets"
	stepOwners    = "Read names of owners"
)

// nobody is an address that nobody can have: its domain is reserved (RFC 2606).
const nobody = "nobody@sidecard.invalid"

// noID is the id of no object.
const noID = "0"

// Check implements connectors.Source.
func (s *source) Check(ctx context.Context) (connectors.Report, error) {
	use, end, err := s.life.Begin(ctx)
	if err != nil {
		return connectors.Report{}, err
	}
	defer end()
	c := &check{source: s}
	c.run(use)
	if errors.Is(use.Err(), context.Canceled) {
		return connectors.Report{}, use.Err()
	}
	return connectors.Report{Steps: c.steps}, nil
}

// check is one run of Check.
type check struct {
	*source
	steps []connectors.Step
}

func (c *check) ok(name, detail string) {
	c.steps = append(c.steps, connectors.Step{Name: name, State: connectors.StepOK, Detail: detail})
}

func (c *check) fail(name string, e *connectors.Error) {
	c.steps = append(c.steps, connectors.Step{Name: name, State: connectors.StepFail, Detail: e.Message, Advice: e.Fix})
}

func (c *check) run(ctx context.Context) {
	if !c.signIn(ctx) {
		return
	}
	if err := c.readNobody(ctx, contacts, inputs{IDProperty: propEmail, Inputs: []input{{nobody}}}); err != nil {
		c.fail(stepContacts, err)
		return
	}
	c.ok(stepContacts, "Contacts can be looked up by address.")
	c.readOptional(ctx)
}

// signIn asks whose account it is. The way to HubSpot shows in the same answer. HubSpot does not say whether service
// keys may ask so; those that may not ask for the properties of contacts.
func (c *check) signIn(ctx context.Context) bool {
	var a account
	err := c.ask(ctx, question{path: pathAccount, scope: scopeLogin, what: "the details of the account"}, &a)
	if status := statusOf(err); c.byKey && (status == http.StatusForbidden || status == http.StatusNotFound) {
		a = account{}
		err = c.ask(ctx, question{path: pathProperties(contacts), scope: scopes[contacts], what: "the properties of contacts"}, &page[property]{})
	}
	e := connectors.AsError(err)
	switch {
	case e == nil, statusOf(e) != 0:
	case e.Class == connectors.AuthRevoked: // there is nothing to sign in with
		c.fail(stepSignIn, e)
		return false
	default:
		c.fail(stepReach, e)
		return false
	}
	c.ok(stepReach, "HubSpot answers.")
	switch {
	case e == nil:
		c.ok(stepSignIn, signedIn(a))
	case c.byKey && e.Code == codeScopes: // a key that may not even this is told with the contacts
		c.ok(stepSignIn, "HubSpot accepts the key.")
	default:
		c.fail(stepSignIn, e)
		return false
	}
	return true
}

// statusOf gives the status that HubSpot answered, 0 when an error is none of its answers.
func statusOf(err error) statusError {
	var status statusError
	_ = errors.As(err, &status)
	return status
}

func signedIn(a account) string {
	portal := reference(a.Portal.value)
	if portal == "" {
		return "HubSpot accepts the sign-in."
	}
	if where := reference(strings.ToUpper(a.Location)); where != "" {
		return "Signed in to account " + portal + " (data in " + where + ")."
	}
	return "Signed in to account " + portal + "."
}

// readNobody reads an object that does not exist, for the right to read.
func (c *check) readNobody(ctx context.Context, t objectType, q inputs) *connectors.Error {
	q.Properties, q.History = []string{}, []string{}
	_, err := c.readBatch(ctx, t, q)
	return connectors.AsError(err)
}

// readOptional tries what a card may do without, all at once.
func (c *check) readOptional(ctx context.Context) {
	parts := []struct {
		step, lost string
		try        func() *connectors.Error
	}{
		{stepCompanies, "Fields of companies stay empty.", c.object(ctx, companies)},
		{stepDeals, "Fields of deals stay empty.", c.object(ctx, deals)},
		{stepTickets, "Fields of tickets stay empty.", c.object(ctx, tickets)},
		{stepOwners, "Owners are shown by their number.", func() *connectors.Error {
			err := c.ask(ctx, question{
				path: pathOwners, query: url.Values{"limit": {"1"}}, scope: scopeOwners, what: "the names of owners",
			}, &page[owner]{})
			return connectors.AsError(err)
		}},
	}
	failed := make([]*connectors.Error, len(parts))
	var tasks []func()
	for i, p := range parts {
		tasks = append(tasks, func() { failed[i] = p.try() })
	}
	together(tasks)
	for i, p := range parts {
		if e := failed[i]; e != nil {
			c.steps = append(c.steps, connectors.Step{Name: p.step, State: connectors.StepWarn, Detail: e.Message + " " + p.lost, Advice: e.Fix})
			continue
		}
		c.ok(p.step, "Readable.")
	}
}

func (c *check) object(ctx context.Context, t objectType) func() *connectors.Error {
	return func() *connectors.Error { return c.readNobody(ctx, t, inputs{Inputs: []input{{noID}}}) }
}
