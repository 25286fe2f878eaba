package http_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/connectors"
)

// whole asks for an answer that is the record.
func (a *api) whole(t *testing.T, body string, edits ...func(*connectors.OpenInput)) connectors.Source {
	t.Helper()
	a.say(http.StatusOK, "application/json", body)
	return open(t, a.settings(map[string]any{"record_path": nil, "email_field": nil}), edits...)
}

func TestValuesAreTypedAndNestedNamesJoined(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	type value = connectors.Value
	number := func(text string) value { return value{Kind: connectors.Number, Text: text} }
	text := func(s string) value { return value{Kind: connectors.Text, Text: s} }
	for _, c := range []struct {
		body string
		want map[string]connectors.Value
	}{
		{`{"n": 12345678901234567890.12345678901234567890}`, map[string]value{"n": number("12345678901234567890.12345678901234567890")}},
		{`{"a": -0, "b": 1.50, "c": 1E5, "d": 1e-7, "e": 9007199254740993}`, map[string]value{
			"a": number("-0"), "b": number("1.50"), "c": text("1E5"), "d": text("1e-7"), "e": number("9007199254740993"),
		}},
		{`{"t": true, "f": false, "z": null, "e": ""}`, map[string]value{
			"t": {Kind: connectors.Bool, Text: "true"}, "f": {Kind: connectors.Bool, Text: "false"}, "z": {Kind: connectors.Null}, "e": text(""),
		}},
		{`{"a": "2026-02-28", "b": "2026-02-30", "c": "2026-11-01T12:00:00Z", "d": "2026-11-01T12:00:00.5+02:00", "e": "2026-11-01T12:00:00", "f": "20261101", "g": "12:00"}`, map[string]value{
			"a": {Kind: connectors.Date, Text: "2026-02-28"}, "b": text("2026-02-30"),
			"c": {Kind: connectors.DateTime, Text: "2026-11-01T12:00:00Z"}, "d": {Kind: connectors.DateTime, Text: "2026-11-01T12:00:00.5+02:00"},
			"e": text("2026-11-01T12:00:00"), "f": text("20261101"), "g": text("12:00"),
		}},
		{`{"a": ["x", 1.10, true, null], "b": [], "c": [[1], 2], "d": [{"k": "<&>"}], "e": {}}`, map[string]value{
			"a": {Kind: connectors.List, Text: "x, 1.10, true, null"}, "b": {Kind: connectors.List},
			"c": {Kind: connectors.JSON, Text: "[[1],2]"}, "d": {Kind: connectors.JSON, Text: `[{"k":"<&>"}]`}, "e": {Kind: connectors.JSON, Text: "{}"},
		}},
		{`{"a": {"b": {"c": {"d": {"e": 1, "f": {"g": 2}}}}}}`, map[string]value{"a.b.c.d.e": number("1"), "a.b.c.d.f": {Kind: connectors.JSON, Text: `{"g":2}`}}},
		{`{"a.b": 1, "a": {"b": 2}}`, map[string]value{"a.b": number("1")}},
		{`{"": 1, "a\u0000": 2, " b": 3, "` + strings.Repeat("x", 201) + `": 4, "ü [0]": 5}`, map[string]value{"ü [0]": number("5")}},
		{`{"a": "x\u0000y\ud800z"}`, map[string]value{"a": text("x\ufffdy\ufffdz")}},
	} {
		res := lookup(t, a.whole(t, c.body), "ana@toy.example")
		if res.Match != connectors.Found || len(res.Records[0]) != len(c.want) {
			t.Errorf("%s: %+v", c.body, res)
			continue
		}
		for id, want := range c.want {
			if got := res.Records[0][id]; got != want {
				t.Errorf("%s: %s is %+v, want %+v", c.body, id, got, want)
			}
		}
	}
}

