package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sidecard/connectors"
)

// Connection is one tenant's configured connector.
type Connection struct {
	ID          ID
	Kind        string
	Name        string
	SpecVersion int
	Settings    json.RawMessage // an object, without secrets
	Secrets     []byte          // sealed object of the secret settings; nil when there are none
	SecretNames []string        // which secret settings have a value
	Check       *CheckResult    // the last one
	Import      *ImportResult   // the last successful one
	Revision    int64           // grows with each change of settings or rows
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// CheckResult is a kept connectors.Report.
type CheckResult struct {
	At     time.Time
	Report connectors.Report
}

// ImportResult is a kept connectors.ImportReport.
type ImportResult struct {
	At       time.Time
	Filename string
	Report   connectors.ImportReport
}

// Row is one imported row.
type Row struct {
	Line  int
	Index []byte // keyed hash of the folded address
	Data  []byte // sealed JSON array of the values, in the order of the import's columns
}

// Setup is what a worker needs to serve a tenant.
type Setup struct {
	Revision    int64
	Tenant      Tenant
	Desk        Desk
	Card        Card // version 0 = none
	Connections []Connection
}

// ConnectionView is a connection for people.
type ConnectionView struct {
	Connection Connection
	Status     string // new, working, warning, failing
	OnCard     bool   // the published card uses it
	Login      *LoginView
}

// OneLookup is what one source knows about an address.
type OneLookup struct {
	Match   string // none, found, ambiguous, failed
	Matches int
	MS      float64
	Fields  []FieldValue // in the order of their ids; only when found
	Problem *SourceProblem
}

// FieldValue is one field of a record, as the source gave it.
type FieldValue struct {
	ID    string
	Kind  connectors.Kind
	Value string
}

// SourceProblem says why a source did not answer and what to do.
type SourceProblem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// Kinds lists the kinds of source there are.
func (h *Hub) Kinds() []connectors.Spec {
	all := h.Connectors.All()
	specs := make([]connectors.Spec, len(all))
	for i, c := range all {
		specs[i] = c.Spec()
	}
	return specs
}

// ListConnections lists a tenant's connections, oldest first.
func (h *Hub) ListConnections(ctx context.Context, a Actor) ([]ConnectionView, error) {
	t := h.Store.Tenant(a.TenantID)
	all, err := t.Connections(ctx)
	if err != nil {
		return nil, err
	}
	card, err := t.Card(ctx)
	if err != nil {
		return nil, err
	}
	logins, err := t.Logins(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]ConnectionView, len(all))
	for i, c := range all {
		if views[i], err = h.viewConnection(ctx, a.TenantID, c, card, logins); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// GetConnection gives one connection.
func (h *Hub) GetConnection(ctx context.Context, a Actor, id ID) (ConnectionView, error) {
	t := h.Store.Tenant(a.TenantID)
	c, err := t.Connection(ctx, id)
	if err != nil {
		return ConnectionView{}, err
	}
	card, err := t.Card(ctx)
	if err != nil {
		return ConnectionView{}, err
	}
	logins, err := t.Logins(ctx)
	if err != nil {
		return ConnectionView{}, err
	}
	return h.viewConnection(ctx, a.TenantID, c, card, logins)
}

// viewConnection shows a connection's settings in the meaning of today's version.
func (h *Hub) viewConnection(ctx context.Context, tenant ID, c Connection, card Card, logins []Login) (ConnectionView, error) {
	v := ConnectionView{Connection: c, Status: c.status(), OnCard: card.uses(c.ID), Login: h.viewLogin(c, logins)}
	switch {
	case v.Login == nil:
	case v.Login.State == "none":
		v.Status = "new"
	case v.Login.State == "needs_reconnect":
		v.Status = "failing"
	}
	connector, ok := h.Connectors.Find(c.Kind)
	if !ok || c.SpecVersion >= connector.Spec().Version {
		return v, nil
	}
	all, err := h.settings(ctx, tenant, connector, c)
	if err != nil {
		return v, err
	}
	schema, err := readSchema(connector.Spec())
	if err != nil {
		return v, err
	}
	open, secret := schema.split(all)
	v.Connection.SecretNames = names(secret)
	v.Connection.Settings, err = json.Marshal(open)
	return v, err
}

func (c Connection) status() string {
	switch {
	case c.Check == nil && c.Import != nil:
		return "working"
	case c.Check == nil:
		return "new"
	case !c.Check.Report.OK():
		return "failing"
	case slices.ContainsFunc(c.Check.Report.Steps, func(s connectors.Step) bool { return s.State == connectors.StepWarn }):
		return "warning"
	default:
		return "working"
	}
}

// CreateConnection stores a new connection with its secrets sealed. Nothing is called yet.
func (h *Hub) CreateConnection(ctx context.Context, a Actor, kind, name string, s connectors.Settings) (ConnectionView, error) {
	connector, ok := h.Connectors.Find(kind)
	if !ok {
		return ConnectionView{}, invalid("/kind", "There is no such kind of source.")
	}
	name = strings.TrimSpace(name)
	if name == "" {
		return ConnectionView{}, invalid("/name", "Give the connection a name that your team recognises.")
	}
	c := Connection{ID: NewID(), Kind: kind, Name: name, CreatedAt: h.Now(), UpdatedAt: h.Now()}
	if err := h.storeSettings(ctx, a.TenantID, &c, connector, s); err != nil {
		return ConnectionView{}, err
	}
	audited, entry := h.auditing(ctx, a, "connection.created")
	entry.about(c.ID, c.Name)
	entry.After = notedConnection(c)
	if err := h.Store.Tenant(a.TenantID).CreateConnection(audited, c); err != nil {
		return ConnectionView{}, err
	}
	return h.viewConnection(ctx, a.TenantID, c, Card{}, nil)
}

// UpdateConnection renames a connection or replaces its settings; secrets that are left out stay.
func (h *Hub) UpdateConnection(ctx context.Context, a Actor, id ID, name *string, s connectors.Settings) (ConnectionView, error) {
	if err := h.keys.Hold(ctx, a.TenantID); err != nil {
		return ConnectionView{}, err
	}
	audited, entry := h.auditing(ctx, a, "connection.updated")
	_, err := h.Store.Tenant(a.TenantID).UpdateConnection(audited, id, func(c *Connection) error {
		was := *c
		defer func() { entry.changedConnection(was, *c, s) }()
		if name != nil {
			if c.Name = strings.TrimSpace(*name); c.Name == "" {
				return invalid("/name", "Give the connection a name that your team recognises.")
			}
		}
		if s == nil {
			return nil
		}
		connector, ok := h.Connectors.Find(c.Kind)
		if !ok {
			return fmt.Errorf("connection %s has unknown kind %q", c.ID, c.Kind)
		}
		before, err := h.settings(ctx, a.TenantID, connector, *c)
		if err != nil {
			return err
		}
		schema, err := readSchema(connector.Spec())
		if err != nil {
			return err
		}
		open, merged := schema.split(before)
		if err := schema.askAgain(open, merged, s); err != nil {
			return err
		}
		maps.Copy(merged, s)
		c.Check, c.UpdatedAt = nil, h.Now()
		return h.storeSettings(ctx, a.TenantID, c, connector, merged)
	})
	if err != nil {
		return ConnectionView{}, err
	}
	return h.GetConnection(ctx, a, id)
}

// storeSettings checks settings and puts them into c, the secret ones sealed. Secrets that the other settings
// make useless are forgotten.
func (h *Hub) storeSettings(ctx context.Context, tenant ID, c *Connection, connector connectors.Connector, all connectors.Settings) error {
	if all == nil {
		all = connectors.Settings{}
	}
	spec := connector.Spec()
	schema, err := readSchema(spec)
	if err != nil {
		return err
	}
	schema.forgetUseless(all)
	if err := checkSettings(spec, all); err != nil {
		return err
	}
	if err := h.tryOpen(ctx, connector, all); err != nil {
		return err
	}
	open, secret := schema.split(all)
	if c.Settings, err = json.Marshal(open); err != nil {
		return err
	}
	c.SpecVersion, c.SecretNames, c.Secrets = spec.Version, names(secret), nil
	if len(secret) == 0 {
		return nil
	}
	plain, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	c.Secrets, err = h.seal(ctx, connectionRef(tenant, c.ID), plain)
	return err
}

// tryOpen lets the connector judge settings that fit its schema. It needs no network.
func (h *Hub) tryOpen(ctx context.Context, connector connectors.Connector, all connectors.Settings) error {
	spec := connector.Spec()
	if spec.Imports { // it has no rows yet
		return nil
	}
	in := h.openInput(spec, all)
	in.Calls = newCalls(h.Meter, ID{}, spec, h.Now)
	source, err := connector.Open(ctx, in)
	if e := (*connectors.Error)(nil); errors.As(err, &e) {
		return invalid(strings.TrimSuffix("/settings/"+e.Field, "/"), strings.TrimSpace(e.Message+" "+e.Fix))
	}
	if err != nil {
		return err
	}
	return source.Close()
}

func (h *Hub) secretSettings(ctx context.Context, tenant ID, c Connection) (connectors.Settings, error) {
	s := connectors.Settings{}
	plain, err := h.open(ctx, connectionRef(tenant, c.ID), c.Secrets)
	if err != nil || plain == nil {
		return s, err
	}
	return s, json.Unmarshal(plain, &s)
}

// DeleteConnection removes a connection and its rows, unless the published card uses it.
func (h *Hub) DeleteConnection(ctx context.Context, a Actor, id ID) error {
	v, err := h.GetConnection(ctx, a, id)
	if err != nil {
		return err
	}
	if v.OnCard {
		return fail(CodeConflict, "The published card shows fields of this connection. Publish a card without them first.")
	}
	t := h.Store.Tenant(a.TenantID)
	login, err := t.Login(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	audited, entry := h.auditing(ctx, a, "connection.deleted")
	entry.about(id, v.Connection.Name)
	entry.Before = notedConnection(v.Connection)
	if err := t.DeleteConnection(audited, id); err != nil {
		return err
	}
	if login.Tokens != nil {
		h.revokeLogin(ctx, a.TenantID, v.Connection, login)
	}
	return nil
}

// CheckConnection tries a connection step by step and keeps the result.
func (h *Hub) CheckConnection(ctx context.Context, a Actor, id ID) (CheckResult, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Limits.CheckTimeout)
	defer cancel()
	var result CheckResult
	err := h.withSource(ctx, a, id, func(s *source) error {
		report, err := s.Check(ctx)
		if err == nil && !report.OK() && s.renewed(ctx) {
			report, err = s.Check(ctx)
		}
		result = CheckResult{At: h.Now(), Report: report}
		return err
	})
	if err != nil {
		return CheckResult{}, err
	}
	_, err = h.Store.Tenant(a.TenantID).UpdateConnection(context.WithoutCancel(ctx), id, func(c *Connection) error {
		c.Check = &result
		return nil
	})
	return result, err
}

// Fields lists what a card can show from a connection.
func (h *Hub) Fields(ctx context.Context, a Actor, id ID) ([]connectors.Field, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Limits.CheckTimeout)
	defer cancel()
	var fields []connectors.Field
	err := h.withSource(ctx, a, id, func(s *source) error {
		d, ok := s.Source.(connectors.Discoverer)
		if !ok {
			return nil
		}
		catalog, err := d.Discover(ctx)
		if err != nil && tokenRefused(err) && s.renewed(ctx) {
			catalog, err = d.Discover(ctx)
		}
		fields = catalog.Fields
		return err
	})
	return fields, err
}

// LookUpOne asks one connection about one address, with all its fields.
func (h *Hub) LookUpOne(ctx context.Context, a Actor, id ID, email string) (OneLookup, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Limits.CheckTimeout)
	defer cancel()
	var one OneLookup
	err := h.withSource(ctx, a, id, func(s *source) error {
		began := h.Now()
		answer := s.lookUp(ctx, connectors.Query{Email: strings.TrimSpace(email)})
		one.MS = milliseconds(h.Now().Sub(began))
		if answer.Err != nil {
			one.Match, one.Problem = matchFailed, problemOf(answer.Err)
			return nil
		}
		r := answer.Result
		one.Match, one.Matches = r.Match.String(), len(r.Records)
		if r.Match == connectors.Found {
			for _, field := range slices.Sorted(maps.Keys(r.Records[0])) {
				v := r.Records[0][field]
				one.Fields = append(one.Fields, FieldValue{ID: field, Kind: v.Kind, Value: v.Text})
			}
		}
		return nil
	})
	return one, err
}

// withSource opens a connection's source for one use. Errors of the source become sentences for people.
func (h *Hub) withSource(ctx context.Context, a Actor, id ID, use func(*source) error) error {
	setup, err := h.Store.Tenant(a.TenantID).Setup(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(setup.Connections, func(c Connection) bool { return c.ID == id })
	if i < 0 {
		return ErrNotFound
	}
	source, err := h.openSource(ctx, setup.Tenant, setup.Connections[i])
	if err == nil {
		defer func() { _ = source.Close() }()
		err = use(source)
	}
	return sourceRefusal(err)
}

// sourceRefusal turns a connector's error into one that people can act on.
func sourceRefusal(err error) error {
	if e := (*connectors.Error)(nil); errors.As(err, &e) {
		refusal := &Error{Code: CodeNotReady, Message: strings.TrimSpace(e.Message + " " + e.Fix), Err: e}
		if e.Field != "" {
			refusal.Fields = []FieldError{{Pointer: "/settings/" + e.Field, Detail: refusal.Message}}
		}
		return refusal
	}
	return err
}

func problemOf(err error) *SourceProblem {
	e := connectors.AsError(err)
	return &SourceProblem{Code: e.Code, Message: e.Message, Fix: e.Fix}
}
