package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

var workerRows = []row{
	{
		Name: "W1", What: "A worker is killed in the middle of lookups: its chats are looked up again within 7 s, and shown once.",
		Quick: true, Chats: 240, Rate: 16, Slow: true, Trouble: killWorkers, Duplicates: onePerKill, Check: secondStart,
	},
	{
		Name: "W2", What: "A worker is killed right after a post, before its result is kept: the post is made again, the same to the byte.",
		Chats: 1500, Rate: 100, Trouble: killWorkersAfterTheirPost, Duplicates: perKill, Check: repeatedAfterKill,
	},
	{
		Name: "W3", What: "A worker is frozen longer than its leases, with a post just made: once awake it posts and writes nothing of them.",
		Chats: 400, Rate: 16, Hold: 9 * time.Second, Slow: true, Trouble: freezeWorkersAfterTheirPost, Duplicates: perFreeze, Check: takenOver,
	},
	{
		Name: "W4", What: "The workers are restarted in turn, as by a deployment: nothing is shown twice or late.",
		Quick: true, Chats: 1000, Rate: 100, Trouble: restartWorkers, Check: within(2 * time.Second),
	},
}

// killWorkers kills one worker after the other while both have lookups in hand.
func killWorkers(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		worker, pause := i%len(r.Workers), r.between(3*time.Second, 5*time.Second)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		if err := r.killWorker(worker); err != nil {
			return err
		}
		if err := r.start(ctx, r.Workers[worker]); err != nil {
			return err
		}
	}
	return nil
}

// secondStart measures how long after a kill the lookups of the dead worker's chats began again.
func secondStart(r *run, x indexed) []string {
	var ms []float64
	for _, kill := range r.trouble {
		for _, c := range x.Chats {
			accepted := x.accepted(c)
			if len(accepted) == 0 || c.Began.After(kill.To) {
				continue
			}
			// Chats of the other worker are through after one lookup.
			if after := accepted[0].At.Sub(kill.To); after > 4*slowLookup {
				ms = append(ms, milliseconds(after-slowLookup))
			}
		}
	}
	p99 := quantile(ms, 0.99)
	r.count("second_starts", float64(len(ms)))
	r.count("second_start_p99_ms", p99)
	switch {
	case len(ms) == 0:
		return []string{"no worker was killed in the middle of a lookup, so nothing was proved"}
	case p99 > 7000 && !r.tooBusy():
		return []string{fmt.Sprintf("dead workers' chats began again after %.1f s (p99), 7 s allowed", p99/1000)}
	default:
		return nil
	}
}

// afterPost waits for the next post of a worker and calls f, before the answer is sent. The load's end is no error.
func (r *run) afterPost(ctx context.Context, worker int, f func()) error {
	done := make(chan struct{})
	var once sync.Once
	r.BeforeReply(func(who int) {
		if who == worker {
			once.Do(func() { f(); close(done) })
		}
	})
	defer r.BeforeReply(nil)
	return r.until(ctx, done)
}

// killWorkersAfterTheirPost kills a worker that has just posted: before it hears the answer, or up to 3 ms later, when
// it is about to write the result.
func killWorkersAfterTheirPost(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		worker, deaf, after := i%len(r.Workers), r.random.IntN(2) == 0, r.between(0, 3*time.Millisecond)
		pause := r.between(500*time.Millisecond, time.Second)
		var killed error
		err := r.afterPost(ctx, worker, func() {
			if deaf {
				killed = r.killWorker(worker)
			}
		})
		if err != nil {
			return err
		}
		if !deaf {
			if err := sleep(ctx, after); err != nil {
				return err
			}
			killed = r.killWorker(worker)
		}
		if killed != nil {
			return killed
		}
		if err := r.start(ctx, r.Workers[worker]); err != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// perKill bounds what kills may cost. That each duplicate comes from one of them is checked apart.
func perKill(r *run) int { return inFlight * int(r.figure("worker_kills")) }

// repeatedAfterKill says whether the moment was hit.
func repeatedAfterKill(r *run, x indexed) []string {
	repeated := 0
	for _, c := range x.Chats {
		if len(x.accepted(c)) > 1 {
			repeated++
		}
	}
	r.count("chats_posted_again", float64(repeated))
	if repeated == 0 {
		return []string{"no worker was killed between post and commit, so nothing was proved"}
	}
	return nil
}

// freezeWorkersAfterTheirPost freezes a worker that has just posted, for longer than its leases last.
func freezeWorkersAfterTheirPost(ctx context.Context, r *run) error {
	for i := range r.Workers {
		if err := sleep(ctx, r.between(500*time.Millisecond, 1500*time.Millisecond)); err != nil {
			return err
		}
		var frozen error
		if err := r.afterPost(ctx, i, func() { frozen = r.freezeWorker(i) }); err != nil {
			return err
		}
		if frozen != nil {
			return frozen
		}
		if err := sleep(ctx, r.hold); err != nil {
			return err
		}
		if err := r.thawWorker(i); err != nil {
			return err
		}
	}
	return nil
}

// freezeWorker freezes a worker and notes that what it has just posted may be posted again.
func (r *run) freezeWorker(i int) error {
	at := time.Now()
	r.breaks("freeze " + r.Workers[i].Name)
	if err := r.Workers[i].Freeze(); err != nil {
		return err
	}
	r.count("worker_freezes", 1)
	r.mayRepeat(r.untold(at), time.Now().Add(crashWindow))
	return nil
}

func (r *run) thawWorker(i int) error {
	if err := r.Workers[i].Thaw(); err != nil {
		return err
	}
	r.healed()
	return nil
}

// onePerKill is for kills at any moment: few chats are in hand, so that at most one of them may just have been posted.
func onePerKill(r *run) int { return int(r.figure("worker_kills")) }

// perFreeze bounds what freezes may cost, as perKill does.
func perFreeze(r *run) int { return inFlight * int(r.figure("worker_freezes")) }

// takenOver says whether frozen workers had chats in hand, which the other one had to carry.
func takenOver(r *run, x indexed) []string {
	taken := 0
	for _, freeze := range r.trouble {
		for _, c := range x.Chats {
			accepted := x.accepted(c)
			if len(accepted) > 0 && c.Began.Before(freeze.To) && accepted[len(accepted)-1].At.Sub(freeze.To) > 4*time.Second {
				taken++
			}
		}
	}
	r.count("taken_over", float64(taken))
	if taken == 0 {
		return []string{"no frozen worker had a chat in hand, so nothing was proved"}
	}
	return nil
}

// restartWorkers ends each worker in order and starts it again.
func restartWorkers(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		worker := i % len(r.Workers)
		if err := r.Workers[worker].Stop(ctx); err != nil {
			return err
		}
		if err := r.Workers[worker].Start(ctx); err != nil {
			return err
		}
		r.count("restarts", 1)
		if err := sleep(ctx, r.between(300*time.Millisecond, 700*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// within promises a time for 99 of 100 chats.
func within(most time.Duration) func(*run, indexed) []string {
	return func(r *run, x indexed) []string {
		if p99 := quantile(x.times(), 0.99); p99 > milliseconds(most) && !r.tooBusy() {
			return []string{fmt.Sprintf("chats took %.1f s (p99), %v allowed", p99/1000, most)}
		}
		return nil
	}
}
