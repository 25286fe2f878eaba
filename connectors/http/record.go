package http

import (
	"slices"
	"strings"

	"sidecard/connectors"
)

// maxMatches is how many records an ambiguous answer holds at most.
const maxMatches = 10

// choice is what the tenant chose about the answer.
type choice struct {
	record    path
	email     path // of the record; nil = its address is not compared
	sample    string
	first     bool
	notFound  []string // statuses
	mayLack   bool     // the record's path
	matchedOn string
}

func newChoice(s connectors.Settings) (choice, error) {
	c := choice{
		sample: strings.TrimSpace(s.String("sample_email", "")), first: s.Bool("take_first", false),
		notFound: s.Strings("not_found"), mayLack: s.Bool("path_may_lack", false), matchedOn: "email",
	}
	if c.notFound == nil {
		c.notFound = []string{"404", "204"}
	}
	for _, status := range c.notFound {
		if !slices.Contains([]string{"204", "400", "404", "410", "422"}, status) {
			return c, misconfigured("http.not_found", "not_found", "That status cannot mean “not known”.", "Choose from 204, 400, 404, 410 and 422, one a line.")
		}
	}
	if c.sample != "" && !canBeAddress(c.sample) {
		return c, misconfigured("http.sample_form", "sample_email", "The sample address is no e-mail address.", "Enter a whole address, such as ana@example.com.")
	}
	var err error
	if c.record, err = newPath("record_path", s.String("record_path", "")); err != nil {
		return c, err
	}
	if c.email, err = newPath("email_field", s.String("email_field", "")); err != nil {
		return c, err
	}
	if c.email != nil {
		c.matchedOn = c.email.String()
	}
	return c, nil
}

// reading is what an answer says about one address.
type reading struct {
	answer
	records   []*node // that fit; best first
	strangers int     // records that were left out since they hold another address, or none
}

// read finds the records of an answer.
func (c choice) read(a answer, email string) (reading, error) {
	r := reading{answer: a}
	if a.root == nil {
		return r, nil
	}
	at, missing := c.record.in(a.root)
	switch {
	case missing != nil && c.mayLack:
		return r, nil
	case missing != nil:
		return r, misconfigured("http.no_record_path", "record_path", "The answer has no “"+missing.String()+"”.",
			"Look at an answer of the API and correct the path. If the API leaves it out when it knows nobody, switch on “A missing path means ‘not known’”.")
	case at.isNothing():
		return r, nil
	}
	candidates := []*node{at}
	if at.shape == isList {
		candidates = slices.DeleteFunc(slices.Clone(at.nodes), (*node).isNothing)
	}
	for _, n := range candidates {
		switch {
		case n.shape != isObject:
			return r, misconfigured("http.no_record", "record_path", "What the path leads to is no record with named fields.",
				"Let the path lead to an object, or to a list of objects: "+quoted(c.record)+" is neither.")
		case c.email != nil && !holds(n, c.email, email):
			r.strangers++
		default:
			r.records = append(r.records, n)
		}
	}
	return r, nil
}

func quoted(p path) string {
	if len(p) == 0 {
		return "the whole answer"
	}
	return "“" + p.String() + "”"
}

// holds reports whether the record has the address in the field: a text, or a list with such a text.
func holds(record *node, field path, email string) bool {
	at, missing := field.in(record)
	if missing != nil {
		return false
	}
	entries := []*node{at}
	if at.shape == isList {
		entries = at.nodes
	}
	return slices.ContainsFunc(entries, func(n *node) bool { return n.shape == isText && fold(n.text) == fold(email) })
}

// fold makes addresses equal that differ in case and outer spaces alone.
func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// result makes records of what was found, with the fields that were asked for; all when none are named.
func (c choice) result(found []*node, fields []string) connectors.Result {
	switch {
	case len(found) == 0:
		return connectors.Result{Match: connectors.None}
	case len(found) == 1 || c.first:
		return connectors.Result{Match: connectors.Found, Records: []connectors.Record{recordOf(found[0], fields)}, MatchedOn: c.matchedOn}
	}
	res := connectors.Result{Match: connectors.Ambiguous, MatchedOn: c.matchedOn}
	for _, n := range found[:min(len(found), maxMatches)] {
		res.Records = append(res.Records, recordOf(n, fields))
	}
	return res
}
