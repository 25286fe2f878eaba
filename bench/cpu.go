package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sidecard/bench/stack"
)

// cpuUse is processor time by program, in microseconds, with a program's children counted in.
type cpuUse map[string]float64

// cpuOf reads the processor time that the stack's programs have used so far.
func cpuOf(s *stack.Stack) cpuUse {
	use := cpuUse{}
	for name, pid := range s.PIDs() {
		use[name] = treeTime(pid)
	}
	return use
}

func (c cpuUse) since(before cpuUse) cpuUse {
	d := cpuUse{}
	for name, us := range c {
		d[name] = us - before[name]
	}
	return d
}

// per divides by a number of chats and adds the total.
func (c cpuUse) per(chats int) cpuUse {
	d := cpuUse{}
	for name, us := range c {
		d[name] = us / float64(chats)
		d["total"] += d[name]
	}
	return d
}

// tick is the unit of /proc/PID/stat on Linux, which is 100 a second on every platform Go runs on.
const tick = 10_000 // microseconds

func treeTime(pid int) float64 {
	total, _ := processTime(pid)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return total
	}
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if t, parent := processTime(child); parent == pid {
			total += t
		}
	}
	return total
}

// processTime gives the user and system time of one process, its ended children included, and its parent.
func processTime(pid int) (us float64, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	// The second field is the name in brackets, which may hold spaces; the rest follows it.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		n, _ := strconv.ParseFloat(fields[i], 64)
		us += n * tick
	}
	return us, parent
}
