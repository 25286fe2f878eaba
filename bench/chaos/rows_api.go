package main

import (
	"context"
	"fmt"
	"time"
)

var apiRows = []row{
	{
		Name: "A1", What: "An api is killed some milliseconds after a notification reached it, again and again: the sender repeats, nothing is lost or doubled.",
		Quick: true, Chats: 1000, Rate: 100, Trouble: killAPIs,
	},
	{
		Name: "A2", What: "An api is killed when its answer is on the way: the chat is kept, its repetition changes nothing.",
		Chats: 1000, Rate: 100, Trouble: killAPIsBeforeTheirAnswer, Check: answersCaught,
	},
	{
		Name: "A3", What: "The apis are restarted in turn, as by a deployment: no notification fails.",
		Quick: true, Chats: 1000, Rate: 100, Trouble: restartAPIs, Check: nothingRefused,
	},
}

// killAPIs kills one api after the other, 0 to 20 ms after a caller's bytes went to it.
func killAPIs(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		api, after, pause := i%len(r.APIs), r.between(0, 20*time.Millisecond), r.between(200*time.Millisecond, 600*time.Millisecond)
		if err := r.until(ctx, r.Front.NextRequest(api)); err != nil {
			return err
		}
		if err := sleep(ctx, after); err != nil {
			return err
		}
		if err := r.killAPI(api); err != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		if err := r.start(ctx, r.APIs[api]); err != nil {
			return err
		}
	}
	return nil
}

// until waits for a signal that comes with the load; the load's end is no error.
func (r *run) until(ctx context.Context, signal <-chan struct{}) error {
	select {
	case <-signal:
	case <-r.loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// killAPIsBeforeTheirAnswer holds an api's answers back, and kills it when it has given one.
func killAPIsBeforeTheirAnswer(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		api, pause := i%len(r.APIs), r.between(300*time.Millisecond, 700*time.Millisecond)
		held := r.Front.Hold(api)
		if err := r.until(ctx, held.Caught); err != nil {
			return err
		}
		if err := r.killAPI(api); err != nil {
			return err
		}
		r.Front.Drop(api)
		if err := r.start(ctx, r.APIs[api]); err != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// answersCaught says whether the moment was hit: a chat was kept although its first notification got no answer.
func answersCaught(r *run, x indexed) []string {
	first := map[string]notice{}
	for _, n := range x.Notices {
		if n.Attempt == 1 {
			first[n.Firing] = n
		}
	}
	kept := 0
	for _, c := range x.Chats {
		records, n := x.recordOf(c), first[c.Firing]
		// Its repetition would have been kept as one that began a minute earlier.
		if len(records) == 1 && n.Status == 0 && records[0].Started.After(n.At.Add(-30*time.Second)) {
			kept++
		}
	}
	r.count("kept_unanswered", float64(kept))
	if kept == 0 {
		return []string{"no api was killed between commit and answer, so nothing was proved"}
	}
	return nil
}

// restartAPIs ends each api in order and starts it again, as a deployment does: first it gets no new connections.
func restartAPIs(ctx context.Context, r *run) error {
	for i := 0; r.underLoad(); i++ {
		api := i % len(r.APIs)
		r.Front.Shut(api)
		if err := sleep(ctx, 200*time.Millisecond); err != nil { // until the front's last dials are through
			return err
		}
		if err := r.APIs[api].Stop(ctx); err != nil {
			return err
		}
		if err := r.APIs[api].Start(ctx); err != nil {
			return err
		}
		r.Front.Open(api)
		r.count("restarts", 1)
		if err := sleep(ctx, r.between(300*time.Millisecond, 700*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

func nothingRefused(r *run, _ indexed) []string {
	if n := r.figure("refused"); n > 0 {
		return []string{fmt.Sprintf("%v notifications failed", n)}
	}
	return nil
}
