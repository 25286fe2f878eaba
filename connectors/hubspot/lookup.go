package hubspot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors"
)

// maxAddress is the length of an address in bytes beyond which nobody has it (RFC 5321, section 4.5.3.1).
const maxAddress = 320

// LookupBatch implements connectors.BatchLooker: contacts are read together, and so is all that belongs to them.
func (s *source) LookupBatch(ctx context.Context, queries []connectors.Query) []connectors.Answer {
	answers := make([]connectors.Answer, len(queries))
	fail := func(err error) []connectors.Answer {
		for i := range answers {
			answers[i] = connectors.Answer{Err: connectors.AsError(err)}
		}
		return answers
	}
	ctx, end, err := s.life.Begin(ctx)
	if err != nil {
		return fail(err)
	}
	defer end()
	wanted, err := s.wanted(ctx, queries)
	if err != nil {
		return fail(err)
	}
	p := planOf(wanted)
	people, err := s.readContacts(ctx, addresses(queries), p.names[contacts])
	if err != nil {
		return fail(err)
	}
	r := s.readAround(ctx, p, people.all)
	for i, q := range queries {
		answers[i] = people.answer(q, wanted[i], r)
	}
	return answers
}

// wanted reads which fields each query names. Those that name none get all.
func (s *source) wanted(ctx context.Context, queries []connectors.Query) ([][]wish, error) {
	wanted := make([][]wish, len(queries))
	var all []wish
	for i, q := range queries {
		if len(q.Fields) > 0 {
			wanted[i] = wishes(q.Fields)
			continue
		}
		if all == nil {
			fields, e := s.everything(ctx)
			if e != nil {
				return nil, e
			}
			all = wishes(fields)
		}
		wanted[i] = all
	}
	return wanted, nil
}

// addresses gives each address once, folded. What cannot be anybody's is not asked for.
func addresses(queries []connectors.Query) []string {
	var all []string
	for _, q := range queries {
		if canBeAddress(q.Email) {
			all = append(all, fold(q.Email))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fold makes addresses comparable. HubSpot tells no capitals apart [obs].
func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// canBeAddress judges an address as given: folding would mend what is no UTF-8.
func canBeAddress(email string) bool {
	email = strings.TrimSpace(email)
	at := strings.LastIndexByte(email, '@')
	return at > 0 && at < len(email)-1 && len(email) <= maxAddress && utf8.ValidString(email) && !strings.ContainsFunc(email, unicode.IsControl)
}

// people are contacts by their addresses. HubSpot does not say which address led to which contact [obs].
type people struct {
	all       []object
	seen      map[string]bool // ids: two addresses may lead to one contact
	primary   map[string]object
	secondary map[string][]object
	failed    map[string]bool // addresses that HubSpot could not look for
}

// readContacts asks for all addresses, as many a call as HubSpot takes.
func (s *source) readContacts(ctx context.Context, emails, names []string) (*people, error) {
	p := &people{seen: make(map[string]bool), primary: make(map[string]object), secondary: make(map[string][]object), failed: make(map[string]bool)}
	for chunk := range slices.Chunk(emails, most) {
		q := inputs{IDProperty: propEmail, Properties: names, History: []string{}}
		for _, email := range chunk {
			q.Inputs = append(q.Inputs, input{email})
		}
		b, err := s.readBatch(ctx, contacts, q)
		if err != nil {
			return nil, err
		}
		for _, o := range b.Results {
			p.add(o)
		}
		p.note(b, chunk)
	}
	return p, nil
}

// readBatch makes one call for objects by id.
func (s *source) readBatch(ctx context.Context, t objectType, q inputs) (batch, error) {
	var b batch
	err := s.ask(ctx, question{path: pathBatchRead(t), body: q, scope: scopes[t], what: string(t)}, &b)
	return b, err
}

func (p *people) add(o object) {
	if o.Archived || !o.ID.is || p.seen[o.ID.value] {
		return
	}
	p.seen[o.ID.value] = true
	p.all = append(p.all, o)
	if email := fold(o.get(propEmail)); email != "" {
		p.primary[email] = o
	}
	for other := range strings.SplitSeq(o.get(propSecondary), ";") {
		if email := fold(other); email != "" {
			p.secondary[email] = append(p.secondary[email], o)
		}
	}
}

// note remembers which addresses were not looked for: all, where HubSpot has not finished, else those of other groups
// of errors than “there is none”.
func (p *people) note(b batch, asked []string) {
	if b.Status != "" && b.Status != "COMPLETE" {
		for _, email := range asked {
			p.failed[email] = true
		}
	}
	for _, e := range b.Errors {
		if e.Category == "OBJECT_NOT_FOUND" {
			continue
		}
		for _, id := range e.Context["ids"] {
			p.failed[fold(id.value)] = true
		}
	}
}

// answer answers one query. A primary address counts more than a secondary one.
func (p *people) answer(q connectors.Query, wanted []wish, r *reading) connectors.Answer {
	if !canBeAddress(q.Email) {
		return connectors.Answer{}
	}
	email, on := fold(q.Email), propEmail
	var fit []object
	if o, ok := p.primary[email]; ok {
		fit = []object{o}
	} else {
		fit, on = p.secondary[email], propSecondary
	}
	if len(fit) == 0 && p.failed[email] {
		return connectors.Answer{Err: transient("unfinished", "HubSpot could not look for this address.", again, errors.New("the batch holds another error than not found"))}
	}
	if len(fit) == 0 {
		return connectors.Answer{}
	}
	b := builder{reading: r}
	result := connectors.Result{Match: connectors.Found, MatchedOn: on}
	if len(fit) > 1 {
		result.Match = connectors.Ambiguous
	}
	for _, o := range fit {
		result.Records = append(result.Records, b.record(o, wanted))
	}
	if b.fatal != nil {
		return connectors.Answer{Err: b.fatal}
	}
	result.Partial = b.partial
	return connectors.Answer{Result: result}
}

// early leaves a tenth of the time to hand over what is there when the rest does not come.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-time.Until(end)/10))
}
