package postgres_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/postgres"
)

const sessions = "select count(*)::text from pg_stat_activity where application_name = 'sidecard' and datname = current_database()"

// tenants opens so many sources that share one process and looks somebody up in each; most keep their pools.
func tenants(t *testing.T, n, most int) (all []connectors.Source, d *database) {
	t.Helper()
	d = newDatabase(t, people, onePerson)
	kind := postgres.NewWithFewPools(most)
	for range n {
		in := openDoor()
		in.Settings = d.settings(nil)
		src, err := kind.Open(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = src.Close() })
		if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
			t.Fatalf("got %+v", res)
		}
		all = append(all, src)
	}
	return all, d
}

// TestManyTenantsShareFewPools counts what the server sees of fifty tenants of a process that may keep ten pools. The
// tenants that had to give theirs back are served all the same.
func TestManyTenantsShareFewPools(t *testing.T) {
	t.Parallel()
	all, d := tenants(t, 50, 10)
	ctx := within(t)
	for n := 0; ; {
		text, err := d.text(sessions)
		if err == nil {
			n, err = strconv.Atoi(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n <= 10 {
			break // the server notices a goodbye a moment later
		}
		if ctx.Err() != nil {
			t.Fatalf("%d connections of ten pools", n)
		}
	}
	for _, src := range all[:5] {
		if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
			t.Errorf("a tenant whose pool was let go: %+v", res)
		}
	}
}

// TestTenantsCostLittleMemory holds each tenant below 256 KiB, under the race detector, too. The figure itself is for
// people: TENANTS=1000 go test -run TestTenantsCostLittleMemory -v.
func TestTenantsCostLittleMemory(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("TENANTS"))
	if err != nil {
		n = 20
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	for _, most := range []int{1, 64} {
		before := heap()
		all, _ := tenants(t, n, most)
		each := (float64(heap()) - float64(before)) / 1024 / float64(n)
		t.Logf("%d tenants, of whom %d keep a pool: %.1f KiB for each", n, min(most, n), each)
		if each > 256 {
			t.Error("that is more than 256 KiB")
		}
		runtime.KeepAlive(all)
	}
}
