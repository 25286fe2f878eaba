package hubspot

import (
	"context"
	"net/url"
	"strings"

	"sidecard/connectors"
)

// schema is the properties of one type of objects by name.
type schema map[string]property

// schemaOf gives a type's properties. Archived ones are among them only when they are asked for, which nobody does.
func (s *source) schemaOf(ctx context.Context, t objectType) (schema, *connectors.Error) {
	return s.schemas[t].get(ctx, s, func(ctx context.Context) (schema, error) {
		var answer page[property]
		err := s.ask(ctx, question{path: pathProperties(t), scope: scopes[t], what: "the properties of " + string(t)}, &answer)
		if err != nil {
			return nil, err
		}
		all := make(schema, len(answer.Results))
		for _, p := range answer.Results {
			if isName(p.Name) && !p.Archived {
				all[p.Name] = p
			}
		}
		return all, nil
	})
}

// stage is one stage of a pipeline.
type stage struct {
	label  string
	closed bool // deals are won or lost, tickets done
}

// pipelines explains the ids of pipelines and of their stages.
type pipelines struct {
	labels map[string]string
	stages map[string]stage // by the pipeline's id, a slash, and the stage's
}

// find gives a stage. Only HubSpot's first pipeline has stages with names of their own; a number may occur in several.
func (p pipelines) find(pipeline, id string) (stage, bool) {
	found, ok := p.stages[pipeline+"/"+id]
	return found, ok
}

func (s *source) pipelinesOf(ctx context.Context, t objectType) (pipelines, *connectors.Error) {
	return s.pipelines[t].get(ctx, s, func(ctx context.Context) (pipelines, error) {
		var answer page[pipeline]
		err := s.ask(ctx, question{path: pathPipelines(t), scope: scopes[t], what: "the pipelines of " + string(t)}, &answer)
		if err != nil {
			return pipelines{}, err
		}
		all := pipelines{make(map[string]string), make(map[string]stage)}
		for _, p := range answer.Results {
			all.labels[p.ID.value] = p.Label
			for _, st := range p.Stages {
				meta := st.Metadata // [mem] isClosed on deals, ticketState on tickets
				closed := meta["isClosed"].value == "true" || strings.EqualFold(meta["ticketState"].value, "closed")
				all.stages[p.ID.value+"/"+st.ID.value] = stage{st.Label, closed}
			}
		}
		return all, nil
	})
}

// owners are names of users and queues by id.
type owners map[string]string

// ownerPages bounds how many calls the list of owners may take, at 100 owners each.
const ownerPages = 20

func (s *source) ownersOf(ctx context.Context) (owners, *connectors.Error) {
	return s.owners.get(ctx, s, func(ctx context.Context) (owners, error) {
		all := make(owners)
		query := url.Values{"limit": {"100"}}
		for range ownerPages {
			var answer page[owner]
			if err := s.ask(ctx, question{path: pathOwners, query: query, scope: scopeOwners, what: "the names of owners"}, &answer); err != nil {
				return nil, err
			}
			for _, o := range answer.Results {
				all[o.ID.value] = o.name()
			}
			after := answer.Paging.Next.After.value
			if after == "" || after == query.Get("after") {
				break
			}
			query.Set("after", after)
		}
		return all, nil
	})
}

// name is what people call the owner: the address only for those who have entered no name.
func (o owner) name() string {
	if name := strings.TrimSpace(o.FirstName + " " + o.LastName); name != "" {
		return name
	}
	return o.Email
}

func (s *source) accountOf(ctx context.Context) (account, *connectors.Error) {
	return s.account.get(ctx, s, func(ctx context.Context) (account, error) {
		var a account
		err := s.ask(ctx, question{path: pathAccount, scope: scopeLogin, what: "the details of the account"}, &a)
		return a, err
	})
}
