package app_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/internal/app"
)

const (
	connectorsFolder = "../../docs/connectors"
	remakeConnectors = "go test ./internal/app -run TestConnectorDocs -update"
)

// TestConnectorDocs compares a page for each kind of source, and the list of them, with what specs and guides say.
func TestConnectorDocs(t *testing.T) {
	t.Parallel()
	registry, err := app.Kinds(app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{"README.md": connectorList(registry.All())}
	for _, c := range registry.All() {
		page, err := connectorPage(c.Spec())
		if err != nil {
			t.Fatalf("%s: %v", c.Spec().Kind, err)
		}
		pages[c.Spec().Kind+".md"] = page
	}
	if *update {
		writePages(t, pages)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(connectorsFolder, name))
		if err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("docs/connectors/%s is older than its source; run: %s", name, remakeConnectors)
		}
	}
	files, err := filepath.Glob(filepath.Join(connectorsFolder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[filepath.Base(f)]; !ok {
			t.Errorf("%s describes no connector: delete it", f)
		}
	}
}

func writePages(t *testing.T, pages map[string]string) {
	t.Helper()
	if err := os.MkdirAll(connectorsFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(connectorsFolder, name), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func connectorList(all []connectors.Connector) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Connectors\n\n<!-- Generated from connectors/* by: %s -->\n\n", remakeConnectors)
	b.WriteString("Each page says how a tenant connects the source, what every setting means, and how Sidecard asks.\n\n")
	for _, c := range all {
		s := c.Spec()
		fmt.Fprintf(&b, "- [%s](%s.md): %s\n", s.Name, s.Kind, s.Summary)
	}
	return b.String()
}

// property is a setting as its schema describes it.
type property struct {
	name        string
	Type        string                 `json:"type"`
	Title       string                 `json:"title"`
	Description string                 `json:"description"`
	Default     any                    `json:"default"`
	Enum        []any                  `json:"enum"`
	OneOf       []choice               `json:"oneOf"`
	Minimum     *json.Number           `json:"minimum"`
	Maximum     *json.Number           `json:"maximum"`
	Secret      bool                   `json:"x-secret"`
	Order       int                    `json:"x-order"`
	When        map[string][]string    `json:"x-when"`
	Items       *struct{ Type string } `json:"items"`
}

type choice struct {
	Const       any    `json:"const"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func connectorPage(s connectors.Spec) (string, error) {
	var schema struct {
		Required   []string             `json:"required"`
		Properties map[string]*property `json:"properties"`
	}
	if err := json.Unmarshal(s.Settings, &schema); err != nil {
		return "", fmt.Errorf("read the settings: %w", err)
	}
	for name, p := range schema.Properties {
		p.name = name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n<!-- Generated from connectors/%s by: %s -->\n\n%s\n\n", s.Name, s.Kind, remakeConnectors, s.Summary)
	b.WriteString(demoted(s.Guide))
	b.WriteString("\n## Settings\n\n| setting | what it is | takes | default | of use when |\n| --- | --- | --- | --- | --- |\n")
	for _, p := range slices.SortedFunc(maps.Values(schema.Properties), func(a, b *property) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.name, b.name))
	}) {
		fmt.Fprintf(&b, "| `%s` | **%s**<br>%s | %s | %s | %s |\n", p.name, cell(p.Title), cell(p.Description),
			cell(p.takes(slices.Contains(schema.Required, p.name))), cell(p.defaults()), cell(p.when(schema.Properties)))
	}
	b.WriteString("\n## How Sidecard asks\n\n")
	for _, fact := range asking(s) {
		fmt.Fprintf(&b, "- %s\n", fact)
	}
	return b.String(), nil
}

// asking says in sentences what a spec says besides its settings.
func asking(s connectors.Spec) []string {
	var facts []string
	say := func(is bool, format string, args ...any) {
		if is {
			facts = append(facts, fmt.Sprintf(format, args...))
		}
	}
	say(s.Imports, "Nobody is asked: visitors are found in the rows of the file that was uploaded last.")
	for _, l := range s.Limits {
		bucket := ""
		if l.Bucket != "" {
			bucket = " (`" + l.Bucket + "`)"
		}
		say(true, "At most %d calls in %s%s, over all workers, until the vendor says otherwise.", l.Calls, inWords(l.Per), bucket)
	}
	say(len(s.Limits) == 0 && !s.Imports, "No limit on calls is known; a source that asks for a pause gets it.")
	say(s.Batch > 1, "One lookup asks about up to %d visitors who wait at the same time.", s.Batch)
	say(s.Fresh > 0, "An answer is good for %s.", inWords(s.Fresh))
	say(s.Fresh == 0, "Each chat asks anew.")
	if o := s.OAuth; o != nil {
		say(true, "The login asks for the scopes %s.", code(o.Scopes))
		say(len(o.Optional) > 0, "It asks for these too, where the plan has them: %s.", code(o.Optional))
	}
	say(!s.Sunset.IsZero(), "The version of the API that is used ends on %s.", s.Sunset.Format("2 January 2006"))
	say(true, "Settings are of version %d.", s.Version)
	return facts
}

// demoted puts the guide's headings one level down, but not what looks like one in code.
func demoted(guide string) string {
	lines, fenced := strings.Split(strings.TrimSpace(guide), "\n"), false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if !fenced && strings.HasPrefix(line, "#") {
			lines[i] = "#" + line
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func (p *property) takes(required bool) string {
	var parts []string
	for _, c := range p.OneOf {
		one := fmt.Sprintf("`%v`: %s", c.Const, c.Title)
		if c.Description != "" {
			one += ". " + c.Description
		}
		parts = append(parts, one)
	}
	for _, v := range p.Enum {
		parts = append(parts, fmt.Sprintf("`%v`", v))
	}
	if len(parts) == 0 {
		parts = append(parts, map[string]string{
			"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
		}[p.Type])
	}
	if p.Minimum != nil && p.Maximum != nil {
		parts[0] += fmt.Sprintf(" from %s to %s", *p.Minimum, *p.Maximum)
	}
	if p.Secret {
		parts = append(parts, "secret: sealed and never shown")
	}
	if required {
		parts = append(parts, "required")
	}
	return strings.Join(parts, "<br>")
}

func (p *property) defaults() string {
	if p.Default == nil || p.Default == "" {
		return ""
	}
	if list, ok := p.Default.([]any); ok {
		var items []string
		for _, v := range list {
			items = append(items, fmt.Sprint(v))
		}
		return code(items)
	}
	return fmt.Sprintf("`%v`", p.Default)
}

func (p *property) when(all map[string]*property) string {
	var parts []string
	for _, other := range slices.Sorted(maps.Keys(p.When)) {
		title := other
		if o := all[other]; o != nil {
			title = o.Title
		}
		parts = append(parts, title+" is "+code(p.When[other]))
	}
	return strings.Join(parts, "<br>")
}

func code(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

// cell keeps a text inside a table's cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

func inWords(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := d / unit.d
		if n == 0 || d%unit.d != 0 {
			continue
		}
		if n == 1 {
			return "1 " + unit.name
		}
		return fmt.Sprintf("%d %ss", n, unit.name)
	}
	return d.String()
}
