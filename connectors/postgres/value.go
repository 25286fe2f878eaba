package postgres

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	maxValue   = 4 << 10  // bytes of one value
	maxRow     = 64 << 10 // bytes of all values of a record
	maxEntries = 20       // of a list
)

// shape is how a type is asked for and shown.
type shape int

const (
	asText      shape = iota // cast to text on the server
	asNumber                 // numbers without exponent; NaN and infinities are texts
	asBool                   //
	asDate                   //
	asTimestamp              // without a zone: a text, since nobody knows which moment it is
	asDateTime               //
	asJSON                   // cast to text on the server, read here
	asList                   // arrays
	asObject                 // composite types
	asBytes                  // only the length is asked for
)

var shapes = map[string]shape{
	"int2": asNumber, "int4": asNumber, "int8": asNumber, "float4": asNumber, "float8": asNumber, "numeric": asNumber,
	"bool": asBool, "date": asDate, "timestamp": asTimestamp, "timestamptz": asDateTime,
	"json": asJSON, "jsonb": asJSON, "bytea": asBytes,
}

func shapeOf(schema, typ, category, typeKind string) shape {
	if s, ok := shapes[typ]; ok && schema == "pg_catalog" {
		return s
	}
	switch {
	case category == "A":
		return asList
	case typeKind == "c":
		return asObject
	}
	return asText
}

func (s shape) kind() connectors.Kind {
	switch s {
	case asNumber:
		return connectors.Number
	case asBool:
		return connectors.Bool
	case asDate:
		return connectors.Date
	case asDateTime:
		return connectors.DateTime
	case asJSON, asObject:
		return connectors.JSON
	case asList:
		return connectors.List
	default:
		return connectors.Text
	}
}

// expression asks for the column so that to_jsonb gives what value reads, and no more of it than needed.
func (c column) expression() string {
	name := c.sanitized()
	most := strconv.Itoa(maxValue + 1) // one more, so that the cut is noticed
	switch c.shape {
	case asText, asJSON:
		return "left(" + name + "::text, " + most + ")"
	case asBytes:
		return "octet_length(" + name + ")"
	case asList, asObject:
		return "case when octet_length(" + name + "::text) <= " + strconv.Itoa(4*maxValue) + " then to_jsonb(" + name +
			") else to_jsonb(left(" + name + "::text, " + most + ")) end"
	default:
		return name
	}
}

// recordOf reads the JSON object of one row.
func recordOf(row []byte, columns []column) (connectors.Record, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(row, &raw); err != nil {
		return nil, errShape // the error itself might quote a value
	}
	record := make(connectors.Record, len(columns))
	left := maxRow
	for _, c := range columns {
		text, ok := raw[c.name]
		if !ok {
			continue
		}
		v := c.shape.value(text)
		if len(v.Text) > min(left, maxValue) {
			v = connectors.Value{Kind: connectors.Text, Text: cut(v.Text, min(left, maxValue))}
		}
		left -= min(left, len(v.Text))
		record[c.name] = v
	}
	return record, nil
}

// value reads one value by its JSON form; the shape decides where that can mean several things.
func (s shape) value(raw json.RawMessage) connectors.Value {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return connectors.Value{Kind: connectors.Null}
	case json.Unmarshal(raw, &text) == nil:
		return s.text(strings.ReplaceAll(text, "\x00", "\ufffd")) // only text inside json can hold it
	case s == asBytes:
		return connectors.Value{Kind: connectors.Text, Text: "(binary, " + string(raw) + " bytes)"}
	case raw[0] == 't' || raw[0] == 'f':
		return connectors.Value{Kind: connectors.Bool, Text: string(raw)}
	case raw[0] == '[' && s == asList:
		return connectors.Value{Kind: connectors.List, Text: entries(raw)}
	case raw[0] == '[' || raw[0] == '{':
		return connectors.Value{Kind: connectors.JSON, Text: compact(raw)}
	case bytes.ContainsAny(raw, "eE"):
		return connectors.Value{Kind: connectors.Text, Text: string(raw)} // only inside json is 1e9 possible
	default:
		return connectors.Value{Kind: connectors.Number, Text: string(raw)}
	}
}

func (s shape) text(text string) connectors.Value {
	switch s {
	case asDate:
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return connectors.Value{Kind: connectors.Date, Text: text}
		}
	case asDateTime:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return connectors.Value{Kind: connectors.DateTime, Text: at.UTC().Format(time.RFC3339Nano)}
		}
	case asTimestamp:
		text = strings.Replace(text, "T", " ", 1)
	case asJSON:
		if inner := []byte(text); len(inner) <= maxValue && json.Valid(inner) {
			return shape(asText).value(bytes.TrimSpace(inner))
		}
	}
	return connectors.Value{Kind: connectors.Text, Text: text}
}

// entries joins the entries of a list, the first of them.
func entries(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return compact(raw)
	}
	var texts []string
	for _, entry := range list[:min(len(list), maxEntries)] {
		var text string
		if json.Unmarshal(entry, &text) != nil || string(entry) == "null" {
			text = compact(entry)
		}
		texts = append(texts, text)
	}
	if len(list) > maxEntries {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// cut shortens a text to so many bytes, the ellipsis included, without breaking a character.
func cut(text string, most int) string {
	const ellipsis = "…"
	end := max(most-len(ellipsis), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
