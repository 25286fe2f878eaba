package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sidecard/bench/stack"
	"sidecard/internal/hub"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

var deskRows = []row{
	{
		Name: "L3", What: "LiveSupporti asks some tenants to slow down, in all ways that Retry-After can be written: obeyed, and nobody else is slower.",
		Chats: 900, Rate: 60, Trouble: throttle, Expect: throttledFor, Check: allOf(obeyed, othersWithin(2*time.Second)),
	},
}

// changeCredentials changes one tenant's API key at LiveSupporti, and has it forbid another one. After a while both
// owners put it right.
func changeCredentials(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.2); err != nil {
		return err
	}
	rotated, forbidden := r.tenants[0], r.tenants[1]
	key := fmt.Sprintf("bench-api-key-%d-%s-%d", rotated.Number, r.row.Name, r.seed)
	r.breaks("credentials")
	from := time.Now()
	r.Live.AddAccount(rotated.Email, key)
	err := r.Live.Misbehave(sim.Fault{Route: sim.RouteDetails, Mode: sim.ModeStatus, Status: http.StatusForbidden, Account: forbidden.Account})
	if err != nil {
		return err
	}
	if err := sleep(ctx, r.hold); err != nil {
		return err
	}
	for _, t := range []*stack.Tenant{rotated, forbidden} {
		if err := r.seesPause(ctx, t); err != nil {
			return err
		}
		r.count("posts_while_paused", float64(r.ledger.refusedAfterPause(t, from)))
		r.count("posts_refused", float64(r.ledger.refusedPosts(from)))
	}
	r.Live.Heal()
	r.healed()
	rotated.APIKey = key
	return errors.Join(r.storeKey(ctx, rotated), r.storeKey(ctx, forbidden))
}

// seesPause asks as the tenant whether the desk is paused, and why, and what its waiting chats say.
func (r *run) seesPause(ctx context.Context, t *stack.Tenant) error {
	client, _, err := t.SignIn(ctx)
	if err != nil {
		return err
	}
	desk, err := client.Desk(ctx)
	if err != nil {
		return err
	}
	if desk.Paused {
		r.count("desks_paused", 1)
	}
	if desk.Problem != nil && desk.Problem.Message != "" && desk.Problem.Fix != "" {
		r.count("desks_explained", 1)
	}
	list, err := client.Chats(ctx)
	if err != nil {
		return err
	}
	for _, c := range list.Chats {
		if string(c.Outcome.Name) == hub.Waiting.String() && strings.Contains(c.Outcome.Title, "paused") {
			r.count("chats_explained", 1)
			break
		}
	}
	return nil
}

