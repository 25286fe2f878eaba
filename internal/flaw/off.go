//go:build !flaws

package flaw

import "time"

// On reports whether the program has this flaw: never.
func On(Flaw) bool { return false }

// Ahead is how far this program's wall clock is ahead of the true time: not at all.
func Ahead() time.Duration { return 0 }

// Now is the time by this program's wall clock.
func Now() time.Time { return time.Now() }
