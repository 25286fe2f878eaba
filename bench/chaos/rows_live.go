package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"

	"sidecard/bench/stack"
	"sidecard/internal/hub"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

var liveRows = []row{
	{
		Name: "L1", What: "LiveSupporti answers 400, 404 or 422 to some tenants: their chats are refused at once, with words, and posted once.",
		Chats: 600, Rate: 60, Trouble: refuseSome, Expect: refusedFor(len(refusals4xx)), Check: allOf(refusedAtOnce, toldWhy, othersWithin(2*time.Second)),
	},
	{
		Name: "L2", What: "LiveSupporti refuses two tenants' credentials: their desks pause and say why, and what waited is shown once they store the right ones.",
		Chats: 900, Rate: 60, Hold: 6 * time.Second, Trouble: changeCredentials, Check: allOf(paused, othersWithin(2*time.Second)),
	},
	{
		Name: "L4", What: "LiveSupporti answers 500, 502 or 503, hangs or resets: it is left alone, and when it is back everything is shown without a rush.",
		Chats: 2000, Rate: 100, Hold: 8 * time.Second, Trouble: breakLive, Check: allOf(outageBounded, noRush),
	},
	{
		Name: "L5", What: "LiveSupporti resets 5 % of the connections after it took the details: these are posted again, the same to the byte, and no others.",
		Quick: true, Chats: 1000, Rate: 100, Trouble: misbehave(sim.Fault{Mode: sim.ModeResetAfter, Percent: 5}),
		Duplicates: func(r *run) int { return r.ledger.resets() + 1 }, Check: repeatedAsReset,
	},
	{
		Name: "L6", What: "LiveSupporti answers 200 with rubbish, byte by byte, or without end: shown, within 11 s, and the workers' memory does not grow by more than 16 MiB.",
		Chats: 900, Rate: 60, Trouble: answerBadly, Check: allOf(shownWithin(11*time.Second, len(badAnswers)), smallEnough, othersWithin(2*time.Second)),
	},
	{
		Name: "L7", What: "LiveSupporti redirects to a stranger: nothing reaches it, and the chats are refused with words.",
		Quick: true, Chats: 600, Rate: 60, Trouble: redirect, Expect: refusedFor(len(redirects)), Check: allOf(canarySilent, refusedAtOnce, toldWhy),
	},
}

// afflicted says whether a chat is of one of the row's first tenants, whom LiveSupporti treats badly.
func (r *run) afflicted(c chat, tenants int) bool {
	return slices.ContainsFunc(r.tenants[:tenants], func(t *stack.Tenant) bool { return t.Number == c.Tenant })
}

// misbehave plays one fault on all posts, until the load has begun.
func misbehave(f sim.Fault) func(context.Context, *run) error {
	return func(_ context.Context, r *run) error {
		f.Route = sim.RouteDetails
		return r.Live.Misbehave(f)
	}
}

// misbehaveEach plays the i-th fault on the row's i-th tenant.
func (r *run) misbehaveEach(faults []sim.Fault) error {
	for i, f := range faults {
		f.Route, f.Account = sim.RouteDetails, r.tenants[i].Account
		if err := r.Live.Misbehave(f); err != nil {
			return err
		}
	}
	return nil
}

var refusals4xx = []sim.Fault{
	{Mode: sim.ModeStatus, Status: http.StatusBadRequest},
	{Mode: sim.ModeStatus, Status: http.StatusNotFound},
	{Mode: sim.ModeStatus, Status: http.StatusUnprocessableEntity},
}

func refuseSome(_ context.Context, r *run) error { return r.misbehaveEach(refusals4xx) }

// refusedFor has the chats of the first tenants end as refused. The first ones may have been quicker than the fault.
func refusedFor(tenants int) func(*run, chat) expect {
	return func(r *run, c chat) expect {
		if !r.afflicted(c, tenants) {
			return expect{hub.Shown}
		}
		if c.Began.Before(r.began.Add(200 * time.Millisecond)) {
			return expect{hub.Refused, hub.Shown}
		}
		return expect{hub.Refused}
	}
}

// refusedAtOnce promises that what was refused was posted once and ended soon.
func refusedAtOnce(r *run, x indexed) []string {
	refused, again := 0, 0
	var ms []float64
	for _, c := range x.Chats {
		records := x.recordOf(c)
		if len(records) != 1 || !slices.Contains(records[0].Outcomes, hub.Refused) {
			continue
		}
		refused++
		if posts := len(x.posts[c.key()]); posts != 1 {
			again++
		}
		ms = append(ms, milliseconds(records[0].Ended.Sub(c.Began)))
	}
	p99 := quantile(ms, 0.99)
	r.count("refused_details", float64(refused))
	r.count("refused_after_p99_ms", p99)
	switch {
	case refused == 0:
		return []string{"no details were refused, so nothing was proved"}
	case again > 0:
		return []string{fmt.Sprintf("%s not posted once", count(again, "refused chat was", "refused chats were"))}
	case p99 > 2000:
		return []string{fmt.Sprintf("chats were refused after %.1f s (p99), 2 s allowed", p99/1000)}
	}
	return nil
}

// toldWhy asks as the first tenant what became of its newest chats: each that was refused says why in words.
func toldWhy(r *run, _ indexed) []string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, _, err := r.tenants[0].SignIn(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	list, err := client.Chats(ctx)
	if err != nil {
		return []string{"list chats: " + err.Error()}
	}
	for _, c := range list.Chats {
		if string(c.Outcome.Name) != hub.Refused.String() {
			continue
		}
		r.count("explained", 1)
		if c.Outcome.Title == "" || c.Outcome.Message == "" {
			return []string{"a tenant is not told why its details were refused"}
		}
	}
	if r.figure("explained") == 0 {
		return []string{"a tenant sees no refused chat"}
	}
	return nil
}

