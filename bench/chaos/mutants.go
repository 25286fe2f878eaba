package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"sidecard/internal/flaw"
)

// proof is one flaw's object in the report of the mutants.
type proof struct {
	Flaw     string  `json:"flaw"`
	Breaks   string  `json:"breaks"`
	Promise  string  `json:"promise"`
	Row      string  `json:"row"`
	Caught   bool    `json:"caught"`
	Sentence string  `json:"sentence,omitempty"` // of the row, that caught it
	Seconds  float64 `json:"seconds"`
	Green    bool    `json:"green"` // the row held without the flaw

	Others []string `json:"others,omitempty"` // what else the row said was broken
}

// prove plays, for each flaw, the row that is to catch it: without the flaw it must hold, with the flaw it must say
// the right thing is broken. The error says how many flaws slipped through, and which rows did not hold.
func prove(ctx context.Context, o options, names string) error {
	chosen, err := chosenMutants(names)
	if err != nil {
		return err
	}
	var played []row
	for _, m := range chosen {
		row, err := m.row()
		if err != nil {
			return err
		}
		played = append(played, row)
	}
	o.Tags = strings.Trim(o.Tags+",flaws", ",")
	began := time.Now()
	h, err := newHarness(ctx, o, played)
	if err != nil {
		return err
	}
	proofs, err := h.proveAll(ctx, chosen, played)
	failed := 0
	for _, p := range proofs {
		if !p.Caught || !p.Green {
			failed++
		}
	}
	fmt.Printf("\n%s\n%d of %d flaws caught in %s, details in %s\n", table(proofs), len(proofs)-failed, len(chosen), time.Since(began).Round(time.Second), o.Out)
	if err == nil && failed > 0 {
		err = fmt.Errorf("%s not caught, or its row does not hold without it", count(failed, "flaw was", "flaws were"))
	}
	if err != nil {
		fmt.Println("the programs' logs are in", h.stack.Dir)
	}
	if stopped := h.stack.Stop(err != nil); err == nil {
		err = stopped
	}
	return err
}

// proveAll plays each row without a flaw first, and only then with flaws: those may leave anything behind.
func (h *harness) proveAll(ctx context.Context, chosen []mutant, played []row) (proofs []proof, err error) {
	green := map[string]bool{}
	for i, m := range chosen {
		key := fmt.Sprint(m.Row, m.size)
		if _, known := green[key]; known {
			continue
		}
		done, err := h.run(ctx, played[i], h.options.Seed)
		if err != nil {
			return nil, fmt.Errorf("row %s without a flaw: %w", m.Row, err)
		}
		fmt.Println(done)
		green[key] = done.OK
	}
	for i, m := range chosen {
		p, err := h.prove(ctx, m, played[i])
		if err != nil {
			return proofs, err
		}
		p.Green = green[fmt.Sprint(m.Row, m.size)]
		proofs = append(proofs, p)
		if err := writeJSON(h.options.Out, proofs); err != nil {
			return proofs, err
		}
	}
	return proofs, nil
}

// prove plays a row with a flaw.
func (h *harness) prove(ctx context.Context, m mutant, row row) (proof, error) {
	p := proof{Flaw: string(m.Flaw), Row: m.Row}
	for _, e := range flaw.List {
		if e.Flaw == m.Flaw {
			p.Breaks, p.Promise = e.Breaks, e.Promise
		}
	}
	began := time.Now()
	if err := h.mend(ctx); err != nil {
		return p, fmt.Errorf("before %s: %w", m.Flaw, err)
	}
	if err := h.mutate(ctx, m); err != nil {
		return p, err
	}
	fmt.Printf("%s: %s\n", m.Flaw, p.Breaks)
	done, err := h.run(ctx, row, h.options.Seed+1) // rows leave traces by their seed, such as changed keys
	if ctx.Err() != nil {
		return p, context.Cause(ctx)
	}
	said := done.Broken
	if err != nil { // a flaw may break so much that the row cannot be judged to its end
		said = append(said, err.Error())
	}
	for _, sentence := range said {
		if !p.Caught && strings.Contains(sentence, m.Sentence) {
			p.Caught, p.Sentence = true, sentence
			continue
		}
		p.Others = append(p.Others, sentence)
	}
	p.Seconds = rounded(time.Since(began).Seconds())
	fmt.Printf("     caught %v: %s\n", p.Caught, strings.Join(said, "; "))
	return p, h.mend(ctx)
}

// row is the mutant's row at its size.
func (m mutant) row() (row, error) {
	r, ok := rowOfMutants(m.Row)
	if !ok {
		return row{}, fmt.Errorf("%s: there is no row %q", m.Flaw, m.Row)
	}
	if m.Chats > 0 {
		r.Chats = m.Chats
	}
	if m.Rate > 0 {
		r.Rate = m.Rate
	}
	if m.Hold > 0 {
		r.Hold = m.Hold
	}
	if m.Settle > 0 {
		r.Settle = m.Settle
	}
	return r, nil
}

// chosenMutants finds mutants by their flaws' names, a comma list; "" is all.
func chosenMutants(names string) ([]mutant, error) {
	if names == "" {
		return mutants, nil
	}
	var found []mutant
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return string(m.Flaw) == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no flaw %q; they stand in internal/flaw", name)
		}
		found = append(found, mutants[i])
	}
	return found, nil
}

// table is the proofs for people.
func table(proofs []proof) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %-6s %-4s %s", "flaw", "caught", "by", "because")
	for _, p := range proofs {
		verdict, because := "yes", p.Sentence
		switch {
		case !p.Caught:
			verdict, because = "NO", "the row said: "+strings.Join(p.Others, "; ")
		case !p.Green:
			verdict, because = "NO", "the row does not hold without the flaw either"
		}
		fmt.Fprintf(&b, "\n%-22s %-6s %-4s %s", p.Flaw, verdict, p.Row, because)
	}
	return b.String()
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
