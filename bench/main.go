// Command bench measures Sidecard as it is deployed: real api and worker processes on a private
// PostgreSQL (fsync on) and Redis, fed by the simulated LiveSupporti. Each scenario prints its figures
// and writes them to build/bench/NAME.json; it fails when a promise is broken, never because a
// machine is slow.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
)

// scenarios by name. Each returns its figures, and an error when a promise was broken.
var scenarios = map[string]func(context.Context, options) (any, error){
	"steady":  steady,
	"hostile": hostile,
}

type options struct {
	Chats   int
	Rate    int
	Tenants int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	name := flag.String("scenario", "steady", "what to measure")
	out := flag.String("out", "build/bench", "folder for the figures")
	flag.IntVar(&o.Chats, "chats", 10_000, "how many chats start")
	flag.IntVar(&o.Rate, "rate", 100, "how many start each second")
	flag.IntVar(&o.Tenants, "tenants", 20, "over how many tenants")
	flag.Parse()
	if err := measure(ctx, *name, *out, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, name, out string, o options) error {
	scenario, ok := scenarios[name]
	if !ok {
		return fmt.Errorf("there is no scenario %q", name)
	}
	figures, broken := scenario(ctx, o)
	if figures == nil {
		return broken
	}
	text, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, name+".json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return broken
}

// quantiles are of milliseconds.
type quantiles struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func quantilesOf(ms []float64) quantiles {
	if len(ms) == 0 {
		return quantiles{}
	}
	slices.Sort(ms)
	at := func(q float64) float64 { return ms[int(q*float64(len(ms)-1))] }
	return quantiles{P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: ms[len(ms)-1]}
}
