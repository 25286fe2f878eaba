package main

import (
	"context"
	"fmt"
	"time"

	sim "sidecard/internal/livesupporti/livesupportitest"
)

var badAnswers = []sim.Fault{{Mode: sim.ModeGarbage}, {Mode: sim.ModeDrip}, {Mode: sim.ModeFlood}}

// answerBadly has three tenants' posts answered badly in the second half, and compares the workers' memory with what they
// needed in the first.
func answerBadly(ctx context.Context, r *run) error {
	if err := r.at(ctx, 0.4); err != nil {
		return err
	}
	before, err := r.peaks()
	if err != nil {
		return err
	}
	r.breaks("bad answers")
	if err := r.misbehaveEach(badAnswers); err != nil {
		return err
	}
	if err := r.until(ctx, nil); err != nil { // the load's end
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil { // so that the last answers have been read
		return err
	}
	after, err := r.peaks()
	if err != nil {
		return err
	}
	for i := range after {
		r.highest("rss_peak_mib", after[i])
		r.highest("rss_growth_mib", after[i]-before[i])
	}
	return nil
}

// peaks are the most memory that each worker has had so far, in MiB.
func (r *run) peaks() ([]float64, error) {
	var peaks []float64
	for _, w := range r.Workers {
		mib, err := w.PeakMiB()
		if err != nil {
			return nil, err
		}
		peaks = append(peaks, mib)
	}
	return peaks, nil
}

func smallEnough(r *run, _ indexed) []string {
	const most = 16
	if grown := r.figure("rss_growth_mib"); grown > most {
		return []string{fmt.Sprintf("bad answers made a worker grow by %.1f MiB, %d allowed", grown, most)}
	}
	return nil
}

// shownWithin promises that all chats of the first tenants ended within a time.
func shownWithin(most time.Duration, tenants int) func(*run, indexed) []string {
	return func(r *run, x indexed) []string {
		var slowest time.Duration
		chats := 0
		for _, c := range x.Chats {
			records := x.recordOf(c)
			if !r.afflicted(c, tenants) || len(records) == 0 || c.Began.Before(r.began.Add(time.Duration(0.4*float64(r.length())))) {
				continue
			}
			chats++
			slowest = max(slowest, records[0].Ended.Sub(c.Began))
		}
		r.count("badly_answered", float64(chats))
		r.count("slowest_ms", milliseconds(slowest))
		switch {
		case chats == 0:
			return []string{"no post was answered badly, so nothing was proved"}
		case slowest > most:
			return []string{fmt.Sprintf("a badly answered chat ended after %.1f s, %v allowed", slowest.Seconds(), most)}
		}
		return nil
	}
}
