package mysql

import (
	"context"
	"database/sql/driver"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	// maxCatalog bounds how many columns are listed.
	maxCatalog = 5000
	// maxSample bounds what is shown of an enumeration's words, in characters.
	maxSample = 80
)

// catalogQuery lists the columns of the database's tables and views that the user may read. Servers list columns with
// other rights too.
const catalogQuery = `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.CHARACTER_SET_NAME, c.COLLATION_NAME
FROM information_schema.COLUMNS c
WHERE c.TABLE_SCHEMA = ? AND (? = '' OR c.TABLE_NAME = ?) AND FIND_IN_SET('select', c.PRIVILEGES) > 0
ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION LIMIT `

// table is a table or view with its readable columns.
type table struct {
	schema, name string
	columns      []column
}

// column is a readable column.
type column struct {
	name               string
	typ                string // information_schema's DATA_TYPE
	charset, collation string // empty where the type is not made of characters
	options            []string
	shape              shape
}

// catalog lists the tables of a database with their readable columns: one table, or all when the name is empty.
func catalog(ctx context.Context, run reader, schema, name string) ([]table, error) {
	var tables []table
	q := query{text: catalogQuery + strconv.Itoa(maxCatalog), args: []string{schema, name, name}, limited: true}
	err := run(ctx, q, func(row []driver.Value) error {
		if len(row) != 6 {
			return errShape
		}
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = textOf(v)
		}
		c := column{name: text[1], typ: strings.ToLower(text[2]), charset: text[4], collation: text[5]}
		c.shape = shapeOf(c.typ, strings.ToLower(text[3]), c.collation)
		if c.typ == "enum" || c.typ == "set" {
			c.options = options(text[3])
		}
		if last := len(tables) - 1; last < 0 || tables[last].name != text[0] {
			tables = append(tables, table{schema: schema, name: text[0]})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
		return nil
	})
	return tables, err
}

// options reads the words of enum('free','it”s') or set(…).
func options(full string) []string {
	var list []string
	_, rest, _ := strings.Cut(full, "(")
	for {
		_, after, ok := strings.Cut(rest, "'")
		if !ok {
			return list
		}
		var word strings.Builder
		for {
			part, next, ok := strings.Cut(after, "'")
			if !ok {
				return list // it does not end
			}
			word.WriteString(part)
			if !strings.HasPrefix(next, "'") {
				rest = next
				break
			}
			word.WriteByte('\'')
			after = next[1:]
		}
		list = append(list, word.String())
	}
}

func (t table) column(name string) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

// isText tells whether addresses can be in the column.
func (c column) isText() bool {
	return c.shape == asText || c.shape == asAlias || c.typ == "varbinary"
}

var word = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// isNamed tells whether the names of the column's character set and collation are what they say, since both are used
// without quotes.
func (c column) isNamed() bool {
	return c.typ == "varbinary" || word.MatchString(c.charset) && word.MatchString(c.collation)
}

// ignoresCase tells whether the server sees no difference between capitals and small letters in the column.
func (c column) ignoresCase() bool { return strings.HasSuffix(c.collation, "_ci") }

// emailColumn guesses which column holds addresses, by name.
func (t table) emailColumn() (column, bool) {
	for _, fits := range []func(string) bool{
		func(name string) bool { return name == "email" },
		func(name string) bool { return name == "emailaddress" || name == "mail" || name == "useremail" },
		func(name string) bool { return strings.HasSuffix(name, "email") || strings.HasSuffix(name, "mail") },
		func(name string) bool { return strings.Contains(name, "email") },
	} {
		for _, c := range t.columns {
			if c.isText() && fits(strings.ToLower(strings.ReplaceAll(c.name, "_", ""))) {
				return c, true
			}
		}
	}
	return column{}, false
}

// quoted gives the qualified name for SQL.
func (t table) quoted() string { return quote(t.schema) + "." + quote(t.name) }

// quote makes an identifier of a name, whatever it holds.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// label makes words of a column's name: "last_order_at" is "Last order at".
func (c column) label() string {
	words := strings.Join(strings.FieldsFunc(c.name, func(r rune) bool { return r == '_' || unicode.IsSpace(r) }), " ")
	if words == "" {
		return c.name
	}
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

// sample lists the words that an enumeration can hold. Other values are people's, and not shown.
func (c column) sample() string {
	words := []rune(strings.Join(c.options, ", "))
	if len(words) > maxSample {
		return string(words[:maxSample-1]) + "…"
	}
	return string(words)
}

// Discover implements connectors.Discoverer. Before a table is chosen it lists the columns of all tables, with ids that
// name table and column; then those of the table, by their names alone. The sample of an enumeration is its words.
func (s *source) Discover(ctx context.Context) (connectors.Catalog, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Catalog{}, err
	}
	defer end()
	if s.choice.table != "" {
		t, err := s.table(ctx, s.pool.read)
		if err != nil {
			return connectors.Catalog{}, failure(ctx, err)
		}
		return connectors.Catalog{Fields: fields(s.choice.offered(t), "", "")}, nil
	}
	tables, err := catalog(ctx, s.pool.read, s.choice.database, "")
	if err != nil {
		return connectors.Catalog{}, failure(ctx, err)
	}
	var all connectors.Catalog
	for _, t := range tables {
		all.Fields = append(all.Fields, fields(t.columns, t.name+".", t.name)...)
	}
	return all, nil
}

func fields(columns []column, prefix, group string) []connectors.Field {
	list := make([]connectors.Field, len(columns))
	for i, c := range columns {
		list[i] = connectors.Field{ID: prefix + c.name, Label: c.label(), Kind: c.shape.kind(), Group: group, Sample: c.sample()}
	}
	return list
}
