package http

import (
	"regexp"
	"strconv"
	"strings"
)

// path leads from a value into its members and entries: data.items[0].
type path []step

// step is one name or one number of a path.
type step struct {
	name  string // of a member; empty for an entry
	index int    // of an entry
}

// String writes the path as people do.
func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

const maxSteps = 32

var part = regexp.MustCompile(`^([^\[\]]*)((?:\[[0-9]{1,6}\])*)$`)

// newPath reads a path: names with dots between them, each followed by any number of [n]. The first part may be [n]
// alone. Other dialects ($, *, quotes) are refused rather than misread.
func newPath(field, text string) (path, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	refused := misconfigured("http.path", field, "This path cannot be read.",
		"Write names with dots between them, and numbers in brackets for the entries of lists: data.items[0]. The first entry is [0].")
	var p path
	for i, text := range strings.Split(text, ".") {
		m := part.FindStringSubmatch(text)
		if m == nil || m[1] == "" && (i > 0 || m[2] == "") || strings.ContainsAny(m[1], `$*"'`) {
			return nil, refused
		}
		if m[1] != "" {
			p = append(p, step{name: m[1]})
		}
		for _, digits := range strings.FieldsFunc(m[2], func(r rune) bool { return r == '[' || r == ']' }) {
			n, err := strconv.Atoi(digits)
			if err != nil {
				return nil, refused
			}
			p = append(p, step{index: n})
		}
	}
	if len(p) > maxSteps {
		return nil, refused
	}
	return p, nil
}

// nothing is where a path ends that leads through null, an empty list or an empty object, or beyond a list's end.
var nothing = &node{}

// in follows the path. Where it leads into nothing, it ends there; where it does not fit the answer, missing is
// the part of the path that is not there.
func (p path) in(n *node) (end *node, missing path) {
	for i, s := range p {
		if n.isNothing() {
			return nothing, nil
		}
		var ok bool
		switch {
		case s.name != "" && n.shape == isObject:
			n, ok = n.member(s.name)
		case s.name == "" && n.shape == isList:
			if s.index >= len(n.nodes) {
				return nothing, nil
			}
			n, ok = n.nodes[s.index], true
		}
		if !ok {
			return nil, p[:i+1]
		}
	}
	return n, nil
}
