package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"sidecard/connectors"
	"sidecard/internal/hub"
)

// document is a column of JSON that the database does not look into. The JSON null is NULL.
type document[T any] struct{ V T }

// GormDataType keeps gorm from looking for columns in V.
func (document[T]) GormDataType() string { return "json" }

// Value implements driver.Valuer.
func (d document[T]) Value() (driver.Value, error) {
	text, err := json.Marshal(d.V)
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	if string(text) == "null" {
		return nil, nil
	}
	return string(text), nil
}

// Scan implements sql.Scanner.
func (d *document[T]) Scan(from any) error {
	var zero T
	d.V = zero
	switch v := from.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), &d.V)
	case []byte:
		return json.Unmarshal(v, &d.V)
	default:
		return fmt.Errorf("read document from %T", from)
	}
}

// checkDocument is a kept check. The names in it are stored: they change with a migration only.
type checkDocument struct {
	At    time.Time      `json:"at"`
	Steps []stepDocument `json:"steps"`
}

type stepDocument struct {
	Name    string               `json:"name"`
	State   string               `json:"state"`
	Detail  string               `json:"detail,omitempty"`
	Advice  string               `json:"advice,omitempty"`
	Script  string               `json:"script,omitempty"`
	Suggest []suggestionDocument `json:"suggest,omitempty"`
}

type suggestionDocument struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Label   string `json:"label"`
}

func newCheckDocument(c *hub.CheckResult) *checkDocument {
	if c == nil {
		return nil
	}
	d := &checkDocument{At: c.At.UTC()}
	for _, s := range c.Report.Steps {
		step := stepDocument{Name: s.Name, State: string(s.State), Detail: s.Detail, Advice: s.Advice, Script: s.Script}
		for _, hint := range s.Suggest {
			step.Suggest = append(step.Suggest, suggestionDocument(hint))
		}
		d.Steps = append(d.Steps, step)
	}
	return d
}

func (d *checkDocument) result() *hub.CheckResult {
	if d == nil {
		return nil
	}
	c := &hub.CheckResult{At: d.At}
	for _, s := range d.Steps {
		step := connectors.Step{Name: s.Name, State: connectors.StepState(s.State), Detail: s.Detail, Advice: s.Advice, Script: s.Script}
		for _, hint := range s.Suggest {
			step.Suggest = append(step.Suggest, connectors.Suggestion(hint))
		}
		c.Report.Steps = append(c.Report.Steps, step)
	}
	return c
}

// importDocument is a kept import. The names in it are stored: they change with a migration only.
type importDocument struct {
	At          time.Time        `json:"at"`
	Filename    string           `json:"filename"`
	Columns     []string         `json:"columns"`
	EmailColumn string           `json:"email_column"`
	Encoding    string           `json:"encoding"`
	Delimiter   string           `json:"delimiter"`
	Rows        int              `json:"rows"`
	Repeated    int              `json:"repeated"`
	Rejected    int              `json:"rejected"`
	Rejects     []rejectDocument `json:"rejects,omitempty"`
}

type rejectDocument struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

func newImportDocument(i *hub.ImportResult) *importDocument {
	if i == nil {
		return nil
	}
	r := i.Report
	d := &importDocument{
		At: i.At.UTC(), Filename: i.Filename, Columns: r.Columns, EmailColumn: r.EmailColumn, Encoding: r.Encoding,
		Delimiter: r.Delimiter, Rows: r.Rows, Repeated: r.Repeated, Rejected: r.Rejected,
	}
	for _, x := range r.Rejects {
		d.Rejects = append(d.Rejects, rejectDocument(x))
	}
	return d
}

func (d *importDocument) result() *hub.ImportResult {
	if d == nil {
		return nil
	}
	i := &hub.ImportResult{At: d.At, Filename: d.Filename, Report: connectors.ImportReport{
		Columns: d.Columns, EmailColumn: d.EmailColumn, Encoding: d.Encoding, Delimiter: d.Delimiter,
		Rows: d.Rows, Repeated: d.Repeated, Rejected: d.Rejected,
	}}
	for _, x := range d.Rejects {
		i.Report.Rejects = append(i.Report.Rejects, connectors.Reject(x))
	}
	return i
}

// timeOrNull stores the zero time, which means never, as NULL.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
