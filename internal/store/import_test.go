package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// withConnection gives an account a connection for imports.
func withConnection(t *testing.T, s *store.Store) (account, hub.ID) {
	t.Helper()
	a, c := signUp(t, s), newConnection("csv")
	if err := a.CreateConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return a, c.ID
}

// loadNumbered loads rows whose data is a number, under the indexes 0 to 9 in turn.
func loadNumbered(number, rows int) func(hub.RowWriter) error {
	return func(w hub.RowWriter) error {
		for i := range rows {
			data := binary.BigEndian.AppendUint32(nil, uint32(number))
			if err := w.WriteRow(hub.Row{Line: i + 2, Index: []byte{byte(i % 10)}, Data: data}); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestReplacedRowsAreFoundHighestLineFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, id := withConnection(t, db.Store)
		if rows, err := a.FindRows(t.Context(), id, []byte{3}, 10); err != nil || len(rows) != 0 {
			t.Errorf("FindRows before the first import = %v (%v)", rows, err)
		}
		for number, count := range []int{2500, 40, 0} {
			at := time.Now().UTC().Truncate(time.Microsecond)
			c, err := a.ReplaceRows(t.Context(), id, loadNumbered(number, count), func(c *hub.Connection) {
				c.Import = &hub.ImportResult{At: at, Filename: fmt.Sprint(number)}
			})
			if err != nil || c.Import == nil || c.Import.Filename != fmt.Sprint(number) || c.Revision != int64(number+2) {
				t.Fatalf("ReplaceRows = %+v (%v)", c, err)
			}
			rows, err := a.FindRows(t.Context(), id, []byte{3}, 3)
			if err != nil || len(rows) != min(3, count/10) {
				t.Fatalf("FindRows = %d rows (%v)", len(rows), err)
			}
			for i, r := range rows {
				if r.Line != count-10*i-5 || binary.BigEndian.Uint32(r.Data) != uint32(number) || r.Index[0] != 3 {
					t.Errorf("row %d of import %d = %+v", i, number, r)
				}
			}
			if n := (queueTest{t, db}).count("select count(*) from imported_rows"); n != count {
				t.Errorf("%d rows are kept, want %d", n, count)
			}
		}
	})
}

func TestFailedLoadLeavesTheRowsBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, id := withConnection(t, db.Store)
		if _, err := a.ReplaceRows(t.Context(), id, loadNumbered(1, 20), func(*hub.Connection) {}); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("the file is broken")
		_, err := a.ReplaceRows(t.Context(), id, func(w hub.RowWriter) error {
			if err := loadNumbered(2, 3000)(w); err != nil {
				return err
			}
			return broken
		}, func(*hub.Connection) { t.Error("change was called") })
		if !errors.Is(err, broken) {
			t.Errorf("ReplaceRows = %v, want the loader's error", err)
		}
		rows, err := a.FindRows(t.Context(), id, []byte{3}, 10)
		if err != nil || len(rows) != 2 || binary.BigEndian.Uint32(rows[0].Data) != 1 {
			t.Errorf("FindRows = %+v (%v), want the two rows before", rows, err)
		}
		if n := (queueTest{t, db}).count("select (select count(*) from imported_rows) * 10 + (select count(*) from imports)"); n != 201 {
			t.Errorf("rows and imports = %d, want 20 and 1", n)
		}
	})
}

func TestRowsAreReplacedAllAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, id := withConnection(t, db.Store)
		const perIndex = 110 // in two batches
		if _, err := a.ReplaceRows(t.Context(), id, loadNumbered(0, 10*perIndex), func(*hub.Connection) {}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		var readers sync.WaitGroup
		for r := range 2 {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					rows, err := a.FindRows(t.Context(), id, []byte{byte(r)}, 2*perIndex)
					if err != nil || len(rows) != perIndex {
						t.Errorf("found %d rows (%v), want all %d of one import", len(rows), err, perIndex)
						return
					}
					for _, row := range rows {
						if string(row.Data) != string(rows[0].Data) {
							t.Errorf("found rows of two imports")
							return
						}
					}
				}
			})
		}
		var writers sync.WaitGroup
		for w := range 2 {
			writers.Go(func() {
				for i := range 3 {
					if _, err := a.ReplaceRows(t.Context(), id, loadNumbered(10*w+i+1, 10*perIndex), func(*hub.Connection) {}); err != nil {
						t.Errorf("ReplaceRows: %v", err)
					}
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
		if n := (queueTest{t, db}).count("select (select count(*) from imports) * 10000 + (select count(*) from imported_rows)"); n != 10000+10*perIndex {
			t.Errorf("imports and rows = %d, want one import's", n)
		}
	})
}

// A process that died while it loaded leaves rows that nobody counts; somebody removes them later, and does
// not touch what is being loaded or in use.
func TestRowsOfABrokenLoadAreRemovedLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, id := withConnection(t, db.Store)
		q := queueTest{t, db}
		if _, err := a.ReplaceRows(t.Context(), id, loadNumbered(1, 20), func(*hub.Connection) {}); err != nil {
			t.Fatal(err)
		}
		longAgo := time.Now().UTC().Add(-2 * time.Hour)
		q.exec("update imports set alive_at = $1", longAgo)
		broken := hub.NewID()
		q.exec("insert into imports (id, tenant_id, alive_at) values ($1, $2, $3)", broken, a.tenant.ID, longAgo)
		q.exec("insert into imported_rows (tenant_id, import_id, idx, line, data) values ($1, $2, $3, 0, $3)", a.tenant.ID, broken, []byte("x"))
		for n := 1; n < 6_000; n *= 2 { // doubles them, to more than one batch of removal
			q.exec(fmt.Sprintf("insert into imported_rows (tenant_id, import_id, idx, line, data) select tenant_id, import_id, idx, line + %d, data from imported_rows where import_id = $1", n), broken)
		}
		_, err := a.ReplaceRows(t.Context(), id, func(w hub.RowWriter) error {
			if err := loadNumbered(2, 2048)(w); err != nil {
				return err
			}
			if n := q.count("select count(*) from imports"); n != 3 {
				t.Errorf("%d imports, want the active, the broken and the loading one", n)
			}
			store.RemoveStaleImports(t.Context(), db.Store)
			if n := q.count("select count(*) from imports where id = $1", broken) + q.count("select count(*) from imported_rows where import_id = $1", broken); n != 0 {
				t.Errorf("%d rows of the broken load are left", n)
			}
			rows, err := a.FindRows(t.Context(), id, []byte{3}, 10)
			if err != nil || len(rows) != 2 {
				t.Errorf("found %d rows (%v), want the 2 in use", len(rows), err)
			}
			return nil
		}, func(*hub.Connection) {})
		if err != nil {
			t.Errorf("the load that went on meanwhile: %v", err)
		}
		if n := q.count("select count(*) from imported_rows"); n != 2048 {
			t.Errorf("%d rows, want the 2048 loaded last", n)
		}
	})
}
