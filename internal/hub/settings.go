package hub

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
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
		Title   string                       `json:"title"`
		Default json.RawMessage              `json:"default"`
		Secret  bool                         `json:"x-secret"`
		Binds   bool                         `json:"x-binds-secrets"`
		Fix     string                       `json:"x-fix"`
		When    map[string][]json.RawMessage `json:"x-when"`
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

// value gives a setting, or its default.
func (s settingsSchema) value(all connectors.Settings, name string) json.RawMessage {
	if v, ok := all[name]; ok {
		return v
	}
	return s.Properties[name].Default
}

// useful reports whether the other settings leave a use for this one, and so on for those that it depends on.
func (s settingsSchema) useful(all connectors.Settings, name string) bool {
	return s.usefulWithin(all, name, len(s.Properties))
}

// usefulWithin follows so many dependencies: a schema that turns in a circle must not, too.
func (s settingsSchema) usefulWithin(all connectors.Settings, name string, steps int) bool {
	for other, values := range s.Properties[name].When {
		chosen := slices.ContainsFunc(values, func(v json.RawMessage) bool { return sameJSON(v, s.value(all, other)) })
		if !chosen || steps > 0 && !s.usefulWithin(all, other, steps-1) {
			return false
		}
	}
	return true
}

// forgetUseless removes secrets that the other settings leave no use for.
func (s settingsSchema) forgetUseless(all connectors.Settings) {
	for name := range all {
		if s.Properties[name].Secret && !s.useful(all, name) {
			delete(all, name)
		}
	}
}

// askAgain demands the stored secrets once more when a change would show them to somebody else.
func (s settingsSchema) askAgain(open, secret, change connectors.Settings) error {
	moved := false
	for name, p := range s.Properties {
		moved = moved || p.Binds && !sameJSON(s.value(open, name), s.value(change, name))
	}
	if !moved {
		return nil
	}
	refusal := fail(CodeInvalid, "The settings lead to another place. Enter the secrets again, so that nobody else gets them by mistake.")
	for _, name := range names(secret) {
		if _, given := change[name]; !given && s.useful(change, name) {
			refusal.Fields = append(refusal.Fields, FieldError{Pointer: "/settings/" + name, Detail: "Enter this again, because the place it is sent to changed."})
		}
	}
	if len(refusal.Fields) == 0 {
		return nil
	}
	return refusal
}

// sameJSON compares two values as JSON; absent is the same as null.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(orNull(a), &x) != nil || json.Unmarshal(orNull(b), &y) != nil {
		return bytes.Equal(a, b)
	}
	return reflect.DeepEqual(x, y)
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
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
	words, err := readSchema(spec)
	if err != nil {
		return err
	}
	refusal := fail(CodeInvalid, "Some settings are missing or wrong.")
	for _, leaf := range leaves(bad) {
		for _, f := range words.describe(leaf) {
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

// describe puts one violation into words, with what to type instead where the schema says so.
func (s settingsSchema) describe(e *jsonschema.ValidationError) []FieldError {
	at, fix := "/settings", ""
	for _, part := range e.InstanceLocation {
		at += "/" + part
	}
	if len(e.InstanceLocation) > 0 {
		fix = s.Properties[e.InstanceLocation[0]].Fix
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
		all = append(all, FieldError{Pointer: at, Detail: cmp.Or(fix, "This has characters that are not allowed here.")})
	case *kind.MinLength:
		all = append(all, FieldError{Pointer: at, Detail: "This is too short or empty."})
	case *kind.MaxLength:
		all = append(all, FieldError{Pointer: at, Detail: fmt.Sprintf("At most %d characters.", k.Want)})
	case *kind.Type:
		all = append(all, FieldError{Pointer: at, Detail: "This must be of type " + strings.Join(k.Want, " or ") + "."})
	case *kind.Minimum, *kind.Maximum, *kind.MinItems, *kind.MaxItems:
		all = append(all, FieldError{Pointer: at, Detail: "Out of range: " + e.ErrorKind.LocalizedString(english) + "."})
	default:
		all = append(all, FieldError{Pointer: at, Detail: cmp.Or(fix, "This does not fit what the setting expects.")})
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
