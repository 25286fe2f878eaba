package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sidecard/internal/servertest"
	"sidecard/internal/store/storetest"
)

// proof is a test that tries every case there is of a promise, and counts them. It stands in for the test wherever a
// T is asked for, so that what a stage finds wrong by itself counts as well.
type proof struct {
	testing.TB
	cases, failures atomic.Int64
}

// maxShown bounds the failures that a proof prints: a broken gate fails thousands of cases in the same way.
const maxShown = 40

// prove runs a proof on SQLite, and on PostgreSQL as well when the run has a server. It fails when fewer than so many
// cases were tried.
func prove(t *testing.T, least int, run func(p *proof, s *stage, db storetest.Database)) {
	t.Helper()
	on := func(name string, database func(testing.TB) storetest.Database) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &proof{TB: t}
			t.Cleanup(p.report)
			db := database(p)
			s := setup(p, db.Store, nil)
			s.hub.Limits.CallsPerMinute = 1_000_000 // nobody calls yet
			run(p, s, db)
			if n := p.cases.Load(); n < int64(least) {
				p.Errorf("only %d cases were tried, want %d or more", n, least)
			}
		})
	}
	on("sqlite", storetest.SQLite)
	if os.Getenv(servertest.PostgresURLVariable) != "" {
		on("postgres", storetest.Postgres)
	}
}

// Errorf implements testing.TB.
func (p *proof) Errorf(format string, args ...any) {
	p.Helper()
	if p.failures.Add(1) > maxShown {
		p.Fail()
		return
	}
	p.TB.Errorf(format, args...)
}

// Fatalf implements testing.TB.
func (p *proof) Fatalf(format string, args ...any) {
	p.Helper()
	p.failures.Add(1)
	p.TB.Fatalf(format, args...)
}

// Fatal implements testing.TB.
func (p *proof) Fatal(args ...any) {
	p.Helper()
	p.failures.Add(1)
	p.TB.Fatal(args...)
}

// holds counts a case, and fails it unless it is so.
func (p *proof) holds(so bool, format string, args ...any) {
	p.Helper()
	p.cases.Add(1)
	if !so {
		p.Errorf(format, args...)
	}
}

// reportVariable names the file that make proofs reads; the proofs of a run write into it one after another.
const reportVariable = "PROOFS"

var reporting sync.Mutex

type reported struct {
	Name     string `json:"name"`
	Cases    int64  `json:"cases"`
	Failures int64  `json:"failures"`
}

// report adds the proof to the run's file, an entry a line, sorted by name.
func (p *proof) report() {
	path := os.Getenv(reportVariable)
	if path == "" {
		return
	}
	reporting.Lock()
	defer reporting.Unlock()
	var all []reported
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.Fatalf("the report cannot be read: %v", err)
	}
	all = slices.DeleteFunc(all, func(r reported) bool { return r.Name == p.Name() })
	failures := p.failures.Load()
	if p.Failed() {
		failures = max(failures, 1)
	}
	all = append(all, reported{p.Name(), p.cases.Load(), failures})
	slices.SortFunc(all, func(a, b reported) int { return strings.Compare(a.Name, b.Name) })
	lines := make([]string, len(all))
	for i, r := range all {
		line, err := json.Marshal(r)
		must(p, err)
		lines[i] = string(line)
	}
	must(p, os.WriteFile(path, fmt.Appendf(nil, "[\n%s\n]\n", strings.Join(lines, ",\n")), 0o600))
}
