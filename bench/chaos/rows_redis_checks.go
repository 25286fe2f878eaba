package main

import (
	"fmt"
	"time"
)

// redisBack joins checks with the one that all rows of Redis share: rings carry chats again as they did before the
// first fault. A worker that nobody rings looks by itself twice a second, which is a quarter of a second later.
func redisBack(more ...func(*run, indexed) []string) func(*run, indexed) []string {
	return func(r *run, x indexed) (broken []string) {
		for _, check := range more {
			broken = append(broken, check(r, x)...)
		}
		before, after := x.typical(quietUntil/2, quietUntil), x.typical(quietFrom, 1) // the very first chats open what is kept open then
		r.count("p50_before_ms", before)
		r.count("p50_after_ms", after)
		const worse = 100
		switch {
		case r.healedAt.After(r.began.Add(time.Duration(quietFrom * float64(r.length())))):
			broken = append(broken, "the last fault ended when there was no quiet left to compare with; begin more chats")
		case before == 0 || after == 0:
			broken = append(broken, "no chat was shown in the quiet before or after, so nothing was proved")
		case after > before+worse:
			broken = append(broken, fmt.Sprintf("afterwards chats took %.0f ms (p50), %.0f before: rings do not work again", after, before))
		}
		return broken
	}
}

// typical is the median time in milliseconds that chats of a part of the load took, 0 if none was shown.
func (x indexed) typical(from, to float64) float64 {
	n := float64(len(x.Chats))
	part := x
	part.Chats = x.Chats[int(from*n):int(to*n)]
	return quantile(part.times(), 0.5)
}

// late bounds how much longer than in the quiet before 99 of 100 chats took.
func late(most time.Duration) func(*run, indexed) []string {
	return func(r *run, x indexed) []string {
		added := quantile(x.times(), 0.99) - x.typical(0, quietUntil)
		r.count("p99_added_ms", added)
		if added > milliseconds(most) {
			return []string{fmt.Sprintf("chats were %.1f s late (p99), %v allowed", added/1000, most)}
		}
		return nil
	}
}

// acceptedAsEver promises that every notification was accepted, and during the outages as soon as in the quiet around
// them: within 100 ms (p99), or twice the quiet's on a machine that has more to do.
func acceptedAsEver(r *run, x indexed) []string {
	outages := span{r.began.Add(time.Duration(quietUntil * float64(r.length()))), r.healedAt}
	during, quiet := x, x
	during.Notices, quiet.Notices = nil, nil
	for _, n := range x.Notices {
		if outages.holds(n.At) {
			during.Notices = append(during.Notices, n)
		} else {
			quiet.Notices = append(quiet.Notices, n)
		}
	}
	broken := nothingRefused(r, x)
	took, _ := during.acceptTimes()
	usually, _ := quiet.acceptTimes()
	for _, of := range []struct {
		name    string
		share   float64
		allowed float64
	}{{"p50", 0.5, 30}, {"p99", 0.99, 100}} {
		then, usual := quantile(took, of.share), quantile(usually, of.share)
		r.count("outage_accept_"+of.name+"_ms", then)
		r.count("quiet_accept_"+of.name+"_ms", usual)
		if then > max(of.allowed, 2*usual) {
			broken = append(broken, fmt.Sprintf("during the outages notifications were accepted within %.0f ms (%s), %.0f ms in the quiet", then, of.name, usual))
		}
	}
	return broken
}

// atHalfTheRate promises that details went out during outages that were measured.
func atHalfTheRate(outages ...string) func(*run, indexed) []string {
	return func(r *run, _ indexed) (broken []string) {
		for _, outage := range outages {
			if shown := r.figure("shown_per_s_" + outage); shown < float64(r.rate)/2 {
				broken = append(broken, fmt.Sprintf("while Redis was %s, %.0f chats were shown a second, and %d began", outage, shown, r.rate))
			}
		}
		return broken
	}
}
