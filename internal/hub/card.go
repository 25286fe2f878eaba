package hub

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/internal/livesupporti"
)

// Card is what the agent shall see: the published, ordered lines of one version.
type Card struct {
	Version     int // 1 is the first; 0 = nothing published
	Lines       []Line
	PublishedAt time.Time
	PublishedBy ID     // user; the zero ID for a token, and for who is gone
	ByName      string // filled when read: the user's name or e-mail
}

// Line is one line of a card.
type Line struct {
	Label       string `json:"label"`
	Connection  ID     `json:"connection_id"`
	Field       string `json:"field"`
	Format      Format `json:"format,omitempty"`
	HideIfEmpty bool   `json:"hide_if_empty"`
	Fallback    string `json:"fallback,omitempty"`
}

// Format says how a value is written.
type Format string

// The formats. The empty one is FormatText.
const (
	FormatText     Format = "text"      // as it is
	FormatNumber   Format = "number"    // 12,345.60
	FormatDate     Format = "date"      // 20 Nov 2026
	FormatDateTime Format = "date_time" // 20 Nov 2026, 14:05 UTC
	FormatYesNo    Format = "yes_no"    // Yes / No
)

// Bounds of a card.
const (
	maxLines = 50
	maxLabel = 60
	maxValue = 1000 // characters of one value, as sent
)

// LeftOut is a line that is not among the details, and why.
type LeftOut struct {
	Label string `json:"label"`
	Why   string `json:"why"` // empty, no_match, several_matches, source_failed
}

// Filled is a card filled for one visitor.
type Filled struct {
	Fields  []livesupporti.Field
	LeftOut []LeftOut
}

// Fill makes the details: one pure function of the card's lines and the sources' answers, used by
// preview and delivery alike, so that both give the same bytes.
func Fill(lines []Line, answers map[ID]Answer) Filled {
	var f Filled
	for _, l := range lines {
		value, why := l.value(answers[l.Connection])
		fallback := printable(l.Fallback)
		switch {
		case why == "":
		case strings.TrimSpace(fallback) != "":
			value = fallback
		case !l.HideIfEmpty:
			value = "–"
		default:
			f.LeftOut = append(f.LeftOut, LeftOut{Label: l.Label, Why: why})
			continue
		}
		f.Fields = append(f.Fields, livesupporti.Field{Name: printable(l.Label), Value: truncate(value, maxValue)})
	}
	if len(f.Fields) > 0 {
		f.Fields = append(f.Fields, ages(lines, answers)...)
	}
	return f
}

// ages tells the agent which values are from an earlier lookup because their source is in trouble.
func ages(lines []Line, answers map[ID]Answer) (fields []livesupporti.Field) {
	ids, _ := Card{Lines: lines}.sources()
	for _, id := range ids {
		if a := answers[id]; a.Instead != nil {
			name := cmp.Or(strings.TrimSpace(truncate(printable(a.From), maxLabel)), "A source") // a name may consist of what is dropped
			fields = append(fields, livesupporti.Field{Name: name, Value: "as it was " + ago(a.Age)})
		}
	}
	return fields
}

// value gives the formatted value, or why there is none.
func (l Line) value(a Answer) (value, why string) {
	switch {
	case a.Err != nil:
		return "", "source_failed"
	case a.Result.Match == connectors.Ambiguous:
		return "", "several_matches"
	case a.Result.Match == connectors.None:
		return "", "no_match"
	}
	v := a.Result.Records[0][l.Field]
	if v.Empty() {
		return "", "empty"
	}
	if text := printable(l.Format.write(v)); strings.TrimSpace(text) != "" {
		return text, ""
	}
	return "", "empty"
}

// write formats a value. A value that does not fit its format is written as it is: a surprise in the
// data must not hide it from the agent.
func (f Format) write(v connectors.Value) string {
	switch f {
	case FormatNumber:
		return groupDigits(v.Text)
	case FormatDate:
		if t, ok := parseTime(v.Text); ok {
			return t.Format("2 Jan 2006")
		}
	case FormatDateTime:
		if t, ok := parseTime(v.Text); ok {
			return t.UTC().Format("2 Jan 2006, 15:04") + " UTC"
		}
	case FormatYesNo:
		switch strings.ToLower(v.Text) {
		case "true", "t", "yes", "y", "1":
			return "Yes"
		case "false", "f", "no", "n", "0":
			return "No"
		}
	}
	return v.Text
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var decimal = regexp.MustCompile(`^([+-]?)(\d+)(\.\d+)?$`)

// groupDigits writes 1234567.50 as 1,234,567.50 without ever making it a float.
func groupDigits(s string) string {
	m := decimal.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	whole := m[2]
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(m[1], "+"))
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String() + m[3]
}

