package http_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sidecard/connectors"
	source "sidecard/connectors/http"
)

var (
	codeBlock = regexp.MustCompile("(?s)```json\n(.*?)```")
	tableRow  = regexp.MustCompile("(?m)^\\| ([^|]+?) \\| `(.+)` \\|$")
)

// TestTheGuidesExamplesWork reads the guide as a tenant would: its tables are settings, its JSON the API's answers.
func TestTheGuidesExamplesWork(t *testing.T) {
	t.Parallel()
	spec := source.New().Spec()
	var schema struct {
		Properties map[string]struct {
			Title string
			OneOf []struct{ Const, Title string }
		}
	}
	if err := json.Unmarshal(spec.Settings, &schema); err != nil {
		t.Fatal(err)
	}
	named, chosen := make(map[string]string), make(map[string]string)
	for name, p := range schema.Properties {
		named[p.Title] = name
		for _, choice := range p.OneOf {
			chosen[name+choice.Title] = choice.Const
		}
	}
	_, examples, _ := strings.Cut(spec.Guide, "## Three examples")
	parts := strings.Split(examples, "### ")[1:]
	if len(parts) != 3 {
		t.Fatalf("the guide has %d examples", len(parts))
	}
	for _, part := range parts {
		title, _, _ := strings.Cut(part, "\n")
		a := newAPI(t)
		a.say(http.StatusOK, "application/json", codeBlock.FindStringSubmatch(part)[1])
		settings := map[string]any{"auth": nil, "key_name": nil, "secret": "entered by the tenant", "record_path": nil, "email_field": nil}
		for _, row := range tableRow.FindAllStringSubmatch(part, -1) {
			name, ok := named[row[1]]
			if !ok {
				t.Errorf("%s: there is no setting %q", title, row[1])
			}
			if choice, ok := chosen[name+row[2]]; ok {
				row[2] = choice
			}
			settings[name] = strings.Replace(row[2], "https://api.example.com", a.URL, 1)
		}
		src := open(t, a.settings(settings))
		res := lookup(t, src, "ana@example.com")
		if res.Match != connectors.Found || len(res.Records[0]) < 2 {
			t.Errorf("%s: %+v", title, res)
		}
		if res := lookup(t, src, "eve@example.com"); res.Match != connectors.None {
			t.Errorf("%s: a stranger is shown: %+v", title, res)
		}
	}
}
