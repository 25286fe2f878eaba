//go:build flaws

package flaw

import (
	"os"
	"slices"
	"time"
)

var (
	chosen = choose(os.Getenv("SIDECARD_FLAW"))
	ahead  = readAhead(os.Getenv("SIDECARD_CLOCK_AHEAD"))
)

// choose finds a flaw by its name; a misspelt one must not pass for a program without flaws.
func choose(name string) Flaw {
	known := slices.ContainsFunc(List, func(e Entry) bool { return string(e.Flaw) == name })
	if name != "" && !known {
		panic("SIDECARD_FLAW: there is no flaw " + name)
	}
	return Flaw(name)
}

func readAhead(text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic("SIDECARD_CLOCK_AHEAD: " + err.Error())
	}
	return d
}

// On reports whether the program has this flaw.
func On(f Flaw) bool { return f == chosen }

// Ahead is how far this program's wall clock is ahead of the true time; negative when it is behind.
func Ahead() time.Duration { return ahead }

// Now is the time by this program's wall clock.
func Now() time.Time { return time.Now().Add(ahead) }
