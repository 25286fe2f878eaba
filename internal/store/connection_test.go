package store_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func newConnection(name string) hub.Connection {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return hub.Connection{
		ID: hub.NewID(), Kind: "csv", Name: name, SpecVersion: 1,
		Settings: json.RawMessage(`{"z":1,"a":[true]}`), Secrets: []byte("sealed"), SecretNames: []string{"password"},
		CreatedAt: now, UpdatedAt: now,
	}
}

func TestConnectionComesBackAsItWasStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		full := newConnection("full")
		full.Check = &hub.CheckResult{At: full.CreatedAt, Report: connectors.Report{Steps: []connectors.Step{
			{Name: "Find the table", State: connectors.StepOK, Suggest: []connectors.Suggestion{{Setting: "table", Value: "customers", Label: "Use it"}}},
			{Name: "Sign in", State: connectors.StepFail, Detail: "no", Advice: "try", Script: "grant"},
		}}}
		full.Import = &hub.ImportResult{At: full.CreatedAt, Filename: "a.csv", Report: connectors.ImportReport{
			Columns: []string{"e", "n"}, EmailColumn: "e", Encoding: "UTF-8", Delimiter: ";", Rows: 3, Repeated: 1, Rejected: 1,
			Rejects: []connectors.Reject{{Line: 4, Code: "no_email", Reason: "empty"}},
		}}
		plain := hub.Connection{
			ID: hub.NewID(), Kind: "postgres", Name: "plain", SpecVersion: 2, Settings: json.RawMessage(`{}`),
			SecretNames: []string{}, CreatedAt: full.CreatedAt.Add(time.Second), UpdatedAt: full.CreatedAt.Add(time.Second),
		}
		for _, c := range []hub.Connection{full, plain} {
			if err := a.CreateConnection(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		full.Revision, plain.Revision = 1, 1
		list, err := a.Connections(t.Context())
		if err != nil || !reflect.DeepEqual(list, []hub.Connection{full, plain}) {
			t.Errorf("Connections = %+v (%v)\nwant %+v", list, err, []hub.Connection{full, plain})
		}
		if one, err := a.Connection(t.Context(), full.ID); err != nil || !reflect.DeepEqual(one, full) {
			t.Errorf("Connection = %+v (%v)", one, err)
		}
	})
}

func TestRevisionGrowsWithEachChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		c := newConnection("c")
		ctx := t.Context()
		update := func(change func(*hub.Connection)) func() error {
			return func() error {
				_, err := a.UpdateConnection(ctx, c.ID, func(c *hub.Connection) error { change(c); return nil })
				return err
			}
		}
		for _, step := range []struct {
			what       string
			do         func() error
			connection int64 // its revision afterwards
		}{
			{"create a connection", func() error { return a.CreateConnection(ctx, c) }, 1},
			{"rename it", update(func(c *hub.Connection) { c.Name = "d" }), 1},
			{"keep a check", update(func(c *hub.Connection) { c.Check = &hub.CheckResult{} }), 1},
			{"change settings", update(func(c *hub.Connection) { c.Settings = json.RawMessage(`{"a":2}`) }), 2},
			{"change secrets", update(func(c *hub.Connection) { c.Secrets = []byte("other") }), 3},
			{"replace rows", func() error {
				_, err := a.ReplaceRows(ctx, c.ID, func(hub.RowWriter) error { return nil }, func(*hub.Connection) {})
				return err
			}, 4},
			{"try to forge it", update(func(c *hub.Connection) { c.Revision, c.ID, c.Kind = 99, hub.NewID(), "other" }), 4},
			{"update the desk", func() error {
				_, err := a.UpdateDesk(ctx, func(d *hub.Desk) error { d.Email = "x"; return nil })
				return err
			}, 4},
			{"publish a card", func() error {
				_, err := a.PublishCard(ctx, hub.Card{PublishedBy: a.user.ID}, -1)
				return err
			}, 4},
			{"delete it", func() error { return a.DeleteConnection(ctx, c.ID) }, 0},
		} {
			before, err := a.Setup(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			after, err := a.Setup(ctx)
			if err != nil || after.Revision != before.Revision+1 {
				t.Errorf("%s: the tenant's revision went from %d to %d (%v)", step.what, before.Revision, after.Revision, err)
			}
			if step.connection > 0 && (len(after.Connections) != 1 || after.Connections[0].Revision != step.connection || after.Connections[0].Kind != "csv") {
				t.Errorf("%s: connections %+v, want revision %d", step.what, after.Connections, step.connection)
			}
		}
	})
}

func TestFailedChangeChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		c := fill(t, a)
		before := queueTest{t, db}.snapshot(a)
		refusal := errors.New("refused")
		if _, err := a.UpdateConnection(t.Context(), c.ID, func(c *hub.Connection) error { c.Name = "changed"; return refusal }); !errors.Is(err, refusal) {
			t.Errorf("UpdateConnection = %v, want the refusal", err)
		}
		if _, err := a.UpdateDesk(t.Context(), func(d *hub.Desk) error { d.Email = "changed"; return refusal }); !errors.Is(err, refusal) {
			t.Errorf("UpdateDesk = %v, want the refusal", err)
		}
		if _, err := a.UpdateDesk(t.Context(), func(*hub.Desk) error { return nil }); err != nil {
			t.Errorf("UpdateDesk without a change: %v", err)
		}
		if after := (queueTest{t, db}).snapshot(a); after != before {
			t.Errorf("changed from\n%s\nto\n%s", before, after)
		}
	})
}

func TestDeletedConnectionLeavesNoRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		c := fill(t, a)
		if err := a.DeleteConnection(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if err := a.DeleteConnection(t.Context(), c.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("deleting again = %v, want ErrNotFound", err)
		}
		if n := (queueTest{t, db}).count("select (select count(*) from imports) + (select count(*) from imported_rows)"); n != 0 {
			t.Errorf("%d imports and rows are left", n)
		}
	})
}
