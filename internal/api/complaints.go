package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"sidecard/internal/hub"
)

// complaints puts what kin-openapi found into words: the place, and what to do. Its own texts, and the values they
// may quote, are left behind.
func complaints(err error) []hub.FieldError {
	l := complaintList{places: map[string]bool{}}
	l.add("", err)
	return l.fields
}

// complaintList collects complaints, one for each place, up to maxComplaints.
type complaintList struct {
	fields []hub.FieldError
	places map[string]bool
}

func (l *complaintList) say(pointer, detail string) {
	if len(l.fields) < maxComplaints && !l.places[pointer] {
		l.places[pointer] = true
		l.fields = append(l.fields, hub.FieldError{Pointer: pointer, Detail: detail})
	}
}

// add takes a tree of errors apart. parameter is the one it is about; empty for the body.
func (l *complaintList) add(parameter string, err error) {
	switch e := err.(type) { //nolint:errorlint // a tree whose nodes come as they are, level by level
	case openapi3.MultiError:
		for _, one := range e {
			l.add(parameter, one)
		}
	case *openapi3filter.RequestError:
		if e.Parameter == nil {
			l.add("", e.Err)
			return
		}
		l.add(e.Parameter.Name, e.Err)
		l.say(e.Parameter.Name, kindAdvice(e.Parameter.Schema.Value)) // unless something better was said
	case *openapi3.SchemaError:
		pointer := parameter
		for _, step := range e.JSONPointer() {
			pointer += "/" + escapePointer(step)
		}
		if e.SchemaField == "properties" {
			l.unknown(pointer, e)
			return
		}
		l.say(pointer, advice(e))
	default:
		if parameter == "" {
			l.say("", "The body cannot be read.")
		}
	}
}

// unknown names the properties of an object that the contract does not have. kin-openapi reports them one by one
// without their names; the first report serves for all.
func (l *complaintList) unknown(pointer string, e *openapi3.SchemaError) {
	object, _ := e.Value.(map[string]any)
	mark := pointer + "\x00" // the place of no value: names have no NUL, see checkJSON
	if l.places[mark] {
		return
	}
	l.places[mark] = true
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if e.Schema.Properties[name] == nil {
			l.say(pointer+"/"+escapePointer(name), "There is no such property here. Leave it out.")
		}
	}
}

// advice says how to mend a value, by the keyword of the schema that refused it.
func advice(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "This is required."
	case "nullable", "type":
		return kindAdvice(s)
	case "enum":
		return "Choose one of: " + list(s.Enum) + "."
	case "minLength":
		if s.MinLength == 1 {
			return "This may not be empty."
		}
		return fmt.Sprintf("Use at least %d characters.", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("Use at most %d characters.", *s.MaxLength)
	case "minimum":
		return fmt.Sprintf("Use %.0f or more.", *s.Min)
	case "maximum":
		return fmt.Sprintf("Use %.0f or less.", *s.Max)
	case "minItems":
		return fmt.Sprintf("Give at least %d.", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("Give at most %d.", *s.MaxItems)
	case "minProperties":
		return "Give at least one of: " + strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", ") + "."
	case "format":
		return formatAdvice(s.Format)
	case "pattern":
		if fix, ok := s.Extensions["x-fix"].(string); ok {
			return fix
		}
	}
	return "This is not as the API describes it."
}

func formatAdvice(format string) string {
	switch format {
	case "email":
		return "Give a full e-mail address, such as dana@example.com."
	case "uuid":
		return "Give an id just as the API shows it."
	case "date-time":
		return "Give a time such as 2026-11-22T14:05:00Z."
	}
	return "This is not written as the API describes it."
}

// kindAdvice names the kind of value that is wanted.
func kindAdvice(s *openapi3.Schema) string {
	switch {
	case s.Type.Is(openapi3.TypeString):
		return "Give a text."
	case s.Type.Is(openapi3.TypeInteger):
		return "Give a whole number."
	case s.Type.Is(openapi3.TypeNumber):
		return "Give a number."
	case s.Type.Is(openapi3.TypeBoolean):
		return "Give true or false."
	case s.Type.Is(openapi3.TypeArray):
		return "Give a list."
	}
	return "Give an object."
}

func list(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}
