package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sidecard/connectors"
)

var (
	kindForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	secretName = regexp.MustCompile(`(?i)pass(word|phrase|wd)?$|secret|token|api_?key|private_?key|credential|dsn|connection_?string`)
	hints      = []string{
		"x-secret", "x-order", "x-group", "x-advanced", "x-placeholder", "x-widget", "x-help", "x-fix", "x-when", "x-binds-secrets",
	}
	widgets = []string{"password", "textarea", "lines"}
)

// schema is what the suite reads of Spec.Settings.
type schema struct {
	Schema               string                                `json:"$schema"`
	Type                 string                                `json:"type"`
	AdditionalProperties *bool                                 `json:"additionalProperties"`
	Required             []string                              `json:"required"`
	Properties           map[string]map[string]json.RawMessage `json:"properties"`
}

func (h Harness) schema() (schema, error) {
	var s schema
	if err := json.Unmarshal(h.Connector.Spec().Settings, &s); err != nil {
		return s, fmt.Errorf("settings are no JSON object: %w", err)
	}
	return s, nil
}

// text reads a text of a property, "" when there is none.
func text(property map[string]json.RawMessage, name string) string {
	var v string
	if json.Unmarshal(property[name], &v) != nil {
		return ""
	}
	return v
}

func (s schema) secrets() []string {
	var names []string
	for name, property := range s.Properties {
		if string(property["x-secret"]) == "true" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func specIsStrict(_ context.Context, h Harness) error {
	spec := h.Connector.Spec()
	s, err := h.schema()
	if err != nil {
		return err
	}
	var broken []error
	say := func(bad bool, format string, args ...any) {
		if bad {
			broken = append(broken, fmt.Errorf(format, args...))
		}
	}
	say(!kindForm.MatchString(spec.Kind), "kind %q is not lower-case letters, digits and _", spec.Kind)
	say(spec.Name == "" || spec.Summary == "" || spec.Guide == "", "name, summary or guide is empty")
	_, upgrades := h.Connector.(connectors.Upgrader)
	say(spec.Version > 1 && !upgrades, "version %d without an Upgrader: nobody can bring older settings up to it", spec.Version)
	say(spec.Version < 1, "version %d: the first is 1", spec.Version)
	_, imports := h.Connector.(connectors.Importer)
	say(imports != spec.Imports, "Imports is %v, but implementing Importer is %v", spec.Imports, imports)
	if o := spec.OAuth; o != nil {
		say(o.AuthorizeURL == "" || o.TokenURL == "" || len(o.Scopes) == 0, "OAuth lacks an URL or its scopes")
		say(o.Setting != "" && s.Properties[o.Setting] == nil, "OAuth is chosen by the setting %s, which is not described", o.Setting)
	}
	say(s.Type != "object", "settings are of type %q, not object", s.Type)
	say(s.AdditionalProperties == nil || *s.AdditionalProperties, `settings lack "additionalProperties": false`)
	say(s.Schema != "" && s.Schema != "https://json-schema.org/draft/2020-12/schema", "settings follow %s", s.Schema)
	for _, name := range s.Required {
		say(s.Properties[name] == nil, "required setting %s is not described", name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		broken = append(broken, propertyIsDescribed(name, s.Properties[name]))
	}
	if _, err := h.validator(); err != nil {
		broken = append(broken, err)
	}
	return errors.Join(broken...)
}

// propertyIsDescribed demands words for people and refuses hints that nobody understands.
func propertyIsDescribed(name string, property map[string]json.RawMessage) error {
	var broken []error
	for _, word := range []string{"title", "description"} {
		if text(property, word) == "" {
			broken = append(broken, fmt.Errorf("setting %s has no %s", name, word))
		}
	}
	for key := range property {
		if len(key) > 2 && key[:2] == "x-" && !slices.Contains(hints, key) {
			broken = append(broken, fmt.Errorf("setting %s: nobody understands the hint %s", name, key))
		}
	}
	if w := text(property, "x-widget"); w != "" && !slices.Contains(widgets, w) {
		broken = append(broken, fmt.Errorf("setting %s: there is no widget %q", name, w))
	}
	return errors.Join(broken...)
}

func specHidesSecrets(_ context.Context, h Harness) error {
	s, err := h.schema()
	if err != nil {
		return err
	}
	secrets := s.secrets()
	var broken []error
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if secretName.MatchString(name) && !slices.Contains(secrets, name) {
			broken = append(broken, fmt.Errorf(`setting %s looks secret and lacks "x-secret": true`, name))
		}
	}
	for _, name := range secrets {
		if text(s.Properties[name], "type") != "string" {
			broken = append(broken, fmt.Errorf("secret %s is not a text", name))
		}
		if s.Properties[name]["default"] != nil {
			broken = append(broken, fmt.Errorf("secret %s has a default", name))
		}
		if v := h.Good.String(name, ""); v != "" && len(v) < 8 {
			broken = append(broken, fmt.Errorf("the harness's %s is too short to be recognised in texts", name))
		}
	}
	return errors.Join(broken...)
}

func specFitsSettings(_ context.Context, h Harness) error {
	validate, err := h.validator()
	if err != nil {
		return err
	}
	var broken []error
	if err := validate(h.Good); err != nil {
		broken = append(broken, fmt.Errorf("the good settings are refused: %w", err))
	}
	for _, f := range h.faults() {
		if err := validate(f.Settings); err != nil && f.Settings != nil {
			broken = append(broken, fmt.Errorf("the settings of %s are refused: %w", f.Name, err))
		}
	}
	odd := maps.Clone(h.Good)
	if odd == nil {
		odd = connectors.Settings{}
	}
	odd["no_such_setting"] = json.RawMessage(`1`)
	if validate(odd) == nil {
		broken = append(broken, errors.New("an unknown setting is taken"))
	}
	return errors.Join(broken...)
}

func specIsStatic(_ context.Context, h Harness) error {
	if !reflect.DeepEqual(h.Connector.Spec(), h.Connector.Spec()) {
		return errors.New("two calls of Spec differ")
	}
	return nil
}

// validator compiles the settings as JSON Schema 2020-12.
func (h Harness) validator() (func(connectors.Settings) error, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(h.Connector.Spec().Settings))
	if err != nil {
		return nil, fmt.Errorf("settings are no JSON: %w", err)
	}
	const url = "settings.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(url, document); err != nil {
		return nil, fmt.Errorf("settings are no JSON Schema: %w", err)
	}
	compiled, err := compiler.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("settings are no JSON Schema: %w", err)
	}
	return func(s connectors.Settings) error {
		raw, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if s == nil {
			raw = []byte("{}")
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return err
		}
		return compiled.Validate(v)
	}, nil
}