// storeKey stores the tenant's API key as its owner does.
func (r *run) storeKey(ctx context.Context, t *stack.Tenant) error {
	_, session, err := t.SignIn(ctx)
	if err != nil {
		return err
	}
	body := strings.NewReader(`{"api_key":` + strconv.Quote(t.APIKey) + `}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, r.URL+"/api/v1/desk", body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+session.AccessToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: store the API key: %s", t.Name, resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}

// alreadyUnderWay is how long after the first refusal posts may still come that were under way.
const alreadyUnderWay = 500 * time.Millisecond

// refusedAfterPause is how many of a tenant's posts came later than those that were under way at the first refusal.
func (l *ledger) refusedAfterPause(t *stack.Tenant, from time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tenants := map[string]int{}
	for _, c := range l.chats {
		tenants[c.key()] = c.Tenant
	}
	var first time.Time
	for _, p := range l.posts {
		tenant, known := tenants[p.key()]
		if !known || tenant != t.Number || p.At.Before(from) || p.Accepted {
			continue
		}
		if first.IsZero() {
			first = p.At
		}
		if p.At.After(first.Add(alreadyUnderWay)) {
			n++
		}
	}
	return n
}

// refusedPosts is how many posts were refused since then.
func (l *ledger) refusedPosts(from time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.posts {
		if !p.Accepted && p.At.After(from) {
			n++
		}
	}
	return n
}

// paused promises that both desks were paused, said so, and were left alone.
func paused(r *run, x indexed) (broken []string) {
	for figure, what := range map[string]string{
		"desks_paused": "paused", "desks_explained": "told why", "chats_explained": "told what their chats wait for",
	} {
		if n := r.figure(figure); n != 2 {
			broken = append(broken, fmt.Sprintf("%.0f of 2 tenants whose credentials were refused were %s", n, what))
		}
	}
	if r.figure("posts_refused") == 0 {
		broken = append(broken, "no post was refused, so nothing was proved")
	}
	if n := r.figure("posts_while_paused"); n > 2 { // one for each
		broken = append(broken, fmt.Sprintf("%.0f posts were made for the two paused desks, beyond those under way", n))
	}
	if took := x.recovery(); took > 10*time.Second {
		broken = append(broken, fmt.Sprintf("what waited had been shown %.1f s after the right credentials were stored", took.Seconds()))
	}
	return broken
}

// ask429 is one way to write Retry-After, and how long the desk is to be left alone then; negative: for longer than a
// chat lives.
type ask429 struct {
	header func(now time.Time) string
	wait   time.Duration
}

var asks = [badTenants]ask429{
	{func(time.Time) string { return "3" }, 3 * time.Second},
	{func(now time.Time) string { return now.Add(4 * time.Second).UTC().Format(http.TimeFormat) }, 3 * time.Second}, // a date has no fractions
	{func(time.Time) string { return "0" }, 0},
	{func(time.Time) string { return "1000000000" }, -1},
	{func(time.Time) string { return "soon, perhaps" }, 0},
	{func(time.Time) string { return "" }, 0},
}

// throttle has LiveSupporti answer the next post of each of some tenants with 429, once: one worker hears it, and all have
// to obey. The tenants then store their credentials anew, so that none of it outlives the row.
func throttle(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.1); err != nil {
		return err
	}
	r.breaks("throttle")
	var faults []sim.Fault
	for _, ask := range asks {
		faults = append(faults, sim.Fault{
			Mode: sim.ModeStatus, Status: http.StatusTooManyRequests, RetryAfter: ask.header(time.Now()), Count: 1,
		})
	}
	if err := r.misbehaveEach(faults); err != nil {
		return err
	}
	if err := r.until(ctx, nil); err != nil { // the load's end
		return err
	}
	if err := sleep(ctx, time.Second); err != nil { // so that what is not held back has been shown
		return err
	}
	for i := range asks {
		if err := r.storeKey(ctx, r.tenants[i]); err != nil {
			return err
		}
	}
	return nil
}

// throttledFor lets chats of the tenant that is to be left alone for 31 years expire.
func throttledFor(r *run, c chat) expect {
	for i, ask := range asks {
		if ask.wait < 0 && r.tenants[i].Number == c.Tenant {
			return expect{hub.Shown, hub.Expired}
		}
	}
	return expect{hub.Shown}
}

// obeyed promises that no desk was posted to before its time, beyond what was under way.
func obeyed(r *run, x indexed) (broken []string) {
	tenants := map[string]int{}
	for _, c := range x.Chats {
		tenants[c.key()] = c.Tenant
	}
	for i, ask := range asks {
		var asked, next time.Time
		early := 0
		for _, p := range x.Posts {
			if tenant, known := tenants[p.key()]; !known || tenant != r.tenants[i].Number {
				continue
			}
			if p.Status == http.StatusTooManyRequests && asked.IsZero() {
				asked = p.At
				continue
			}
			if asked.IsZero() || p.At.Before(asked.Add(alreadyUnderWay)) {
				continue
			}
			if next.IsZero() || p.At.Before(next) {
				next = p.At
			}
			if ask.wait < 0 || p.At.Before(asked.Add(ask.wait)) {
				early++
			}
		}
		name := "retry_after_" + [...]string{"seconds", "date", "0", "1e9", "junk", "none"}[i]
		switch {
		case asked.IsZero():
			broken = append(broken, name+": nobody was asked to slow down, so nothing was proved")
		case early > 0:
			broken = append(broken, fmt.Sprintf("%s: %s made before their time", name, count(early, "post was", "posts were")))
		case ask.wait >= 0 && next.IsZero():
			broken = append(broken, name+": nothing was posted any more")
		}
		r.count(name+"_early", float64(early))
	}
	return broken
}
