package main

import (
	"time"

	"sidecard/internal/flaw"
)

// mutant says which row catches a flaw, at which size, and by what.
type mutant struct {
	Flaw flaw.Flaw
	Row  string
	// Sentence is a part of what the row must say is broken: another complaint may be an accident.
	Sentence string
	// Rewrites is the flaw, when it is one of the database's functions.
	Rewrites []rewrite
	size
}

// size replaces that of a row; zero values leave the row's own.
type size struct {
	Chats, Rate  int
	Hold, Settle time.Duration
}

// rewrite replaces a text, which must be there, in one of the database's functions.
type rewrite struct{ Function, From, To string }

// small is enough for what every chat shows.
var small = size{Chats: 40, Rate: 40, Settle: 6 * time.Second}

// mutants has every flaw once.
var mutants = []mutant{
	{Flaw: flaw.AckBeforeCommit, Row: "M1", Sentence: "acknowledged and not in the database"},
	{
		Flaw: flaw.NoFence, Row: "W5", Sentence: "results of chats that were another's", size: size{Settle: 10 * time.Second},
		Rewrites: []rewrite{
			{"finish_chats", "(w.state = 0 or w.state = 1 and w.fence = m.fence)", "(w.state = 0 or w.state = 1)"},
			{"retry_chats", "w.state = 1 and w.fence = m.fence", "w.state = 1"},
		},
	},
	{Flaw: flaw.NoLeaseCheck, Row: "W6", Sentence: "repeated though nobody was killed or frozen"},
	{Flaw: flaw.BareTaskID, Row: "M2", Sentence: "rings"},
	{Flaw: flaw.NoTenantSetting, Row: "A1", Sentence: "still at work", size: small},
	{Flaw: flaw.RedirectFollowed, Row: "L7", Sentence: "redirects were followed", size: size{Chats: 240, Settle: 10 * time.Second}},
	{Flaw: flaw.NoJitter, Row: "L8", Sentence: "came back together"},
	{Flaw: flaw.LeaseOnWorkerClock, Row: "C1", Sentence: "times a lease was seen", size: size{Chats: 160, Settle: 10 * time.Second}},
	{Flaw: flaw.SweepOff, Row: "W1", Sentence: "still at work", size: size{Chats: 96, Settle: 10 * time.Second}},
	{Flaw: flaw.DetailsRewritten, Row: "L8", Sentence: "not the same to the byte"},
	{
		Flaw: flaw.UnsortedAccept, Row: "N3", Sentence: "deadlock",
		Rewrites: []rewrite{{"accept_chats", "group by tenant_id, visitor_id order by tenant_id, visitor_id", "group by tenant_id, visitor_id order by random()"}},
	},
	{Flaw: flaw.NoDedupe, Row: "A2", Sentence: "kept and never begun", size: size{Chats: 300}},
	{
		Flaw: flaw.OldestWins, Row: "N2", Sentence: "ended as superseded", size: size{Chats: 1200},
		Rewrites: []rewrite{
			{"accept_chats", "case when excluded.started_at >= w.started_at and w.state <> 1 then", "case when false then"},
			{"accept_chats", "case when excluded.started_at >= w.started_at then", "case when false then"},
		},
	},
	{Flaw: flaw.RetryPastDeadline, Row: "L9", Sentence: "after the chat's deadline"},
	{Flaw: flaw.RingInRequest, Row: "M3", Sentence: "while Redis was frozen"},
	{Flaw: flaw.IgnoresRetryAfter, Row: "M4", Sentence: "before its time"},
	{Flaw: flaw.RetriesRefused, Row: "L1", Sentence: "ended as shown", size: size{Chats: 240, Settle: 10 * time.Second}},
	{Flaw: flaw.NoPause, Row: "L2", Sentence: "were paused", size: size{Chats: 600}},
	{Flaw: flaw.LogsVisitor, Row: "A1", Sentence: "holds a visitor's address", size: small},
	{
		Flaw: flaw.AsyncFinish, Row: "D7", Sentence: "were gone after a crash",
		Rewrites: []rewrite{{"finish_chats", "perform public.lock_work(_tenant, _visitor);", "perform set_config('synchronous_commit', 'off', true);\n  perform public.lock_work(_tenant, _visitor);"}},
	},
	{Flaw: flaw.CountsLie, Row: "A1", Sentence: "is told", size: small},
}
