package connectors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"sidecard/connectors"
)

type refusal struct{ forbidden bool }

func (refusal) Error() string     { return "refused" }
func (r refusal) Forbidden() bool { return r.forbidden }

func TestAsErrorGivesEveryErrorAClass(t *testing.T) {
	t.Parallel()
	own := &connectors.Error{Class: connectors.RateLimited, Code: "x.slow", Message: "Slow."}
	for _, c := range []struct {
		name string
		err  error
		want connectors.Class
	}{
		{"own", own, connectors.RateLimited},
		{"own, wrapped", fmt.Errorf("lookup: %w", own), connectors.RateLimited},
		{"deadline", fmt.Errorf("read: %w", context.DeadlineExceeded), connectors.Transient},
		{"cancelled", fmt.Errorf("read: %w", context.Canceled), connectors.Canceled},
		{"refused address", fmt.Errorf("dial: %w", refusal{true}), connectors.Forbidden},
		{"an error that could forbid but does not", refusal{false}, connectors.Bug},
		{"anything else", errors.New("boom"), connectors.Bug},
	} {
		got := connectors.AsError(c.err)
		if got.Class != c.want {
			t.Errorf("%s: class %q, want %q", c.name, got.Class, c.want)
		}
		if got.Code == "" || got.Message == "" {
			t.Errorf("%s: %+v lacks a code or a sentence", c.name, got)
		}
		if !errors.Is(got, c.err) && !errors.Is(c.err, got) {
			t.Errorf("%s: the cause is lost", c.name)
		}
	}
	if connectors.AsError(nil) != nil {
		t.Error("no error became one")
	}
}

func TestRefusedAddressesAllReadAlike(t *testing.T) {
	t.Parallel()
	a := connectors.AsError(fmt.Errorf("dial tcp 10.0.0.1:5432: %w", refusal{true}))
	b := connectors.AsError(fmt.Errorf("resolve intranet: %w", refusal{true}))
	if a.Message != b.Message || a.Fix != b.Fix || a.Code != b.Code {
		t.Errorf("two refused addresses can be told apart: %+v and %+v", a, b)
	}
}

func TestOnlyErrorsThatPassAreRetryable(t *testing.T) {
	t.Parallel()
	retryable := map[connectors.Class]bool{
		connectors.AuthExpired: true, connectors.RateLimited: true, connectors.Transient: true,
		connectors.AuthRevoked: false, connectors.Misconfigured: false, connectors.Forbidden: false,
		connectors.Canceled: false, connectors.Bug: false,
	}
	for class, want := range retryable {
		if got := (&connectors.Error{Class: class}).Retryable(); got != want {
			t.Errorf("%s: retryable %v, want %v", class, got, want)
		}
	}
}

func TestReportIsOKUnlessAStepFailed(t *testing.T) {
	t.Parallel()
	step := func(s connectors.StepState) connectors.Step { return connectors.Step{Name: "a", State: s} }
	for _, c := range []struct {
		steps []connectors.Step
		want  bool
	}{
		{nil, false}, // nothing was tried
		{[]connectors.Step{step(connectors.StepOK), step(connectors.StepWarn)}, true},
		{[]connectors.Step{step(connectors.StepOK), step(connectors.StepFail)}, false},
	} {
		if got := (connectors.Report{Steps: c.steps}).OK(); got != c.want {
			t.Errorf("%v: OK %v, want %v", c.steps, got, c.want)
		}
	}
}

func TestSettingsFallBackWhenAbsentOrOfAnotherType(t *testing.T) {
	t.Parallel()
	var s connectors.Settings
	if err := json.Unmarshal([]byte(`{"host":"db","port":5433,"exact":true,"columns":["a","b"],"odd":{}}`), &s); err != nil {
		t.Fatal(err)
	}
	if s.String("host", "") != "db" || s.Int("port", 0) != 5433 || !s.Bool("exact", false) || len(s.Strings("columns")) != 2 {
		t.Errorf("settings were not read: %s", s)
	}
	for _, name := range []string{"odd", "absent"} {
		if s.String(name, "x") != "x" || s.Int(name, 7) != 7 || !s.Bool(name, true) || s.Strings(name) != nil {
			t.Errorf("%s: no fallback", name)
		}
	}
}

func TestMatchesHaveTheWordsOfTheAPI(t *testing.T) {
	t.Parallel()
	for match, want := range map[connectors.Match]string{
		connectors.None: "none", connectors.Found: "found", connectors.Ambiguous: "ambiguous", 3: "unknown", -1: "unknown",
	} {
		if match.String() != want {
			t.Errorf("%d: %q, want %q", int(match), match, want)
		}
	}
}

func TestEmptyValues(t *testing.T) {
	t.Parallel()
	for _, v := range []connectors.Value{{}, {Kind: connectors.Null}, {Kind: connectors.Text}} {
		if !v.Empty() {
			t.Errorf("%+v is not empty", v)
		}
	}
	if (connectors.Value{Kind: connectors.Bool, Text: "false"}).Empty() {
		t.Error("false is empty")
	}
}

type kind string

func (k kind) Spec() connectors.Spec { return connectors.Spec{Kind: string(k)} }

func (kind) Open(context.Context, connectors.OpenInput) (connectors.Source, error) {
	return nil, errors.New("not opened in these tests")
}

func TestRegistryRefusesWhatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	if _, err := connectors.NewRegistry(kind("a"), kind("a")); err == nil {
		t.Error("two connectors of one kind were taken")
	}
	if _, err := connectors.NewRegistry(kind("")); err == nil {
		t.Error("a kind without a name was taken")
	}
}

func TestRegistryKeepsItsOrder(t *testing.T) {
	t.Parallel()
	r, err := connectors.NewRegistry(kind("b"), kind("a"))
	if err != nil {
		t.Fatal(err)
	}
	all := r.All()
	if len(all) != 2 || all[0] != kind("b") || all[1] != kind("a") {
		t.Errorf("order is %v", all)
	}
	all[0] = kind("c")
	if c, ok := r.Find("b"); !ok || c != kind("b") || r.All()[0] != kind("b") {
		t.Error("a caller changed the registry")
	}
	if _, ok := r.Find("c"); ok {
		t.Error("an unknown kind was found")
	}
}
