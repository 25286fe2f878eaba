package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sidecard/internal/hub"
	"sidecard/internal/store"
)

// A column that the list leaves out would keep an old master key for ever.
func TestEverySealedColumnOfTheSchemaIsListed(t *testing.T) {
	t.Parallel()
	var listed, found []string
	for _, c := range (*store.Store)(nil).SealedColumns() {
		listed = append(listed, c.String())
	}
	files, err := filepath.Glob("../../migrations/postgres/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`^(?:create|alter) table (\w+)`)
	column := regexp.MustCompile(`^(?:  |alter table \w+ add column )(\w+) +bytea`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, before := "", ""
		for line := range strings.Lines(string(text)) {
			if m := table.FindStringSubmatch(line); m != nil {
				name = m[1]
			}
			m := column.FindStringSubmatch(line)
			if m != nil && (strings.Contains(line, "-- sealed") || strings.HasSuffix(m[1], "sealed") || strings.Contains(before, ", sealed:")) {
				found = append(found, name+"."+m[1])
			}
			before = line
		}
	}
	slices.Sort(listed)
	slices.Sort(found)
	if !slices.Equal(listed, found) {
		t.Errorf("listed are\n%v\nthe migrations have\n%v", listed, found)
	}
}

func TestSealedValuesAreReadPageByPageAndReplacedUnlessTheyChanged(t *testing.T) {
	onQueues(t, func(q queueTest) {
		a, connection := withConnection(q.T, q.Store)
		other := signUp(q.T, q.Store)
		waits, ends := a.chat("v1"), a.chat("v2")
		q.accept(waits, other.chat("v1"))
		claimed := q.claim()
		for _, c := range claimed {
			q.retry(hub.Retry{Hold: c.Hold, Lane: hub.LaneDelivery, Details: []byte("sealed details"), Attempt: &hub.Attempt{
				Number: 1, Status: 500, Verdict: "retry", Message: "failed", Excerpt: []byte("sealed excerpt"),
			}}, hub.Kept)
		}
		q.accept(ends)
		q.finish(shown(q.claimOne(ends).Hold), hub.Kept)
		_, err := a.ReplaceRows(q.Context(), connection, func(w hub.RowWriter) error {
			for line := range 3 {
				if err := w.WriteRow(hub.Row{Line: line + 2, Index: []byte{7}, Data: []byte("sealed row")}); err != nil {
					return err
				}
			}
			return nil
		}, func(*hub.Connection) {})
		if err != nil {
			q.Fatal(err)
		}
		places := map[string][]string{
			"tenants.index_key":   {a.tenant.ID.String()},
			"desks.token_sealed":  {a.desk.ID.String()},
			"connections.secrets": {connection.String()},
			"work.details":        {waits.ChatID.String()},
			"outcomes.details":    {ends.ChatID.String()},
			"attempts.excerpt":    {waits.ChatID.String()},
			"imported_rows.data":  {fmt.Sprint(connection, "/2"), fmt.Sprint(connection, "/3"), fmt.Sprint(connection, "/4")},
		}
		for _, c := range q.Store.SealedColumns() {
			in := hub.SealedValues(a)
			if c.Owner == "" {
				in = q.Store
			}
			values := q.pages(in, c, hub.SealedQuery{Limit: 1, Prefix: []byte("sealed")})
			var rows []string
			for i := range values {
				rows = append(rows, values[i].Row)
				values[i].Anew = append([]byte("anew "), values[i].Sealed...)
			}
			if c.Owner != "" && !slices.Equal(rows, places[c.String()]) {
				q.Errorf("%s: rows %v, want %v", c, rows, places[c.String()])
			}
			if n, err := in.ReplaceSealed(q.Context(), c, values); err != nil || n != len(values) {
				q.Errorf("%s: %d replaced, %v; want %d", c, n, err, len(values))
			}
			if n, err := in.ReplaceSealed(q.Context(), c, values); err != nil || n != 0 {
				q.Errorf("%s: %d replaced though they had changed, %v", c, n, err)
			}
			if left := q.pages(in, c, hub.SealedQuery{Limit: 2, Prefix: []byte("sealed")}); len(left) != 0 {
				q.Errorf("%s: %d left", c, len(left))
			}
			for _, v := range q.pages(in, c, hub.SealedQuery{Limit: 2, Prefix: []byte("sealed"), Other: true}) {
				if c.Owner != "" && !bytes.HasPrefix(v.Sealed, []byte("anew sealed")) && !bytes.HasPrefix(v.Sealed, []byte("body")) {
					q.Errorf("%s: %q", c, v.Sealed)
				}
			}
		}
		if d, err := other.Desk(q.Context()); err != nil || !bytes.HasPrefix(d.TokenSealed, []byte("sealed")) {
			q.Errorf("another tenant's desk was changed: %q, %v", d.TokenSealed, err)
		}
	})
}

func (q queueTest) pages(in hub.SealedValues, c hub.SealedColumn, query hub.SealedQuery) (all []hub.SealedValue) {
	q.Helper()
	for range 20 {
		page, err := in.SealedValues(q.Context(), c, query)
		if err != nil || len(page) > query.Limit {
			q.Fatalf("%s: a page of %d, %v", c, len(page), err)
		}
		if len(page) == 0 {
			return all
		}
		all, query.After = append(all, page...), page[len(page)-1].Key
	}
	q.Fatalf("%s: the pages have no end", c)
	return nil
}
