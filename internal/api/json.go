package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"sidecard/internal/hub"
)

const (
	maxDepth      = 32   // levels of a JSON body; the contract needs five
	maxValues     = 5000 // values in one, so that a complaint about each stays cheap; the contract needs hundreds
	maxComplaints = 50   // in one answer
)

// checkJSON finds what decoders commonly let pass and what later steps would read differently from each other:
// names that come twice, bytes that are no UTF-8, NUL characters (PostgreSQL keeps none), and excess of depth or
// number. It also finds bodies that are no JSON at all. No complaint quotes a value.
func checkJSON(body []byte) []hub.FieldError {
	if !utf8.Valid(body) {
		return []hub.FieldError{{Detail: "The body is not UTF-8 text."}}
	}
	var all json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		detail := "The body is not JSON. Send a JSON object."
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			detail = fmt.Sprintf("The body is not JSON: it cannot be read from byte %d on.", syntax.Offset)
		}
		return []hub.FieldError{{Detail: detail}}
	}
	w := jsonWalk{tokens: json.NewDecoder(bytes.NewReader(body))}
	w.tokens.UseNumber()
	w.value("", 0)
	return w.problems
}

// jsonWalk visits every value of a body that is known to be valid JSON.
type jsonWalk struct {
	tokens   *json.Decoder
	values   int
	problems []hub.FieldError
}

func (w *jsonWalk) complain(pointer, detail string) {
	w.problems = append(w.problems, hub.FieldError{Pointer: pointer, Detail: detail})
}

// end leaves one thing to say and nothing more to see.
func (w *jsonWalk) end(detail string) {
	w.problems = []hub.FieldError{{Detail: detail}}
	w.tokens = json.NewDecoder(strings.NewReader(""))
}

// next gives the next token; nil when there is nothing more to see.
func (w *jsonWalk) next() json.Token {
	if len(w.problems) >= maxComplaints {
		return nil
	}
	t, err := w.tokens.Token()
	if err != nil {
		return nil
	}
	return t
}

func (w *jsonWalk) value(pointer string, depth int) {
	w.values++
	switch {
	case depth > maxDepth:
		w.end(fmt.Sprintf("The body is nested more than %d levels deep.", maxDepth))
		return
	case w.values > maxValues:
		w.end(fmt.Sprintf("The body holds more than %d values.", maxValues))
		return
	}
	switch t := w.next().(type) {
	case string:
		if strings.ContainsRune(t, 0) {
			w.complain(pointer, "Leave out the NUL character.")
		}
	case json.Delim:
		if t == '{' {
			w.object(pointer, depth)
		} else {
			w.array(pointer, depth)
		}
	}
}

func (w *jsonWalk) object(pointer string, depth int) {
	seen := map[string]bool{}
	for w.tokens.More() {
		name, ok := w.next().(string)
		if !ok {
			return
		}
		at := pointer + "/" + escapePointer(name)
		switch {
		case seen[name]:
			w.complain(at, "Give this once; it is here twice.")
		case strings.ContainsRune(name, 0):
			w.complain(pointer, "Leave out the NUL character.")
		}
		seen[name] = true
		w.value(at, depth+1)
	}
	w.next()
}

func (w *jsonWalk) array(pointer string, depth int) {
	for i := 0; w.tokens.More() && len(w.problems) < maxComplaints; i++ {
		w.value(pointer+"/"+strconv.Itoa(i), depth+1)
	}
	w.next()
}

// escapePointer makes a name one step of a JSON pointer (RFC 6901).
func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(name))
}

// clip shortens a name that a client made up.
func clip(name string) string {
	if utf8.RuneCountInString(name) <= 60 {
		return name
	}
	return string([]rune(name)[:60]) + "…"
}
