package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"sidecard/connectors"
)

const (
	// maxMatches is how many records an ambiguous answer holds at most.
	maxMatches = 10
	// rememberFor is how long a table's columns are believed before the catalog is asked again.
	rememberFor = 10 * time.Minute
)

var errNoTable = errors.New("the table is not in the catalog")

// Lookup implements connectors.Source.
func (s *source) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Result{}, err
	}
	defer end()
	if q.Email == "" || strings.ContainsRune(q.Email, 0) || !utf8.ValidString(q.Email) {
		return connectors.Result{Match: connectors.None}, nil // no text in PostgreSQL is equal to it
	}
	res, err := s.ask(ctx, q)
	if err != nil {
		return connectors.Result{}, failure(ctx, err)
	}
	return res, nil
}

// ask finds the visitor by the mapping that is remembered, and by a new one if the table was changed since.
func (s *source) ask(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	if m := s.known.get(s.now()); m != nil {
		res, err := find(ctx, s.pooled, m, q)
		if !isDrift(err) {
			return res, err
		}
		s.known.forget(m)
	}
	t, err := s.table(ctx, s.pooled)
	if err != nil {
		return connectors.Result{}, err
	}
	m, err := s.choice.in(t)
	if err != nil {
		return connectors.Result{}, err
	}
	s.known.set(m, s.now())
	return find(ctx, s.pooled, m, q)
}

// mapping is the tenant's choice, found in the catalog.
type mapping struct {
	table   table
	email   column
	orderBy *column
	columns []column // that may be shown
	exact   bool
}

// remembered keeps the mapping between lookups.
type remembered struct {
	mu      sync.Mutex
	mapping *mapping
	at      time.Time
}

func (r *remembered) get(now time.Time) *mapping {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mapping != nil && now.Sub(r.at) < rememberFor {
		return r.mapping
	}
	return nil
}

func (r *remembered) set(m *mapping, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mapping, r.at = m, now
}

// forget drops a mapping that turned out to be old, unless somebody has replaced it.
func (r *remembered) forget(m *mapping) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mapping == m {
		r.mapping = nil
	}
}

// table finds the chosen table in the catalog.
func (s *source) table(ctx context.Context, run reader) (table, error) {
	if s.choice.table == "" {
		return table{}, misconfigured("postgres.no_table", "table", "No table is chosen yet.", "Choose the table or view with your visitors.")
	}
	tables, err := catalog(ctx, run, s.choice.schema, s.choice.table)
	if err != nil {
		return table{}, err
	}
	if len(tables) == 0 {
		return table{}, s.whyNoTable(ctx, run)
	}
	return tables[0], nil
}

// whyNoTable tells a table that is not there from one that the role may not read.
func (s *source) whyNoTable(ctx context.Context, run reader) error {
	const query = `select true from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1::text and c.relname = $2::text and c.relkind in ('r', 'v', 'm', 'f', 'p')`
	there := false
	err := run(ctx, query, []any{s.choice.schema, s.choice.table}, func([][]byte) error {
		there = true
		return nil
	})
	name := s.choice.name()
	switch {
	case err != nil:
		return err
	case there:
		e := misconfigured("postgres.42501", "table", "The user may not read "+name+".", "Run the script as an administrator: it lets the user read.")
		e.Script = s.grants(s.config.ConnConfig.User, nil)
		e.Err = errNoTable
		return e
	default:
		e := misconfigured("postgres.42P01", "table", "There is no table or view "+name+".",
			"Check schema and table letter by letter; capitals count. It may have been renamed.")
		e.Err = errNoTable
		return e
	}
}

// name gives the chosen table as people write it.
func (c choice) name() string { return c.schema + "." + c.table }

