package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

// BenchmarkQueue works off chats of 64 tenants in groups of 64, and reports the processor time that each
// verb costs for a chat: in this process, and in PostgreSQL's. The time by the clock depends on who else
// works on the machine.
func BenchmarkQueue(b *testing.B) {
	b.Run("postgres", func(b *testing.B) { benchmarkQueue(b, storetest.Postgres(b)) })
	b.Run("sqlite", func(b *testing.B) { benchmarkQueue(b, storetest.SQLite(b)) })
}

func benchmarkQueue(b *testing.B, db storetest.Database) {
	const group = 64
	var accounts []account
	for range group {
		accounts = append(accounts, signUp(b, db.Store))
	}
	body, details := make([]byte, 700), make([]byte, 300)
	chats, ends := make([]hub.Arrival, group), make([]hub.Finish, 0, group)
	work := func(n int, m *meter) {
		for i := range chats {
			chats[i] = accounts[i].chat(fmt.Sprint("visitor ", n))
			chats[i].Body = body
		}
		m.measure("accept", func() error { return store.AcceptGroup(b.Context(), db.Store, chats) })
		ends = ends[:0]
		m.measure("claim", func() error {
			claimed, err := db.Store.Claim(b.Context(), hub.ClaimRequest{Limit: group, Share: 8, Lease: time.Minute, Fence: rand.Int64()})
			for _, k := range claimed {
				f := shown(k.Hold)
				f.Details = details
				ends = append(ends, f)
			}
			return err
		})
		if len(ends) != group {
			b.Fatalf("claimed %d", len(ends))
		}
		m.measure("finish", func() error {
			_, err := store.FinishGroup(b.Context(), db.Store, ends)
			return err
		})
	}
	for n := range 20 { // fills the caches of plans
		work(-n, &meter{B: b})
	}
	m := &meter{B: b, backends: backendsOf(b, db.Owner, db.URL != ""), here: map[string]time.Duration{}, there: map[string]time.Duration{}}
	for n := 0; b.Loop(); n++ {
		work(n, m)
	}
	var here, there time.Duration
	for verb, took := range m.here {
		b.ReportMetric(perChat(took+m.there[verb], b.N*group), verb+"-µs/chat")
		here, there = here+took, there+m.there[verb]
	}
	b.ReportMetric(perChat(here, b.N*group), "here-µs/chat")
	b.ReportMetric(perChat(there, b.N*group), "postgres-µs/chat")
}

func perChat(took time.Duration, chats int) float64 {
	return float64(took.Nanoseconds()) / 1000 / float64(chats)
}

// meter adds up processor time.
type meter struct {
	*testing.B
	backends    []int
	here, there map[string]time.Duration
}

func (m *meter) measure(verb string, do func() error) {
	here, there := ownTime(), m.backendTime()
	if err := do(); err != nil {
		m.Fatal(err)
	}
	if m.here != nil {
		m.here[verb] += ownTime() - here
		m.there[verb] += m.backendTime() - there
	}
}

func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// backendTime is what the backends used so far, see proc(5) about schedstat.
func (m *meter) backendTime() (total time.Duration) {
	for _, pid := range m.backends {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			m.Fatal(err)
		}
		var ns int64
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			m.Fatal(err)
		}
		total += time.Duration(ns)
	}
	return total
}

func backendsOf(b *testing.B, owner *sql.DB, postgres bool) (pids []int) {
	b.Helper()
	if !postgres {
		return nil
	}
	rows, err := owner.QueryContext(b.Context(), "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			b.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
