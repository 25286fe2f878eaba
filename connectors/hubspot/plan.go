package hubspot

import (
	"regexp"
	"slices"
	"strings"
)

// Ids of fields that are no property. Those of properties are the internal name, with company., deal. or ticket. before
// it for related objects.
const (
	fieldURL         = "record_url"
	fieldDealCount   = "deals.open_count"
	fieldDealAmount  = "deals.open_amount"
	fieldTicketCount = "tickets.open_count"
)

var prefixes = []struct {
	prefix string
	of     objectType
}{{"company.", companies}, {"deal.", deals}, {"ticket.", tickets}}

var nameForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// isName reports whether a text is formed like a property's internal name. Others are never sent.
func isName(name string) bool { return nameForm.MatchString(name) }

// mostFields bounds how many fields one query may name.
const mostFields = 5000

// wish is one field that a query names.
type wish struct {
	id   string
	of   objectType // what has to be read for it; empty for the record's URL
	name string     // of the property; empty for what is counted
}

// wishes reads a query's fields. What cannot be a field is left out.
func wishes(fields []string) []wish {
	var all []wish
	for _, id := range fields[:min(len(fields), mostFields)] {
		if w, ok := wishOf(id); ok {
			all = append(all, w)
		}
	}
	return all
}

func wishOf(id string) (wish, bool) {
	switch id {
	case fieldURL:
		return wish{id: id}, true
	case fieldDealCount, fieldDealAmount:
		return wish{id: id, of: deals}, true
	case fieldTicketCount:
		return wish{id: id, of: tickets}, true
	}
	for _, p := range prefixes {
		if name, ok := strings.CutPrefix(id, p.prefix); ok {
			return wish{id, p.of, name}, isName(name)
		}
	}
	return wish{id, contacts, id}, isName(id)
}

// plan is what has to be read for several queries.
type plan struct {
	names map[objectType][]string // properties
	url   bool
}

func planOf(queries [][]wish) plan {
	p := plan{names: make(map[objectType][]string)}
	add := func(of objectType, names ...string) { p.names[of] = append(p.names[of], names...) }
	add(contacts, propEmail, propSecondary)
	for _, q := range queries {
		for _, w := range q {
			switch {
			case w.id == fieldURL:
				p.url = true
			case w.name == "":
				add(w.of)
			default:
				add(w.of, w.name)
			}
		}
	}
	if p.wants(companies) {
		add(contacts, propCompany)
	}
	if p.wants(deals) {
		add(deals, propCreated, stageProps[deals], pipelineProps[deals], propClosed, propAmount, propHome, propCurrency)
	}
	if p.wants(tickets) {
		add(tickets, propCreated, stageProps[tickets], pipelineProps[tickets], propClosedOn)
	}
	for of, names := range p.names {
		slices.Sort(names)
		p.names[of] = slices.Compact(names)
	}
	return p
}

// wants reports whether objects of a type are asked for.
func (p plan) wants(t objectType) bool {
	_, ok := p.names[t]
	return ok
}
