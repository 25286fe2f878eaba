package hubspot_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/hubspot"
	"sidecard/connectors/hubspot/hubspottest"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// TestWhatIsSaidStaysTheSame compares what the connector sends to HubSpot, and the answers that it makes of what comes
// back, with testdata/transcripts. Labels are loaded side by side, so the order of requests does not count.
func TestWhatIsSaidStaysTheSame(t *testing.T) {
	t.Parallel()
	all := []string{
		"firstname", "lifecyclestage", "hubspot_owner_id", "total_revenue", "company.name", "deal.dealname", "deal.dealstage",
		"deals.open_count", "deals.open_amount", "ticket.subject", "ticket.hs_pipeline_stage", "tickets.open_count", "record_url",
	}
	for name, queries := range map[string][]connectors.Query{
		"contact":  {{Email: "maya@example.com", Fields: []string{"firstname", "email"}}},
		"company":  {{Email: "maya@example.com", Fields: []string{"company.name", "company.domain"}}},
		"all":      {{Email: "maya@example.com", Fields: all}},
		"stranger": {{Email: "nobody@example.com", Fields: all}},
		"hostile":  {{Email: "\"}] OR 1=1 --%2F\r\nx@example.com", Fields: []string{"firstname"}}},
		"batch": {
			{Email: "MAYA@example.com", Fields: []string{"firstname"}},
			{Email: "jo@example.com", Fields: []string{"deals.open_count"}},
			{Email: "nobody@example.com", Fields: []string{"firstname"}},
			{Email: "maya@example.com", Fields: []string{"company.name"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := transcript(t, queries)
			path := filepath.Join("testdata", "transcripts", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("%v; run with -update and read the difference:\n%s", err, got)
			}
		})
	}
}

// transcript asks the emulator and writes down what was said.
func transcript(t *testing.T, queries []connectors.Query) string {
	t.Helper()
	emulator := hubspottest.New(hubspottest.Options{Now: func() time.Time { return noon }})
	emulator.Seed("maya@example.com", "jo@example.com")
	server := emulator.Start()
	t.Cleanup(server.Close)
	src, err := hubspot.New(hubspot.Options{API: server.URL}).Open(t.Context(), connectors.OpenInput{
		Settings: keySettings(emulator.ServiceKey()), HTTP: &http.Client{}, Calls: &limits{}, Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	answers := src.(connectors.BatchLooker).LookupBatch(within(t), queries)
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range emulator.Requests() {
		var body bytes.Buffer
		if r.Body != "" {
			if err := json.Indent(&body, []byte(r.Body), "", "  "); err != nil {
				t.Errorf("%s: the body is no JSON: %v", r.Route, err)
			}
		}
		method, _, _ := strings.Cut(r.Route, " ")
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s %s %s\n%s", method, r.Path, r.Query, body.String()))+"\n")
	}
	slices.Sort(said)
	for i, a := range answers {
		text, err := json.MarshalIndent(a.Result, "", "  ")
		if err != nil || a.Err != nil {
			t.Errorf("query %d: %v, %v", i, a.Err, err)
		}
		said = append(said, fmt.Sprintf("answer %d: %s %s\n", i+1, a.Result.Match, text))
	}
	return strings.Join(said, "\n")
}
