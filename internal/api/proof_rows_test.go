package api_test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// belongsToNobody are the tables whose rows belong to no tenant and no user, with what they hold.
var belongsToNobody = map[string]string{
	"goose_db_version": "the migrations that ran",
	"sqlite_sequence":  "SQLite's own",
	"signing_keys":     "the installation's keys",
	"mails":            "mails on their way, sealed",
	"gone_desks":       "hashes of callbacks that are no more",
}

// noted is what is written into a row when it is used, whoever may use it.
var noted = map[string]bool{"api_tokens.last_used_at": true}

const membersOf = "(select user_id from members where tenant_id = $1)"

// ownedBy is the condition under which a row of a table is a tenant's ($1) or a member's of it.
func ownedBy(table string, columns []string) string {
	switch {
	case table == "tenants":
		return "id = $1"
	case table == "users":
		return "id in " + membersOf
	case table == "refresh_tokens":
		return "session_id in (select id from sessions where user_id in " + membersOf + ")"
	case slices.Contains(columns, "tenant_id"):
		return "tenant_id = $1"
	case slices.Contains(columns, "user_id"):
		return "user_id in " + membersOf
	}
	return ""
}

// tables lists every table of a database with its columns.
func tables(t T, db storetest.Database) map[string][]string {
	t.Helper()
	query := "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table' order by 1, p.cid"
	if db.URL != "" {
		query = `select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
			where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
			order by 1, a.attnum`
	}
	rows, err := db.Owner.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		must(t, rows.Scan(&table, &column))
		all[table] = append(all[table], column)
	}
	must(t, rows.Err())
	if len(all) < 20 {
		t.Fatalf("tables: %v", all)
	}
	return all
}

// holdings is a checksum over all rows of all tables that belong to a tenant and its members, by table. A table of
// which it is not known whose its rows are fails the test.
func holdings(t T, db storetest.Database, tenant hub.ID) map[string]string {
	t.Helper()
	sums := map[string]string{}
	total := 0
	for table, columns := range tables(t, db) {
		condition := ownedBy(table, columns)
		if condition == "" {
			if belongsToNobody[table] == "" {
				t.Fatalf("whose rows are in %s? Add it to ownedBy or belongsToNobody", table)
			}
			continue
		}
		lines := rowsAs(t, db, table, columns, condition, tenant)
		total += len(lines)
		sums[table] = fmt.Sprintf("%d rows %x", len(lines), sha256.Sum256([]byte(strings.Join(lines, "\n"))))
	}
	if total < 10 {
		t.Fatalf("the tenant has only %d rows: the checksum shows nothing", total)
	}
	return sums
}

// rowsAs writes the rows of a table as text, sorted.
func rowsAs(t T, db storetest.Database, table string, columns []string, condition string, tenant hub.ID) []string {
	t.Helper()
	rows, err := db.Owner.QueryContext(t.Context(), `select * from "`+table+`" where `+condition, tenant.String())
	must(t, err)
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		must(t, rows.Scan(into...))
		for i, column := range columns {
			if noted[table+"."+column] {
				values[i] = nil
			}
		}
		lines = append(lines, fmt.Sprintf("%v", values))
	}
	must(t, rows.Err())
	slices.Sort(lines)
	return lines
}

// unchanged is a case: a tenant's rows are what they were.
func (p *proof) unchanged(what string, before, after map[string]string) {
	p.Helper()
	for _, table := range slices.Sorted(maps.Keys(before)) {
		p.holds(before[table] == after[table], "%s: %s was %s and is %s", what, table, before[table], cmp.Or(after[table], "gone"))
	}
}