// printable drops what could disturb the agent's screen: control and direction-changing characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

func truncate(s string, characters int) string {
	if utf8.RuneCountInString(s) <= characters {
		return s
	}
	return string([]rune(s)[:characters-1]) + "…"
}

func (c Card) uses(connection ID) bool {
	return slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Connection == connection })
}

// checkLines says what is wrong with the lines of a card.
func checkLines(lines []Line, connections []Connection) error {
	refusal := fail(CodeInvalid, "The card has lines that need mending.")
	wrong := func(i int, field, detail string) {
		refusal.Fields = append(refusal.Fields, FieldError{Pointer: fmt.Sprintf("/lines/%d/%s", i, field), Detail: detail})
	}
	if len(lines) == 0 || len(lines) > maxLines {
		return invalid("/lines", fmt.Sprintf("A card has 1 to %d lines.", maxLines))
	}
	labels := map[string]bool{}
	for i, l := range lines {
		switch folded := strings.ToLower(strings.TrimSpace(printable(l.Label))); {
		case folded == "" || utf8.RuneCountInString(l.Label) > maxLabel:
			wrong(i, "label", fmt.Sprintf("Give the line a label of 1 to %d characters.", maxLabel))
		case labels[folded]:
			wrong(i, "label", "Another line has this label already.")
		default:
			labels[folded] = true
		}
		if strings.TrimSpace(l.Field) == "" {
			wrong(i, "field", "Choose the field to show.")
		}
		if !slices.ContainsFunc(connections, func(c Connection) bool { return c.ID == l.Connection }) {
			wrong(i, "connection_id", "There is no such connection.")
		}
		if !slices.Contains([]Format{"", FormatText, FormatNumber, FormatDate, FormatDateTime, FormatYesNo}, l.Format) {
			wrong(i, "format", "Choose text, number, date, date_time or yes_no.")
		}
	}
	if len(refusal.Fields) > 0 {
		return refusal
	}
	return nil
}

// PublishedCard gives the newest version; version 0 when there is none.
func (h *Hub) PublishedCard(ctx context.Context, a Actor) (Card, error) {
	return h.Store.Tenant(a.TenantID).Card(ctx)
}

// CardVersions lists all versions, newest first.
func (h *Hub) CardVersions(ctx context.Context, a Actor) ([]Card, error) {
	return h.Store.Tenant(a.TenantID).Cards(ctx)
}

// PublishCard makes the lines the next version; chats from now on use it. basedOn is the version they
// were made from, or -1 to publish whatever came in between.
func (h *Hub) PublishCard(ctx context.Context, a Actor, lines []Line, basedOn int) (Card, error) {
	t := h.Store.Tenant(a.TenantID)
	connections, err := t.Connections(ctx)
	if err != nil {
		return Card{}, err
	}
	if err := checkLines(lines, connections); err != nil {
		return Card{}, err
	}
	before, err := t.Card(ctx)
	if err != nil {
		return Card{}, err
	}
	ctx, entry := h.auditing(ctx, a, "card.published")
	entry.Before, entry.After = labelsOf(before.Lines), labelsOf(lines)
	return t.PublishCard(ctx, Card{Lines: lines, PublishedAt: h.Now(), PublishedBy: a.UserID, ByName: a.Name}, basedOn)
}

// Preview is what the agent would see.
type Preview struct {
	Outcome     OutcomeText
	CardVersion int
	Details     []livesupporti.Field
	LeftOut     []LeftOut
	Sources     []SourceTime
	MS          float64
}

// Preview asks the real sources and fills the given lines, or the published card when lines is nil, just
// as a delivery does. Nothing is sent.
func (h *Hub) Preview(ctx context.Context, a Actor, email string, lines []Line) (Preview, error) {
	began := h.Now()
	setup, err := h.setup(ctx, a.TenantID, newestRevision)
	if err != nil {
		return Preview{}, err
	}
	card := setup.Card
	if lines != nil {
		if err := checkLines(lines, setup.Connections); err != nil {
			return Preview{}, err
		}
		card = Card{Lines: lines}
	}
	if len(card.Lines) == 0 {
		return Preview{}, fail(CodeNotReady, "No card is published yet. Send the lines to preview, or publish a card first.")
	}
	found := h.askAll(ctx, h.askNow, setup, card, strings.TrimSpace(email), 0)
	filled := Fill(card.Lines, found.answers)
	p := Preview{
		CardVersion: card.Version, Details: filled.Fields, LeftOut: filled.LeftOut, Sources: found.times,
		MS: milliseconds(h.Now().Sub(began)),
	}
	p.Outcome = wouldBe(found.judge(filled), found.times, false)
	return p, nil
}
