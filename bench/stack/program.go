package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a program may take to get ready, and to end after SIGTERM.
const (
	readyTimeout = 30 * time.Second
	stopTimeout  = 45 * time.Second
)

// Program is one process of cmd/api or cmd/worker. It keeps its address over restarts, and its log grows.
type Program struct {
	Name    string // "api" or "worker", with "-1" and so on when there are several
	Addr    string // host and port that it listens on
	LogFile string

	binary  string
	environ []string

	mu      sync.Mutex
	lasting []string // of the environment
	more    []string // of the environment
	process *process // nil while it does not run
	unasked []string

	failedStarts int
}

// process is one life of a program.
type process struct {
	cmd   *exec.Cmd
	asked bool          // its end is wanted; guarded, as ready is, by the program's mutex
	ready bool          // it was once
	gone  chan struct{} // closed when it has ended
}

// Start starts the program and returns when it answers that it is ready. One that runs is left alone, and one that ends
// before it is ready is started again, as an orchestrator does: what it needs may be away just then.
func (p *Program) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		life, err := p.launch()
		if err != nil {
			return fmt.Errorf("start %s: %w", p.Name, err)
		}
		if p.Ready(ctx) && p.settled(life) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready, see %s: %w", p.Name, p.LogFile, ctx.Err())
		case <-tick.C:
		}
	}
}

// settled notes that a life of the program was ready, unless it is over.
func (p *Program) settled(life *process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	life.ready = true
	return p.process == life
}

// Ready asks the program's /readyz.
func (p *Program) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Addr+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// launch starts the process, unless one runs, and returns it.
func (p *Program) launch() (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil {
		return p.process, nil
	}
	log, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(p.binary) //nolint:noctx // it ends by command, after its clients
	cmd.Env, cmd.Stdout, cmd.Stderr = slices.Concat(p.environ, p.lasting, p.more), log, log
	// A group of its own: a Ctrl-C in the terminal is for us, and we end it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := startOnLastingThread(cmd); err != nil {
		return nil, err
	}
	life := &process{cmd: cmd, gone: make(chan struct{})}
	p.process = life
	go p.await(life)
	return life, nil
}

func (p *Program) await(life *process) {
	err := life.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case life.asked:
	case !life.ready:
		p.failedStarts++
	default:
		how := "with status 0"
		if err != nil {
			how = err.Error()
		}
		p.unasked = append(p.unasked, p.Name+" ended by itself ("+how+")")
	}
	p.process = nil
	close(life.gone)
}

// Kill ends the program as a crash would, and returns when it is gone.
func (p *Program) Kill() error {
	life, err := p.end(syscall.SIGKILL)
	if life == nil || err != nil {
		return err
	}
	<-life.gone
	return nil
}

// Stop asks the program to end and returns when it has. One that takes too long is killed, which is an error.
func (p *Program) Stop(ctx context.Context) error {
	life, err := p.end(syscall.SIGTERM)
	if life == nil || err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	select {
	case <-life.gone:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s did not end after SIGTERM: %w", p.Name, ctx.Err()), p.Kill())
	}
}

func (p *Program) end(signal syscall.Signal) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	life := p.process
	if life == nil {
		return nil, nil // nothing runs, which is what was wanted
	}
	life.asked = true
	if err := life.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, fmt.Errorf("end %s: %w", p.Name, err)
	}
	return life, nil
}

// Environ sets what is added to the program's environment ("NAME=value") from its next start on; it wins over what
// stands there. Nothing takes it back. It reports whether that changes anything.
func (p *Program) Environ(more ...string) (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed = !slices.Equal(p.more, more)
	p.more = more
	return changed
}

// Always is Environ for what stays when that is set anew, which wins over this.
func (p *Program) Always(lasting ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lasting = lasting
}

// Freeze stops the program in its tracks (SIGSTOP); its connections stay open. Thaw lets it go on. It waits until the
// system says that the program stands still: a thread of it may run on for a moment.
func (p *Program) Freeze() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	p.mu.Lock()
	life := p.process
	p.mu.Unlock()
	if life == nil {
		return nil
	}
	stat := fmt.Sprintf("/proc/%d/stat", life.cmd.Process.Pid)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < stopTimeout; <-tick.C {
		text, err := os.ReadFile(stat)
		if err != nil { // it is gone, or this is no Linux
			return nil
		}
		if _, state, ok := bytes.Cut(text, []byte(") ")); !ok || state[0] == 'T' || state[0] == 'Z' {
			return nil
		}
	}
	return fmt.Errorf("%s goes on though it was frozen", p.Name)
}

// Thaw ends Freeze. It does nothing to a program that is not frozen.
func (p *Program) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Program) signal(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return nil
	}
	if err := p.process.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.Name, err)
	}
	return nil
}

// PID is the id of its process, 0 while it does not run.
func (p *Program) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return 0
	}
	return p.process.cmd.Process.Pid
}

// PeakMiB is the most memory (RSS) that its process has had so far.
func (p *Program) PeakMiB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("%s has no VmHWM", p.Name)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}

// Unasked tells of the times when the program ended and nobody had asked for it, since the last call.
func (p *Program) Unasked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.unasked
	p.unasked = nil
	return told
}

// FailedStarts is how often the program ended before it was ready, since the last call.
func (p *Program) FailedStarts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.failedStarts
	p.failedStarts = 0
	return n
}

// startOnLastingThread starts a command from a thread that lives as long as this process: Linux sends Pdeathsig when
// the thread that started the child ends, not the process (prctl(2)).
func startOnLastingThread(cmd *exec.Cmd) error {
	done := make(chan error)
	starter() <- func() { done <- cmd.Start() }
	return <-done
}

var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})
