package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

var clockRows = []row{
	{
		Name: "C1", What: "One worker's clock is 10 minutes ahead and another's 10 minutes behind: no lease ends early or late, nothing is shown twice.",
		Chats: 240, Rate: 16, Slow: true, Load: wrongClocks, Check: allOf(clocksWereWrong, leasesHeld, secondStart),
	},
}

// skew is how wrong the clocks are. Only a program with the build tag "flaws" can have a wrong clock of its own.
const (
	skew          = 10 * time.Minute
	clockVariable = "SIDECARD_CLOCK_AHEAD"
)

// wrongClocks runs the load with workers whose clocks are wrong, kills each once, and watches the leases.
func wrongClocks(ctx context.Context, r *run) (err error) {
	restore, err := r.buildWorkerWithClock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore(), r.renewWorkers(ctx, 0)) }()
	if err := r.renewWorkers(ctx, skew); err != nil {
		return err
	}
	r.began = time.Now() // building took its time
	watched, stop := context.WithCancel(ctx)
	looked := make(chan error, 1)
	go func() { looked <- r.watchLeases(watched) }()
	killed := make(chan error, 1)
	go func() { killed <- r.killEachWorker(ctx) }()
	err = errors.Join(r.steady(ctx), <-killed)
	stop()
	return errors.Join(err, <-looked)
}

// buildWorkerWithClock puts a worker in the place of the one under test that differs only in that its clock can be set,
// and returns how to put that back.
func (r *run) buildWorkerWithClock(ctx context.Context) (restore func() error, err error) {
	worker := filepath.Join(r.Dir, "worker")
	settable, err := hasText(worker, clockVariable)
	if err != nil {
		return nil, err
	}
	if settable { // the whole run is built with the tag
		return func() error { return nil }, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "flaws", "-o", worker+"-clock", "./cmd/worker")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build a worker whose clock can be set: %w\n%s", err, out)
	}
	if settable, err = hasText(worker+"-clock", clockVariable); err != nil || !settable {
		return nil, errors.Join(err, errors.New("the build tag flaws does not make clocks settable"))
	}
	restore = func() error { return os.Rename(worker+"-true", worker) }
	return restore, errors.Join(os.Rename(worker, worker+"-true"), os.Rename(worker+"-clock", worker))
}

func hasText(file, text string) (bool, error) {
	content, err := os.ReadFile(file)
	return bytes.Contains(content, []byte(text)), err
}

// renewWorkers starts the workers anew, the first with a clock so far ahead and the second so far behind.
func (r *run) renewWorkers(ctx context.Context, wrong time.Duration) error {
	for i, w := range r.Workers {
		if err := w.Stop(ctx); err != nil {
			return err
		}
		w.Environ()
		if wrong != 0 {
			w.Environ(clockVariable + "=" + wrong.String())
			r.count("wrong_clocks", 1)
		}
		if i == 0 {
			wrong = -wrong
		}
		if err := w.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// killEachWorker kills one worker and later the other, so that both a clock ahead and one behind have left leases. A
// lease lies well between the two: no chat is hit twice.
func (r *run) killEachWorker(ctx context.Context) error {
	for i, w := range r.Workers {
		if err := r.at(ctx, 0.2+0.6*float64(i)); err != nil {
			return err
		}
		if err := r.killWorker(i); err != nil {
			return err
		}
		if err := r.start(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// watchLeases asks the database over and over for leases that end later than one can, or that ended and are still held
// by nobody who says so.
func (r *run) watchLeases(ctx context.Context) error {
	const query = `
		select count(*), count(*) filter (where due_at > now() + interval '6.5 seconds'), count(*) filter (where due_at < now() - interval '1.5 seconds')
		from work where state = 1`
	_, err := ask(context.WithoutCancel(ctx), r.Stack, func(conn *pgx.Conn) (int, error) {
		for {
			var seen, late, early float64
			if err := conn.QueryRow(context.WithoutCancel(ctx), query).Scan(&seen, &late, &early); err != nil {
				return 0, err
			}
			r.count("leases_seen", seen)
			r.count("leases_too_long", late)
			r.count("leases_too_short", early)
			if sleep(ctx, 50*time.Millisecond) != nil {
				return 0, nil // the load has ended
			}
		}
	})
	return err
}

func clocksWereWrong(r *run, _ indexed) []string {
	if r.figure("wrong_clocks") != float64(len(r.Workers)) {
		return []string{"no clock was wrong, so nothing was proved"}
	}
	return nil
}

// leasesHeld promises that each lease ended when the database's clock said so.
func leasesHeld(r *run, _ indexed) (broken []string) {
	if r.figure("leases_seen") == 0 {
		broken = append(broken, "no lease was seen, so nothing was proved")
	}
	if n := r.figure("leases_too_long"); n > 0 {
		broken = append(broken, fmt.Sprintf("%.0f times a lease was seen that lasts longer than it may", n))
	}
	if n := r.figure("leases_too_short"); n > 0 {
		broken = append(broken, fmt.Sprintf("%.0f times a lease was seen that was over long ago", n))
	}
	return broken
}
