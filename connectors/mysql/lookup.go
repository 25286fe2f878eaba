package mysql

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	// maxMatches is how many records an ambiguous answer holds at most.
	maxMatches = 10
	// rememberFor is how long a table's columns are believed before the catalog is asked again.
	rememberFor = 10 * time.Minute
	// nobody is an address for trying out a question.
	nobody = "nobody@sidecard.invalid"
)

// Lookup implements connectors.Source.
func (s *source) Lookup(ctx context.Context, q connectors.Query) (connectors.Result, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Result{}, err
	}
	defer end()
	if q.Email == "" || strings.ContainsRune(q.Email, 0) || !utf8.ValidString(q.Email) {
		return connectors.Result{Match: connectors.None}, nil // no address is equal to it
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
		res, err := find(ctx, s.pool.read, m, q)
		if !isDrift(err) {
			return res, err
		}
		s.known.forget(m)
	}
	t, err := s.table(ctx, s.pool.read)
	if err != nil {
		return connectors.Result{}, err
	}
	m, err := s.choice.in(t)
	if err != nil {
		return connectors.Result{}, err
	}
	s.known.set(m, s.now())
	return find(ctx, s.pool.read, m, q)
}

// mapping is the tenant's choice, found in the catalog.
type mapping struct {
	table   table
	email   column
	orderBy *column
	columns []column // that may be shown
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

// table finds the chosen table in the catalog. Servers do not tell a table that is not there from one that the user has
// no right to.
func (s *source) table(ctx context.Context, run reader) (table, error) {
	if s.choice.table == "" {
		return table{}, misconfigured("mysql.no_table", "table", "No table is chosen yet.", "Choose the table or view with your visitors.")
	}
	tables, err := catalog(ctx, run, s.choice.database, s.choice.table)
	if err != nil {
		return table{}, err
	}
	// Whether capitals count in names depends on the server, and on its file system.
	i := slices.IndexFunc(tables, func(t table) bool { return t.name == s.choice.table })
	switch {
	case i >= 0:
		return tables[i], nil
	case len(tables) == 1:
		return tables[0], nil
	}
	e := misconfigured("mysql.1146", "table", "There is no table or view "+s.choice.name()+" that the user may read.",
		"Check database and table letter by letter; capitals count on most servers. If they are right, run the script as an administrator.")
	e.Err = errNoTable
	return table{}, e
}

// name gives the chosen table as people write it.
func (c choice) name() string { return c.database + "." + c.table }

// in finds the choice among the table's columns. Chosen columns that are gone are left out: what the table still has
// can be shown.
func (c choice) in(t table) (*mapping, error) {
	m := &mapping{table: t, columns: c.offered(t)}
	if c.email == "" {
		return nil, misconfigured("mysql.no_email_column", "email_column", "No address column is chosen yet.",
			"Choose the column that holds the visitor's e-mail address.")
	}
	var ok bool
	if m.email, ok = t.column(c.email); !ok {
		return nil, noColumn("email_column", c.email, t)
	}
	if !m.email.isText() || !m.email.isNamed() {
		return nil, misconfigured("mysql.email_not_text", "email_column",
			"The address column “"+c.email+"” is no text.", "Choose the column that holds the visitor's e-mail address.")
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
	return misconfigured("mysql.1054", setting, "The table "+t.schema+"."+t.name+" has no column “"+name+"” that the user may read.",
		"Choose another column, or grant SELECT on this one. It may have been renamed.")
}

// find asks for one visitor.
func find(ctx context.Context, run reader, m *mapping, q connectors.Query) (connectors.Result, error) {
	columns := m.asked(q.Fields)
	var records []connectors.Record
	err := run(ctx, m.query(columns, q.Email), func(row []driver.Value) error {
		if len(records) > maxMatches || len(row) != max(len(columns), 1) {
			return errShape
		}
		record, err := recordOf(row[:len(columns)], columns)
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

// query builds the one question. One row more than is kept tells that there are more.
func (m *mapping) query(columns []column, email string) query {
	list := []string{"1"}
	if len(columns) > 0 {
		list = list[:0]
	}
	for _, c := range columns {
		list = append(list, c.expression())
	}
	condition, args := m.condition(email)
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + m.table.quoted() + " WHERE " + condition
	limit := maxMatches + 1
	if m.orderBy != nil {
		text += " ORDER BY " + quote(m.orderBy.name) + " DESC" // NULL is the lowest
		limit = 1
	}
	return query{text: text + " LIMIT " + strconv.Itoa(limit), args: args, limited: true}
}

// condition compares the address column with the address, in two parts.
//
// The first part is for the index: it compares in the column's own character set and collation, and so must not change
// the column. A collation that ignores case finds every spelling; for one that does not, the address is asked for as
// given and in small letters.
//
// Collations that ignore case take é for e as well, and ignore blanks at the end. The second part therefore compares
// both sides in small letters and by code point: the owner of ánna@toy.example must not be shown anna@toy.example.
// Blanks at the end still do not count, since no address ends in one.
func (m *mapping) condition(email string) (text string, args []string) {
	name, given := quote(m.email.name), "?"
	if m.email.charset != "" {
		given = "CONVERT(? USING " + m.email.charset + ") COLLATE " + m.email.collation
	}
	text, args = name+" = "+given, []string{email}
	if !m.email.ignoresCase() {
		text, args = name+" IN ("+given+", "+given+")", []string{email, strings.ToLower(email)}
	}
	const inSmall = "LOWER(CONVERT(%s USING utf8mb4)) COLLATE utf8mb4_bin"
	same := strings.Replace(inSmall, "%s", name, 1) + " = " + strings.Replace(inSmall, "%s", "?", 1)
	return text + " AND " + same, append(args, email)
}
