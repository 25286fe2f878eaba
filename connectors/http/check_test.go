package http_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"sidecard/connectors"
)

func TestCheckNamesEachStep(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.add("ana@toy.example", ana)
	report := check(t, open(t, a.settings(nil)))
	var names []string
	for _, s := range report.Steps {
		names = append(names, s.Name+" "+string(s.State))
	}
	// The emulator speaks plain HTTP, which a tenant is warned about.
	want := "Find the server warn, Sign in ok, Ask for somebody unknown ok, Ask for the sample address ok, Read the record ok, Fields found ok"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("steps are %s", got)
	}
	if s := step(t, report, "Fields found"); s.Detail != "11 fields can be shown." {
		t.Errorf("%+v", s)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	type set = map[string]any
	a := newAPI(t)
	a.add("ana@toy.example", ana)
	a.add("twins@toy.example", `{"email": "twins@toy.example"}`)
	a.add("twins@toy.example", `{"email": "twins@toy.example"}`)
	everybody := a.URL + "/everybody?mail={{email}}"
	for _, c := range []struct {
		name     string
		settings set
		step     string
		state    connectors.StepState
		says     string
	}{
		{"everybody is known", set{"url": everybody, "email_field": nil}, "Ask for somebody unknown", connectors.StepFail, "stranger"},
		{"the question is ignored, but the field compared", set{"url": everybody}, "Ask for somebody unknown", connectors.StepWarn, "address field"},
		{"no such path", set{"url": a.URL + "/kunden?email={{email}}"}, "Ask for somebody unknown", connectors.StepWarn, "path"},
		{"no such path, with a sample", set{"url": a.URL + "/kunden?email={{email}}"}, "Ask for the sample address", connectors.StepFail, "status 404"},
		{"unknown by status", set{"url": a.URL + "/customer/{{email}}", "record_path": nil}, "Ask for somebody unknown", connectors.StepOK, "status 404"},
		{"no sample", set{"sample_email": nil}, "Ask for the sample address", connectors.StepWarn, "sample address"},
		{"the sample is unknown", set{"sample_email": "gone@toy.example"}, "Read the record", connectors.StepFail, "sample address"},
		{"no such address field", set{"email_field": "mail"}, "Read the record", connectors.StepFail, "“mail”"},
		{"several", set{"sample_email": "twins@toy.example"}, "Read the record", connectors.StepWarn, "2 records"},
		{"the first of several", set{"sample_email": "twins@toy.example", "take_first": true}, "Read the record", connectors.StepOK, "data.items"},
		{"no address field", set{"email_field": nil}, "Read the record", connectors.StepWarn, "“email”"},
		{"wrong path", set{"record_path": "data.items[0].person"}, "Read the record", connectors.StepFail, "data.items[0].person"},
		{"a path to a value", set{"record_path": "data.items[0].name", "email_field": nil}, "Read the record", connectors.StepFail, "object"},
	} {
		s := step(t, check(t, open(t, a.settings(c.settings))), c.step)
		if s.State != c.state || !strings.Contains(s.Detail+s.Advice, c.says) || (s.State == connectors.StepOK) != (s.Advice == "") {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
	a.answer(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "nobody") {
			tell(w, http.StatusOK, nil)
			return
		}
		tell(w, http.StatusOK, json.RawMessage(`{"": 1}`))
	})
	report := check(t, open(t, a.settings(set{"record_path": nil, "email_field": nil})))
	if s := step(t, report, "Fields found"); s.State != connectors.StepFail {
		t.Errorf("a record without fields: %+v", s)
	}
}
