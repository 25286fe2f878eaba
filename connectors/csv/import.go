package csv

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/connectors/address"
)

const (
	maxRejects  = 100     // that are named in a report
	maxDistinct = 1 << 20 // addresses that are remembered to count repetitions
	askEvery    = 256     // rows between two looks at the context
)

// reasons are the sentences for the codes of rejects.
var reasons = map[string]string{
	"no_email":        "The row has no e-mail address.",
	"bad_email":       "The value in the address column is not an e-mail address.",
	"too_many_fields": "The row has more values than there are columns.",
	"too_long":        "The row or one of its values is too long: a value may have 64 KB, a row 1 MB.",
	"nul_byte":        "The row holds a zero byte, which is no character.",
	"bad_quote":       "A quotation mark in the row is not closed, or something follows the closing one.",
}

// Import implements connectors.Importer. Repeated addresses are counted exactly among the first million
// different ones.
func (connector) Import(
	ctx context.Context, file io.Reader, o connectors.ImportOptions, sink connectors.RowSink,
) (connectors.ImportReport, error) {
	im := importer{sink: sink, seed: maphash.MakeSeed(), seen: make(map[uint64]struct{})}
	err := im.run(ctx, file, o)
	return im.report, err
}

// importer is one import on its way.
type importer struct {
	sink   connectors.RowSink
	report connectors.ImportReport

	email   int // column
	windows bool
	values  []string
	seed    maphash.Seed
	seen    map[uint64]struct{} // hashes of addresses
}

func (im *importer) run(ctx context.Context, file io.Reader, o connectors.ImportOptions) error {
	text, encoding, err := openText(file)
	if err != nil {
		return err
	}
	im.report.Encoding = encoding
	sample, err := text.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return readError(err)
	}
	l := layOut(sample, errors.Is(err, io.EOF))
	im.report.Delimiter = string(l.comma)
	if _, err := text.Discard(l.skip); err != nil {
		return readError(err)
	}
	t := newTokenizer(text, l.comma, l.line)
	header, err := im.header(t, l.records, o)
	if err != nil {
		return err
	}
	if err := im.rows(ctx, t); err != nil {
		return err
	}
	if im.windows && encoding == utf8Name {
		im.report.Encoding = windowsName
	}
	return im.verdict(header)
}

// header reads the column names and finds the one of the addresses. It gives the header's line.
func (im *importer) header(t *tokenizer, sample [][]string, o connectors.ImportOptions) (int, error) {
	r, err := t.next()
	switch {
	case errors.Is(err, io.EOF):
		return 0, misconfigured("csv.empty", 1, "The file is empty.", "Upload a file with the names of the columns in its first line.")
	case err != nil:
		return 0, readError(err)
	case r.problem == "too_many_fields":
		return 0, misconfigured("csv.too_many_columns", r.line, "The file has more than 1,000 columns.", "Remove the columns that your agents don't need.")
	case r.problem != "":
		return 0, misconfigured("csv.header", r.line, "The line with the column names cannot be read. "+reasons[r.problem],
			"Correct the line so that it holds the names of the columns and nothing else.")
	}
	cells, windows := t.fields(nil)
	im.windows = windows
	if slices.ContainsFunc(cells, isAddress) {
		return 0, misconfigured("csv.no_header", r.line, "The first line holds an e-mail address instead of the names of the columns.",
			"Add a first line with a name for each column, for example: email,name,plan.")
	}
	names := columnNames(cells)
	at, failed := emailColumn(names, sample[min(1, len(sample)):], o.EmailColumn, r.line)
	if failed != nil {
		return 0, failed
	}
	im.email, im.report.Columns, im.report.EmailColumn = at, names, names[at]
	return r.line, nil
}

// rows reads all rows after the header.
func (im *importer) rows(ctx context.Context, t *tokenizer) error {
	for n := 0; ; n++ {
		if n%askEvery == 0 && ctx.Err() != nil {
			return connectors.AsError(ctx.Err())
		}
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		if err := im.row(ctx, t, r); err != nil {
			return err
		}
	}
}

// row hands one row to the sink or rejects it. Its error is the sink's.
func (im *importer) row(ctx context.Context, t *tokenizer, r record) error {
	if r.problem != "" {
		im.reject(r.line, r.problem)
		return nil
	}
	var windows bool
	im.values, windows = t.fields(im.values[:0])
	im.windows = im.windows || windows
	values := im.values
	for len(values) > len(im.report.Columns) && strings.TrimSpace(values[len(values)-1]) == "" {
		values = values[:len(values)-1] // spreadsheets pad rows with empty cells
	}
	filled := func(v string) bool { return strings.TrimSpace(v) != "" }
	if !slices.ContainsFunc(values, filled) {
		return nil // a line of delimiters alone is as good as a blank one
	}
	email, problem := im.address(values)
	if problem != "" {
		im.reject(r.line, problem)
		return nil
	}
	if im.report.Rows == 0 {
		if err := im.sink.Columns(im.report.Columns, im.report.EmailColumn); err != nil {
			return sinkError(ctx, err)
		}
	}
	im.count(email)
	if err := im.sink.Row(r.line, email, values); err != nil {
		return sinkError(ctx, err)
	}
	return nil
}

// address gives the folded address of a row, or what is wrong with the row.
func (im *importer) address(values []string) (email, problem string) {
	switch {
	case len(values) > len(im.report.Columns):
		return "", "too_many_fields"
	case slices.ContainsFunc(values, func(v string) bool { return strings.IndexByte(v, 0) >= 0 }):
		return "", "nul_byte"
	case im.email >= len(values):
		return "", "no_email"
	}
	email = address.Fold(values[im.email])
	return email, addressProblem(email)
}

func (im *importer) count(email string) {
	im.report.Rows++
	hash := maphash.String(im.seed, email)
	if _, again := im.seen[hash]; again {
		im.report.Repeated++
	} else if len(im.seen) < maxDistinct {
		im.seen[hash] = struct{}{}
	}
}

func (im *importer) reject(line int, code string) {
	im.report.Rejected++
	if len(im.report.Rejects) < maxRejects {
		im.report.Rejects = append(im.report.Rejects, connectors.Reject{Line: line, Code: code, Reason: reasons[code]})
	}
}

// verdict refuses a file of which no row can be used.
func (im *importer) verdict(header int) error {
	switch {
	case im.report.Rows > 0:
		return nil
	case im.report.Rejected == 0:
		return misconfigured("csv.no_rows", header, "The file has column names but no rows.", "Export the file again with its rows, and upload it.")
	}
	first := im.report.Rejects[0]
	return misconfigured("csv.no_good_rows", first.Line, "None of the rows can be used. Line "+number(first.Line)+": "+first.Reason,
		"Look at this line and at the address column, which is “"+im.report.EmailColumn+"”.")
}

// fields gives the record's cells as text, and whether some were not UTF-8.
func (t *tokenizer) fields(cells []string) (_ []string, windows bool) {
	start := 0
	// A character may not be made of the end of one cell and the beginning of the next.
	split := func(end int) bool { return end < len(t.text) && !utf8.RuneStart(t.text[end]) }
	if utf8.Valid(t.text) && !slices.ContainsFunc(t.ends, split) {
		all := string(t.text)
		for _, end := range t.ends {
			cells = append(cells, all[start:end])
			start = end
		}
		return cells, false
	}
	for _, end := range t.ends {
		cell, w := decode(t.text[start:end])
		cells, windows, start = append(cells, cell), windows || w, end
	}
	return cells, windows
}
