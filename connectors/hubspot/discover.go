package hubspot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"sidecard/connectors"
)

// groups are the headings of fields. They say which of several objects is meant.
var groups = map[objectType]string{
	contacts: "Contact", companies: "Company", deals: "Newest open deal", tickets: "Newest open ticket",
}

// totals are fields that are counted and not read.
var totals = map[objectType][]connectors.Field{
	deals: {
		{ID: fieldDealCount, Label: "Open deals", Kind: connectors.Number, Group: "Deals"},
		{ID: fieldDealAmount, Label: "Amount of open deals", Kind: connectors.Number, Group: "Deals"},
	},
	tickets: {{ID: fieldTicketCount, Label: "Open tickets", Kind: connectors.Number, Group: "Tickets"}},
}

// Discover implements connectors.Discoverer. Contacts must be readable; what else is not, is left out.
func (s *source) Discover(ctx context.Context) (connectors.Catalog, error) {
	ctx, end, err := s.life.Begin(ctx)
	if err != nil {
		return connectors.Catalog{}, err
	}
	defer end()
	c, failed := s.list(ctx)
	for t, e := range failed {
		if t == contacts || e.Class != connectors.Misconfigured { // else it would look as if the fields were gone
			return connectors.Catalog{}, e
		}
	}
	return c, nil
}

// list lists the fields of all types whose properties can be had, and says why others cannot.
func (s *source) list(ctx context.Context) (connectors.Catalog, map[objectType]*connectors.Error) {
	types := []objectType{contacts, companies, deals, tickets}
	schemas, errs := make([]schema, len(types)), make([]*connectors.Error, len(types))
	var tasks []func()
	for i, t := range types {
		tasks = append(tasks, func() { schemas[i], errs[i] = s.schemaOf(ctx, t) })
	}
	together(tasks)
	c := connectors.Catalog{Fields: []connectors.Field{{ID: fieldURL, Label: "Page in HubSpot", Kind: connectors.Text, Group: groups[contacts]}}}
	failed := make(map[objectType]*connectors.Error)
	for i, t := range types {
		if errs[i] != nil {
			failed[t] = errs[i]
			continue
		}
		c.Fields = slices.Concat(c.Fields, schemas[i].fields(t), totals[t])
	}
	return c, failed
}

// everything gives the ids of all fields, for queries that name none; the basics while HubSpot does not say which there
// are. Its error is for answers after which HubSpot should not be asked for contacts, either.
func (s *source) everything(ctx context.Context) ([]string, *connectors.Error) {
	few, cancel := early(ctx)
	defer cancel()
	if _, e := s.schemaOf(few, contacts); e != nil {
		switch {
		case ctx.Err() != nil:
			return nil, connectors.AsError(ctx.Err())
		case e.Class == connectors.Transient || e.Class == connectors.Misconfigured || e.Class == connectors.Bug:
			return basics, nil
		}
		return nil, e
	}
	c, _ := s.list(few)
	ids := make([]string, 0, len(c.Fields))
	for _, f := range c.Fields {
		ids = append(ids, f.ID)
	}
	return ids, nil
}

// fields lists a type's properties: the basics, what is made for people by its label, and the rest.
func (s schema) fields(t objectType) []connectors.Field {
	prefix := ""
	for _, p := range prefixes {
		if p.of == t {
			prefix = p.prefix
		}
	}
	rank := func(name string) int {
		if i := slices.Index(basics, name); t == contacts && i >= 0 {
			return i
		}
		return len(basics)
	}
	fields := make([]connectors.Field, 0, len(s))
	for name, p := range s {
		label := strings.TrimSpace(p.Label)
		if label == "" {
			label = name
		}
		kind := p.kind()
		if name == propOwner || name == stageProps[t] || name == pipelineProps[t] {
			kind = connectors.Text
		}
		fields = append(fields, connectors.Field{
			ID: prefix + name, Label: label, Kind: kind, Group: groups[t],
			Minor: p.Hidden || strings.HasPrefix(name, "hs_") && name != stageProps[t] && name != pipelineProps[t],
		})
	}
	slices.SortFunc(fields, func(a, b connectors.Field) int {
		nameA, nameB := strings.TrimPrefix(a.ID, prefix), strings.TrimPrefix(b.ID, prefix)
		if a.Minor != b.Minor {
			if b.Minor {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(rank(nameA), rank(nameB)), strings.Compare(a.Label, b.Label), strings.Compare(a.ID, b.ID))
	})
	return fields
}
