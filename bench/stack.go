package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/servertest"
	"sidecard/internal/tour"
	"sidecard/internal/vault"
	"sidecard/migrations"
)

// stack is Sidecard as it is deployed, on this machine: one api, one worker, PostgreSQL, Redis, and the
// simulated LiveSupporti in this process.
type stack struct {
	dir       string
	url       string
	live      *livesupportitest.Server
	closers   []func()
	processes map[string]int // name to process id
}

const benchLogin = "sidecard_bench"

func startStack(ctx context.Context, o livesupportitest.Options) (_ *stack, err error) {
	s := &stack{processes: map[string]int{}}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "sidecard-bench-"); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() { _ = os.RemoveAll(s.dir) })
	environ, err := s.startServers(ctx)
	if err != nil {
		return nil, err
	}
	liveURL, err := s.startLive(ctx, o)
	if err != nil {
		return nil, err
	}
	key, err := vault.NewKey()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s.url = "http://" + address
	environ = append(environ, "MASTER_KEY="+key, "PUBLIC_URL="+s.url, "LIVESUPPORTI_API_URL="+liveURL+"/api",
		"EGRESS_ALLOW_CIDRS=127.0.0.0/8", "LOG_LEVEL=WARN")
	if err := s.startProgram(ctx, "api", address, environ); err != nil {
		return nil, err
	}
	if address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	return s, s.startProgram(ctx, "worker", address, environ)
}

// startServers starts and migrates the database, and starts Redis.
func (s *stack) startServers(ctx context.Context) ([]string, error) {
	pg, err := servertest.StartPostgres(ctx, servertest.PostgresOptions{Fsync: true, Settings: map[string]string{"max_connections": "100", "autovacuum_naptime": "10s"}})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() { _ = pg.Stop() })
	s.processes["postgres"] = pg.PID()
	if err := migrations.Postgres(ctx, pg.URL()); err != nil {
		return nil, err
	}
	if err := migrations.GrantLogin(ctx, pg.URL(), benchLogin, benchLogin); err != nil {
		return nil, err
	}
	app, err := url.Parse(pg.URL())
	if err != nil {
		return nil, err
	}
	app.User = url.UserPassword(benchLogin, benchLogin)
	redis, err := servertest.StartRedis(ctx, servertest.RedisOptions{})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() { _ = redis.Stop() })
	s.processes["redis"] = redis.PID()
	return []string{"DATABASE_URL=" + app.String(), "REDIS_URL=" + redis.URL()}, nil
}

func (s *stack) startLive(ctx context.Context, o livesupportitest.Options) (string, error) {
	s.live = livesupportitest.New(o)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() { _ = s.live.Serve(ctx, l) }()
	s.closers = append(s.closers, cancel)
	return "http://" + l.Addr().String(), nil
}

// startProgram builds and starts cmd/NAME and waits until it is ready.
func (s *stack) startProgram(ctx context.Context, name, address string, environ []string) error {
	binary := filepath.Join(s.dir, name)
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/"+name)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary) // it ends by stop, after the clients
	cmd.Env = append(environ, "LISTEN_ADDR="+address, "PATH="+os.Getenv("PATH"))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.processes[name] = cmd.Process.Pid
	s.closers = append(s.closers, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return awaitReady(ctx, "http://"+address+"/readyz")
}

func awaitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not ready: %w", url, ctx.Err())
		case <-tick.C:
		}
	}
}

// addTenants walks the tour once for each tenant; it returns their LiveSupporti accounts.
func (s *stack) addTenants(ctx context.Context, n int) ([]string, error) {
	accounts := make([]string, n)
	for i := range accounts {
		email := fmt.Sprintf("owner%d@tenant%d.example", i, i)
		accounts[i] = s.live.AddAccount(email, fmt.Sprintf("bench-api-key-%d", i))
		register := func(ctx context.Context, callbackURL, secret string) error {
			_, err := s.live.RegisterWebHook(ctx, accounts[i], livesupportitest.Registration{CallbackURL: callbackURL, Secret: secret})
			return err
		}
		n := tour.Newcomer{Company: fmt.Sprintf("Tenant %d", i), Email: email, Password: "bench-with-some-words", DeskEmail: email, APIKey: fmt.Sprintf("bench-api-key-%d", i)}
		if err := tour.NewClient(s.url).Walk(ctx, n, register, func(string) {}); err != nil {
			return nil, fmt.Errorf("tenant %d: %w", i, err)
		}
	}
	return accounts, nil
}

func (s *stack) stop() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), errors.Join(l.Close())
}
