package hubspot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/hubspot"
)

// limits records what a source asks of the host's limiter.
type limits struct {
	mu      sync.Mutex
	waits   int
	learnt  []connectors.Limit
	refuses error
}

func (l *limits) Wait(ctx context.Context, bucket string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bucket != "" {
		return fmt.Errorf("no bucket is called %q", bucket)
	}
	l.waits++
	if l.refuses != nil {
		return l.refuses
	}
	return ctx.Err()
}

func (l *limits) Learn(limit connectors.Limit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.learnt = append(l.learnt, limit)
}

// noon is what time it is in these tests.
var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func keySettings(key string) connectors.Settings {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic(err) // not for a text
	}
	return connectors.Settings{"auth": json.RawMessage(`"service_key"`), "service_key": quoted}
}

// open opens a source of the portal by key; edits change what the host gives.
func open(t *testing.T, p *portal, edits ...func(*connectors.OpenInput)) connectors.Source {
	t.Helper()
	in := connectors.OpenInput{
		Settings: keySettings(theKey), HTTP: &http.Client{Transport: p.Client().Transport}, Calls: &limits{}, Now: func() time.Time { return noon },
	}
	for _, edit := range edits {
		edit(&in)
	}
	src, err := hubspot.New(hubspot.Options{API: p.URL, App: p.URL}).Open(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

// byLogin has the source use HubSpot's login with this token.
func byLogin(token string) func(*connectors.OpenInput) {
	return func(in *connectors.OpenInput) {
		in.Settings = connectors.Settings{}
		in.Token = func(context.Context) (string, error) { return token, nil }
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func lookup(t *testing.T, src connectors.Source, email string, fields ...string) connectors.Result {
	t.Helper()
	res, err := src.Lookup(within(t), connectors.Query{Email: email, Fields: fields})
	if err != nil {
		t.Fatalf("lookup: %v", err)
	}
	return res
}

// record demands one record.
func record(t *testing.T, res connectors.Result) connectors.Record {
	t.Helper()
	if res.Match != connectors.Found || len(res.Records) != 1 {
		t.Fatalf("%s with %d records", res.Match, len(res.Records))
	}
	return res.Records[0]
}

func refusal(t *testing.T, src connectors.Source) *connectors.Error {
	t.Helper()
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example", Fields: []string{"email"}})
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("no error of ours: %v", err)
	}
	if e.Code == "" || e.Message == "" || e.Fix == "" {
		t.Errorf("an error without words: %+v", e)
	}
	return e
}

func step(t *testing.T, report connectors.Report, name string) connectors.Step {
	t.Helper()
	for _, s := range report.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no step %q in %+v", name, report.Steps)
	return connectors.Step{}
}

func has(t *testing.T, got, want connectors.Record) {
	t.Helper()
	for id, w := range want {
		if v, ok := got[id]; !ok || v != w {
			t.Errorf("%s is %+v (there: %v), want %+v", id, v, ok, w)
		}
	}
}

func text(s string) connectors.Value   { return connectors.Value{Kind: connectors.Text, Text: s} }
func number(s string) connectors.Value { return connectors.Value{Kind: connectors.Number, Text: s} }

func datetime(s string) connectors.Value { return connectors.Value{Kind: connectors.DateTime, Text: s} }
