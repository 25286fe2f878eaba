// Command chaos proves that nothing is lost and nothing is shown twice, whoever dies. It runs Sidecard as it is
// deployed, two apis and two workers on a PostgreSQL and a Redis of their own, with the simulated LiveSupporti as the
// sender and the receiver, and breaks one thing after the other while chats run. Each row of the fault matrix breaks
// another thing; after each, an independent ledger of what was sent and received is held against the database.
//
// It prints a line for each row, writes the figures as JSON, and fails when a promise was broken.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	Rows  string
	Seed  uint64
	Seeds int
	Chats int
	Rate  int
	Hold  time.Duration
	Out   string
	Tags  string
	Race  bool
}

func main() {
	var o options
	list := flag.Bool("list", false, "list the rows and end")
	flag.StringVar(&o.Rows, "rows", "quick", "which rows: names with commas between, all, or quick")
	flag.Uint64Var(&o.Seed, "seed", 1, "the first seed: the same seed breaks the same things at the same moments")
	flag.IntVar(&o.Seeds, "seeds", 1, "how many seeds, one after the other")
	flag.IntVar(&o.Chats, "chats", 0, "how many chats begin in each row; 0 leaves it to the row")
	flag.IntVar(&o.Rate, "rate", 0, "how many begin each second; 0 leaves it to the row")
	flag.DurationVar(&o.Hold, "hold", 0, "how long outages last; 0 leaves it to the row")
	flag.StringVar(&o.Out, "out", "build/chaos.json", "file for the figures")
	flag.StringVar(&o.Tags, "tags", "", "Go build tags of the programs")
	flag.BoolVar(&o.Race, "race", false, "build the programs with the race detector")
	proving := flag.Bool("mutants", false, "break Sidecard on purpose, flaw by flaw, and show which row catches it")
	flaws := flag.String("flaw", "", "break it with these flaws of internal/flaw alone: names with commas between")
	flag.Parse()
	if *list {
		for _, r := range rows {
			fmt.Printf("%-4s %s\n", r.Name, r.What)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	play := func() error { return chaos(ctx, o) }
	if *proving || *flaws != "" {
		play = func() error { return prove(ctx, o, *flaws) }
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		stop()
		os.Exit(1)
	}
}

// chaos runs the rows with all seeds. The error says how many were broken, or why they could not run.
func chaos(ctx context.Context, o options) error {
	chosen, err := chosen(o.Rows)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return errNothingChosen
	}
	began := time.Now()
	h, err := newHarness(ctx, o, chosen)
	if err != nil {
		return err
	}
	broken := 0
	var results []result
	for seed := o.Seed; seed < o.Seed+uint64(max(o.Seeds, 1)) && err == nil; seed++ {
		for _, row := range chosen {
			var done result
			if done, err = h.run(ctx, row, seed); err != nil {
				err = fmt.Errorf("row %s: %w", row.Name, err)
				break
			}
			fmt.Println(done)
			if !done.OK {
				broken++
			}
			results = append(results, done)
			if err = writeResults(o.Out, results); err != nil {
				break
			}
		}
	}
	fmt.Printf("%d of %d ok in %s, figures in %s\n", len(results)-broken, len(results), time.Since(began).Round(time.Second), o.Out)
	if err == nil && broken > 0 {
		err = fmt.Errorf("%s broken", count(broken, "row is", "rows are"))
	}
	if err != nil {
		fmt.Println("the programs' logs are in", h.stack.Dir)
	}
	if stopped := h.stack.Stop(err != nil); err == nil {
		err = stopped
	}
	return err
}
