package connectors

import "context"

// ImportOptions are the tenant's choices for one file.
type ImportOptions struct {
	EmailColumn string // header of the column that holds the address; empty = find it
}

// RowSink takes the good rows of an import.
type RowSink interface {
	// Columns is called once, before the first row, with the column names in file order and the one
	// that holds the address.
	Columns(names []string, email string) error
	// Row takes one row: the line of the file on which it starts (1 is the first), the folded address, and
	// one value a column in their order. A short row has fewer values: the missing ones are unknown, which
	// is not the same as empty. The slice is only valid during the call.
	Row(line int, email string, values []string) error
}

// ImportReport says what became of a file.
type ImportReport struct {
	Columns     []string
	EmailColumn string
	Encoding    string   // as read: "UTF-8", "Windows-1252", "UTF-16"
	Delimiter   string   // the character between two fields: "," ";" "|" or a tab
	Rows        int      // good rows, repeated addresses included
	Repeated    int      // rows whose address came again later in the file; the last one counts
	Rejected    int      // rows left out
	Rejects     []Reject // the first 100 of them
}

// Reject is one row that was left out, and why.
type Reject struct {
	Line   int
	Code   string // "bad_email", "no_email", "too_many_fields", "too_long", "nul_byte", "bad_quote"
	Reason string // a sentence for people, without the row's values
}

// RowFinder finds imported rows of one connection.
type RowFinder interface {
	// FindRows returns the rows with this folded address by column name, newest line first, at most limit;
	// an empty slice when there is none. A value that a short row lacked is absent.
	FindRows(ctx context.Context, email string, limit int) ([]map[string]string, error)
	// Columns returns the imported column names in file order; empty before the first import.
	Columns(ctx context.Context) ([]string, error)
}
