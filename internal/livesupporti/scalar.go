package livesupporti

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var errNotScalar = errors.New("livesupporti: neither a JSON string nor a JSON number")

// Scalar is a JSON string or number that keeps the text it came as, so that it
// can be sent back unchanged: a number stays a number, "150" stays a string,
// and escapes stay as they were. Two Scalars are == when their JSON text is the
// same. The zero value stands for a missing one and marshals as null.
type Scalar struct {
	raw string
}

// Text returns the Scalar that is the JSON string of s.
func Text(s string) Scalar {
	raw, err := marshal(s)
	if err != nil { // a Go string always has a JSON form
		panic(err)
	}
	return Scalar{raw: string(raw)}
}

// String returns the value as plain text: a string without its quotes and
// escapes, a number as it was written, "" for the zero value.
func (s Scalar) String() string {
	if !s.IsText() {
		return s.raw
	}
	if !strings.Contains(s.raw, `\`) && utf8.ValidString(s.raw) {
		return s.raw[1 : len(s.raw)-1]
	}
	var text string
	if err := json.Unmarshal([]byte(s.raw), &text); err != nil {
		return ""
	}
	return text
}

// IsZero reports whether there is no value.
func (s Scalar) IsZero() bool { return s.raw == "" }

// IsText reports whether the value is a JSON string rather than a number.
func (s Scalar) IsText() bool { return s.raw != "" && s.raw[0] == '"' }

// MarshalJSON returns the JSON text as it came, or null.
func (s Scalar) MarshalJSON() ([]byte, error) {
	if s.raw == "" {
		return []byte("null"), nil
	}
	return []byte(s.raw), nil
}

// UnmarshalJSON accepts a string, a number, or null for the zero value.
func (s *Scalar) UnmarshalJSON(data []byte) error {
	scalar, ok := readScalar(data)
	if !ok {
		return errNotScalar
	}
	*s = scalar
	return nil
}

// readScalar reads one JSON value that may be anything at all. It is not ok for
// what is no UTF-8, which encoding/json lets pass and Scalar would send on.
func readScalar(raw []byte) (_ Scalar, ok bool) {
	raw = bytes.Trim(raw, jsonSpace)
	if len(raw) > 0 && (!json.Valid(raw) || !utf8.Valid(raw)) {
		return Scalar{}, false
	}
	return toScalar(raw)
}

// toScalar takes one valid JSON value. A missing value and null are the zero
// Scalar; it is not ok for an object, an array, true and false.
func toScalar(raw []byte) (_ Scalar, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return Scalar{}, true
	}
	if c := raw[0]; c != '"' && c != '-' && (c < '0' || c > '9') {
		return Scalar{}, false
	}
	return Scalar{raw: string(raw)}, true
}

// marshal writes JSON without escaping for HTML and without a line end.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
