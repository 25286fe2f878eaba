package hub

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

// Whatever a tenant publishes and a source says, the details are valid JSON in the documented form and within their
// bounds, the same twice, and nothing in them can disturb the agent's screen.
func FuzzFill(f *testing.F) {
	f.Add([]byte(`[{"label":"Name","field":"a"},{"label":"Total","field":"b","format":"number","hide_if_empty":true,"fallback":"none"}]`),
		"Maya", "1234567.50", "Shop", uint8(connectors.Found), true)
	f.Add([]byte(`[{"label":"a\u0001b","field":"a","fallback":"\u202e"},{"label":"\u202egpj.exe","field":"c"}]`),
		"\x00\u2028", "\xff\xfe", "\u0007", uint8(connectors.Found), true)
	f.Add([]byte(`[{"label":"\u0001","field":"a"}]`), "x", "", "", uint8(connectors.Found), true)
	f.Add([]byte(`[{"label":" a","field":"a","format":"date"},{"label":"b","field":"a","format":"date_time"},{"label":"c","field":"b","format":"yes_no"}]`),
		"2026-11-20T14:05:06+14:00", "t", "", uint8(connectors.Found), false)
	f.Add([]byte(`[{"label":"A","field":"a"},{"label":"a","field":"b","format":"roman"}]`), "", "", "", uint8(connectors.None), false)
	f.Add([]byte(`[{"label":"A","field":"a","hide_if_empty":true}]`), strings.Repeat("\u00e9\n", maxValue), "", "x", uint8(connectors.Ambiguous), true)
	f.Add([]byte(`[{"label":"A","field":"a"},{"label":"B","field":"b"}]`), strings.Repeat("\u00e9", maxValue+1), strings.Repeat("x", 2*maxValue), "", uint8(connectors.Found), false)
	f.Add([]byte(`[{"label":"A","field":"a"}]`), "\u00e9", "", strings.Repeat("n", maxLabel+1), uint8(connectors.Found), true)
	known, other := Connection{ID: NewID()}, Connection{ID: NewID()}
	f.Fuzz(func(t *testing.T, card []byte, a, b, from string, match uint8, old bool) {
		var lines []Line
		if json.Unmarshal(card, &lines) != nil {
			return
		}
		for i := range lines {
			lines[i].Connection = []ID{known.ID, other.ID}[i%2]
		}
		if checkLines(lines, []Connection{known, other}) != nil {
			return
		}
		answer := Answer{Result: connectors.Result{Match: connectors.Match(match % 3)}, From: from}
		if answer.Result.Match != connectors.None {
			record := connectors.Record{"a": {Kind: connectors.Text, Text: a}, "b": {Kind: connectors.JSON, Text: b}, "c": {Kind: connectors.Null}}
			answer.Result.Records = slices.Repeat([]connectors.Record{record}, int(answer.Result.Match))
		}
		if old {
			answer.Instead, answer.Age = ErrNotFound, time.Duration(len(a))*time.Hour
		}
		answers := map[ID]Answer{known.ID: answer}
		filled := Fill(lines, answers)
		if again := Fill(lines, answers); !reflect.DeepEqual(again, filled) {
			t.Fatalf("filled as %+v, then as %+v", filled, again)
		}
		checkFilled(t, lines, filled)

		body, err := livesupporti.Details(livesupporti.Text("account"), livesupporti.Scalar{}, livesupporti.Text("visitor"), filled.Fields)
		if err != nil {
			t.Fatalf("%+v cannot be sent: %v", filled.Fields, err)
		}
		back, err := livesupporti.ParseDetails(body)
		if err != nil || !json.Valid(body) || !reflect.DeepEqual(slices.Concat(back.Fields), slices.Concat(filled.Fields)) {
			t.Errorf("%+v is sent as %s (%v)", filled.Fields, body, err)
		}
		// Each character has at most six bytes in JSON; around a field stand 22.
		if most := 100 + len(filled.Fields)*(22+6*(maxLabel+maxValue)); len(body) > most {
			t.Errorf("%d bytes, want at most %d", len(body), most)
		}
	})
}

func checkFilled(t *testing.T, lines []Line, filled Filled) {
	t.Helper()
	shown := len(lines) - len(filled.LeftOut)
	if extra := len(filled.Fields) - shown; extra < 0 || extra > 2 || shown == 0 && extra > 0 {
		t.Errorf("%d lines became %d fields, with %d left out", len(lines), len(filled.Fields), len(filled.LeftOut))
	}
	for _, out := range filled.LeftOut {
		if !slices.Contains([]string{"empty", "no_match", "several_matches", "source_failed"}, out.Why) {
			t.Errorf("left out for %q", out.Why)
		}
	}
	for _, field := range filled.Fields {
		if strings.TrimSpace(field.Name) == "" || strings.TrimSpace(field.Value) == "" {
			t.Errorf("a blank stands in %+v", field)
		}
		if utf8.RuneCountInString(field.Name) > maxLabel || utf8.RuneCountInString(field.Value) > maxValue {
			t.Errorf("too long: %+v", field)
		}
		for _, text := range []string{field.Name, field.Value} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
				t.Errorf("%q disturbs the screen", text)
			}
		}
	}
}

// Formats rewrite what they understand and nothing else: the instant and the number stay the same.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"2026-11-20", "2026-11-20T23:30:00-05:00", "2026-11-20 14:05:06", "-00012345.6700", "+1", "TRUE", "n", "12e3", "\u0663", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := connectors.Value{Kind: connectors.Text, Text: text}
		for _, format := range []Format{"", FormatText} {
			if got := format.write(v); got != text {
				t.Errorf("%q is written as %q", text, got)
			}
		}
		if got := FormatNumber.write(v); got != text && strings.TrimPrefix(text, "+") != strings.ReplaceAll(got, ",", "") {
			t.Errorf("the number %q is written as %q", text, got)
		}
		if got := FormatYesNo.write(v); got != text && (len(text) > len("false") || got != "Yes" && got != "No") {
			t.Errorf("%q is written as %q", text, got)
		}
		at, ok := parseTime(text)
		day, moment := FormatDate.write(v), FormatDateTime.write(v)
		if !ok {
			if day != text || moment != text {
				t.Errorf("%q is no time and is written as %q and %q", text, day, moment)
			}
			return
		}
		read, err := time.Parse("2 Jan 2006", day)
		if err != nil || read.Format(time.DateOnly) != at.Format(time.DateOnly) || !strings.HasPrefix(text, at.Format("2006-01-02")) {
			t.Errorf("the day of %q is written as %q", text, day)
		}
		when, err := time.Parse("2 Jan 2006, 15:04 UTC", moment)
		if at.UTC().Year() >= 0 && at.UTC().Year() <= 9999 && (err != nil || !when.Equal(at.UTC().Truncate(time.Minute))) {
			t.Errorf("the time of %q is written as %q", text, moment)
		}
	})
}
