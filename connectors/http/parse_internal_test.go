package http

import (
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/connectors"
)

// TestEncodingHoldsWithoutTheFilter puts into the question what Lookup would never send: even so it stays data.
func TestEncodingHoldsWithoutTheFilter(t *testing.T) {
	t.Parallel()
	set := func(name, v string, s connectors.Settings) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		s[name] = raw
	}
	asked := func(url, format, body string) *question {
		s := connectors.Settings{}
		set("url", url, s)
		set("method", "POST", s)
		set("body_format", format, s)
		set("body", body, s)
		q, err := newQuestion(s)
		if err != nil {
			t.Fatal(err)
		}
		q.lower = false
		return q
	}
	inJSON := asked("https://api.example.com/p/{{email}}/o?e={{email}}", "json", `{"e": "{{email}}"}`)
	inForm := asked("https://api.example.com/", "form", "e={{email}}")
	for _, email := range []string{
		"", " ", "x\r\nX-Injected: 1", "\x00", "\x1b[0m", "tab\t", "#?&=;+%", `"}],"`, "\u2028", strings.Repeat("a/", 5<<10), "%", "{{email}}", "日本",
	} {
		r, ok := inJSON.request(t.Context(), email)
		if !ok {
			t.Fatalf("%q was refused", email)
		}
		if r.URL.Host != "api.example.com" || r.URL.Path != "/p/"+email+"/o" || r.URL.Fragment != "" || !reflect.DeepEqual(r.URL.Query(), url.Values{"e": {email}}) {
			t.Errorf("%.40q: the URL is %.200s", email, r.URL)
		}
		if body, err := io.ReadAll(r.Body); err != nil || !isOnly(body, email) {
			t.Errorf("%.40q: the body is %.200s, %v", email, body, err)
		}
		r, ok = inForm.request(t.Context(), email)
		if !ok {
			t.Fatalf("%q was refused", email)
		}
		if err := r.ParseForm(); err != nil || !reflect.DeepEqual(r.PostForm, url.Values{"e": {email}}) {
			t.Errorf("%.40q: the form is %.200v, %v", email, r.PostForm, err)
		}
	}
	s := connectors.Settings{"headers": json.RawMessage(`["X-Visitor: {{email}}"]`)}
	set("url", "https://api.example.com/", s)
	q, err := newQuestion(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"x\r\nX-Injected: 1", "\x00", "a\nb", "\x7f"} {
		if _, ok := q.request(t.Context(), email); ok {
			t.Errorf("%q was put into a header", email)
		}
	}
}

func isOnly(body []byte, email string) bool {
	var v map[string]string
	return json.Unmarshal(body, &v) == nil && len(v) == 1 && v["e"] == email
}

func TestPathsLeadIntoAnswers(t *testing.T) {
	t.Parallel()
	root, err := decode([]byte(`{"data": {"items": [{"a b": 1}, [2, [3]]], "none": null, "": 4}, "x": "y"}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"data.items[0].a b": "1", "data.items[1][0]": "2", "data.items[1][1][0]": "3", "data.items[9]": "null", "data.items[9].x": "null",
		"data.none": "null", "data.none.x[0]": "null", "data.items[1][1]": "[3]",
		"data.item": "data.item is missing", "data[0]": "data[0] is missing", "x.y": "x.y is missing", "data.items.a": "data.items.a is missing", "[0]": "[0] is missing",
	} {
		p, err := newPath("record_path", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		if end, missing := p.in(root); missing != nil {
			got = missing.String() + " is missing"
		} else {
			got = compact(end)
		}
		if got != want {
			t.Errorf("%s leads to %s, want %s", text, got, want)
		}
	}
}

func compact(n *node) string {
	var b strings.Builder
	n.write(&b, 1<<20)
	return b.String()
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", "data.items[0]", "[0]", "a.b.c", "a[0][1].b", "..", "a[", "a]", "$.a", "a[999999]", "a[0]b", "é. .x"} {
		f.Add(seed)
	}
	root, err := decode([]byte(`{"data": {"items": [{"a": [[1]]}]}, "a": {"b": {"c": 0}}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := newPath("record_path", text)
		if err != nil {
			return
		}
		again, err := newPath("record_path", p.String())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%q reads as %v, which reads as %v, %v", text, p, again, err)
		}
		if end, missing := p.in(root); (end == nil) == (missing == nil) {
			t.Errorf("%q leads to %v, missing %v", text, end, missing)
		}
	})
}

// FuzzDecode compares with encoding/json: what is decoded means the same there, and fields keep their bounds.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, `{"a": [1, 2.50, -3e7], "b": {"c": "d"}}`, "\ufeff{}", `{"a": 1, "a": 2}`, `{"a"`, `[1,]`, `"\ud800"`, `{"a": "\u0000"}`, `1 2`, ` `,
		`{"a.b": 1, "a": {"b": [[]]}}`, `[[[[[[]]]]]]`, "{\"a\": \"\xff\"}", `{"": {"": 1}}`, `tru`, `01`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		root, err := decode(body)
		if err != nil {
			return
		}
		var want, got any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(strings.TrimSpace(string(body)), "\ufeff")), &want); err != nil {
			t.Fatalf("encoding/json refuses what was decoded: %v", err)
		}
		if err := json.Unmarshal([]byte(compact(root)), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s means another thing than %s (%v)", compact(root), body, err)
		}
		if root.shape != isObject {
			return
		}
		size := 0
		for _, field := range fieldsOf(root, nil) {
			size += len(field.value.Text)
			if !utf8.ValidString(field.value.Text) || !isID(field.id()) || len(field.names) > maxLevels || len(field.value.Text) > maxValue {
				t.Errorf("field %q: %+v", field.id(), field.value)
			}
		}
		if size > maxRecord {
			t.Errorf("%d bytes in a record", size)
		}
	})
}
