package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"sidecard/bench/stack"
	"sidecard/internal/hub"
	sim "sidecard/internal/livesupporti/livesupportitest"
)

var senderRows = []row{
	{
		Name: "N1", What: "Each notification comes 50 times at once, as attempts 1, 2 and 3 in no order: one chat, posted once.",
		Chats: 60, Rate: 4, Load: fiftyfold, Check: allOf(copiesAccepted, oneChatOnePost),
	},
	{
		Name: "N2", What: "The same few visitors chat again and again, and some notifications of older chats come late: an agent sees last what is of the newest chat.",
		Quick: true, Chats: 1200, Rate: 100, Load: fewVisitors, Check: cameLate,
	},
	{
		Name: "U1", What: "A backlog builds up while no worker runs: notifications are accepted as ever, and then it is worked off with nothing lost and every counter right.",
		Chats: 5000, Rate: 300, Load: backlog, Check: drained, Settle: 15 * time.Minute,
	},
}

// copies is how often each notification comes, LiveSupporti's own one included.
const copies = 50

// fiftyfold begins chats, and sends each notification 49 times more at the same time.
func fiftyfold(ctx context.Context, r *run) error {
	const senders = 4 // tenants
	callbacks := make([]callback, senders)
	for i := range callbacks {
		to, err := callbackOf(ctx, r.tenants[i])
		if err != nil {
			return err
		}
		callbacks[i] = to
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: copies}}
	defer client.CloseIdleConnections()
	sending, ctx := errgroup.WithContext(ctx)
	err := r.paced(ctx, r.chats, func(ctx context.Context, i int) error {
		if err := r.chat(ctx, r.tenants[i%senders], r.visitor(i), i); err != nil {
			return err
		}
		c := r.ledger.latest()
		for range copies - 1 {
			attempt := 1 + r.random.IntN(3)
			sending.Go(func() error { return r.repeatChat(ctx, client, callbacks[i%senders], c, stack.Address(i), attempt) })
		}
		return nil
	})
	return errors.Join(err, sending.Wait())
}

// latest is the chat that began last.
func (l *ledger) latest() chat {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chats[len(l.chats)-1]
}

// repeatChat announces a chat once more, as one of the sender's attempts.
func (r *run) repeatChat(ctx context.Context, client *http.Client, to callback, c chat, email string, attempt int) error {
	status, _, err := to.notify(ctx, client, map[string]any{
		"Id": c.Firing, "Attempt": attempt,
		"Notifications": []any{map[string]any{"Action": "ChatStarted", "Data": map[string]any{
			"AccountId": c.Account, "AgentId": c.Agent, "Visitor": map[string]any{"Id": c.Visitor, "Email": email},
		}}},
	})
	if err != nil {
		return fmt.Errorf("repeat a notification: %w", err)
	}
	if status == http.StatusOK {
		r.count("copies_accepted", 1)
	}
	return nil
}

// copiesAccepted promises that a repetition is a success for its sender.
func copiesAccepted(r *run, _ indexed) []string {
	if n, want := r.figure("copies_accepted"), float64(r.chats*(copies-1)); n != want {
		return []string{fmt.Sprintf("%.0f of %.0f repeated notifications were accepted", n, want)}
	}
	return nil
}

// oneChatOnePost promises a single post for each chat, accepted or not, and a single row in the database.
func oneChatOnePost(_ *run, x indexed) []string {
	again, kept := 0, 0
	for _, c := range x.Chats {
		if len(x.posts[c.key()]) != 1 {
			again++
		}
		kept += len(x.recordOf(c))
	}
	var broken []string
	if again > 0 {
		broken = append(broken, fmt.Sprintf("%s not posted exactly once", count(again, "chat was", "chats were")))
	}
	if kept != len(x.Chats) || len(x.Records) != len(x.Chats) {
		broken = append(broken, fmt.Sprintf("%d chats began and %d are in the database", len(x.Chats), len(x.Records)))
	}
	return broken
}

// visitorsEach is how many visitors each tenant has in N2.
const visitorsEach = 2

// fewVisitors has few visitors chat again and again. One notification in ten fails at first, so that it comes when the
// visitor has chatted again.
func fewVisitors(ctx context.Context, r *run) error {
	err := r.Live.Misbehave(sim.Fault{Route: sim.RouteNotifications, Mode: sim.ModeWrongSignature, Percent: 10})
	if err != nil {
		return err
	}
	n := len(r.tenants) * visitorsEach
	return r.paced(ctx, r.chats, func(ctx context.Context, _ int) error {
		i := r.random.IntN(n)
		return r.chat(ctx, r.tenants[i%len(r.tenants)], r.visitor(i), i)
	})
}

