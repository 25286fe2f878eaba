package mysql

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"

	"sidecard/connectors"
)

// largeTable is the number of rows from which reading all of them for one visitor is too slow.
const largeTable = 50_000

// findIndex asks how the server would answer, and warns when it would read a large table from end to end.
func (c *check) findIndex(ctx context.Context, run reader, m *mapping) error {
	c.trying = stepIndex
	view, remote, err := tableKind(ctx, run, m.table)
	if err != nil {
		return err
	}
	q := m.query(m.columns, nobody)
	var rows int64
	scanned := false
	err = run(ctx, query{text: "EXPLAIN FORMAT=TRADITIONAL " + q.text, args: q.args}, func(row []driver.Value) error {
		how, n, ok := planned(row)
		if !ok {
			return errShape
		}
		if how == "ALL" || how == "index" {
			scanned = true
			rows += n
		}
		return nil
	})
	switch {
	case isRefusal(err):
		c.warn(stepIndex, "The server does not tell this user how it finds the address, as with a view whose tables the user may not read.",
			"Make sure that the table behind it has an index on the address column.")
	case err != nil:
		return err
	case remote:
		c.warn(stepIndex, "The table lies on another server, so it cannot be told how fast it is.",
			"Make sure that the other server has an index on the address column, or copy the table here.")
	case !scanned:
		c.ok(stepIndex, "An index finds the address.")
	case rows <= largeTable:
		c.ok(stepIndex, "The whole table is read, which is fast while it is small.")
	case view:
		c.warn(stepIndex, "About "+strconv.FormatInt(rows, 10)+" rows are read for each visitor.",
			"Add an index on the address column to the table behind the view.")
	default:
		c.add(connectors.Step{
			Name: stepIndex, State: connectors.StepWarn, Detail: "About " + strconv.FormatInt(rows, 10) + " rows are read for each visitor.",
			Advice: "Add an index on the address column. Run the script as an administrator; the table stays readable meanwhile.",
			Script: "CREATE INDEX sidecard_address ON " + m.table.quoted() + " (" + m.indexed() + ");",
		})
	}
	return nil
}

// indexed gives the address column as an index takes it: of long texts, the beginning.
func (m *mapping) indexed() string {
	switch m.email.typ {
	case "tinytext", "text", "mediumtext", "longtext":
		return quote(m.email.name) + "(191)"
	}
	return quote(m.email.name)
}

// planned reads a line of EXPLAIN in its tabular form. MySQL has two columns more than MariaDB, "partitions" before the
// type and "filtered" after the rows; the type is the fourth or fifth, and the rows are the last but one or two.
func planned(row []driver.Value) (how string, rows int64, ok bool) {
	switch len(row) {
	case 10:
		how, rows = textOf(row[3]), whole(row[8])
	case 12:
		how, rows = textOf(row[4]), whole(row[9])
	default:
		return "", 0, false
	}
	return how, rows, true
}

func whole(v driver.Value) int64 {
	if v == nil {
		return 0
	}
	n, err := strconv.ParseInt(textOf(v), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// tableKind tells whether the table is a view, and whether its rows lie on another server.
func tableKind(ctx context.Context, run reader, t table) (view, remote bool, err error) {
	q := query{
		text: "SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
		args: []string{t.schema, t.name}, limited: true,
	}
	err = run(ctx, q, func(row []driver.Value) error {
		if len(row) != 2 {
			return errShape
		}
		view = strings.Contains(textOf(row[0]), "VIEW")
		switch textOf(row[1]) {
		case "FEDERATED", "CONNECT", "SPIDER", "ndbcluster":
			remote = true
		}
		return nil
	})
	return view, remote, err
}

func (c *check) weighRights(ctx context.Context, run reader) error {
	c.trying = stepRights
	var may rights
	err := run(ctx, query{text: "SHOW GRANTS"}, func(row []driver.Value) error {
		if len(row) != 1 {
			return errShape
		}
		may.weigh(textOf(row[0]))
		return nil
	})
	if isRefusal(err) {
		c.warn(stepRights, "The server does not tell what the user may do.", "Make sure that it may read and nothing else; the guide has the script that makes such a user.")
		return nil
	}
	if err != nil {
		return err
	}
	if excess := may.excess(); excess != "" {
		c.add(connectors.Step{
			Name: stepRights, State: connectors.StepWarn, Detail: "The user " + excess + ". Sidecard only reads.",
			Advice: "Use a user of its own that may do nothing else. Run the script as an administrator, and enter the new name and password here.",
			Script: c.newUserScript(),
		})
		return nil
	}
	c.ok(stepRights, "The user may read and nothing else.")
	return nil
}
