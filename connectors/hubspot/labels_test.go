package hubspot_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"sidecard/connectors"
)

func TestLabelsAreLoadedOnceHoweverManyWantThem(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	ana(p)
	src := open(t, p)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if _, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example", Fields: everyField}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	count := make(map[string]int)
	for _, r := range p.got() {
		if r.method == http.MethodGet {
			count[r.path]++
		}
	}
	for path, n := range count {
		if n != 1 {
			t.Errorf("%s was asked %d times", path, n)
		}
	}
	if len(count) != 8 {
		t.Errorf("asked %v", count)
	}
}

func TestLabelsAreRenewedAfterAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "hubspot_owner_id": "7"})
	now := noon
	src := open(t, p, func(in *connectors.OpenInput) { in.Now = func() time.Time { return now } })
	name := func() string {
		res := lookup(t, src, "ana@toy.example", "hubspot_owner_id")
		if len(res.Partial) > 0 {
			t.Errorf("lacking %+v", res.Partial)
		}
		return record(t, res)["hubspot_owner_id"].Text
	}
	name()
	p.mu.Lock()
	p.owners[0]["firstName"] = "Rita"
	p.mu.Unlock()
	if now = noon.Add(14 * time.Minute); name() != "Rui Costa" {
		t.Error("asked too early")
	}
	if now = noon.Add(15 * time.Minute); name() != "Rita Costa" {
		t.Error("asked too late")
	}
	p.script("owners/2026-09", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	if now = noon.Add(31 * time.Minute); name() != "Rita Costa" {
		t.Error("a name is forgotten while HubSpot has trouble")
	}
}

func TestALabelThatWasRefusedForSecondsIsAskedForAfterThem(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "hubspot_owner_id": "7"})
	now := noon
	src := open(t, p, func(in *connectors.OpenInput) { in.Now = func() time.Time { return now } })
	p.script("owners/2026-09", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		refuse(w, 429, "")
	})
	name := func() string {
		return record(t, lookup(t, src, "ana@toy.example", "hubspot_owner_id"))["hubspot_owner_id"].Text
	}
	name()
	p.script("owners/2026-09", nil)
	if now = noon.Add(time.Second); name() != "7" {
		t.Error("asked too early")
	}
	if now = noon.Add(2 * time.Second); name() != "Rui Costa" {
		t.Error("asked too late")
	}
}

func TestAHangingLabelLeavesTimeToShowTheRest(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.put("contacts", map[string]any{"email": "ana@toy.example", "firstname": "Ana"})
	p.script("properties/2026-09/contacts", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	res, err := open(t, p).Lookup(ctx, connectors.Query{Email: "ana@toy.example", Fields: []string{"firstname"}})
	if err != nil || ctx.Err() != nil {
		t.Fatalf("got %v, and the time is over: %v", err, ctx.Err())
	}
	has(t, record(t, res), connectors.Record{"firstname": text("Ana")})
	if len(res.Partial) != 1 || res.Partial[0].Code != "timeout" {
		t.Errorf("lacking %+v", res.Partial)
	}
}
