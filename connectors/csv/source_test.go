package csv_test

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	"sidecard/connectors/csv"
)

// table keeps imported rows as a host would.
type table struct {
	mu      sync.Mutex
	columns []string
	email   string
	rows    []tableRow
}

type tableRow struct {
	line   int
	email  string
	values map[string]string
}

func (t *table) Columns(context.Context) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.columns, nil
}

func (t *table) FindRows(_ context.Context, email string, limit int) ([]map[string]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []map[string]string
	for _, r := range slices.Backward(t.rows) {
		if r.email == email && len(found) < limit {
			found = append(found, maps.Clone(r.values))
		}
	}
	return found, nil
}

// sink takes the rows of one import for the table.
type sink struct{ *table }

func (s sink) Columns(names []string, email string) error {
	s.columns, s.email = slices.Clone(names), email
	return nil
}

func (s sink) Row(line int, email string, values []string) error {
	r := tableRow{line: line, email: email, values: make(map[string]string)}
	for i, v := range values {
		r.values[s.columns[i]] = v
	}
	s.rows = append(s.rows, r)
	return nil
}

// replace imports the file and, if that works, makes its rows the table's.
func (t *table) replace(ctx context.Context, file []byte) (connectors.ImportReport, error) {
	next := &table{}
	report, err := csv.New().(connectors.Importer).Import(ctx, bytes.NewReader(file), connectors.ImportOptions{}, sink{next})
	if err != nil {
		return report, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.columns, t.email, t.rows = next.columns, next.email, next.rows
	return report, nil
}

func TestConnectorKeepsItsPromises(t *testing.T) {
	var file bytes.Buffer
	fmt.Fprint(&file, "E-Mail;Name;Plan\nana@toy.example;old;free\nAna@Toy.Example;Ana;pro\nsparse@toy.example;\n")
	w := stdcsv.NewWriter(&file)
	w.Comma = ';'
	rows := &table{}
	if _, err := rows.replace(t.Context(), file.Bytes()); err != nil {
		t.Fatal(err)
	}
	connectortest.Run(t, connectortest.Harness{
		Connector: csv.New(),
		Good:      connectors.Settings{"email_column": json.RawMessage(`"E-Mail"`)},
		Host:      func() connectors.OpenInput { return connectors.OpenInput{Rows: rows} },
		Offline:   true,
		Known: connectortest.Person{Email: "ana@toy.example", Record: connectors.Record{
			"E-Mail": {Kind: connectors.Text, Text: "Ana@Toy.Example"}, // the last row, as it was written
			"Name":   {Kind: connectors.Text, Text: "Ana"},
			"Plan":   {Kind: connectors.Text, Text: "pro"},
		}},
		NoKind: map[connectors.Kind]string{
			connectors.Number: allText, connectors.Bool: allText, connectors.Date: allText, connectors.DateTime: allText,
			connectors.List: allText, connectors.JSON: allText,
		},
		Second: connectortest.Second{Never: "a row has one address"},
		Sparse: connectortest.Sparse{Email: "sparse@toy.example", Null: "Plan", Empty: "Name", Absent: "Country"},
		Twins:  connectortest.Twins{Never: "the last row of the file with the address is the visitor"},
		Add: func(email string) error {
			if err := w.Write([]string{email, "Somebody", "pro"}); err != nil {
				return err
			}
			w.Flush()
			report, err := rows.replace(t.Context(), file.Bytes())
			if err == nil && report.Rejected > 0 {
				err = fmt.Errorf("rejected: %+v", report.Rejects)
			}
			return err
		},
		State: func() (string, error) {
			rows.mu.Lock()
			defer rows.mu.Unlock()
			return fmt.Sprint(rows.columns, rows.rows), nil
		},
		Huge:              connectortest.Huge{Never: "the import leaves rows with a longer value out"},
		Beside:            connectortest.Beside{Never: "a row comes whole"},
		Wide:              connectortest.Wide{Never: "a file has at most 1,000 columns"},
		BadCredential:     connectortest.Fault{Never: "an uploaded file has no credentials"},
		Revoked:           connectortest.Fault{Never: "an uploaded file has no credentials"},
		MissingPermission: connectortest.Fault{Never: "the rows are the tenant's own"},
		Unreachable:       connectortest.Fault{Never: "the rows are kept by the host itself"},
		BadTLS:            connectortest.Fault{Never: "nothing is fetched"},
		MissingTable: connectortest.Fault{
			Host: func() connectors.OpenInput { return connectors.OpenInput{Rows: &table{}} },
			Step: "File uploaded", Says: "Upload a CSV file", Class: connectors.Misconfigured,
		},
		NoClass: map[connectors.Class]string{
			connectors.AuthRevoked: "an uploaded file has no credentials", connectors.RateLimited: "nobody is asked",
			connectors.Transient: "a trouble of the rows is the host's own", connectors.Bug: "rows were judged when they were imported",
		},
	})
}

const allText = "a CSV file holds texts"

// open opens a source over the rows with the settings.
func open(t *testing.T, rows connectors.RowFinder, settings string) connectors.Source {
	t.Helper()
	var s connectors.Settings
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		t.Fatal(err)
	}
	src, err := csv.New().Open(t.Context(), connectors.OpenInput{Settings: s, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func TestLookupSaysWhichColumnHeldTheAddress(t *testing.T) {
	t.Parallel()
	rows := &table{}
	file := "kontakt,info,also\nana@toy.example,x,ana@toy.example\nben@toy.example,y,\n"
	if _, err := rows.replace(t.Context(), []byte(file)); err != nil {
		t.Fatal(err)
	}
	for settings, want := range map[string]string{
		`{"email_column":"kontakt"}`: "kontakt",
		`{"email_column":"also"}`:    "also",
		`{}`:                         "also", // both fit
	} {
		res, err := open(t, rows, settings).Lookup(t.Context(), connectors.Query{Email: "ANA@toy.example"})
		if err != nil {
			t.Fatal(err)
		}
		if res.Match != connectors.Found || res.MatchedOn != want {
			t.Errorf("%s: %s on %q, want %q", settings, res.Match, res.MatchedOn, want)
		}
	}
}

func TestCheckNoticesThatTheChosenColumnIsGone(t *testing.T) {
	t.Parallel()
	rows := &table{}
	if _, err := rows.replace(t.Context(), []byte("email,plan\nana@toy.example,pro\n")); err != nil {
		t.Fatal(err)
	}
	for settings, ok := range map[string]bool{`{}`: true, `{"email_column":" EMAIL "}`: true, `{"email_column":"mail"}`: false} {
		report, err := open(t, rows, settings).Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.OK() != ok || len(report.Steps) != 2 {
			t.Errorf("%s: %+v", settings, report.Steps)
		}
	}
}

type brokenRows struct{ err error }

func (r brokenRows) FindRows(context.Context, string, int) ([]map[string]string, error) {
	return nil, r.err
}
func (r brokenRows) Columns(context.Context) ([]string, error) { return nil, r.err }

func TestTroubleOfTheHostIsNotTheTenants(t *testing.T) {
	t.Parallel()
	src := open(t, brokenRows{errors.New("database is gone")}, `{}`)
	_, err := src.Lookup(t.Context(), connectors.Query{Email: "ana@toy.example"})
	var e *connectors.Error
	if !errors.As(err, &e) || e.Class != connectors.Transient || e.Code != "csv.rows" {
		t.Errorf("got %v", err)
	}
	report, err := src.Check(t.Context())
	if err != nil || report.OK() {
		t.Errorf("check: %+v, %v", report, err)
	}
	if _, err := src.(connectors.Discoverer).Discover(t.Context()); !errors.As(err, &e) {
		t.Errorf("discover: %v", err)
	}
}

func TestOpenNeedsRows(t *testing.T) {
	t.Parallel()
	var e *connectors.Error
	if _, err := csv.New().Open(t.Context(), connectors.OpenInput{}); !errors.As(err, &e) || e.Class != connectors.Bug {
		t.Errorf("got %v", err)
	}
}
