package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sidecard/internal/hub"
)

// history is all that is known of one row: what was sent, what was received, and what the database holds.
type history struct {
	Chats   []chat
	Notices []notice
	Posts   []post

	Records    []record          // of the database
	Unfinished int               // rows of work
	Counters   []counters        // what tenants are told
	Markers    map[int]string    // of each tenant's data, by number
	Tenants    map[string]int    // numbers by name
	Logs       []string          // what no log may hold, in sentences
	Ended      []string          // processes that ended by themselves, in sentences
	Healed     time.Time         // when the last fault was healed; zero when nothing had to be
	Trouble    []span            // when a process was killed or frozen while it may have posted
	Expected   func(chat) expect // nil: every chat is shown
}

// record is one chat as the database has it.
type record struct {
	Tenant   string // its name
	External string
	Visitor  string
	Started  time.Time // when Sidecard believes that the chat began
	Seq      string    // its id, which sorts by age
	Outcomes []hub.Outcome
	Ended    time.Time
	Working  bool // a row of work names it
}

// span is a time in which a post may rightly be repeated: its sender could not tell that it was accepted.
type span struct{ From, To time.Time }

// expect are the outcomes that are right for a chat.
type expect []hub.Outcome

// counters are one tenant's chats by outcome, as its API lists them.
type counters struct {
	Tenant int
	By     map[string]int
}

// findings are what the checks found.
type findings struct {
	Lost, Duplicates, CrossTenant int
	Broken                        []string
}

func (f *findings) add(format string, args ...any) {
	f.Broken = append(f.Broken, fmt.Sprintf(format, args...))
}

// check holds the history to all promises. At most as many duplicates as given are allowed.
func (h history) check(allowedDuplicates int) findings {
	x := h.index()
	var f findings
	x.noLoss(&f)
	x.duplicates(&f, allowedDuplicates)
	x.crossTenant(&f)
	x.fresh(&f)
	x.nothingStuck(&f)
	x.counters(&f)
	f.Broken = append(f.Broken, h.Logs...)
	f.Broken = append(f.Broken, h.Ended...)
	return f
}

// indexed is a history that can be looked up.
type indexed struct {
	history
	acked    map[string]bool      // by notification
	repeated map[string]bool      // by notification: it took more than one attempt
	answered map[string]time.Time // by notification: when the last answer had come
	records  map[string][]record  // by tenant and external id
	posts    map[string][]post    // by visitor and agent, in the order of arrival
	visitors map[string][]chat    // by account and visitor
	names    map[int]string       // of tenants
}

func (h history) index() indexed {
	x := indexed{
		history: h, acked: map[string]bool{}, repeated: map[string]bool{}, answered: map[string]time.Time{},
		records: map[string][]record{}, posts: map[string][]post{}, visitors: map[string][]chat{}, names: map[int]string{},
	}
	for _, n := range h.Notices {
		x.acked[n.Firing] = x.acked[n.Firing] || n.accepted()
		x.repeated[n.Firing] = x.repeated[n.Firing] || n.Attempt > 1
		if end := n.At.Add(n.Took); end.After(x.answered[n.Firing]) {
			x.answered[n.Firing] = end
		}
	}
	for name, number := range h.Tenants {
		x.names[number] = name
	}
	for _, r := range h.Records {
		x.records[r.Tenant+" "+r.External] = append(x.records[r.Tenant+" "+r.External], r)
	}
	for _, p := range h.Posts {
		x.posts[p.key()] = append(x.posts[p.key()], p)
	}
	for _, posts := range x.posts {
		slices.SortStableFunc(posts, func(a, b post) int { return a.At.Compare(b.At) })
	}
	for _, c := range h.Chats {
		x.visitors[c.Account+" "+c.Visitor] = append(x.visitors[c.Account+" "+c.Visitor], c)
	}
	return x
}

func (x indexed) recordOf(c chat) []record { return x.records[x.names[c.Tenant]+" "+c.External] }

func (x indexed) accepted(c chat) []post {
	var accepted []post
	for _, p := range x.posts[c.key()] {
		if p.Accepted {
			accepted = append(accepted, p)
		}
	}
	return accepted
}

// right are the outcomes that the chat may end with.
func (x indexed) right(c chat) expect {
	want := expect{hub.Shown}
	if x.Expected != nil {
		want = x.Expected(c)
	}
	if len(x.visitors[c.Account+" "+c.Visitor]) > 1 && !x.isNewest(c) {
		want = append(slices.Clone(want), hub.Superseded)
	}
	return want
}

// newest is the visitor's newest chat that Sidecard has. LiveSupporti sends no time, so for repeated notifications it is
// the order that Sidecard had to assume; otherwise it is the order in which the chats began.
func (x indexed) newest(chats []chat) (newest chat, ok bool) {
	var assumed bool
	var kept []chat
	for _, c := range chats {
		if len(x.recordOf(c)) == 0 {
			continue
		}
		kept = append(kept, c)
		assumed = assumed || x.repeated[c.Firing]
	}
	if len(kept) == 0 {
		return chat{}, false
	}
	return slices.MaxFunc(kept, func(a, b chat) int {
		if !assumed && !x.overlap(a, b) {
			return a.Began.Compare(b.Began)
		}
		ra, rb := x.recordOf(a)[0], x.recordOf(b)[0]
		if order := ra.Started.Compare(rb.Started); order != 0 {
			return order
		}
		return strings.Compare(ra.Seq, rb.Seq)
	}), true
}

// overlap reports whether one chat was still being announced when the other began, so that either may come first.
func (x indexed) overlap(a, b chat) bool {
	if b.Began.Before(a.Began) {
		a, b = b, a
	}
	return x.answered[a.Firing].After(b.Began)
}

func (x indexed) isNewest(c chat) bool {
	newest, ok := x.newest(x.visitors[c.Account+" "+c.Visitor])
	return ok && newest.key() == c.key()
}
