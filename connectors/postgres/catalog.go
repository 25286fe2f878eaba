package postgres

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"sidecard/connectors"
)

// maxCatalog bounds how many columns are listed.
const maxCatalog = 5000

// catalogQuery lists the columns that the role may read. information_schema would hide materialized views.
const catalogQuery = `select n.nspname, c.relname, c.relkind::text, a.attname, bn.nspname, b.typname, b.typcategory::text, b.typtype::text,
left((select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = b.oid), 80)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
join pg_namespace bn on bn.oid = b.typnamespace
where c.relkind in ('r', 'v', 'm', 'f', 'p')
and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%' and n.nspname not like 'pg\_temp%'
and ($1::text = '' or n.nspname = $1::text) and ($2::text = '' or c.relname = $2::text)
and has_schema_privilege(n.oid, 'USAGE') and has_column_privilege(c.oid, a.attnum, 'SELECT')
order by n.nspname, c.relname, a.attnum
limit $3::int`

// table is a table or view with its readable columns.
type table struct {
	schema, name string
	kind         string // pg_class.relkind
	columns      []column
}

// column is a readable column.
type column struct {
	name       string
	typeSchema string // of the base type
	typ        string // name of the base type, pg_type.typname
	isText     bool   // of a type made of characters, citext and domains included
	words      string // of an enumeration, as many as fit; what a table holds is shown to nobody unasked
	shape      shape
}

// catalog lists tables with their readable columns: one table, or all when both names are empty.
func catalog(ctx context.Context, run reader, schema, name string) ([]table, error) {
	var tables []table
	err := run(ctx, catalogQuery, []any{schema, name, maxCatalog}, func(row [][]byte) error {
		if len(row) != 9 {
			return errShape
		}
		t := table{schema: string(row[0]), name: string(row[1]), kind: string(row[2])}
		c := column{name: string(row[3]), typeSchema: string(row[4]), typ: string(row[5]), words: string(row[8])}
		category, typeKind := string(row[6]), string(row[7])
		c.isText = category == "S" || c.typ == "citext"
		c.shape = shapeOf(c.typeSchema, c.typ, category, typeKind)
		if last := len(tables) - 1; last < 0 || tables[last].schema != t.schema || tables[last].name != t.name {
			tables = append(tables, t)
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
		return nil
	})
	return tables, err
}

func (t table) column(name string) (column, bool) {
	for _, c := range t.columns {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

// emailColumn guesses which column holds addresses, by name.
func (t table) emailColumn() (column, bool) {
	for _, fits := range []func(string) bool{
		func(name string) bool { return name == "email" },
		func(name string) bool { return name == "emailaddress" || name == "mail" || name == "useremail" },
		func(name string) bool { return strings.HasSuffix(name, "email") || strings.HasSuffix(name, "mail") },
		func(name string) bool { return strings.Contains(name, "email") },
	} {
		for _, c := range t.columns {
			if c.isText && fits(strings.ToLower(strings.ReplaceAll(c.name, "_", ""))) {
				return c, true
			}
		}
	}
	return column{}, false
}

// sanitized gives the qualified name for SQL.
func (t table) sanitized() string { return pgx.Identifier{t.schema, t.name}.Sanitize() }

func (c column) sanitized() string { return pgx.Identifier{c.name}.Sanitize() }

// label makes words of a column's name: "last_order_at" is "Last order at".
func (c column) label() string {
	words := strings.Join(strings.FieldsFunc(c.name, func(r rune) bool { return r == '_' || unicode.IsSpace(r) }), " ")
	if words == "" {
		return c.name
	}
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

// Discover implements connectors.Discoverer. Before a table is chosen it lists the columns of all tables,
// with ids that name schema, table and column; then those of the table, by their names alone.
func (s *source) Discover(ctx context.Context) (connectors.Catalog, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Catalog{}, err
	}
	defer end()
	if s.choice.table != "" {
		t, err := s.table(ctx, s.pooled)
		if err != nil {
			return connectors.Catalog{}, failure(ctx, err)
		}
		return connectors.Catalog{Fields: fields(s.choice.offered(t), "", "")}, nil
	}
	tables, err := catalog(ctx, s.pooled, "", "")
	if err != nil {
		return connectors.Catalog{}, failure(ctx, err)
	}
	var all connectors.Catalog
	for _, t := range tables {
		name := t.schema + "." + t.name
		all.Fields = append(all.Fields, fields(t.columns, name+".", name)...)
	}
	return all, nil
}

func fields(columns []column, prefix, group string) []connectors.Field {
	list := make([]connectors.Field, len(columns))
	for i, c := range columns {
		list[i] = connectors.Field{ID: prefix + c.name, Label: c.label(), Kind: c.shape.kind(), Group: group, Sample: c.words}
	}
	return list
}
