package postgres

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"sidecard/connectors"
)

// largeTable is the number of rows from which reading all of them for one visitor is too slow.
const largeTable = 50_000

// node is what is read of a plan in JSON. See EXPLAIN in PostgreSQL's manual.
type node struct {
	Type     string `json:"Node Type"`
	Schema   string `json:"Schema"`
	Relation string `json:"Relation Name"`
	Plans    []node `json:"Plans"`
}

// walk visits the node and all below.
func (n node) walk(visit func(node)) {
	visit(n)
	for _, below := range n.Plans {
		below.walk(visit)
	}
}

// findIndex asks how the server would answer, and warns when it would read a large table from end to end.
func (c *check) findIndex(ctx context.Context, run reader, m *mapping) error {
	c.trying = stepIndex
	var plans []struct{ Plan node }
	query := "explain (verbose, format json) " + m.query(m.columns)
	err := run(ctx, query, []any{"nobody@sidecard.invalid"}, func(row [][]byte) error {
		if len(row) != 1 || json.Unmarshal(row[0], &plans) != nil {
			return errShape
		}
		return nil
	})
	if err != nil {
		return err
	}
	var schemas, tables []string
	foreign := m.table.kind == "f"
	for _, p := range plans {
		p.Plan.walk(func(n node) {
			if strings.HasSuffix(n.Type, "Seq Scan") {
				schemas, tables = append(schemas, n.Schema), append(tables, n.Relation)
			}
			foreign = foreign || n.Type == "Foreign Scan"
		})
	}
	rows, err := estimate(ctx, run, schemas, tables)
	if err != nil {
		return err
	}
	switch {
	case foreign:
		c.step(connectors.StepWarn, stepIndex, "The table lies on another server, so it cannot be told how fast it is.",
			"Make sure that the other server has an index on the address column, or copy the table here.")
	case len(tables) == 0:
		c.ok(stepIndex, "An index finds the address.")
	case rows <= largeTable:
		c.ok(stepIndex, "The whole table is read, which is fast while it is small.")
	default:
		advice, script := m.indexAdvice()
		c.steps = append(c.steps, connectors.Step{
			Name: stepIndex, State: connectors.StepWarn, Detail: "About " + strconv.FormatInt(rows, 10) + " rows are read for each visitor.",
			Advice: advice, Script: script,
		})
	}
	return nil
}

// estimate sums up how many rows the server believes the tables to have.
func estimate(ctx context.Context, run reader, schemas, tables []string) (int64, error) {
	if len(tables) == 0 {
		return 0, nil
	}
	const query = `select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
		from unnest($1::text[], $2::text[]) as scanned(schema, name)
		join pg_namespace n on n.nspname = scanned.schema
		join pg_class c on c.relnamespace = n.oid and c.relname = scanned.name`
	var rows int64
	err := run(ctx, query, []any{schemas, tables}, func(row [][]byte) error {
		if len(row) != 1 {
			return errShape
		}
		var err error
		rows, err = strconv.ParseInt(string(row[0]), 10, 64)
		return err
	})
	return rows, err
}

// indexAdvice says what makes lookups fast, with the script that does it where it is known.
func (m *mapping) indexAdvice() (advice, script string) {
	switch m.table.kind {
	case "v":
		return "Add an index on the address column to the table behind the view, in the form in which addresses are compared: " + m.compared() + ".", ""
	case "p":
		return "Run this as an administrator. It locks the table against changes meanwhile.", strings.Replace(m.index(), " CONCURRENTLY", "", 1)
	}
	return "Run this as an administrator; the table stays usable meanwhile.", m.index()
}

// rights are what a role may do that Sidecard does not need.
type rights struct {
	superuser, bypassesRLS, manages bool
	writable                        int
}

func (c *check) weighRights(ctx context.Context, run reader, m *mapping) error {
	c.trying = stepRights
	const query = `select r.rolsuper, r.rolbypassrls, r.rolcreaterole or r.rolcreatedb or r.rolreplication,
		(select count(*) from pg_class t join pg_namespace n on n.oid = t.relnamespace
		where t.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
		and n.nspname not like 'pg\_toast%' and n.nspname not like 'pg\_temp%' and has_schema_privilege(n.oid, 'USAGE')
		and (has_table_privilege(t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') or has_any_column_privilege(t.oid, 'INSERT, UPDATE')))
		from pg_roles r where r.rolname = current_user`
	var may rights
	err := run(ctx, query, nil, func(row [][]byte) error {
		if len(row) != 4 {
			return errShape
		}
		yes := func(v []byte) bool { return string(v) == "t" }
		may.superuser, may.bypassesRLS, may.manages = yes(row[0]), yes(row[1]), yes(row[2])
		var err error
		may.writable, err = strconv.Atoi(string(row[3]))
		return err
	})
	if err != nil {
		return err
	}
	if excess := may.excess(); excess != "" {
		c.steps = append(c.steps, connectors.Step{
			Name: stepRights, State: connectors.StepWarn, Detail: "The user " + excess + ". Sidecard only reads.",
			Advice: "Use a role of its own that may do nothing else. Run this as an administrator, with a password of your own, and enter both here.",
			Script: c.newRole(m.columns),
		})
		return nil
	}
	c.ok(stepRights, "The user may read and nothing else.")
	return nil
}

// excess says the worst of it.
func (r rights) excess() string {
	switch {
	case r.superuser:
		return "is a superuser"
	case r.manages:
		return "may make roles or databases, or replicate"
	case r.bypassesRLS:
		return "bypasses row-level security"
	case r.writable == 1:
		return "may change 1 table"
	case r.writable > 1:
		return "may change " + strconv.Itoa(r.writable) + " tables"
	}
	return ""
}

// newRole is the script that makes a role with nothing but what is needed. Its name is another than the user's of today.
func (s *source) newRole(columns []column) string {
	role := "sidecard"
	if s.config.ConnConfig.User == role {
		role = "sidecard_reader"
	}
	return "CREATE ROLE " + role + " LOGIN PASSWORD 'choose a long one';\n" +
		"GRANT CONNECT ON DATABASE " + quote(s.config.ConnConfig.Database) + " TO " + role + ";\n" +
		s.grants(role, columns) + "\n" +
		"ALTER ROLE " + role + " SET default_transaction_read_only = on;\n" +
		"ALTER ROLE " + role + " SET statement_timeout = '3s';\n" +
		"ALTER ROLE " + role + " CONNECTION LIMIT 10;"
}

// grants is the script that lets a role read the table: these columns of it and what it is searched by, or
// all of it.
func (s *source) grants(role string, columns []column) string {
	table := s.choice.table
	if table == "" {
		table = "customers"
	}
	list := ""
	if len(columns) > 0 && len(s.choice.columns) > 0 {
		list = " (" + strings.Join(s.needed(columns), ", ") + ")"
	}
	return "GRANT USAGE ON SCHEMA " + quote(s.choice.schema) + " TO " + quote(role) + ";\n" +
		"GRANT SELECT" + list + " ON " + quote(s.choice.schema, table) + " TO " + quote(role) + ";"
}

// needed lists the quoted columns that a lookup touches.
func (s *source) needed(columns []column) []string {
	names := []string{s.choice.email}
	if s.choice.orderBy != "" {
		names = append(names, s.choice.orderBy)
	}
	for _, c := range columns {
		names = append(names, c.name)
	}
	var quoted []string
	seen := make(map[string]bool)
	for _, name := range names {
		if !seen[name] {
			quoted = append(quoted, quote(name))
		}
		seen[name] = true
	}
	return quoted
}

func quote(parts ...string) string { return pgx.Identifier(parts).Sanitize() }
