package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is one row's object in the report. Its keys are a contract; see docs/reliability.md.
type result struct {
	Row         string  `json:"row"`
	Seed        uint64  `json:"seed"`
	Sent        int     `json:"sent"`
	Acked       int     `json:"acked"`
	Lost        int     `json:"lost"`
	Duplicates  int     `json:"duplicates"`
	CrossTenant int     `json:"cross_tenant"`
	P50         float64 `json:"p50_ms"` // chat began until LiveSupporti accepted its details
	P99         float64 `json:"p99_ms"`
	Recovery    float64 `json:"recovery_ms"` // last fault healed until all earlier chats had ended; 0 without an outage
	OK          bool    `json:"ok"`

	Figures map[string]float64 `json:"figures,omitempty"`
	Broken  []string           `json:"broken,omitempty"`
}

// resultOf judges a run by its history.
func resultOf(r *run, h history, more []string) result {
	allowed := 0
	if r.row.Duplicates != nil {
		allowed = r.row.Duplicates(r)
	}
	found, x := h.check(allowed), h.index()
	found.Broken = append(found.Broken, more...)
	accept, refused := x.acceptTimes()
	r.count("refused", float64(refused))
	r.count("accept_p50_ms", quantile(accept, 0.50))
	r.count("accept_p99_ms", quantile(accept, 0.99))
	if r.row.Check != nil {
		found.Broken = append(found.Broken, r.row.Check(r, x)...)
	}
	sent, acked := r.ledger.counts()
	if sent == 0 {
		found.add("no chat was begun, so nothing was shown")
	}
	times := x.times()
	for name, value := range r.figures {
		r.figures[name] = rounded(value)
	}
	return result{
		Row: r.row.Name, Seed: r.seed, Sent: sent, Acked: acked, Lost: found.Lost, Duplicates: found.Duplicates,
		CrossTenant: found.CrossTenant, P50: rounded(quantile(times, 0.50)), P99: rounded(quantile(times, 0.99)),
		Recovery: rounded(milliseconds(x.recovery())), OK: len(found.Broken) == 0, Figures: r.figures, Broken: found.Broken,
	}
}

func rounded(v float64) float64 { return math.Round(v*10) / 10 }

// String is the row's line for people.
func (r result) String() string {
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		figures = append(figures, fmt.Sprintf("%s %v", name, r.Figures[name]))
	}
	verdict := "ok"
	if !r.OK {
		verdict = "BROKEN"
	}
	line := fmt.Sprintf("%-4s seed %d  %-6s  sent %d  acked %d  lost %d  duplicates %d  crossed %d  p50 %v ms  p99 %v ms  recovery %v ms  (%s)",
		r.Row, r.Seed, verdict, r.Sent, r.Acked, r.Lost, r.Duplicates, r.CrossTenant, r.P50, r.P99, r.Recovery, strings.Join(figures, ", "))
	for _, sentence := range r.Broken {
		line += "\n       - " + sentence
	}
	return line
}

func writeResults(path string, results []result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
