package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"sidecard/connectors"
)

// settingsSchema is the part of a kind's schema that the hub reads itself.
type settingsSchema struct {
	Properties map[string]struct {
		Title  string `json:"title"`
		Secret bool   `json:"x-secret"`
	} `json:"properties"`
}

func readSchema(spec connectors.Spec) (settingsSchema, error) {
	var s settingsSchema
	if err := json.Unmarshal(spec.Settings, &s); err != nil {
		return s, fmt.Errorf("settings schema of %s: %w", spec.Kind, err)
	}
	return s, nil
}

// split parts settings into what may be shown and what is sealed.
func (s settingsSchema) split(all connectors.Settings) (open, secret connectors.Settings) {
	open, secret = connectors.Settings{}, connectors.Settings{}
	for name, value := range all {
		if s.Properties[name].Secret {
			secret[name] = value
		} else {
			open[name] = value
		}
	}
	return open, secret
}

// checkSettings says, for each wrong setting, what is wrong with it; never its value.
func checkSettings(spec connectors.Spec, all connectors.Settings) error {
	schema, err := compileSchema(spec)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	var bad *jsonschema.ValidationError
	if err = schema.Validate(doc); !errors.As(err, &bad) {
		return err
	}
	refusal := fail(CodeInvalid, "Some settings are missing or wrong.")
	for _, leaf := range leaves(bad) {
		for _, f := range describeLeaf(leaf) {
			if !slices.Contains(refusal.Fields, f) { // a choice of several fails once for each of them
				refusal.Fields = append(refusal.Fields, f)
			}
		}
	}
	return refusal
}

func compileSchema(spec connectors.Spec) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.Settings))
	if err != nil {
		return nil, fmt.Errorf("settings schema of %s: %w", spec.Kind, err)
	}
	c := jsonschema.NewCompiler()
	name := spec.Kind + ".json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("settings schema of %s: %w", spec.Kind, err)
	}
	return c.Compile(name)
}

func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, c := range e.Causes {
		all = append(all, leaves(c)...)
	}
	return all
}

var english = message.NewPrinter(language.English)

func describeLeaf(e *jsonschema.ValidationError) []FieldError {
	at := "/settings"
	for _, part := range e.InstanceLocation {
		at += "/" + part
	}
	var all []FieldError
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			all = append(all, FieldError{Pointer: at + "/" + name, Detail: "This is needed."})
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			all = append(all, FieldError{Pointer: at + "/" + name, Detail: "There is no such setting."})
		}
	case *kind.Enum:
		all = append(all, FieldError{Pointer: at, Detail: "Choose one of: " + list(k.Want) + "."})
	case *kind.Const:
		all = append(all, FieldError{Pointer: at, Detail: "Choose one of the values that the settings' schema lists."})
	case *kind.Pattern:
		all = append(all, FieldError{Pointer: at, Detail: "This has characters that are not allowed here."})
	case *kind.MinLength:
		all = append(all, FieldError{Pointer: at, Detail: "This is too short or empty."})
	case *kind.MaxLength:
		all = append(all, FieldError{Pointer: at, Detail: fmt.Sprintf("At most %d characters.", k.Want)})
	case *kind.Type:
		all = append(all, FieldError{Pointer: at, Detail: "This must be of type " + strings.Join(k.Want, " or ") + "."})
	case *kind.Minimum, *kind.Maximum, *kind.MinItems, *kind.MaxItems:
		all = append(all, FieldError{Pointer: at, Detail: "Out of range: " + e.ErrorKind.LocalizedString(english) + "."})
	default:
		all = append(all, FieldError{Pointer: at, Detail: "This does not fit what the setting expects."})
	}
	return all
}

func list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

func names(s connectors.Settings) []string { return slices.Sorted(maps.Keys(s)) }
