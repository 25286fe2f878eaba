package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// row is one line of the fault matrix.
type row struct {
	Name string
	// What says in a sentence what breaks and what must hold all the same.
	What string
	// Quick rows run in "make test".
	Quick bool
	// Chats and Rate (a second) are the defaults of the row's load, Hold the default length of its outages.
	Chats, Rate int
	Hold        time.Duration
	// Slow has the chats be those of tenants whose lookups take slowLookup.
	Slow bool
	// Load starts the chats; nil is run.steady: one chat for each visitor, at the rate.
	Load func(context.Context, *run) error
	// Trouble breaks things while the chats run. It notes with run.healed when a fault is over.
	Trouble func(context.Context, *run) error
	// Duplicates says how many duplicate posts this run may have made; nil is none.
	Duplicates func(*run) int
	// Expect gives the outcomes that are right for a chat; nil is shown.
	Expect func(*run, chat) expect
	// Check adds what only this row promises: it may set figures, and says in sentences what is broken.
	Check func(*run, indexed) []string
	// Settle bounds the wait until nothing is left to do; 0 is a minute.
	Settle time.Duration
}

// rows is the fault matrix. A file of rows adds its own here.
var rows = slices.Concat(
	apiRows, workerRows, redisRows, databaseRows, liveRows, deskRows, senderRows, neighbourRows, clockRows, mixedRows, promiseRows,
)

// chosen finds rows by name: a comma list, "all" or "quick".
func chosen(names string) ([]row, error) {
	switch names {
	case "all":
		return rows, nil
	case "quick":
		return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !r.Quick }), nil
	}
	known := map[string]row{}
	for _, r := range rows {
		known[r.Name] = r
	}
	var found []row
	for name := range strings.SplitSeq(names, ",") {
		r, ok := known[strings.ToUpper(strings.TrimSpace(name))]
		if !ok {
			return nil, fmt.Errorf("there is no row %q; there are all, quick, %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		found = append(found, r)
	}
	return found, nil
}

// random gives the row's own source of chance: the same seed gives the same faults, whichever rows run before.
func (r row) random(seed uint64) *rand.Rand {
	var name uint64
	for _, b := range []byte(r.Name) {
		name = name*257 + uint64(b)
	}
	return rand.New(rand.NewPCG(seed, name)) //nolint:gosec // chooses moments and guards nothing
}
