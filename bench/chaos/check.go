package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"sidecard/internal/hub"
)

// noLoss (P1): every acknowledged chat is kept, has exactly one outcome, the right one, and was accepted by
// LiveSupporti if that outcome says so.
func (x indexed) noLoss(f *findings) {
	wrong := map[string]int{}
	for _, c := range x.Chats {
		records := x.recordOf(c)
		if len(records) == 0 {
			if x.acked[c.Firing] {
				f.Lost++
				wrong["acknowledged and not in the database"]++
			}
			continue
		}
		outcomes := records[0].Outcomes
		switch {
		case len(records) > 1:
			wrong["kept more than once"]++
		case len(outcomes) == 0 && !records[0].Working:
			f.Lost++
			wrong["kept, but neither at work nor ended"]++
		case len(outcomes) == 0: // nothingStuck tells
			f.Lost++
		case len(outcomes) > 1:
			wrong["ended more than once"]++
		case !slices.Contains(x.right(c), outcomes[0]):
			wrong["ended as "+outcomes[0].String()]++
		case (outcomes[0] == hub.Shown || outcomes[0] == hub.ShownInPart) && len(x.accepted(c)) == 0:
			f.Lost++
			wrong["called "+outcomes[0].String()+", but LiveSupporti accepted nothing"]++
		}
	}
	began := map[string]bool{}
	for _, c := range x.Chats {
		began[x.names[c.Tenant]+" "+c.External] = true
	}
	for key, records := range x.records {
		if !began[key] {
			wrong["kept and never begun"] += len(records)
		}
	}
	for _, what := range sorted(wrong) {
		f.add("%s %s", count(wrong[what], "chat was", "chats were"), what)
	}
}

// duplicates (P2): no more accepted posts than chats, but for those that the row allows; each of them because its
// sender was killed or frozen just then; and all posts of one chat are the same to the byte.
func (x indexed) duplicates(f *findings, allowed int) {
	differing, unexplained := 0, 0
	for _, posts := range x.posts {
		if slices.ContainsFunc(posts, func(p post) bool { return p.Hash != posts[0].Hash }) {
			differing++
		}
		posts = slices.DeleteFunc(slices.Clone(posts), func(p post) bool { return !p.Accepted })
		if len(posts) < 2 {
			continue
		}
		f.Duplicates += len(posts) - 1
		for _, p := range posts[:len(posts)-1] {
			if len(x.Trouble) > 0 && !slices.ContainsFunc(x.Trouble, func(s span) bool { return s.holds(p.At) }) {
				unexplained++
			}
		}
	}
	if f.Duplicates > allowed {
		f.add("%s, %d allowed", count(f.Duplicates, "post was a duplicate", "posts were duplicates"), allowed)
	}
	if unexplained > 0 {
		f.add("%s repeated though nobody was killed or frozen when it was made", count(unexplained, "accepted post was", "accepted posts were"))
	}
	if differing > 0 {
		f.add("the posts of %s were not the same to the byte", count(differing, "chat", "chats"))
	}
}

func (s span) holds(t time.Time) bool { return !t.Before(s.From) && !t.After(s.To) }

// crossTenant (P3): credentials and data of a post are those of the tenant whose visitor it is for.
func (x indexed) crossTenant(f *findings) {
	owner := map[string]chat{}
	for _, c := range x.Chats {
		owner[c.Visitor] = c
	}
	strangers := 0
	for _, p := range x.Posts {
		c, known := owner[p.Visitor]
		if !known {
			strangers++
			continue
		}
		mine := x.Markers[c.Tenant]
		foreign := slices.ContainsFunc(p.Markers, func(m string) bool { return m != mine })
		if foreign || p.Account != "" && p.Account != c.Account {
			f.CrossTenant++
		}
	}
	if f.CrossTenant > 0 {
		f.add("%s another tenant's credentials or data", count(f.CrossTenant, "post carried", "posts carried"))
	}
	if strangers > 0 {
		f.add("%s for a visitor who has no chat in this row", count(strangers, "post was", "posts were"))
	}
}

// fresh (P4): what an agent sees last of a visitor is of the visitor's newest chat.
func (x indexed) fresh(f *findings) {
	stale := 0
	for _, chats := range x.visitors {
		if len(chats) < 2 {
			continue
		}
		newest, ok := x.newest(chats)
		if !ok {
			continue
		}
		var last post
		for _, c := range chats {
			for _, p := range x.accepted(c) {
				if p.At.After(last.At) {
					last = p
				}
			}
		}
		outcomes := x.recordOf(newest)[0].Outcomes
		if len(outcomes) == 1 && outcomes[0] == hub.Shown && last.key() != newest.key() {
			stale++
		}
	}
	if stale > 0 {
		f.add("%s an older chat last", count(stale, "visitor was shown", "visitors were shown"))
	}
}

// nothingStuck (P5): nothing is left to do.
func (x indexed) nothingStuck(f *findings) {
	if x.Unfinished > 0 {
		f.add("%s still at work", count(x.Unfinished, "visitor's chat is", "visitors' chats are"))
	}
}

// recovery is how long after the last fault was healed everything that began before had ended; 0 when nothing had to
// be healed.
func (x indexed) recovery() time.Duration {
	var last time.Time
	for _, c := range x.Chats {
		if records := x.recordOf(c); c.Began.Before(x.Healed) && len(records) > 0 && records[0].Ended.After(last) {
			last = records[0].Ended
		}
	}
	if x.Healed.IsZero() || last.IsZero() {
		return 0
	}
	return max(0, last.Sub(x.Healed))
}

// counters (P6): what a tenant is told of its chats is what the ledger says.
func (x indexed) counters(f *findings) {
	for _, told := range x.Counters {
		kept := map[string]int{}
		for _, c := range x.Chats {
			for _, r := range x.recordOf(c) {
				if c.Tenant == told.Tenant && len(r.Outcomes) == 1 {
					kept[r.Outcomes[0].String()]++
				}
			}
		}
		if got, want := words(told.By), words(kept); got != want {
			f.add("%s is told %s, and it is %s", x.names[told.Tenant], got, want)
		}
	}
}

func words(by map[string]int) string {
	if len(by) == 0 {
		return "nothing"
	}
	var parts []string
	for _, name := range sorted(by) {
		parts = append(parts, fmt.Sprintf("%d %s", by[name], name))
	}
	return strings.Join(parts, ", ")
}

func sorted(m map[string]int) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// times are how long the chats took, began until accepted by LiveSupporti, in milliseconds.
func (x indexed) times() []float64 {
	var ms []float64
	for _, c := range x.Chats {
		if accepted := x.accepted(c); len(accepted) > 0 {
			ms = append(ms, milliseconds(accepted[0].At.Sub(c.Began)))
		}
	}
	return ms
}

// acceptTimes are how long each answered notification took, in milliseconds; refused counts the others.
func (x indexed) acceptTimes() (ms []float64, refused int) {
	for _, n := range x.Notices {
		if n.accepted() {
			ms = append(ms, milliseconds(n.Took))
		} else {
			refused++
		}
	}
	return ms, refused
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile of unsorted values, 0 for none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return values[int(q*float64(len(values)-1))]
}