// othersWithin bounds how long the chats of all but the first tenants took.
func othersWithin(most time.Duration) func(*run, indexed) []string {
	return func(r *run, x indexed) []string {
		others := x
		others.Chats = slices.DeleteFunc(slices.Clone(x.Chats), func(c chat) bool { return r.afflicted(c, badTenants) })
		p99 := quantile(others.times(), 0.99)
		r.count("others_p99_ms", p99)
		if p99 > milliseconds(most) {
			return []string{fmt.Sprintf("other tenants' chats took %.1f s (p99), %v allowed", p99/1000, most)}
		}
		return nil
	}
}

// badTenants is how many tenants LiveSupporti treats badly at most, in rows that look at the others.
const badTenants = 6

// breakLive has LiveSupporti fail all tenants in one way or another.
func breakLive(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.1); err != nil {
		return err
	}
	ways := []sim.Fault{
		{Mode: sim.ModeStatus, Status: http.StatusInternalServerError},
		{Mode: sim.ModeStatus, Status: http.StatusBadGateway},
		{Mode: sim.ModeStatus, Status: http.StatusServiceUnavailable},
		{Mode: sim.ModeHang},
		{Mode: sim.ModeResetBefore},
	}
	var faults []sim.Fault
	for i := range r.tenants {
		faults = append(faults, ways[i%len(ways)])
	}
	from := time.Now()
	r.breaks("livesupporti")
	if err := r.misbehaveEach(faults); err != nil {
		return err
	}
	if err := sleep(ctx, r.hold); err != nil {
		return err
	}
	r.count("posts_in_outage", float64(r.ledger.postsBetween(from, time.Now())))
	r.Live.Heal()
	r.healed()
	return nil
}

// outageBounded bounds the posts during the outage: of each tenant and worker, those until the breaker opens, those that
// were in hand then, and one try each 5 s.
func outageBounded(r *run, _ indexed) []string {
	const untilOpen, inHand, rest = 5, 8, 5 * time.Second
	most := float64(len(r.tenants) * len(r.Workers) * (untilOpen + inHand + 1 + int(r.hold/rest)))
	switch n := r.figure("posts_in_outage"); {
	case n == 0:
		return []string{"nothing was posted during the outage, so nothing was proved"}
	case n > most:
		return []string{fmt.Sprintf("%.0f posts were made while LiveSupporti was down, %.0f allowed", n, most)}
	default:
		return nil
	}
}

// noRush bounds the posts of any second after LiveSupporti was back: twice the normal rate, and what workers may have in
// hand at once.
func noRush(r *run, x indexed) []string {
	const slots = 128
	most := 2*r.rate + slots*len(r.Workers)
	perSecond := map[int]int{}
	busiest := 0
	for _, p := range x.Posts {
		if p.At.After(r.healedAt) {
			second := int(p.At.Sub(r.healedAt) / time.Second)
			perSecond[second]++
			busiest = max(busiest, perSecond[second])
		}
	}
	r.count("busiest_second", float64(busiest))
	if busiest > most {
		return []string{fmt.Sprintf("%d posts were made in a second after LiveSupporti was back, %d allowed", busiest, most)}
	}
	return nil
}

// resets is how many posts were accepted and not answered.
func (l *ledger) resets() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.posts {
		if p.Accepted && p.Status == 0 {
			n++
		}
	}
	return n
}

// repeatedAsReset promises a repetition for each reset, one more or less.
func repeatedAsReset(r *run, x indexed) []string {
	resets, repeated := r.ledger.resets(), 0
	for _, c := range x.Chats {
		repeated += max(0, len(x.accepted(c))-1)
	}
	r.count("resets", float64(resets))
	switch {
	case resets == 0:
		return []string{"no connection was reset, so nothing was proved"}
	case repeated < resets-1:
		return []string{fmt.Sprintf("%d posts were reset and %d repeated", resets, repeated)}
	}
	return nil
}

var redirects = []sim.Fault{
	{Mode: sim.ModeRedirect, Status: http.StatusMovedPermanently},
	{Mode: sim.ModeRedirect, Status: http.StatusFound},
	{Mode: sim.ModeRedirect, Status: http.StatusSeeOther},
	{Mode: sim.ModeRedirect, Status: http.StatusTemporaryRedirect},
	{Mode: sim.ModeRedirect, Status: http.StatusPermanentRedirect},
}

// redirect points some tenants' posts to a canary, and counts who comes.
func redirect(ctx context.Context, r *run) error {
	var hits atomic.Int64
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer canary.Close()
	resp, err := http.Get(canary.URL) //nolint:noctx // our own server, on this machine
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	r.count("canary_tried", float64(hits.Swap(0)))
	faults := slices.Clone(redirects)
	for i := range faults {
		faults[i].Location = canary.URL + "/api/visitors/stolen/details"
	}
	if err := r.misbehaveEach(faults); err != nil {
		return err
	}
	if err := r.until(ctx, nil); err != nil { // the load's end
		return err
	}
	if err := sleep(ctx, time.Second); err != nil { // so that the last posts have been made
		return err
	}
	r.count("canary_hits", float64(hits.Load()))
	return nil
}

func canarySilent(r *run, _ indexed) []string {
	switch {
	case r.figure("canary_tried") != 1:
		return []string{"the canary cannot be reached at all, so nothing was proved"}
	case r.figure("canary_hits") > 0:
		return []string{fmt.Sprintf("%.0f redirects were followed", r.figure("canary_hits"))}
	}
	return nil
}
