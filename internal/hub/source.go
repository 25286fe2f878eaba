package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"sidecard/connectors"
)

// source is an opened connection with what the host does for it: the login is kept good, the vendor's limits
// are kept, and questions that wait at the same time share a call.
type source struct {
	connectors.Source
	login  *login // nil for connections without one
	calls  *calls
	gather *gatherer // nil for kinds that take one question at a time
}

// openSource makes a source from a stored connection. It needs no network.
func (h *Hub) openSource(ctx context.Context, t Tenant, c Connection) (*source, error) {
	connector, ok := h.Connectors.Find(c.Kind)
	if !ok {
		return nil, fmt.Errorf("connection %s has unknown kind %q", c.ID, c.Kind)
	}
	settings, err := h.settings(ctx, t.ID, connector, c)
	if err != nil {
		return nil, err
	}
	spec := connector.Spec()
	in := h.openInput(spec, settings)
	in.Log = h.Log.With("tenant", t.ID, "connection", c.ID)
	s := &source{calls: newCalls(h.Meter, c.ID, spec, h.Now)}
	in.Calls = s.calls
	if s.login, err = h.newLogin(t.ID, c, spec); err != nil {
		return nil, err
	}
	if s.login != nil {
		in.Token = s.login.Token
	}
	if spec.Imports {
		index, err := h.open(ctx, tenantRef(t.ID, "index_key"), t.IndexKey)
		if err != nil {
			return nil, err
		}
		in.Rows = &rowFinder{hub: h, tenant: t.ID, connection: c, index: index}
	}
	if s.Source, err = connector.Open(ctx, in); err != nil {
		return nil, err
	}
	if spec.Batch > 1 {
		s.gather = newGatherer(spec.Batch, s.calls.turn, s.ask)
	}
	return s, nil
}

// openInput is what a source gets whatever its kind.
func (h *Hub) openInput(spec connectors.Spec, settings connectors.Settings) connectors.OpenInput {
	in := connectors.OpenInput{Settings: settings, Dial: h.Way.Dial, Resolve: h.Way.Resolve, Now: h.Now, Log: h.Log}
	if h.Way.HTTP != nil {
		in.HTTP = h.Way.HTTP(spec.Answer)
	}
	return in
}

// settings gives all settings of a connection, secrets included, in the meaning of the connector's version.
func (h *Hub) settings(ctx context.Context, tenant ID, connector connectors.Connector, c Connection) (connectors.Settings, error) {
	all, err := h.secretSettings(ctx, tenant, c)
	if err != nil {
		return nil, err
	}
	open := connectors.Settings{}
	if err := json.Unmarshal(c.Settings, &open); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	maps.Copy(all, open)
	return upgrade(connector, c.SpecVersion, all)
}

// upgrade brings settings that were stored by an older version up to date.
func upgrade(connector connectors.Connector, from int, s connectors.Settings) (connectors.Settings, error) {
	spec := connector.Spec()
	if from > spec.Version {
		return nil, &connectors.Error{
			Class: connectors.Misconfigured, Code: "settings.newer",
			Message: "The settings were saved by a newer Sidecard than the one that runs here.",
			Fix:     "Ask the operator to run the newer version, or save the settings again.",
		}
	}
	for v := from; v < spec.Version; v++ {
		u, ok := connector.(connectors.Upgrader)
		if !ok {
			return nil, fmt.Errorf("connector %s cannot upgrade settings of version %d", spec.Kind, v)
		}
		var err error
		if s, err = u.Upgrade(v, s); err != nil {
			return nil, fmt.Errorf("upgrade settings of %s from version %d: %w", spec.Kind, v, err)
		}
	}
	return s, nil
}

// lookUp asks about one visitor, in company where the kind allows it.
func (s *source) lookUp(ctx context.Context, q connectors.Query) connectors.Answer {
	if s.gather != nil {
		return s.gather.askAbout(ctx, q)
	}
	return s.ask(ctx, []connectors.Query{q})[0]
}

// ask asks about several visitors in one go, more than one only where the kind allows it, and gives an answer
// for each. When the vendor does not take the login, it is renewed once.
func (s *source) ask(ctx context.Context, queries []connectors.Query) []connectors.Answer {
	if err := s.calls.resting(); err != nil {
		return allFail(len(queries), err)
	}
	if s.login == nil {
		return s.askOnce(ctx, queries)
	}
	if _, err := s.login.Token(ctx); err != nil {
		return allFail(len(queries), err)
	}
	used := s.login.Generation()
	answers := s.askOnce(ctx, queries)
	again := notSignedIn(answers)
	if len(again) == 0 {
		return answers
	}
	if err := s.login.Renew(ctx, used); err != nil {
		for _, i := range again {
			answers[i].Err = err
		}
		return answers
	}
	left := make([]connectors.Query, len(again))
	for n, i := range again {
		left[n] = queries[i]
	}
	for n, a := range s.askOnce(ctx, left) {
		answers[again[n]] = a
	}
	return answers
}

// notSignedIn lists the answers that a newer token may change.
func notSignedIn(answers []connectors.Answer) (at []int) {
	for i, a := range answers {
		if a.Err != nil && tokenRefused(a.Err) {
			at = append(at, i)
		}
	}
	return at
}

func tokenRefused(err error) bool {
	class := connectors.AsError(err).Class
	return class == connectors.AuthExpired || class == connectors.AuthRevoked
}

// renewed gets a new token for what did not work with the last one. When the vendor refuses, the login is known to be
// lost from then on.
func (s *source) renewed(ctx context.Context) bool {
	return s.login != nil && s.login.Generation() > 0 && s.login.Renew(ctx, s.login.Generation()) == nil
}

// askOnce makes the call. A panic becomes an error.
func (s *source) askOnce(ctx context.Context, queries []connectors.Query) (answers []connectors.Answer) {
	defer func() {
		if p := recover(); p != nil {
			answers = allFail(len(queries), &connectors.Error{
				Class: connectors.Bug, Code: "panic",
				Message: "The source broke while it was asked.", Fix: "Tell us the reference.", Err: fmt.Errorf("panic: %v", p),
			})
		}
	}()
	if b, ok := s.Source.(connectors.BatchLooker); ok && s.gather != nil {
		answers = b.LookupBatch(ctx, queries)
	} else {
		result, err := s.Lookup(ctx, queries[0])
		answers = []connectors.Answer{{Result: result, Err: err}}
	}
	if len(answers) != len(queries) {
		return allFail(len(queries), fmt.Errorf("%d answers to %d queries", len(answers), len(queries)))
	}
	for _, a := range answers {
		if a.Err != nil {
			s.calls.obey(ctx, connectors.AsError(a.Err))
		}
		for _, partial := range a.Result.Partial {
			s.calls.obey(ctx, partial)
		}
	}
	return answers
}

func allFail(n int, err error) []connectors.Answer {
	answers := make([]connectors.Answer, n)
	for i := range answers {
		answers[i].Err = err
	}
	return answers
}
