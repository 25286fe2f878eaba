// Package csv is the connector for a file of visitors that the tenant uploads.
//
// Importing streams the file in constant memory through a tokenizer of its own, bounded in every direction;
// whatever spreadsheets and shops export is read if it can be read one way only: UTF-8, UTF-16 or
// Windows-1252, four delimiters, any line end. It refuses what is not text, files without a column of
// addresses, and rows whose meaning would be a guess, and says which line and why. Looking up asks the rows
// that the host keeps; the package never goes out, and never changes a value.
package csv

import (
	"context"
	_ "embed" // the settings and the guide
	"errors"
	"maps"
	"slices"
	"sync/atomic"

	"sidecard/connectors"
	"sidecard/connectors/address"
)

const kind = "csv"

//go:embed settings.json
var settings []byte

//go:embed guide.md
var guide string

// New returns the connector. It implements connectors.Importer too.
func New() connectors.Connector { return connector{} }

type connector struct{}

var _ connectors.Importer = connector{}

// Spec implements connectors.Connector.
func (connector) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: kind, Name: "CSV file", Summary: "Shows visitors from a file that you upload.", Version: 1,
		Settings: slices.Clone(settings), Guide: guide, Imports: true,
	}
}

// Open implements connectors.Connector.
func (connector) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	if in.Rows == nil {
		return nil, &connectors.Error{
			Class: connectors.Bug, Code: "csv.no_rows_given",
			Message: "Sidecard cannot reach the rows of this file.", Fix: "Try again; if it stays, tell us.",
			Err: errors.New("the host gives no RowFinder"),
		}
	}
	return &source{rows: in.Rows, emailColumn: in.Settings.String("email_column", "")}, nil
}

type source struct {
	rows        connectors.RowFinder
	emailColumn string
	closed      atomic.Bool
}

var _ connectors.Discoverer = (*source)(nil)

// Lookup implements connectors.Source. The last row of the file with the address is the visitor.
func (s *source) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	if s.closed.Load() {
		return connectors.Result{}, &connectors.Error{Class: connectors.Canceled, Code: "csv.closed", Message: "The lookup was stopped."}
	}
	email := address.Fold(q.Email)
	if addressProblem(email) != "" {
		return connectors.Result{Match: connectors.None}, nil // no row has such an address
	}
	rows, err := s.rows.FindRows(ctx, email, 1)
	if err != nil {
		return connectors.Result{}, rowsError(ctx, err)
	}
	if len(rows) == 0 {
		_, err := s.columns(ctx) // nobody is in a file that was never uploaded, but that is not the answer
		return connectors.Result{Match: connectors.None}, err
	}
	record, err := s.record(ctx, rows[0], q.Fields)
	if err != nil {
		return connectors.Result{}, err
	}
	return connectors.Result{
		Match: connectors.Found, Records: []connectors.Record{record}, MatchedOn: s.matchedOn(rows[0], email),
	}, nil
}

// record gives the row's values. A column that the row was too short for is Null; the columns are asked for
// only where that can make a difference.
func (s *source) record(ctx context.Context, row map[string]string, fields []string) (connectors.Record, error) {
	record := make(connectors.Record, len(row))
	for name, v := range row {
		record[name] = connectors.Value{Kind: connectors.Text, Text: v}
	}
	inRow := func(name string) bool { _, ok := row[name]; return ok }
	if len(fields) > 0 && !slices.ContainsFunc(fields, func(name string) bool { return !inRow(name) }) {
		return record, nil
	}
	columns, err := s.columns(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range columns {
		if !inRow(name) {
			record[name] = connectors.Value{Kind: connectors.Null}
		}
	}
	return record, nil
}

// matchedOn tells which column holds the address.
func (s *source) matchedOn(row map[string]string, email string) string {
	if address.Fold(row[s.emailColumn]) == email {
		return s.emailColumn
	}
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if address.Fold(row[name]) == email {
			return name
		}
	}
	return "email"
}

// columns gives the imported columns, or the error that nothing was imported yet.
func (s *source) columns(ctx context.Context) ([]string, error) {
	columns, err := s.rows.Columns(ctx)
	if err != nil {
		return nil, rowsError(ctx, err)
	}
	if len(columns) == 0 {
		return nil, misconfigured("csv.no_file", 0, "No file has been uploaded yet.", "Upload a CSV file with a column of e-mail addresses.")
	}
	return columns, nil
}

// rowsError gives an error of the host's rows a class.
func rowsError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	e := connectors.AsError(err)
	if e.Class != connectors.Bug {
		return e
	}
	return &connectors.Error{
		Class: connectors.Transient, Code: "csv.rows", Message: "The uploaded rows cannot be read right now.",
		Fix: "Try again in a moment.", Err: err,
	}
}

// Check implements connectors.Source.
func (s *source) Check(ctx context.Context) (connectors.Report, error) {
	const uploaded, address = "File uploaded", "Address column"
	columns, err := s.columns(ctx)
	if ctx.Err() != nil {
		return connectors.Report{}, ctx.Err()
	}
	if e := connectors.AsError(err); e != nil {
		return connectors.Report{Steps: []connectors.Step{
			{Name: uploaded, State: connectors.StepFail, Detail: e.Message, Advice: e.Fix},
		}}, nil
	}
	steps := []connectors.Step{{Name: uploaded, State: connectors.StepOK, Detail: "The file has " + plural(len(columns), "column") + "."}}
	step := connectors.Step{Name: address, State: connectors.StepOK, Detail: "The column was recognised by its addresses."}
	at, named := columnNamed(columns, s.emailColumn)
	if s.emailColumn == "" {
		at = slices.IndexFunc(columns, func(name string) bool { return addressNames[bare(name)] })
		named = at >= 0
	}
	switch {
	case s.emailColumn != "" && !named:
		step.State = connectors.StepFail
		step.Detail = "The file has no column “" + s.emailColumn + "”."
		step.Advice = "Upload a file that has the column, or choose another: it has " + list(columns) + "."
	case named:
		step.Detail = "Visitors are found by the column “" + columns[at] + "”."
	}
	return connectors.Report{Steps: append(steps, step)}, nil
}

// Discover implements connectors.Discoverer: each column of the file is a text.
func (s *source) Discover(ctx context.Context) (connectors.Catalog, error) {
	columns, err := s.columns(ctx)
	if err != nil {
		return connectors.Catalog{}, err
	}
	catalog := connectors.Catalog{Fields: make([]connectors.Field, len(columns))}
	for i, name := range columns {
		catalog.Fields[i] = connectors.Field{ID: name, Label: name, Kind: connectors.Text}
	}
	return catalog, nil
}

// Close implements connectors.Source.
func (s *source) Close() error {
	s.closed.Store(true)
	return nil
}
