package livesupportitest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

const contentJSON = "application/json; charset=utf-8"

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any // an object, a list, or what encoding/json writes on one line
}

// list is a JSON array.
type list []object

// layout writes JSON in the form that a notification shall have. Text is not
// escaped for HTML.
type layout struct {
	compact   bool // no line ends and no indentation
	lowerCase bool // property names in lower case
	out       bytes.Buffer
	values    *json.Encoder // writes to out
}

func newLayout(compact, lowerCase bool) *layout {
	l := &layout{compact: compact, lowerCase: lowerCase}
	l.values = json.NewEncoder(&l.out)
	l.values.SetEscapeHTML(false)
	return l
}

func (l *layout) newLine(depth int) {
	if l.compact {
		return
	}
	l.out.WriteString("\r\n")
	for range depth {
		l.out.WriteString("  ")
	}
}

func (l *layout) write(value any, depth int) {
	switch value := value.(type) {
	case object:
		l.writeObject(value, depth)
	case list:
		l.writeList(value, depth)
	default:
		if err := l.values.Encode(value); err != nil { // strings, numbers and null only
			panic(err)
		}
		l.out.Truncate(l.out.Len() - 1) // the line end
	}
}

func (l *layout) writeObject(o object, depth int) {
	if len(o) == 0 {
		l.out.WriteString("{}")
		return
	}
	l.out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			l.out.WriteByte(',')
		}
		l.newLine(depth + 1)
		name := m.name
		if l.lowerCase {
			name = strings.ToLower(name)
		}
		l.write(name, depth)
		l.out.WriteByte(':')
		if !l.compact {
			l.out.WriteByte(' ')
		}
		l.write(m.value, depth+1)
	}
	l.newLine(depth)
	l.out.WriteByte('}')
}

func (l *layout) writeList(a list, depth int) {
	l.out.WriteByte('[')
	for i, element := range a {
		if i > 0 {
			l.out.WriteByte(',')
		}
		l.newLine(depth + 1)
		l.writeObject(element, depth+1)
	}
	l.newLine(depth)
	l.out.WriteByte(']')
}

// writeJSON answers a request.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", contentJSON)
	w.WriteHeader(status)
	w.Write(body)
}