// cameLate says whether older chats were announced after newer ones, and that none of them was shown afterwards.
func cameLate(r *run, x indexed) []string {
	late, superseded, stale := 0, 0, 0
	accepted := map[string]time.Time{} // when a notification was accepted
	for _, n := range x.Notices {
		if n.accepted() {
			accepted[n.Firing] = n.At.Add(n.Took)
		}
	}
	for _, chats := range x.visitors {
		for _, c := range chats {
			records := x.recordOf(c)
			if len(records) != 1 {
				continue
			}
			if len(records[0].Outcomes) == 1 && records[0].Outcomes[0] == hub.Superseded {
				superseded++
			}
			newer, overtaken := overtaker(c, chats, accepted)
			if !x.repeated[c.Firing] || !overtaken {
				continue
			}
			late++
			// It was announced when the newer one had been accepted, so no agent may see it after that one's details.
			mine, theirs := x.accepted(c), x.accepted(newer)
			if len(mine) > 0 && len(theirs) > 0 && mine[len(mine)-1].At.After(theirs[0].At) {
				stale++
			}
		}
	}
	r.count("came_late", float64(late))
	r.count("superseded", float64(superseded))
	switch {
	case late < 5 || superseded == 0:
		return []string{"hardly an older chat was announced after a newer one, so nothing was proved"}
	case stale > 0:
		return []string{fmt.Sprintf("%s after a newer one", count(stale, "older chat was shown", "older chats were shown"))}
	}
	return nil
}

// overtaker finds a chat of the same visitor that began later, and was announced at its first attempt and accepted
// before this one was.
func overtaker(c chat, chats []chat, accepted map[string]time.Time) (chat, bool) {
	const margin = 50 * time.Millisecond // within it the order of two accepts is nobody's to say
	for _, other := range chats {
		at, ok := accepted[other.Firing]
		if ok && other.Began.After(c.Began) && at.Sub(other.Began) < margin && at.Before(accepted[c.Firing].Add(-margin)) {
			return other, true
		}
	}
	return chat{}, false
}

// usual is how many chats U1 begins with workers, to compare with.
const usual = 300

// backlog begins some chats as usual, then the row's number while no worker runs, and then starts the workers.
func backlog(ctx context.Context, r *run) error {
	begin := func(n, from int) error {
		return r.paced(ctx, n, func(ctx context.Context, i int) error {
			return r.chat(ctx, r.tenants[(from+i)%len(r.tenants)], r.visitor(from+i), i)
		})
	}
	if err := begin(usual, 0); err != nil {
		return err
	}
	for _, w := range r.Workers {
		if err := w.Stop(ctx); err != nil {
			return err
		}
	}
	if err := begin(r.chats, usual); err != nil {
		return err
	}
	for r.ledger.pending() > 0 {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	waiting, err := unfinished(ctx, r.Stack)
	if err != nil {
		return err
	}
	r.count("backlog", float64(waiting))
	return r.drain(ctx, waiting)
}

// drain starts the workers, both at once, and measures how fast the backlog goes from then on.
func (r *run) drain(ctx context.Context, waiting int) error {
	began := time.Now()
	starting, startCtx := errgroup.WithContext(ctx)
	for _, w := range r.Workers {
		starting.Go(func() error { return r.start(startCtx, w) })
	}
	if err := starting.Wait(); err != nil {
		return err
	}
	for left := waiting; left > 0; {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		var err error
		if left, err = unfinished(ctx, r.Stack); err != nil {
			return err
		}
	}
	r.count("drained_per_s", float64(waiting)/time.Since(began).Seconds())
	return nil
}

// drained promises that there was a backlog and that it made accepting no slower: at most twice as slow, or 100 ms.
func drained(r *run, x indexed) []string {
	began := x.Chats[min(usual, len(x.Chats)-1)].Began
	before, with := x, x
	before.Notices, with.Notices = nil, nil
	for _, n := range x.Notices {
		if n.At.Before(began) {
			before.Notices = append(before.Notices, n)
		} else {
			with.Notices = append(with.Notices, n)
		}
	}
	alone, _ := before.acceptTimes()
	loaded, refused := with.acceptTimes()
	usually, then := quantile(alone, 0.99), quantile(loaded, 0.99)
	r.count("usual_accept_p99_ms", usually)
	r.count("backlog_accept_p99_ms", then)
	var broken []string
	if r.figure("backlog") < float64(r.chats)*0.9 {
		broken = append(broken, fmt.Sprintf("only %.0f chats waited, so nothing was proved", r.figure("backlog")))
	}
	if refused > 0 {
		broken = append(broken, fmt.Sprintf("%d notifications failed while no worker ran", refused))
	}
	if then > max(2*usually, 100) {
		broken = append(broken, fmt.Sprintf("notifications were accepted within %.0f ms (p99) while a backlog built up, %.0f ms before", then, usually))
	}
	return broken
}
