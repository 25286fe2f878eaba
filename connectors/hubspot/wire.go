package hubspot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth bounds how deep objects and lists of an answer are in each other. HubSpot's own have six levels.
const maxDepth = 32

// Reasons why an answer is not decoded. None of them holds a part of it.
var (
	errNoJSON    = errors.New("the answer is no JSON of the expected form")
	errTruncated = errors.New("the answer's JSON breaks off")
	errEmpty     = errors.New("the answer is empty")
	errEncoding  = errors.New("the answer is no valid UTF-8")
	errTooDeep   = errors.New("the answer's JSON is too deep")
)

// decode reads one JSON object within the bounds. Members that nobody knows are left out.
func decode(body []byte, into any) error {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return errEmpty
	case !utf8.Valid(body):
		return errEncoding
	case depth(body) > maxDepth:
		return errTooDeep
	case body[0] != '{':
		return errNoJSON
	}
	d := json.NewDecoder(bytes.NewReader(body))
	switch err := d.Decode(into); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case err != nil:
		return errNoJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errNoJSON
	}
	return nil
}

// depth measures how deep objects and lists are in each other, in whatever the bytes are.
func depth(body []byte) int {
	deep, deepest, inText := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			deep++
			deepest = max(deepest, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return deepest
}

// text is a JSON text, or a number or truth value as it is written: HubSpot's versions differ in what ids are.
// Anything else, null included, is no text at all.
type text struct {
	is    bool
	value string
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = text{}
	switch raw[0] {
	case 'n', '{', '[':
		return nil
	case '"':
		t.is = true
		return json.Unmarshal(raw, &t.value)
	}
	*t = text{true, string(raw)}
	return nil
}

// object is one contact, company, deal or ticket. A property is null when it is not set, and absent when the account
// has no property of this name [doc].
type object struct {
	ID         text            `json:"id"`
	Properties map[string]text `json:"properties"`
	Archived   bool            `json:"archived"`
	URL        text            `json:"url"`
}

// get gives a property's value, "" when there is none.
func (o object) get(name string) string { return o.Properties[name].value }

// batch is the answer to a batch read: 200, or 207 when some inputs have no object [obs].
type batch struct {
	Status  string       `json:"status"`
	Results []object     `json:"results"`
	Errors  []batchError `json:"errors"`
}

// batchError stands for all inputs that failed alike.
type batchError struct {
	Category string            `json:"category"`
	Context  map[string][]text `json:"context"`
}

// inputs is the body of a batch read. HubSpot demands all of its members but idProperty [spec].
type inputs struct {
	IDProperty string   `json:"idProperty,omitempty"`
	Inputs     []input  `json:"inputs"`
	Properties []string `json:"properties"`
	History    []string `json:"propertiesWithHistory"`
}

type input struct {
	ID string `json:"id"`
}

// links is the answer to a batch read of associations.
type links struct {
	Results []struct {
		From struct {
			ID text `json:"id"`
		} `json:"from"`
		To []struct {
			ID text `json:"toObjectId"`
		} `json:"to"`
		Paging json.RawMessage `json:"paging"` // there when more follow
	} `json:"results"`
}

// property describes a property of a type of objects.
type property struct {
	Name       string   `json:"name"`
	Label      string   `json:"label"`
	Type       string   `json:"type"`
	Field      string   `json:"fieldType"`
	Hidden     bool     `json:"hidden"`
	Archived   bool     `json:"archived"`
	References string   `json:"referencedObjectType"` // OWNER: the value is an owner's id
	Options    []option `json:"options"`
}

type option struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// pipeline is a way of deals or tickets through stages.
type pipeline struct {
	ID     text   `json:"id"`
	Label  string `json:"label"`
	Stages []struct {
		ID       text            `json:"id"`
		Label    string          `json:"label"`
		Metadata map[string]text `json:"metadata"`
	} `json:"stages"`
}

// owner is a user, or a queue, that objects belong to.
type owner struct {
	ID        text   `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
}

// page is a part of a list.
type page[T any] struct {
	Results []T `json:"results"`
	Paging  struct {
		Next struct {
			After text `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

// account is what HubSpot says about the account that the key or the login belongs to.
type account struct {
	Portal   text   `json:"portalId"`
	Domain   string `json:"uiDomain"`
	Location string `json:"dataHostingLocation"`
	Offset   string `json:"utcOffset"` // of its clock: "-05:00"
}
