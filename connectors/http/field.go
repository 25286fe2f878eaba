package http

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	maxLevels  = 5        // names in a field's id
	maxID      = 200      // bytes of it
	maxFields  = 500      // of a record
	maxValue   = 4 << 10  // bytes of one value
	maxRecord  = 64 << 10 // bytes of all values of a record
	maxEntries = 20       // of a list
	maxNumber  = 100      // digits
	maxSample  = 80       // characters
)

// field is one value of a record, by the path of names that leads to it.
type field struct {
	names []string
	value connectors.Value
}

func (f field) id() string { return strings.Join(f.names, ".") }

// fieldsOf flattens a record, in the answer's order: members of objects become fields a.b.c, down to a bounded
// depth and number. Names that no card could refer to are left out. Only wanted fields count; nil wants all.
func fieldsOf(record *node, wanted []string) []field {
	f := flattening{wanted: wanted, seen: make(map[string]struct{}), left: maxRecord}
	f.object(record, nil)
	return f.fields
}

type flattening struct {
	wanted []string
	seen   map[string]struct{}
	fields []field
	left   int // bytes
}

func (f *flattening) object(n *node, above []string) {
	for i, name := range n.names {
		if len(f.fields) >= maxFields {
			return
		}
		names := append(above[:len(above):len(above)], name)
		value := n.nodes[i]
		if value.shape == isObject && len(value.nodes) > 0 && len(names) < maxLevels {
			f.object(value, names)
			continue
		}
		f.add(names, value)
	}
}

func (f *flattening) add(names []string, n *node) {
	own := field{names: names}
	id := own.id()
	_, twice := f.seen[id] // as in {"a.b": 1, "a": {"b": 2}}
	if twice || !isID(id) || len(f.wanted) > 0 && !slices.Contains(f.wanted, id) {
		return
	}
	f.seen[id] = struct{}{}
	own.value = valueOf(n, min(f.left, maxValue))
	f.left -= min(f.left, len(own.value.Text))
	f.fields = append(f.fields, own)
}

func isID(id string) bool {
	return id != "" && len(id) <= maxID && strings.TrimSpace(id) == id && !strings.ContainsFunc(id, unicode.IsControl)
}

func recordOf(n *node, wanted []string) connectors.Record {
	record := make(connectors.Record)
	for _, f := range fieldsOf(n, wanted) {
		record[f.id()] = f.value
	}
	return record
}

// catalogOf lists the fields of a sample. What is null there is taken for a text.
func catalogOf(sample *node) connectors.Catalog {
	var c connectors.Catalog
	for _, f := range fieldsOf(sample, nil) {
		last := len(f.names) - 1
		kind := f.value.Kind
		if kind == connectors.Null {
			kind = connectors.Text
		}
		label := f.names[last]
		if label == "" {
			label = f.id()
		}
		c.Fields = append(c.Fields, connectors.Field{
			ID: f.id(), Label: label, Kind: kind, Group: strings.Join(f.names[:last], "."), Sample: excerpt(f.value.Text),
		})
	}
	return c
}

func excerpt(text string) string {
	if utf8.RuneCountInString(text) <= maxSample {
		return text
	}
	return string([]rune(text)[:maxSample-1]) + "…"
}

// valueOf types one value, cut to so many bytes; what had to be cut is a text.
func valueOf(n *node, most int) connectors.Value {
	v := typed(n, most)
	if len(v.Text) > most {
		return connectors.Value{Kind: connectors.Text, Text: cut(v.Text, most)}
	}
	return v
}

func typed(n *node, most int) connectors.Value {
	switch n.shape {
	case isNull:
		return connectors.Value{Kind: connectors.Null}
	case isBool:
		return connectors.Value{Kind: connectors.Bool, Text: n.text}
	case isNumber:
		return number(n.text)
	case isText:
		return textValue(n.text)
	case isList:
		if !slices.ContainsFunc(n.nodes, func(entry *node) bool { return entry.shape >= isList }) {
			return connectors.Value{Kind: connectors.List, Text: entries(n.nodes)}
		}
	case isObject:
	}
	var b strings.Builder
	n.write(&b, most)
	return connectors.Value{Kind: connectors.JSON, Text: b.String()}
}

// number keeps a number as it is written. Kind Number has no exponent, so one with an exponent is a text.
func number(text string) connectors.Value {
	if len(text) > maxNumber || strings.ContainsAny(text, "eE") {
		return connectors.Value{Kind: connectors.Text, Text: text}
	}
	return connectors.Value{Kind: connectors.Number, Text: text}
}

// textValue recognises dates, and moments with an offset.
func textValue(text string) connectors.Value {
	const longest = len("2006-01-02T15:04:05.999999999+00:00")
	if len(text) <= longest && len(text) >= len(time.DateOnly) {
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return connectors.Value{Kind: connectors.Date, Text: text}
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return connectors.Value{Kind: connectors.DateTime, Text: at.Format(time.RFC3339Nano)}
		}
	}
	return connectors.Value{Kind: connectors.Text, Text: strings.ReplaceAll(text, "\x00", "\ufffd")}
}

// entries joins the entries of a list, the first of them.
func entries(list []*node) string {
	texts := make([]string, 0, min(len(list), maxEntries)+1)
	for _, entry := range list[:min(len(list), maxEntries)] {
		text := entry.text
		if entry.shape == isNull {
			text = "null"
		}
		texts = append(texts, strings.ReplaceAll(text, "\x00", "\ufffd"))
	}
	if len(list) > maxEntries {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

// cut shortens a text to so many bytes, the ellipsis included, without breaking a character.
func cut(text string, most int) string {
	const ellipsis = "…"
	if most < len(ellipsis) {
		return ""
	}
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
