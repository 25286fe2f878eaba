package livesupporti

import (
	"bytes"
	"strings"
)

// A notification is the one thing that is read for every chat, so its body is
// validated once, by encoding/json, and then only cut into pieces. The
// functions here take valid JSON and nothing else.

const (
	jsonSpace = " \t\r\n"
	jsonEnds  = ",]}" + jsonSpace
)

// pick returns the values of an object's members with these names, in any
// letter case. A missing one is nil; of a repeated one the last counts. It is
// not ok for anything but an object.
func pick(object []byte, names ...string) (values [][]byte, ok bool) {
	if !begins(object, '{') {
		return nil, false
	}
	values = make([][]byte, len(names))
	var name, value []byte
	for rest := next(object[1:]); rest[0] != '}'; rest = next(rest) {
		name, rest = cutValue(rest)
		value, rest = cutValue(bytes.TrimLeft(rest, ":"+jsonSpace))
		text := Scalar{raw: string(name)}.String()
		for i := range names {
			if strings.EqualFold(text, names[i]) {
				values[i] = value
			}
		}
	}
	return values, true
}

// elements returns the values of an array; it is not ok for anything else.
func elements(array []byte) (values [][]byte, ok bool) {
	if !begins(array, '[') {
		return nil, false
	}
	var value []byte
	for rest := next(array[1:]); rest[0] != ']'; rest = next(rest) {
		value, rest = cutValue(rest)
		values = append(values, value)
	}
	return values, true
}

func begins(value []byte, c byte) bool { return len(value) > 0 && value[0] == c }

// next skips to the following member or element, or to the closing bracket.
func next(rest []byte) []byte { return bytes.TrimLeft(rest, ","+jsonSpace) }

// cutValue splits a value from what follows it.
func cutValue(b []byte) (value, rest []byte) {
	end := len(b)
	switch b[0] {
	case '"':
		end = stringEnd(b)
	case '{', '[':
		end = bracketEnd(b)
	default:
		if at := bytes.IndexAny(b, jsonEnds); at >= 0 {
			end = at
		}
	}
	return b[:end], b[end:]
}

func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

func bracketEnd(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
}
