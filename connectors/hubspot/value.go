package hubspot

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	maxEntries  = 50  // of a list
	maxDigits   = 100 // of a number, on either side of the point
	maxExponent = 100
)

// kind is what a property's values are. One that is not listed is a text [spec].
func (p property) kind() connectors.Kind {
	switch {
	case p.References == "OWNER":
		return connectors.Text
	case p.Type == "number":
		return connectors.Number
	case p.Type == "bool", p.Type == "enumeration" && p.Field == "booleancheckbox":
		return connectors.Bool
	case p.Type == "enumeration" && p.Field == "checkbox":
		return connectors.List
	case p.Type == "date":
		return connectors.Date
	case p.Type == "datetime":
		return connectors.DateTime
	}
	return connectors.Text
}

// typed gives a value its kind. What does not fit the kind is shown as it is, as a text. An empty text is one only
// where texts are expected; elsewhere there is no value.
func typed(p property, raw string) connectors.Value {
	kind := p.kind()
	if raw == "" && kind != connectors.Text {
		return connectors.Value{Kind: connectors.Null}
	}
	text, ok := raw, true
	switch kind {
	case connectors.Number:
		text, ok = decimal(raw)
	case connectors.Bool:
		text = strings.ToLower(raw)
		ok = text == "true" || text == "false"
	case connectors.Date:
		text, ok = date(raw)
	case connectors.DateTime:
		text, ok = moment(raw)
	case connectors.List:
		text = p.entries(raw)
	case connectors.Text:
		text = p.words(raw)
	case connectors.Null, connectors.JSON:
	}
	if !ok {
		return connectors.Value{Kind: connectors.Text, Text: raw}
	}
	return connectors.Value{Kind: kind, Text: text}
}

// words is a text as people read it.
func (p property) words(raw string) string {
	raw = strings.ReplaceAll(raw, "\x00", "\ufffd")
	switch {
	case p.Type == "enumeration":
		return p.option(raw)
	case p.Field == "html":
		return plain(raw)
	}
	return raw
}

// option gives the label of a value, or the value where it has none.
func (p property) option(value string) string {
	for _, o := range p.Options {
		if o.Value == value && o.Label != "" {
			return o.Label
		}
	}
	return value
}

// entries joins the labels of a property with several values [doc: between them are semicolons].
func (p property) entries(raw string) string {
	var labels []string
	for value := range strings.SplitSeq(raw, ";") {
		if value = strings.TrimSpace(value); value == "" {
			continue
		}
		if len(labels) == maxEntries {
			labels = append(labels, "…")
			break
		}
		labels = append(labels, p.option(value))
	}
	return strings.Join(labels, ", ")
}

var numberForm = regexp.MustCompile(`^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$`)

// decimal writes a number without exponent and without superfluous zeros before it; digits after the point stay.
func decimal(raw string) (string, bool) {
	m := numberForm.FindStringSubmatch(strings.TrimSpace(raw))
	if m == nil || m[2]+m[3] == "" || len(m[2]) > maxDigits || len(m[3]) > maxDigits {
		return "", false
	}
	sign, digits := strings.TrimPrefix(m[1], "+"), m[2]+m[3]
	point := len(m[2])
	if m[4] != "" {
		exponent, err := strconv.Atoi(m[4])
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			return "", false
		}
		if digits = strings.TrimRight(digits, "0"); digits == "" {
			return "0", true
		}
		point += exponent
	}
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, fraction := strings.TrimLeft(digits[:point], "0"), digits[point:]
	if whole == "" {
		whole = "0"
	}
	if strings.Trim(whole+fraction, "0") == "" {
		sign = ""
	}
	if fraction == "" {
		return sign + whole, true
	}
	return sign + whole + "." + fraction, true
}

// date gives a day. HubSpot means a day by midnight in UTC and no moment, so it is not shifted [doc].
func date(raw string) (string, bool) {
	if _, err := time.Parse(time.DateOnly, raw); err == nil {
		return raw, true
	}
	at, ok := parseMoment(raw)
	if !ok {
		return "", false
	}
	return at.UTC().Format(time.DateOnly), true
}

func moment(raw string) (string, bool) {
	at, ok := parseMoment(raw)
	if !ok {
		return "", false
	}
	return at.UTC().Format(time.RFC3339Nano), true
}

// parseMoment reads ISO 8601, with or without fractions [obs], and milliseconds since 1970 as older versions of the API
// wrote them [mem].
func parseMoment(raw string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339Nano, raw); err == nil {
		return at, at.Year() >= 0 && at.Year() <= 9999
	}
	if len(raw) < 9 || len(raw) > 14 {
		return time.Time{}, false
	}
	ms, err := strconv.ParseInt(raw, 10, 64)
	return time.UnixMilli(ms), err == nil
}

// created says when an object was made; the zero time when that is not known.
func created(o object) time.Time {
	at, ok := parseMoment(o.get(propCreated))
	if !ok {
		return time.Time{}
	}
	return at
}

var (
	hiddenParts = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<!--.*?-->`)
	lineBreaks  = regexp.MustCompile(`(?i)<br\s*/?>|</(p|div|li|tr|h[1-6])\s*>`)
	tags        = regexp.MustCompile(`(?s)</?[a-zA-Z!][^>]*>`)
	blankLines  = regexp.MustCompile(`[ \t]*\n\s*`)
)

// plain takes the markup out of a text. It is for reading only: whoever shows it escapes it all the same.
func plain(markup string) string {
	markup = hiddenParts.ReplaceAllString(markup, "")
	markup = lineBreaks.ReplaceAllString(markup, "\n")
	text := html.UnescapeString(tags.ReplaceAllString(markup, ""))
	return strings.TrimSpace(blankLines.ReplaceAllString(text, "\n"))
}

// cut shortens a text to so many bytes, the ellipsis included, without breaking a character.
func cut(text string, most int) string {
	const ellipsis = "…"
	if most < len(ellipsis) {
		return ""
	}
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
