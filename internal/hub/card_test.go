package hub

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

func found1(r connectors.Record) Answer {
	return Answer{Result: connectors.Result{Match: connectors.Found, Records: []connectors.Record{r}}}
}

func TestFillKeepsTheOrderOfTheLines(t *testing.T) {
	t.Parallel()
	a, b := NewID(), NewID()
	lines := []Line{
		{Label: "Name", Connection: a, Field: "name"},
		{Label: "Total", Connection: b, Field: "total", Format: FormatNumber},
		{Label: "Since", Connection: a, Field: "since", Format: FormatDate},
	}
	got := Fill(lines, map[ID]Answer{
		a: found1(connectors.Record{"name": {Kind: connectors.Text, Text: "Maya"}, "since": {Kind: connectors.Date, Text: "2026-11-20"}}),
		b: found1(connectors.Record{"total": {Kind: connectors.Number, Text: "1234567.50"}}),
	})
	want := []livesupporti.Field{{Name: "Name", Value: "Maya"}, {Name: "Total", Value: "1,234,567.50"}, {Name: "Since", Value: "20 Nov 2026"}}
	if len(got.Fields) != len(want) {
		t.Fatalf("fields = %v, want %v", got.Fields, want)
	}
	for i := range want {
		if got.Fields[i] != want[i] {
			t.Errorf("field %d = %v, want %v", i, got.Fields[i], want[i])
		}
	}
}

func TestFillSaysWhyALineIsLeftOut(t *testing.T) {
	t.Parallel()
	id := NewID()
	empty := connectors.Record{"x": {Kind: connectors.Null}}
	tests := []struct {
		name    string
		answer  Answer
		line    Line
		value   string // of the only field; empty = left out
		because string
	}{
		{"empty and hidden", found1(empty), Line{HideIfEmpty: true}, "", "empty"},
		{"absent and hidden", found1(connectors.Record{}), Line{HideIfEmpty: true}, "", "empty"},
		{"empty and not hidden", found1(empty), Line{}, "–", ""},
		{"empty with a fallback", found1(empty), Line{HideIfEmpty: true, Fallback: "none yet"}, "none yet", ""},
		{"stranger", Answer{Result: connectors.Result{Match: connectors.None}}, Line{HideIfEmpty: true}, "", "no_match"},
		{"several", Answer{Result: connectors.Result{Match: connectors.Ambiguous}}, Line{HideIfEmpty: true}, "", "several_matches"},
		{"failed", Answer{Err: errors.New("away")}, Line{HideIfEmpty: true}, "", "source_failed"},
		{"only spaces", found1(connectors.Record{"x": {Kind: connectors.Text, Text: " \t"}}), Line{HideIfEmpty: true}, "", "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := tt.line
			l.Label, l.Connection, l.Field = "X", id, "x"
			f := Fill([]Line{l}, map[ID]Answer{id: tt.answer})
			if tt.because != "" {
				if len(f.Fields) != 0 || len(f.LeftOut) != 1 || f.LeftOut[0].Why != tt.because {
					t.Fatalf("got %+v, want it left out because %q", f, tt.because)
				}
				return
			}
			if len(f.Fields) != 1 || f.Fields[0].Value != tt.value {
				t.Fatalf("got %+v, want the value %q", f, tt.value)
			}
		})
	}
}

func TestFormatsWriteForPeople(t *testing.T) {
	t.Parallel()
	tests := []struct {
		format   Format
		in, want string
	}{
		{"", "as it is", "as it is"},
		{FormatNumber, "999", "999"},
		{FormatNumber, "1000", "1,000"},
		{FormatNumber, "-1234567", "-1,234,567"},
		{FormatNumber, "12345678901234567890.10", "12,345,678,901,234,567,890.10"},
		{FormatNumber, "1e5", "1e5"},
		{FormatNumber, "twelve", "twelve"},
		{FormatDate, "2026-01-02", "2 Jan 2026"},
		{FormatDate, "2026-01-02T23:59:00Z", "2 Jan 2026"},
		{FormatDate, "someday", "someday"},
		{FormatDateTime, "2026-01-02T15:04:05+02:00", "2 Jan 2026, 13:04 UTC"},
		{FormatYesNo, "TRUE", "Yes"},
		{FormatYesNo, "0", "No"},
		{FormatYesNo, "maybe", "maybe"},
	}
	for _, tt := range tests {
		if got := tt.format.write(connectors.Value{Kind: connectors.Text, Text: tt.in}); got != tt.want {
			t.Errorf("%q as %s = %q, want %q", tt.in, tt.format, got, tt.want)
		}
	}
}

func TestValuesCannotDisturbTheAgentsScreen(t *testing.T) {
	t.Parallel()
	id := NewID()
	value := "a\x00b\x1bc\u202ed\ne" + strings.Repeat("ü", 2000)
	f := Fill([]Line{{Label: "X", Connection: id, Field: "x"}}, map[ID]Answer{id: found1(connectors.Record{"x": {Kind: connectors.Text, Text: value}})})
	got := f.Fields[0].Value
	if !strings.HasPrefix(got, "abcd e") {
		t.Errorf("value begins with %q, want control and direction characters gone", got[:12])
	}
	if n := utf8.RuneCountInString(got); n != maxValue {
		t.Errorf("value has %d characters, want %d", n, maxValue)
	}
}

func TestCheckLinesNamesEachWrongLine(t *testing.T) {
	t.Parallel()
	known := Connection{ID: NewID()}
	err := checkLines([]Line{
		{Label: "Name", Connection: known.ID, Field: "name"},
		{Label: " name ", Connection: known.ID, Field: "other"},
		{Label: "", Connection: NewID(), Field: "", Format: "roman"},
	}, []Connection{known})
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != CodeInvalid {
		t.Fatalf("err = %v, want a refusal", err)
	}
	var got []string
	for _, f := range refusal.Fields {
		got = append(got, f.Pointer)
	}
	want := "/lines/1/label /lines/2/label /lines/2/field /lines/2/connection_id /lines/2/format"
	if strings.Join(got, " ") != want {
		t.Errorf("pointers = %v, want %s", got, want)
	}
}

var grouped = regexp.MustCompile(`^-?\d{1,3}(,\d{3})*(\.\d+)?$`)

func FuzzGroupDigits(f *testing.F) {
	for _, s := range []string{"0", "-1234.5", "1e9", "", "٣", "+77777"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := groupDigits(s)
		if !decimal.MatchString(s) {
			if got != s {
				t.Errorf("groupDigits(%q) = %q, which is no number", s, got)
			}
			return
		}
		if strings.ReplaceAll(got, ",", "") != strings.TrimPrefix(s, "+") {
			t.Errorf("groupDigits(%q) = %q changes the digits", s, got)
		}
		if !grouped.MatchString(got) {
			t.Errorf("groupDigits(%q) = %q is not in groups of three", s, got)
		}
	})
}
