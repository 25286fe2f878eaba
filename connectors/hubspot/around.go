package hubspot

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sidecard/connectors"
)

// mostRelated is how many deals or tickets of one contact are read: those with the highest ids, which are the newest.
const mostRelated = 100

// reading is what was read around contacts. What could not be had is an error beside it.
type reading struct {
	parts   map[objectType]*part
	owners  owners
	account account

	failedOwners, failedAccount *connectors.Error
}

// part is what was read of one type of objects.
type part struct {
	objects map[string][]object // by the contact's id, best first
	cut     map[string]bool     // contacts with more objects than are read
	schema  schema
	stages  pipelines

	failed, failedSchema, failedStages *connectors.Error
}

// readAround reads what the plan wants around contacts: all at once, names of owners last, since only the schema says
// which values are owners.
func (s *source) readAround(ctx context.Context, p plan, people []object) *reading {
	r := &reading{parts: make(map[objectType]*part)}
	if len(people) == 0 {
		return r
	}
	ctx, cancel := early(ctx)
	defer cancel()
	var tasks []func()
	for t, names := range p.names {
		own := &part{}
		r.parts[t] = own
		tasks = append(tasks, func() { own.schema, own.failedSchema = s.schemaOf(ctx, t) })
		switch t {
		case companies:
			tasks = append(tasks, func() { own.failed = s.readCompanies(ctx, own, people, names) })
		case deals, tickets:
			tasks = append(tasks,
				func() { own.failed = s.readRelated(ctx, t, own, people, names) },
				func() { own.stages, own.failedStages = s.pipelinesOf(ctx, t) })
		}
	}
	if p.url {
		tasks = append(tasks, func() { r.account, r.failedAccount = s.accountOf(ctx) })
	}
	together(tasks)
	for t, own := range r.parts {
		own.rank(t)
	}
	if r.hasOwners(people) {
		r.owners, r.failedOwners = s.ownersOf(ctx)
	}
	return r
}

// together runs tasks at once and waits for them. A panic of one goes on here, where the host expects it.
func together(tasks []func()) {
	var all sync.WaitGroup
	panics := make(chan any, len(tasks))
	for _, task := range tasks {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panics <- p
				}
			}()
			task()
		})
	}
	all.Wait()
	select {
	case p := <-panics:
		panic(p)
	default:
	}
}

// readCompanies reads the primary companies, whose ids are on the contacts.
func (s *source) readCompanies(ctx context.Context, own *part, people []object, names []string) *connectors.Error {
	to := make(map[string][]string)
	for _, c := range people {
		if id := c.get(propCompany); id != "" {
			to[c.ID.value] = []string{id}
		}
	}
	return s.readObjects(ctx, companies, own, to, names)
}

// readRelated reads the objects that contacts are associated with.
func (s *source) readRelated(ctx context.Context, t objectType, own *part, people []object, names []string) *connectors.Error {
	to := make(map[string][]string)
	own.cut = make(map[string]bool)
	for chunk := range slices.Chunk(people, most) {
		var q struct {
			Inputs []input `json:"inputs"`
		}
		for _, c := range chunk {
			q.Inputs = append(q.Inputs, input{c.ID.value})
		}
		var answer links
		err := s.ask(ctx, question{path: pathAssociations(contacts, t), body: q, scope: scopes[t], what: string(t)}, &answer)
		if err != nil {
			return connectors.AsError(err)
		}
		for _, from := range answer.Results {
			id := from.From.ID.value
			for _, one := range from.To {
				to[id] = append(to[id], one.ID.value)
			}
			if next := string(from.Paging); next != "" && next != "null" {
				own.cut[id] = true
			}
		}
	}
	for id, ids := range to {
		slices.SortFunc(ids, func(a, b string) int { return compareIDs(b, a) })
		ids = slices.Compact(ids) // one association a label
		if len(ids) > mostRelated {
			ids, own.cut[id] = ids[:mostRelated], true
		}
		to[id] = ids
	}
	return s.readObjects(ctx, t, own, to, names)
}

// readObjects reads each object once, and hands it to all contacts that it belongs to.
func (s *source) readObjects(ctx context.Context, t objectType, own *part, to map[string][]string, names []string) *connectors.Error {
	var ids []string
	for _, some := range to {
		ids = append(ids, some...)
	}
	slices.Sort(ids)
	byID := make(map[string]object)
	for chunk := range slices.Chunk(slices.Compact(ids), most) {
		q := inputs{Properties: names, History: []string{}}
		for _, id := range chunk {
			q.Inputs = append(q.Inputs, input{id})
		}
		b, err := s.readBatch(ctx, t, q)
		if err != nil {
			return connectors.AsError(err)
		}
		for _, o := range b.Results {
			if !o.Archived {
				byID[o.ID.value] = o
			}
		}
	}
	own.objects = make(map[string][]object, len(to))
	for contact, some := range to {
		for _, id := range some {
			if o, ok := byID[id]; ok {
				own.objects[contact] = append(own.objects[contact], o)
			}
		}
	}
	return nil
}

// rank puts what is open first, and the newest of each.
func (p *part) rank(t objectType) {
	for _, some := range p.objects {
		slices.SortStableFunc(some, func(a, b object) int {
			if openA, openB := p.open(t, a), p.open(t, b); openA != openB {
				if openA {
					return -1
				}
				return 1
			}
			return cmp.Or(created(b).Compare(created(a)), compareIDs(b.ID.value, a.ID.value))
		})
	}
}

// open reports whether a deal is neither won nor lost, or a ticket not done: its stage says so, and the object itself
// where the stage is not known.
func (p *part) open(t objectType, o object) bool {
	if found, ok := p.stages.find(o.get(pipelineProps[t]), o.get(stageProps[t])); ok {
		return !found.closed
	}
	if t == tickets {
		return o.get(propClosedOn) == ""
	}
	return o.get(propClosed) != "true"
}

// compareIDs compares numbers as they are written; HubSpot's ids outgrow no bound that is known.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// hasOwners reports whether a value that was read is the id of an owner.
func (r *reading) hasOwners(people []object) bool {
	has := func(p *part, some []object) bool {
		for _, o := range some {
			for name, v := range o.Properties {
				if v.value != "" && p.isOwner(name) {
					return true
				}
			}
		}
		return false
	}
	for t, own := range r.parts {
		if t == contacts && has(own, people) {
			return true
		}
		for _, some := range own.objects {
			if has(own, some) {
				return true
			}
		}
	}
	return false
}

func (p *part) isOwner(name string) bool {
	return name == propOwner || p.schema[name].References == "OWNER"
}

// tooMany says that a contact has more objects than are read.
func tooMany(t objectType) *connectors.Error {
	return &connectors.Error{
		Class: connectors.Misconfigured, Code: "hubspot.many_" + string(t),
		Message: "A contact has more than " + strconv.Itoa(mostRelated) + " " + string(t) + ", too many to count for a chat.",
		Fix:     "Look at the contact in HubSpot, or take the totals off the card.",
	}
}