func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	long := strings.Repeat("ü", 5000)
	res := lookup(t, a.whole(t, `{"a": "`+long+`", "b": `+strings.Repeat("9", 5000)+`, "c": ["`+long+`"], "d": [["`+long+`"]], "e": [`+strings.Repeat("1,", 30)+`1]}`), "ana@toy.example")
	for id, v := range res.Records[0] {
		if id != "e" && (len(v.Text) > 4<<10 || !strings.HasSuffix(v.Text, "…") || v.Kind != connectors.Text || !utf8.ValidString(v.Text)) {
			t.Errorf("%s: %s of %d bytes, ends in %q", id, v.Kind, len(v.Text), v.Text[len(v.Text)-3:])
		}
	}
	if e := res.Records[0]["e"]; e.Kind != connectors.List || !strings.HasSuffix(e.Text, "1, …") || strings.Count(e.Text, "1") != 20 {
		t.Errorf("a long list: %+v", e)
	}

	var many, large []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf(`"n%d": %d`, i, i))
	}
	for i := range 100 {
		large = append(large, fmt.Sprintf(`"l%d": %q`, i, strings.Repeat("x", 2000)))
	}
	if n := len(lookup(t, a.whole(t, `{`+strings.Join(many, ",")+`}`), "ana@toy.example").Records[0]); n != 500 {
		t.Errorf("%d fields", n)
	}
	total := 0
	for _, v := range lookup(t, a.whole(t, `{`+strings.Join(large, ",")+`}`), "ana@toy.example").Records[0] {
		total += len(v.Text)
	}
	if total > 64<<10 {
		t.Errorf("%d bytes in a record", total)
	}
	// What the card uses is not crowded out by what it does not.
	if res := lookup(t, a.whole(t, `{`+strings.Join(many, ",")+`}`), "ana@toy.example", "n1999"); len(res.Records[0]) != 1 || res.Records[0]["n1999"].Text != "1999" {
		t.Errorf("the last field alone: %+v", res.Records)
	}
	if res := lookup(t, a.whole(t, `{`+strings.Join(large, ",")+`}`), "ana@toy.example", "l99"); len(res.Records[0]["l99"].Text) != 2000 {
		t.Errorf("the last large field alone: %+v", res.Records)
	}
}

func TestDiscoverListsTheSamplesFieldsInOrder(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	catalog := func(src connectors.Source) (connectors.Catalog, error) {
		return src.(connectors.Discoverer).Discover(within(t))
	}
	got, err := catalog(a.whole(t, `{"z": 1, "company": {"name": "Lima", "open": null}, "a": "`+strings.Repeat("ü", 100)+`", "tags": []}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []connectors.Field{
		{ID: "z", Label: "z", Kind: connectors.Number, Sample: "1"},
		{ID: "company.name", Label: "name", Kind: connectors.Text, Group: "company", Sample: "Lima"},
		{ID: "company.open", Label: "open", Kind: connectors.Text, Group: "company"},
		{ID: "a", Label: "a", Kind: connectors.Text, Sample: strings.Repeat("ü", 79) + "…"},
		{ID: "tags", Label: "tags", Kind: connectors.List},
	}
	if !slices.Equal(got.Fields, want) {
		t.Errorf("got %+v", got.Fields)
	}

	_, err = catalog(open(t, a.settings(map[string]any{"sample_email": nil})))
	if e := mustFail(t, err, connectors.Misconfigured, "http.no_sample"); e.Field != "sample_email" {
		t.Errorf("points at %q", e.Field)
	}
	a.say(http.StatusOK, "application/json", `{"data": {"items": [{"email": "eve@toy.example"}]}}`)
	_, err = catalog(open(t, a.settings(nil)))
	mustFail(t, err, connectors.Misconfigured, "http.sample_stranger")
	a.say(http.StatusNotFound, "application/json", `{}`)
	_, err = catalog(open(t, a.settings(nil)))
	mustFail(t, err, connectors.Misconfigured, "http.sample_unknown")
	a.say(http.StatusBadGateway, "text/html", `<html>`)
	_, err = catalog(open(t, a.settings(nil)))
	mustFail(t, err, connectors.Transient, "http.502")
}
