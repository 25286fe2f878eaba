package main

import (
	"context"
	"fmt"
	"time"

	"sidecard/internal/hub"
)

var neighbourRows = []row{
	{
		Name: "H3", What: "The databases of eight tenants hang: their chats are shown, with what was known before or once these answer again, and other tenants' take no longer.",
		Chats: 1500, Rate: 60, Hold: 10 * time.Second, Slow: true, Settle: 2 * time.Minute,
		Load: beside, Trouble: hangTheShop, Expect: oldForTheHanging, Check: undisturbed,
	},
}

// everySlow is of how many chats one is a slow tenant's: 4 of 60 a second.
const everySlow = 15

// beside begins chats of the slow tenants beside those of their neighbours.
func beside(ctx context.Context, r *run) error {
	return r.paced(ctx, r.chats, func(ctx context.Context, i int) error {
		whose, turn := r.neighbours, i
		if i%everySlow == 0 {
			whose, turn = r.tenants, i/everySlow
		}
		return r.chat(ctx, whose[turn%len(whose)], r.visitor(i), i)
	})
}

// hangTheShop lets lookups hang in the middle of the load, far beyond the deadline for lookups.
func hangTheShop(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.4); err != nil {
		return err
	}
	if err := r.shop.Take(ctx, time.Minute); err != nil {
		return err
	}
	from := time.Now()
	if err := sleep(ctx, r.hold); err != nil {
		return err
	}
	if err := r.shop.Take(ctx, slowLookup); err != nil {
		return err
	}
	r.healed()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hung = span{from, r.healedAt}
	return nil
}

// oldForTheHanging lets chats of the hanging databases' tenants end with an answer of before, which says its age.
func oldForTheHanging(r *run, c chat) expect {
	for _, t := range r.tenants {
		if t.Number == c.Tenant {
			return expect{hub.Shown, hub.ShownInPart}
		}
	}
	return expect{hub.Shown}
}

// undisturbed compares the neighbours' chats during the trouble with those before it.
func undisturbed(r *run, x indexed) []string {
	slow := map[int]bool{}
	for _, t := range r.tenants {
		slow[t.Number] = true
	}
	var before, during []float64
	for _, c := range x.Chats {
		accepted := x.accepted(c)
		switch {
		case slow[c.Tenant] || len(accepted) == 0:
		case c.Began.Before(r.hung.From):
			before = append(before, milliseconds(accepted[0].At.Sub(c.Began)))
		case r.hung.holds(c.Began):
			during = append(during, milliseconds(accepted[0].At.Sub(c.Began)))
		}
	}
	for name, values := range map[string][]float64{"neighbours_before": before, "neighbours_during": during} {
		r.count(name+"_p50_ms", quantile(values, 0.5))
		r.count(name+"_p99_ms", quantile(values, 0.99))
	}
	calm, now := quantile(before, 0.99), quantile(during, 0.99)
	// Half as long again, and what chance does to a 99th percentile of some hundred chats.
	if most := 1.5*calm + 150; now > most && !r.tooBusy() {
		return []string{fmt.Sprintf("the neighbours' chats took %.0f ms (p99) beside hanging ones, and %.0f ms before", now, calm)}
	}
	return nil
}
