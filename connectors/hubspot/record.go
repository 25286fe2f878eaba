package hubspot

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"sidecard/connectors"
)

const (
	maxValue  = 4 << 10  // bytes of one value
	maxRecord = 64 << 10 // bytes of all values of a record
)

// builder makes the records of one answer, and notes what they lack.
type builder struct {
	*reading
	partial []*connectors.Error
	fatal   *connectors.Error // asking again, with another token, would give more; or nobody wants the answer any more
}

// lacks notes why something is missing, each reason once.
func (b *builder) lacks(e *connectors.Error) {
	switch {
	case e.Class == connectors.AuthExpired || e.Class == connectors.Canceled:
		b.fatal = e
	case !slices.ContainsFunc(b.partial, func(own *connectors.Error) bool { return own.Code == e.Code && own.Message == e.Message }):
		b.partial = append(b.partial, e)
	}
}

// record makes a contact's record of what the query wants.
func (b *builder) record(contact object, wanted []wish) connectors.Record {
	record := make(connectors.Record, len(wanted))
	left := maxRecord
	for _, w := range wanted {
		v, ok := b.value(contact, w)
		if !ok {
			continue
		}
		if most := min(left, maxValue); len(v.Text) > most {
			v = connectors.Value{Kind: connectors.Text, Text: cut(v.Text, most)}
		}
		left -= len(v.Text)
		record[w.id] = v
	}
	return record
}

// value gives one field; false when the account has no such field, or it could not be read.
func (b *builder) value(contact object, w wish) (connectors.Value, bool) {
	own := b.parts[w.of]
	switch {
	case w.id == fieldURL:
		return b.link(contact)
	case w.of == contacts:
		return b.property(contacts, contact, w.name)
	case own.failed != nil:
		b.lacks(own.failed)
		return connectors.Value{}, false
	case w.name == "":
		return b.total(contact, w)
	}
	some := own.objects[contact.ID.value]
	if w.of == tickets && len(some) > 0 && !own.open(tickets, some[0]) {
		some = nil // a ticket that is done says nothing about today
	}
	if len(some) > 0 {
		return b.property(w.of, some[0], w.name)
	}
	if _, known := own.schema[w.name]; !known && own.failedSchema == nil {
		return connectors.Value{}, false
	}
	return connectors.Value{Kind: connectors.Null}, true
}

// link gives the contact's page in HubSpot, by the account's own domain or as the answer names it.
func (b *builder) link(contact object) (connectors.Value, bool) {
	if domain := b.account.Domain; isDomain(domain) && b.account.Portal.is {
		return connectors.Value{Kind: connectors.Text, Text: recordURL(domain, b.account.Portal.value, contact.ID.value)}, true
	}
	if own := contact.URL.value; strings.HasPrefix(own, "https://") && len(own) <= maxValue {
		return connectors.Value{Kind: connectors.Text, Text: own}, true
	}
	if b.failedAccount != nil {
		b.lacks(b.failedAccount)
	}
	return connectors.Value{}, false
}

func isDomain(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// total counts what is open.
func (b *builder) total(contact object, w wish) (connectors.Value, bool) {
	own := b.parts[w.of]
	if own.cut[contact.ID.value] {
		b.lacks(tooMany(w.of))
		return connectors.Value{}, false
	}
	var open []object
	for _, o := range own.objects[contact.ID.value] {
		if own.open(w.of, o) {
			open = append(open, o)
		}
	}
	if w.id != fieldDealAmount {
		return connectors.Value{Kind: connectors.Number, Text: strconv.Itoa(len(open))}, true
	}
	sum, ok := sumOf(open, amountIn(open))
	if !ok {
		b.lacks(mixedCurrencies())
		return connectors.Value{}, false
	}
	return connectors.Value{Kind: connectors.Number, Text: sum}, true
}

// amountIn names the property to add up: the amounts themselves where all are in one currency, else those that HubSpot
// has converted.
func amountIn(some []object) string {
	for _, o := range some {
		if o.get(propCurrency) != some[0].get(propCurrency) {
			return propHome
		}
	}
	return propAmount
}

// sumOf adds decimals as they are written. A deal without an amount counts nothing; one whose amount is not converted
// spoils the sum.
func sumOf(some []object, name string) (sum string, ok bool) {
	total, digits := new(big.Rat), 0
	for _, o := range some {
		if o.get(propAmount) == "" && o.get(propHome) == "" {
			continue
		}
		text, ok := decimal(o.get(name))
		if !ok {
			return "", false
		}
		one, ok := new(big.Rat).SetString(text)
		if !ok {
			return "", false
		}
		total.Add(total, one)
		if _, fraction, found := strings.Cut(text, "."); found {
			digits = max(digits, len(fraction))
		}
	}
	return total.FloatString(digits), true
}

func mixedCurrencies() *connectors.Error {
	return &connectors.Error{
		Class: connectors.Misconfigured, Code: "hubspot.amounts", Message: "The open deals cannot be added up: their amounts are in several currencies.",
		Fix: "Set exchange rates in HubSpot (Settings, Account defaults, Currency), or take the sum off the card.",
	}
}

// property gives a property of an object, typed and worded by the account's schema.
func (b *builder) property(of objectType, o object, name string) (connectors.Value, bool) {
	raw, there := o.Properties[name]
	if !there {
		return connectors.Value{}, false
	}
	own := b.parts[of]
	if own.failedSchema != nil {
		b.lacks(own.failedSchema)
	}
	if !raw.is {
		return connectors.Value{Kind: connectors.Null}, true
	}
	if raw.value != "" {
		if label, ok := b.label(own, of, o, name, raw.value); ok {
			return connectors.Value{Kind: connectors.Text, Text: label}, true
		}
	}
	return typed(own.schema[name], raw.value), true
}

// label gives the words for a value that lists outside of the schema explain; the value itself when they cannot be had.
func (b *builder) label(own *part, of objectType, o object, name, value string) (string, bool) {
	found := ""
	switch {
	case own.isOwner(name):
		if b.failedOwners != nil {
			b.lacks(b.failedOwners)
		}
		found = b.owners[value]
	case name == stageProps[of]:
		if own.failedStages != nil {
			b.lacks(own.failedStages)
		}
		st, _ := own.stages.find(o.get(pipelineProps[of]), value)
		found = st.label
	case name == pipelineProps[of]:
		if own.failedStages != nil {
			b.lacks(own.failedStages)
		}
		found = own.stages.labels[value]
	}
	return found, found != ""
}
