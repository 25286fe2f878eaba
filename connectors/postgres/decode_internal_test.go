package postgres

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/connectors"
)

// FuzzRecord feeds the decoder what a server might send for a row. Nothing may panic, and every value must be
// sound and bounded.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":"x"}`, `{"a":null}`, `{"a":[1,[2,{"x":"y"}],null,"z"]}`, `{"a":{"b":1e9}}`, `{"a":"2026-11-22T09:00:00+00:00"}`,
		`{"a":"[1, 2]"}`, `{"a":"\\u0000"}`, `{"a":-0.00}`, `{"a":true}`, `[]`, ``, `{"a":"` + strings.Repeat("ä", 5000) + `"}`, `{"a":"null"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		for s := asText; s <= asBytes; s++ {
			record, err := recordOf(row, []column{{name: "a", shape: s}, {name: "b", shape: s}})
			if err != nil {
				return
			}
			for name, v := range record {
				if len(v.Text) > maxValue || !utf8.ValidString(v.Text) || strings.ContainsRune(v.Text, 0) {
					t.Errorf("%s as shape %d is unsound: %q", name, s, v.Text)
				}
				if v.Kind == "" || v.Kind == connectors.Null && v.Text != "" {
					t.Errorf("%s as shape %d is %+v", name, s, v)
				}
				if v.Kind == connectors.Number && strings.Trim(v.Text, "-0123456789.") != "" {
					t.Errorf("%s as shape %d is the number %q", name, s, v.Text)
				}
			}
		}
	})
}
