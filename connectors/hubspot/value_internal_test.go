package hubspot

import (
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"sidecard/connectors"
)

func TestNumbersStayDecimals(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"0": "0", "1234.50": "1234.50", "-1234.5": "-1234.5", "+7": "7", " 7 ": "7", "007": "7", ".5": "0.5", "5.": "5", "-0.0": "0.0", "-0": "0",
		"1.0E7": "10000000", "1.2345e3": "1234.5", "12e-3": "0.012", "1E+2": "100", "1500E-2": "15", "-2.5E-1": "-0.25", "0E9": "0", "100e0": "100",
		"0.1": "0.1", "99999999999999999999.01": "99999999999999999999.01",
	} {
		if got, ok := decimal(raw); !ok || got != want {
			t.Errorf("%q is %q (%v), want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{"", " ", "-", ".", "e5", "1e", "1,5", "NaN", "Infinity", "0x10", "1e101", "1e99999", "1.2.3", strings.Repeat("9", 101)} {
		if got, ok := decimal(raw); ok {
			t.Errorf("%q was taken for the number %q", raw, got)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, raw := range []string{"1.0E7", "-12.50", ".5e-3", "0e0", "1500E-2"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := decimal(raw)
		if !ok {
			return
		}
		want, fine := new(big.Rat).SetString(strings.TrimSpace(raw))
		is, fineToo := new(big.Rat).SetString(got)
		if !fine || !fineToo || want.Cmp(is) != 0 {
			t.Errorf("%q became %q", raw, got)
		}
		if again, ok := decimal(got); !ok || again != got {
			t.Errorf("%q is not canonical: %q", got, again)
		}
	})
}

func TestValuesFitTheirKindOrAreTexts(t *testing.T) {
	t.Parallel()
	options := []option{{"Apples", "a"}, {"Bees", "b"}, {"", "c"}}
	for _, c := range []struct {
		p    property
		raw  string
		want connectors.Value
	}{
		{property{Type: "string"}, "", connectors.Value{Kind: connectors.Text}},
		{property{Type: "string"}, "a\x00b", connectors.Value{Kind: connectors.Text, Text: "a\ufffdb"}},
		{property{}, "unknown", connectors.Value{Kind: connectors.Text, Text: "unknown"}},
		{property{Type: "phone_number"}, "+351 1", connectors.Value{Kind: connectors.Text, Text: "+351 1"}},
		{property{Type: "number"}, "", connectors.Value{Kind: connectors.Null}},
		{property{Type: "number"}, "many", connectors.Value{Kind: connectors.Text, Text: "many"}},
		{property{Type: "bool"}, "True", connectors.Value{Kind: connectors.Bool, Text: "true"}},
		{property{Type: "bool"}, "perhaps", connectors.Value{Kind: connectors.Text, Text: "perhaps"}},
		{property{Type: "enumeration", Field: "booleancheckbox"}, "false", connectors.Value{Kind: connectors.Bool, Text: "false"}},
		{property{Type: "enumeration", Field: "select", Options: options}, "a", connectors.Value{Kind: connectors.Text, Text: "Apples"}},
		{property{Type: "enumeration", Field: "radio", Options: options}, "c", connectors.Value{Kind: connectors.Text, Text: "c"}},
		{property{Type: "enumeration", Field: "select", Options: options}, "zzz", connectors.Value{Kind: connectors.Text, Text: "zzz"}},
		{property{Type: "enumeration", Field: "checkbox", Options: options}, "b;a;;x", connectors.Value{Kind: connectors.List, Text: "Bees, Apples, x"}},
		{property{Type: "enumeration", Field: "checkbox"}, "", connectors.Value{Kind: connectors.Null}},
		{property{Type: "date"}, "2026-02-28", connectors.Value{Kind: connectors.Date, Text: "2026-02-28"}},
		{property{Type: "date"}, "1772236800000", connectors.Value{Kind: connectors.Date, Text: "2026-02-28"}},
		{property{Type: "date"}, "2026-02-28T00:00:00Z", connectors.Value{Kind: connectors.Date, Text: "2026-02-28"}},
		{property{Type: "date"}, "2026-02-30", connectors.Value{Kind: connectors.Text, Text: "2026-02-30"}},
		{property{Type: "datetime"}, "2025-03-04T09:15:22.113Z", connectors.Value{Kind: connectors.DateTime, Text: "2025-03-04T09:15:22.113Z"}},
		{property{Type: "datetime"}, "2026-10-01T08:00:00Z", connectors.Value{Kind: connectors.DateTime, Text: "2026-10-01T08:00:00Z"}},
		{property{Type: "datetime"}, "2026-10-01T08:00:00+02:00", connectors.Value{Kind: connectors.DateTime, Text: "2026-10-01T06:00:00Z"}},
		{property{Type: "datetime"}, "1772236800000", connectors.Value{Kind: connectors.DateTime, Text: "2026-02-28T00:00:00Z"}},
		{property{Type: "datetime"}, "yesterday", connectors.Value{Kind: connectors.Text, Text: "yesterday"}},
		{property{Type: "datetime"}, "", connectors.Value{Kind: connectors.Null}},
	} {
		if got := typed(c.p, c.raw); got != c.want {
			t.Errorf("%+v of %q is %+v, want %+v", c.p, c.raw, got, c.want)
		}
	}
	long := strings.Repeat("a;", 80)
	if got := typed(property{Type: "enumeration", Field: "checkbox"}, long).Text; strings.Count(got, ", ") != maxEntries || !strings.HasSuffix(got, "…") {
		t.Errorf("a long list is %q", got)
	}
}

func TestMarkupIsTakenOut(t *testing.T) {
	t.Parallel()
	for markup, want := range map[string]string{
		"plain":                            "plain",
		"<p>One</p><p>Two<br/>Three</p>":   "One\nTwo\nThree",
		"a <b class=\"x>y\">bold</b> word": "a y\">bold word",
		"1 < 2 &amp; 3 > 2":                "1 < 2 & 3 > 2",
		"<STYLE>p{}</STYLE>x<!-- no -->":   "x",
		"<script>alert(1)</script >after":  "after",
		"&lt;b&gt;":                        "<b>",
		"<ul>\n <li>a</li>\n\n<li>b</li>":  "a\nb",
	} {
		if got := plain(markup); got != want {
			t.Errorf("%q is %q, want %q", markup, got, want)
		}
	}
}

func FuzzTyped(f *testing.F) {
	f.Add("number", "text", "1.5e3")
	f.Add("enumeration", "checkbox", "a;b")
	f.Add("string", "html", "<p>a<b")
	f.Add("datetime", "date", "1772236800000")
	f.Fuzz(func(t *testing.T, kind, form, raw string) {
		if !utf8.ValidString(raw) {
			return // answers that are no UTF-8 are refused as a whole
		}
		p := property{Type: kind, Field: form}
		v := typed(p, raw)
		if v.Kind != p.kind() && v.Kind != connectors.Text && v.Kind != connectors.Null {
			t.Errorf("%+v of %q is %+v", p, raw, v)
		}
		if v.Kind == connectors.Null && v.Text != "" || !utf8.ValidString(v.Text) {
			t.Errorf("%+v of %q is %+v", p, raw, v)
		}
		if len(v.Text) <= 10 {
			return
		}
		if short := cut(v.Text, 10); len(short) > 10 || !utf8.ValidString(short) {
			t.Errorf("%q was cut to %q", v.Text, short)
		}
	})
}
