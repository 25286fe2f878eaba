package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	pollEvery   = 5 * time.Millisecond
	stopTimeout = 30 * time.Second
)

// errExited tells that the server program ended before it answered.
var errExited = errors.New("ended before it answered")

// Server is one server program that this process started, listening on a free port of 127.0.0.1. It lives until Stop,
// or as long as the process. All methods may be called from several goroutines.
type Server struct {
	program program
	dir     string
	addr    string
	url     string
	janitor *janitor

	mu      sync.Mutex
	cmd     *exec.Cmd // nil while the server does not run
	gone    *os.File  // read end of a pipe whose other end the server and all its children hold
	stopped bool
}

// program is what PostgreSQL and Redis differ in.
type program struct {
	name    string
	command func() *exec.Cmd
	ready   func(pid int) bool // whether the server with this pid answers
	stop    syscall.Signal     // ends it in order
	quit    syscall.Signal     // ends it and its children at once
}

// running keeps every server reachable: the garbage collector would close the janitor's pipe of a forgotten one.
var running sync.Map

func launch(ctx context.Context, p program, dir, addr, url string) (*Server, error) {
	j, err := startJanitor(p.quit, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{program: p, dir: dir, addr: addr, url: url, janitor: j}
	running.Store(s, nil)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Addr returns the host and port the server listens on. They stay the same after Restart.
func (s *Server) Addr() string { return s.addr }

// URL returns the address as clients take it: postgres://superuser:password@host:port/postgres?sslmode=disable, or
// redis://host:port/0.
func (s *Server) URL() string { return s.url }

// PID returns the id of the server's main process, 0 while it does not run.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Stop ends the server for good and removes its folder. A second Stop does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	running.Delete(s)
	return errors.Join(s.end(s.program.stop), s.janitor.finish())
}

// Kill sends SIGKILL to all of the server's processes, as a crash of the machine would end them, and returns when they
// are gone. The data stays for Restart. It does nothing when the server does not run.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	main := s.cmd.Process.Pid
	children := childrenOf(main)
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill %s: %w", s.program.name, err)
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill a child of %s: %w", s.program.name, err)
		}
	}
	return s.reap()
}

// Freeze stops the server's main process in its tracks (SIGSTOP): its connections stay open and nobody answers. Redis
// has no other process; of PostgreSQL only new connections notice. Thaw lets it go on.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw ends Freeze. It does nothing to a server that is not frozen.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal %s: %w", s.program.name, err)
	}
	return nil
}

// Restart starts the server again on its port and data, and returns when it answers. A server that runs is ended in
// order first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fmt.Errorf("restart %s: it was stopped for good", s.program.name)
	}
	if err := s.end(s.program.stop); err != nil {
		return err
	}
	return s.start(ctx)
}

// start needs s.mu, or a server nobody else knows yet.
func (s *Server) start(ctx context.Context) error {
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log of %s: %w", s.program.name, err)
	}
	defer log.Close()
	gone, held, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe to %s: %w", s.program.name, err)
	}
	defer held.Close()

	cmd := s.program.command()
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{held}
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", s.program.name, err), gone.Close())
	}
	s.cmd, s.gone = cmd, gone
	if err := s.janitor.watch(cmd.Process.Pid); err != nil {
		return err
	}
	held.Close() // so that the end of the pipe is the end of the server
	if err := s.awaitReady(ctx); err != nil {
		return fmt.Errorf("start %s: %w; its log ends with:\n%s", s.program.name, err, s.logTail())
	}
	return nil
}

func (s *Server) awaitReady(ctx context.Context) error {
	for !s.program.ready(s.cmd.Process.Pid) {
		if err := context.Cause(ctx); err != nil {
			return errors.Join(err, s.end(syscall.SIGKILL))
		}
		if s.awaitGone(pollEvery) {
			return errors.Join(errExited, s.reap())
		}
	}
	return nil
}

// end sends the signal and waits; a server that ignores it is killed.
func (s *Server) end(signal syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", s.program.name, err)
	}
	return s.reap()
}

// reap waits until the server and all its children are gone.
func (s *Server) reap() error {
	var late error
	if !s.awaitGone(stopTimeout) {
		late = fmt.Errorf("%s did not end within %s", s.program.name, stopTimeout)
		_ = s.cmd.Process.Kill() // the wait below tells
	}
	_ = s.cmd.Wait() // how it exited is what was asked for, not an error
	s.cmd = nil
	return errors.Join(late, s.gone.Close(), s.janitor.watch(0))
}

// awaitGone reports whether no process of the server is left, waiting at most as long as told.
func (s *Server) awaitGone(atMost time.Duration) bool {
	if err := s.gone.SetReadDeadline(time.Now().Add(atMost)); err != nil {
		return false
	}
	_, err := s.gone.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// LogFile is where the server writes its messages.
func (s *Server) LogFile() string { return filepath.Join(s.dir, "log") }

func (s *Server) logTail() []byte {
	log, err := os.ReadFile(s.LogFile())
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(log[max(0, len(log)-2000):])
}

// childrenOf lists the processes that have this parent. Where there is no /proc it finds none: children then end by
// themselves when they notice that their parent is gone.
func childrenOf(parent int) []int {
	var children []int
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended while we looked
		}
		// pid (name) state ppid …, and the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			children = append(children, pid)
		}
	}
	return children
}

// FreeAddr returns a host and port of 127.0.0.1 on which nobody listens, for a program that is to keep it over restarts.
func FreeAddr() (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	return localAddr(port), nil
}

// freePort returns a port nobody listens on, from below the range that outgoing connections are given, so that it is
// still free at a restart.
func freePort() (int, error) {
	var err error
	for range 50 {
		port := 15000 + rand.IntN(15000)
		if err = listenable(port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}

func listenable(port int) error {
	listener, err := net.Listen("tcp", localAddr(port))
	if err != nil {
		return err
	}
	return listener.Close()
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// onFreePort starts a server on the port, or on a free one if it is 0: again when somebody else was quicker there.
func onFreePort(port int, start func(port int) (*Server, error)) (*Server, error) {
	if port != 0 {
		return start(port)
	}
	for {
		free, err := freePort()
		if err != nil {
			return nil, err
		}
		server, err := start(free)
		if errors.Is(err, errExited) && listenable(free) != nil {
			continue
		}
		return server, err
	}
}
