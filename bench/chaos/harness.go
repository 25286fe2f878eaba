package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sidecard/bench/stack"
	"sidecard/internal/livesupporti/livesupportitest"
)

const (
	tenants     = 20
	slowTenants = 8
	slowLookup  = 400 * time.Millisecond
	// speed divides LiveSupporti's one and four minutes before it repeats a notification.
	speed = 200
	// counted is of how many tenants the counters are compared in each row.
	counted = 3
)

// harness is what all rows of a run share.
type harness struct {
	options options
	stack   *stack.Stack
	book    *book
	logs    *logs
	// original are the database's functions that a flaw has rewritten, by name.
	original map[string]string
	events   *slog.Logger
	quick    []*stack.Tenant // whose lookups take no time
	slow     []*stack.Tenant // whose lookups take slowLookup; there are some when a row asks for them
	shop     *stack.Shop     // which the slow tenants ask
}

func newHarness(ctx context.Context, o options, rows []row) (_ *harness, err error) {
	dir := filepath.Dir(o.Out)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	largest := o.Chats
	for _, r := range rows {
		largest = max(largest, r.Chats)
	}
	h := &harness{options: o, book: newBook(), logs: &logs{offsets: map[string]int64{}}, original: map[string]string{}}
	h.stack, err = stack.Start(ctx, stack.Options{
		APIs: 2, Workers: 2, Proxied: true, Dir: dir, Tags: o.Tags, Race: o.Race, LogLevel: "INFO",
		Live: livesupportitest.Options{
			Speed: speed, KeepChats: 2*largest + 1000, KeepPosts: 1, KeepWire: -1, Senders: 256,
			OnPost: h.book.posted, HTTP: &http.Client{Transport: h.book, Timeout: 100 * time.Second},
		},
	})
	if err != nil {
		return nil, err
	}
	events, err := os.Create(filepath.Join(h.stack.Dir, "events.log"))
	if err != nil {
		return nil, errors.Join(err, h.stack.Stop(false))
	}
	h.events = slog.New(slog.NewJSONHandler(events, nil))
	if err := h.addTenants(ctx, slices.ContainsFunc(rows, func(r row) bool { return r.Slow })); err != nil {
		return nil, errors.Join(err, h.stack.Stop(false))
	}
	return h, nil
}

func (h *harness) addTenants(ctx context.Context, slow bool) (err error) {
	if h.quick, err = h.stack.AddTenants(ctx, tenants); err != nil {
		return err
	}
	for _, t := range h.quick {
		if err := t.ShowOwnList(ctx); err != nil {
			return err
		}
	}
	if !slow {
		return nil
	}
	if h.shop, err = h.stack.StartShop(ctx, slowLookup); err != nil {
		return err
	}
	if h.slow, err = h.stack.AddTenants(ctx, slowTenants); err != nil {
		return err
	}
	for _, t := range h.slow {
		if err := t.ShowSlowly(ctx, h.shop); err != nil {
			return err
		}
	}
	return nil
}

// run plays one row with one seed. What is broken stands in the result; an error says why nothing can be said.
func (h *harness) run(ctx context.Context, row row, seed uint64) (result, error) {
	r := h.prepare(row, seed)
	fmt.Printf("%-4s seed %d  %s\n", row.Name, seed, row.What)
	h.book.open(r.ledger)
	since := time.Now()
	var broken []string
	if err := r.play(ctx); err != nil {
		broken = append(broken, "the row could not be played to its end: "+err.Error())
	}
	if err := heal(ctx, r.Stack); err != nil {
		return result{}, fmt.Errorf("heal: %w", err)
	}
	if err := r.settle(ctx); err != nil && ctx.Err() == nil {
		broken = append(broken, fmt.Sprintf("there is work left to do long after the last fault: %d notifications unanswered", r.ledger.pending()))
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	history, err := h.history(ctx, r, since)
	if err != nil {
		return result{}, err
	}
	done := resultOf(r, history, broken)
	h.noteDuplicates(history)
	return done, nil
}

func (h *harness) prepare(row row, seed uint64) *run {
	override := func(own, given int) int {
		if given > 0 {
			return given
		}
		return own
	}
	r := &run{
		Stack: h.stack, row: row, seed: seed, chats: override(row.Chats, h.options.Chats), rate: override(row.Rate, h.options.Rate),
		hold: row.Hold, tenants: h.quick, ledger: newLedger(), random: row.random(seed), loaded: make(chan struct{}),
		figures: map[string]float64{}, events: h.events,
	}
	if h.options.Hold > 0 {
		r.hold = h.options.Hold
	}
	if row.Slow {
		r.tenants, r.neighbours, r.shop = h.slow, h.quick, h.shop
	}
	return r
}

// history collects what is known of the run.
func (h *harness) history(ctx context.Context, r *run, since time.Time) (history, error) {
	known := r.ledger.history()
	known.Expected = nil
	if r.row.Expect != nil {
		known.Expected = func(c chat) expect { return r.row.Expect(r, c) }
	}
	known.Healed, known.Trouble = r.healedAt, r.trouble
	known.Markers, known.Tenants = map[int]string{}, map[string]int{}
	for _, t := range slices.Concat(h.quick, h.slow) {
		known.Markers[t.Number], known.Tenants[t.Name] = t.Marker, t.Number
	}
	var err error
	if known.Records, err = records(ctx, h.stack, since); err != nil {
		return known, err
	}
	if known.Unfinished, err = unfinished(ctx, h.stack); err != nil {
		return known, err
	}
	mine := map[string]bool{}
	for _, c := range known.Chats {
		mine[c.Visitor] = true
	}
	for i := range min(counted, len(r.tenants)) {
		c, err := told(ctx, h.stack, r.tenants[i*len(r.tenants)/counted], mine, since)
		if ctx.Err() != nil {
			return known, err
		}
		if err != nil { // then it is told nothing
			known.Ended = append(known.Ended, err.Error())
			continue
		}
		known.Counters = append(known.Counters, c)
	}
	for _, p := range h.stack.Programs() {
		known.Ended = append(known.Ended, p.Unasked()...)
		if n := p.FailedStarts(); n > 0 {
			r.count("failed_starts", float64(n))
		}
	}
	known.Logs, err = h.logs.wrong(h.stack)
	return known, err
}

// noteDuplicates writes each accepted post of the chats that were posted more than once to the events.
func (h *harness) noteDuplicates(known history) {
	x := known.index()
	for _, c := range x.Chats {
		accepted := x.accepted(c)
		for i, p := range accepted {
			if len(accepted) > 1 {
				h.events.Info("posted more than once", "chat", c.External, "tenant", c.Tenant, "post", i+1, "at", p.At)
			}
		}
	}
}
