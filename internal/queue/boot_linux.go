package queue

import (
	"time"

	"golang.org/x/sys/unix"
)

func sinceBoot() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0 // an old kernel: the monotonic clock alone counts
	}
	return time.Duration(t.Nano())
}