// in finds the choice among the table's columns. Chosen columns that are gone are left out: what the table
// still has can be shown.
func (c choice) in(t table) (*mapping, error) {
	m := &mapping{table: t, columns: c.offered(t), exact: c.exact}
	if c.email == "" {
		e := misconfigured("postgres.no_email_column", "email_column", "No address column is chosen yet.",
			"Choose the column that holds the visitor's e-mail address.")
		if guess, ok := t.emailColumn(); ok {
			e.Fix += " It looks like “" + guess.name + "”."
			e.Suggest = []connectors.Suggestion{{Setting: "email_column", Value: guess.name, Label: "Use the column “" + guess.name + "”"}}
		}
		return nil, e
	}
	var ok bool
	if m.email, ok = t.column(c.email); !ok {
		return nil, noColumn("email_column", c.email, t)
	}
	if !m.email.isText {
		return nil, misconfigured("postgres.email_not_text", "email_column",
			"The address column “"+c.email+"” is of type "+m.email.typ+", which is no text.", "Choose the column that holds the visitor's e-mail address.")
	}
	if c.orderBy != "" {
		order, ok := t.column(c.orderBy)
		if !ok {
			return nil, noColumn("order_by", c.orderBy, t)
		}
		m.orderBy = &order
	}
	return m, nil
}

// offered lists the columns that cards may use, in the table's order.
func (c choice) offered(t table) []column {
	if len(c.columns) == 0 {
		return t.columns
	}
	return slices.DeleteFunc(slices.Clone(t.columns), func(col column) bool { return !slices.Contains(c.columns, col.name) })
}

func noColumn(setting, name string, t table) error {
	return misconfigured("postgres.42703", setting, "The table "+t.schema+"."+t.name+" has no column “"+name+"” that the user may read.",
		"Choose another column, or grant SELECT on this one. It may have been renamed.")
}

// find asks for one visitor.
func find(ctx context.Context, run reader, m *mapping, q connectors.Query) (connectors.Result, error) {
	columns := m.asked(q.Fields)
	var records []connectors.Record
	err := run(ctx, m.query(columns), []any{q.Email}, func(row [][]byte) error {
		if len(row) != 1 || len(records) > maxMatches {
			return errShape
		}
		record, err := recordOf(row[0], columns)
		records = append(records, record)
		return err
	})
	switch {
	case err != nil && !isUnstorable(err):
		return connectors.Result{}, err
	case len(records) == 0:
		return connectors.Result{Match: connectors.None}, nil
	case len(records) == 1:
		return connectors.Result{Match: connectors.Found, Records: records, MatchedOn: m.email.name}, nil
	default:
		records = records[:min(len(records), maxMatches)]
		return connectors.Result{Match: connectors.Ambiguous, Records: records, MatchedOn: m.email.name}, nil
	}
}

// asked keeps the columns that the card uses; all when it does not say.
func (m *mapping) asked(ids []string) []column {
	if len(ids) == 0 {
		return m.columns
	}
	return slices.DeleteFunc(slices.Clone(m.columns), func(c column) bool { return !slices.Contains(ids, c.name) })
}

// query builds the one question. Both sides are folded by the server, since its rules of case are the
// column's. One row more than is kept tells that there are more.
func (m *mapping) query(columns []column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.expression() + " as " + c.sanitized()
	}
	var b strings.Builder
	b.WriteString("select to_jsonb(visitor.*) from (select " + strings.Join(list, ", ") + " from " + m.table.sanitized() + " where " + m.condition())
	limit := maxMatches + 1
	if m.orderBy != nil {
		b.WriteString(" order by " + m.orderBy.sanitized() + " desc nulls last")
		limit = 1
	}
	b.WriteString(" limit " + strconv.Itoa(limit) + ") visitor")
	return b.String()
}

// condition compares the address column with $1 so that an index can be used. The equality of citext is
// named in full, because its schema is not on the search path.
func (m *mapping) condition() string {
	name := m.email.sanitized()
	switch {
	case m.email.typ == "citext":
		schema := pgx.Identifier{m.email.typeSchema}.Sanitize()
		return name + " operator(" + schema + ".=) $1::text::" + schema + ".citext"
	case m.exact:
		return name + " = lower($1::text)"
	default:
		return "lower(" + name + "::text) = lower($1::text)"
	}
}

// index is what makes condition fast.
func (m *mapping) index() string {
	return "CREATE INDEX CONCURRENTLY ON " + m.table.sanitized() + " (" + m.compared() + ");"
}

// compared is the form in which the column is compared.
func (m *mapping) compared() string {
	if m.exact || m.email.typ == "citext" {
		return m.email.sanitized()
	}
	return "lower(" + m.email.sanitized() + ")"
}
