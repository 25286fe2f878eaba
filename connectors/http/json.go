package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth = 64     // of objects and lists in each other
	maxNodes = 50_000 // values of one answer
)

// shape is the kind of a JSON value.
type shape byte

const (
	isNull shape = iota
	isBool
	isNumber
	isText
	isList
	isObject
)

// node is one JSON value. Numbers stay as they are written.
type node struct {
	shape shape
	text  string   // of a number, text or truth value
	names []string // of an object's members, in the answer's order
	nodes []*node  // the members of an object or the entries of a list
}

// member finds a member of an object.
func (n *node) member(name string) (*node, bool) {
	for i, own := range n.names {
		if own == name {
			return n.nodes[i], true
		}
	}
	return nil, false
}

// isNothing reports whether the value stands for nobody: null, an empty list or an empty object.
func (n *node) isNothing() bool {
	return n.shape == isNull || n.shape >= isList && len(n.nodes) == 0
}

// Reasons why an answer is not decoded. None of them holds a part of it.
var (
	errNoJSON     = errors.New("the answer is no JSON")
	errTruncated  = errors.New("the answer's JSON breaks off")
	errEmpty      = errors.New("the answer is empty")
	errEncoding   = errors.New("the answer is no valid UTF-8")
	errTooDeep    = errors.New("the answer's JSON is too deep")
	errTooMany    = errors.New("the answer has too many values")
	errNamedTwice = errors.New("an object of the answer has two members of one name")
)

// decode reads one JSON value within the bounds. It is stricter than encoding/json where programs disagree about
// what is meant: members of the same name, and bytes that are no UTF-8.
func decode(body []byte) (*node, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return nil, errEmpty
	case !utf8.Valid(body):
		return nil, errEncoding
	case depth(body) > maxDepth:
		return nil, errTooDeep
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	left := maxNodes
	root, err := read(d, &left)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoJSON
	}
	return root, nil
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

func next(d *json.Decoder) (json.Token, error) {
	token, err := d.Token()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errTruncated
	case err != nil:
		return nil, errNoJSON
	}
	return token, nil
}

func read(d *json.Decoder, left *int) (*node, error) {
	token, err := next(d)
	if err != nil {
		return nil, err
	}
	if *left--; *left < 0 {
		return nil, errTooMany
	}
	switch v := token.(type) {
	case bool:
		if v {
			return &node{shape: isBool, text: "true"}, nil
		}
		return &node{shape: isBool, text: "false"}, nil
	case json.Number:
		return &node{shape: isNumber, text: v.String()}, nil
	case string:
		return &node{shape: isText, text: v}, nil
	case json.Delim:
		if v == '[' {
			return readList(d, left)
		}
		return readObject(d, left)
	}
	return &node{}, nil
}

func readList(d *json.Decoder, left *int) (*node, error) {
	n := &node{shape: isList}
	for d.More() {
		entry, err := read(d, left)
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, entry)
	}
	_, err := next(d)
	return n, err
}

func readObject(d *json.Decoder, left *int) (*node, error) {
	n := &node{shape: isObject}
	seen := make(map[string]struct{})
	for d.More() {
		token, err := next(d)
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // anything else is a syntax error of the decoder
		if _, twice := seen[name]; twice {
			return nil, errNamedTwice
		}
		seen[name] = struct{}{}
		value, err := read(d, left)
		if err != nil {
			return nil, err
		}
		n.names, n.nodes = append(n.names, name), append(n.nodes, value)
	}
	_, err := next(d)
	return n, err
}

// write appends the value as compact JSON, until there are more bytes than wanted.
func (n *node) write(b *strings.Builder, most int) {
	if b.Len() > most {
		return
	}
	switch n.shape {
	case isNull:
		b.WriteString("null")
	case isBool, isNumber:
		b.WriteString(n.text)
	case isText:
		writeText(b, n.text)
	case isList:
		b.WriteByte('[')
		for i, entry := range n.nodes {
			if i > 0 {
				b.WriteByte(',')
			}
			entry.write(b, most)
		}
		b.WriteByte(']')
	case isObject:
		b.WriteByte('{')
		for i, member := range n.nodes {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, n.names[i])
			b.WriteByte(':')
			member.write(b, most)
		}
		b.WriteByte('}')
	}
}

// writeText appends a JSON string, without the escapes that only web pages need.
func writeText(b *strings.Builder, text string) {
	var line strings.Builder
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a builder takes everything, and a string can be encoded
	b.WriteString(strings.TrimSuffix(line.String(), "\n"))
}
