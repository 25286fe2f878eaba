package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"sidecard/connectors"
)

// Settings gives values as the settings of a connection, each in its JSON form.
func Settings(t *testing.T, all map[string]any) connectors.Settings {
	t.Helper()
	s := make(connectors.Settings)
	for name, v := range all {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		s[name] = raw
	}
	return s
}

// With gives a copy of the settings with some replaced.
func With(t *testing.T, s connectors.Settings, replace map[string]any) connectors.Settings {
	t.Helper()
	s = maps.Clone(s)
	maps.Copy(s, Settings(t, replace))
	return s
}

// Within bounds what a test waits for a source: 30 seconds.
func Within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Lookup looks the address up and demands an answer.
func Lookup(t *testing.T, src connectors.Source, email string, fields ...string) connectors.Result {
	t.Helper()
	res, err := src.Lookup(Within(t), connectors.Query{Email: email, Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// MustFail demands a *connectors.Error of this class and code, with a sentence and a way out.
func MustFail(t *testing.T, err error, class connectors.Class, code string) connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) || e.Class != class || e.Code != code {
		t.Fatalf("got %+v (%v), want %s of class %s", e, err, code, class)
	}
	if e.Message == "" || e.Fix == "" {
		t.Errorf("%s lacks a sentence or a way out: %+v", e.Code, *e)
	}
	return *e
}

// Check demands a report, whatever its steps say.
func Check(t *testing.T, src connectors.Source) connectors.Report {
	t.Helper()
	report, err := src.Check(Within(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Step demands the step of this name in the report.
func Step(t *testing.T, r connectors.Report, name string) connectors.Step {
	t.Helper()
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no step %q in %+v", name, r.Steps)
	return connectors.Step{}
}
