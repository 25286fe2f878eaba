package queue

import "time"

// instant is a moment by clocks that only go forward: the monotonic one, and the one that goes on while the
// machine sleeps. A change of the wall clock moves neither.
type instant struct {
	time.Time
	boot time.Duration // since the machine was started, sleep included; 0 where the system does not tell
}

func now() instant { return instant{time.Now(), sinceBoot()} }

// since is how much time passed after an earlier instant, at most.
func (i instant) since(earlier instant) time.Duration {
	return max(i.Sub(earlier.Time), i.boot-earlier.boot)
}
