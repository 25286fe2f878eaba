package http

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"sidecard/connectors"
)

// The names of the steps.
const (
	stepFind    = "Find the server"
	stepSignIn  = "Sign in"
	stepUnknown = "Ask for somebody unknown"
	stepSample  = "Ask for the sample address"
	stepRead    = "Read the record"
	stepFields  = "Fields found"
)

// nobody is an address that nobody can have: its domain is reserved (RFC 2606).
const nobody = "nobody@sidecard.invalid"

// Check implements connectors.Source.
func (s *source) Check(ctx context.Context) (connectors.Report, error) {
	use, end, err := s.life.Begin(ctx)
	if err != nil {
		return connectors.Report{}, err
	}
	defer end()
	c := &check{source: s, trying: stepFind}
	failed := c.run(use)
	if errors.Is(use.Err(), context.Canceled) {
		return connectors.Report{}, use.Err()
	}
	if failed != nil {
		e := failure(use, failed)
		c.step(connectors.StepFail, c.trying, e.Message, e.Fix)
	}
	return connectors.Report{Steps: c.steps}, nil
}

// check is one run of Check.
type check struct {
	*source
	steps  []connectors.Step
	trying string // the step that an error belongs to
}

func (c *check) step(state connectors.StepState, name, detail, advice string) {
	c.steps = append(c.steps, connectors.Step{Name: name, State: state, Detail: detail, Advice: advice})
}

func (c *check) ok(name, detail string) { c.step(connectors.StepOK, name, detail, "") }

func (c *check) warn(name, detail, advice string) { c.step(connectors.StepWarn, name, detail, advice) }

func (c *check) run(ctx context.Context) error {
	if err := c.askForNobody(ctx); err != nil {
		return err
	}
	if c.choice.sample == "" {
		c.warn(stepSample, "There is no sample address, so nobody knows yet how a record looks.", enterSample)
		return nil
	}
	record, err := c.askForSample(ctx)
	if err != nil {
		return err
	}
	return c.lookAtFields(record)
}

// askForNobody asks for an address that nobody has. The way to the server and the sign-in show in the same answer.
func (c *check) askForNobody(ctx context.Context) error {
	if c.tokens != nil {
		c.trying = stepSignIn
		if _, err := c.tokens.get(ctx, ""); err != nil {
			return err
		}
		c.trying = stepFind
	}
	a, err := c.ask(ctx, nobody)
	if err != nil && a.status == 0 {
		return err
	}
	c.found()
	c.trying = stepUnknown
	if a.status == http.StatusUnauthorized && c.signIn.kind != authNone {
		c.trying = stepSignIn
	}
	if err != nil {
		return err
	}
	if c.signIn.kind != authNone {
		c.ok(stepSignIn, "The API does not refuse the "+c.signIn.words()+".")
	}
	found, err := c.choice.read(a, nobody)
	if err != nil {
		c.trying = stepRead
		return err
	}
	return c.judgeNobody(found)
}

func (c *check) found() {
	host := c.question.url.host
	if !c.question.url.secure {
		c.warn(stepFind, host+" answers, but nothing is encrypted.", "Write https:// in the URL, unless the network between Sidecard and the server is private.")
		return
	}
	c.ok(stepFind, host+" answers, and has proved who it is.")
}

// judgeNobody looks at what the API says of nobody: it has to know nobody.
func (c *check) judgeNobody(found reading) error {
	const wrong = "Check that {{email}} stands where the API wants it, and the name of the parameter letter by letter: many APIs ignore parameters that they do not know."
	switch {
	case len(found.records) > 0:
		return misconfigured("http.knows_everybody", "url", "The API gives a record for an address that nobody has: agents would see a stranger.",
			wrong+" With an address field, records of other people are left out.")
	case found.strangers > 0:
		c.warn(stepUnknown, "The API gives records of other people for an address that nobody has. They are left out, since the address field does not fit.", wrong)
	case found.webPage:
		c.warn(stepUnknown, "The API answers with status "+strconv.Itoa(found.status)+" and a web page, as servers do for a path that they do not have.",
			"Check the path of the URL. A sample address shows whether it is right.")
	case found.status == 204 || found.status >= 400:
		c.ok(stepUnknown, "The API does not know an address that nobody has (status "+strconv.Itoa(found.status)+").")
	default:
		c.ok(stepUnknown, "The API does not know an address that nobody has.")
	}
	return nil
}

// askForSample asks for somebody whom the API knows and gives the record.
func (c *check) askForSample(ctx context.Context) (*node, error) {
	c.trying = stepSample
	a, err := c.ask(ctx, c.choice.sample)
	if err != nil {
		return nil, err
	}
	if a.root == nil {
		return nil, sampleUnknown(reading{answer: a}, c.choice)
	}
	c.ok(stepSample, "The API answers in JSON.")
	c.trying = stepRead
	found, err := c.choice.read(a, c.choice.sample)
	if err != nil {
		return nil, err
	}
	switch n := len(found.records); {
	case n == 0:
		return nil, sampleUnknown(found, c.choice)
	case n > 1 && !c.choice.first:
		c.warn(stepRead, "The API gives "+strconv.Itoa(n)+" records for the sample address, and nobody knows which is meant.",
			"Let the path lead to one record, or switch on “Take the first of several”.")
	case c.choice.email == nil && addressField(found.records[0], c.choice.sample) != "":
		c.warn(stepRead, "The record is found, but nothing makes sure that it is the visitor's.",
			"Enter “"+addressField(found.records[0], c.choice.sample)+"” as the address field: there the record holds the sample address.")
	default:
		c.ok(stepRead, "The record is found at "+quoted(c.choice.record)+".")
	}
	return found.records[0], nil
}

// addressField guesses which field of a record holds the address.
func addressField(record *node, email string) string {
	for _, f := range fieldsOf(record, nil) {
		if fold(f.value.Text) != fold(email) {
			continue
		}
		if p, err := newPath("email_field", f.id()); err == nil && holds(record, p, email) {
			return f.id()
		}
	}
	return ""
}

// sampleUnknown says why no record was found for the sample address.
func sampleUnknown(found reading, c choice) *connectors.Error {
	switch {
	case found.strangers > 0:
		return misconfigured("http.sample_stranger", "email_field", "The API gives a record, but its field "+quoted(c.email)+" is missing or holds another address.",
			"Enter the field of the record that holds the address, as it is written in the API's answer.")
	case found.status >= 400:
		return misconfigured("http.sample_unknown", "sample_email", "The API answers for the sample address that it has nothing there (status "+strconv.Itoa(found.status)+").",
			"Check that the API knows somebody with exactly this address, and the path of the URL.")
	default:
		return misconfigured("http.sample_unknown", "sample_email", "The API does not know the sample address.",
			"Check that it knows somebody with exactly this address, and that the path to the record is right.")
	}
}

func (c *check) lookAtFields(record *node) error {
	c.trying = stepFields
	switch n := len(fieldsOf(record, nil)); n {
	case 0:
		return misconfigured("http.no_fields", "record_path", "The record has no field that could be shown.", "Let the path lead to the object with the visitor's data.")
	case 1:
		c.ok(stepFields, "1 field can be shown.")
	default:
		c.ok(stepFields, strconv.Itoa(n)+" fields can be shown.")
	}
	return nil
}
