package hubspot_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sidecard/connectors"
)

func check(t *testing.T, src connectors.Source) connectors.Report {
	t.Helper()
	report, err := src.Check(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func names(report connectors.Report) []string {
	var all []string
	for _, s := range report.Steps {
		all = append(all, s.Name)
	}
	return all
}

func TestCheckSaysWhoseAccountItIsAndWhatCanBeRead(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	report := check(t, open(t, p))
	want := []string{"Reach HubSpot", "Sign in", "Read contacts", "Read companies", "Read deals", "Read tickets", "Read names of owners"}
	if !report.OK() || !slices.Equal(names(report), want) {
		t.Fatalf("got %+v", report.Steps)
	}
	for _, s := range report.Steps {
		if s.State != connectors.StepOK {
			t.Errorf("%+v", s)
		}
	}
	if s := step(t, report, "Sign in"); !strings.Contains(s.Detail, "4242") || !strings.Contains(s.Detail, "EU1") {
		t.Errorf("%+v", s)
	}
}

func TestCheckWarnsOfWhatIsLostWithoutAScope(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	lost := map[string][2]string{
		"crm.objects.companies.read": {"Read companies", "companies stay empty"},
		"crm.objects.deals.read":     {"Read deals", "deals stay empty"},
		"tickets":                    {"Read tickets", "tickets stay empty"},
		"crm.objects.owners.read":    {"Read names of owners", "by their number"},
	}
	for scope := range lost {
		p.withoutScope(scope)
	}
	report := check(t, open(t, p))
	if !report.OK() {
		t.Errorf("got %+v", report.Steps)
	}
	for scope, want := range lost {
		if s := step(t, report, want[0]); s.State != connectors.StepWarn || !strings.Contains(s.Detail, want[1]) || !strings.Contains(s.Advice, scope) {
			t.Errorf("without %s: %+v", scope, s)
		}
	}
}

func TestCheckWithoutContactsNamesTheScope(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withoutScope("crm.objects.contacts.read")
	report := check(t, open(t, p))
	last := report.Steps[len(report.Steps)-1]
	if report.OK() || last.Name != "Read contacts" || !strings.Contains(last.Advice, "crm.objects.contacts.read") {
		t.Errorf("got %+v", report.Steps)
	}
}

func TestAKeyThatMayNotAskWhoseItIsPassesTheCheck(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.withoutScope("oauth")
	report := check(t, open(t, p))
	if s := step(t, report, "Sign in"); !report.OK() || s.State != connectors.StepOK {
		t.Errorf("got %+v", report.Steps)
	}
	if last := check(t, open(t, p, byLogin(theKey))).Steps; last[len(last)-1].Name != "Sign in" {
		t.Errorf("a login without its own scope: %+v", last)
	}
}

func TestCheckTellsWhereItFails(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for name, c := range map[string]struct {
		edit func(*connectors.OpenInput)
		want []string
		says string
	}{
		"wrong key": {func(in *connectors.OpenInput) { in.Settings = keySettings("pat-na1-another") }, []string{"Reach HubSpot", "Sign in"}, "Service keys"},
		"no login":  {func(in *connectors.OpenInput) { in.Settings, in.Token = nil, nil }, []string{"Sign in"}, "Connect"},
		"revoked login": {func(in *connectors.OpenInput) {
			in.Settings = nil
			in.Token = func(context.Context) (string, error) {
				return "", &connectors.Error{Class: connectors.AuthRevoked, Code: "login.revoked", Message: "The login is gone.", Fix: "Connect again."}
			}
		}, []string{"Sign in"}, "Connect again"},
		"unreachable": {through(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }), []string{"Reach HubSpot"}, "status.hubspot.com"},
		"refused":     {through(func(*http.Request) (*http.Response, error) { return nil, refused{} }), []string{"Reach HubSpot"}, "operator"},
	} {
		report := check(t, open(t, p, c.edit))
		if !slices.Equal(names(report), c.want) || report.OK() {
			t.Errorf("%s: %+v", name, report.Steps)
			continue
		}
		if last := report.Steps[len(report.Steps)-1]; !strings.Contains(last.Detail+last.Advice, c.says) {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestCheckReportsACancelledContextOnly(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, p).Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
