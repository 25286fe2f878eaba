// Package stack runs Sidecard as it is deployed, private to one run: PostgreSQL with fsync on, Redis without
// persistence, as many processes of cmd/api and cmd/worker as wanted, a front that spreads callers over the apis, and
// the simulated LiveSupporti inside this process. Everything can be killed, stopped, frozen and started again.
//
// It is for benchmarks and the chaos harness. It refuses to share anything with another run, and nothing that it
// started outlives this process, however that ends.
package stack

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
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/mail/mailtest"
	"sidecard/internal/servertest"
	"sidecard/internal/vault"
	"sidecard/migrations"
)

// Options say what a stack consists of. The zero value is one api and one worker, directly connected.
type Options struct {
	APIs    int // 0 means 1
	Workers int // 0 means 1
	// Proxied has the programs reach PostgreSQL and Redis through a servertest.Proxy each.
	Proxied bool
	// Dir is where the stack's own folder is made, "" means the system's temporary folder.
	Dir string
	// Tags are Go build tags for the programs, comma separated; Race builds them with the race detector.
	Tags string
	Race bool
	// LogLevel of the programs, "" means WARN.
	LogLevel string
	// APIEnviron and WorkerEnviron are added to the environment of every api and every worker, and win over ours.
	APIEnviron, WorkerEnviron []string
	// Live says how the simulated LiveSupporti plays.
	Live livesupportitest.Options
}

// Stack is a running Sidecard. All methods may be called from several goroutines.
type Stack struct {
	Dir     string // the programs' binaries and their logs, NAME.log
	URL     string // the front's address, which is PUBLIC_URL
	Front   *Front
	APIs    []*Program // Front numbers them the same way
	Workers []*Program
	Live    *livesupportitest.Server

	Postgres, Redis           *servertest.Server
	PostgresProxy, RedisProxy *servertest.Proxy // nil unless Options.Proxied

	options     Options
	mails       *mailtest.Server
	environ     []string
	secrets     []string
	closers     []func()
	beforeReply atomic.Pointer[func(worker int)]

	mu      sync.Mutex
	tenants []*Tenant
}

const (
	login         = "sidecard_bench"
	loginPassword = "bench-database-password"
)

// Start starts a stack and returns when everything in it is ready. The caller stops it.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	o.APIs, o.Workers = max(o.APIs, 1), max(o.Workers, 1)
	if o.LogLevel == "" {
		o.LogLevel = "WARN"
	}
	s := &Stack{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(false))
		}
	}()
	if s.Dir, err = os.MkdirTemp(o.Dir, "sidecard-stack-"); err != nil {
		return nil, err
	}
	if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.build, s.startServers, s.configure, s.startPrograms} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Stop ends everything. The folder with the logs stays if it is to be kept.
func (s *Stack) Stop(keepDir bool) error {
	for _, end := range slices.Backward(s.closers) {
		end()
	}
	if keepDir || s.Dir == "" {
		return nil
	}
	return os.RemoveAll(s.Dir)
}

func (s *Stack) build(ctx context.Context) error {
	args := []string{"build", "-o", s.Dir + string(filepath.Separator)}
	if s.options.Tags != "" {
		args = append(args, "-tags", s.options.Tags)
	}
	if s.options.Race {
		args = append(args, "-race")
	}
	build := exec.CommandContext(ctx, "go", append(args, "sidecard/cmd/api", "sidecard/cmd/worker")...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
}

// startServers starts and migrates the database, and starts Redis.
func (s *Stack) startServers(ctx context.Context) (err error) {
	s.Postgres, err = servertest.StartPostgres(ctx, servertest.PostgresOptions{
		Fsync: true, Settings: map[string]string{"max_connections": "200", "autovacuum_naptime": "10s"},
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = s.Postgres.Stop() })
	if err := migrations.Postgres(ctx, s.Postgres.URL()); err != nil {
		return err
	}
	if err := migrations.GrantLogin(ctx, s.Postgres.URL(), login, loginPassword); err != nil {
		return err
	}
	if s.Redis, err = servertest.StartRedis(ctx, servertest.RedisOptions{}); err != nil {
		return err
	}
	s.closers = append(s.closers, func() { _ = s.Redis.Stop() })
	return nil
}

// configure makes the environment that all programs share.
func (s *Stack) configure(ctx context.Context) error {
	database, err := url.Parse(s.Postgres.URL())
	if err != nil {
		return err
	}
	if password, ok := database.User.Password(); ok {
		s.secrets = append(s.secrets, password)
	}
	redis, err := url.Parse(s.Redis.URL())
	if err != nil {
		return err
	}
	if s.options.Proxied {
		if s.PostgresProxy, err = s.proxy(s.Postgres); err != nil {
			return err
		}
		if s.RedisProxy, err = s.proxy(s.Redis); err != nil {
			return err
		}
		database.Host, redis.Host = s.PostgresProxy.Addr(), s.RedisProxy.Addr()
	}
	database.User = url.UserPassword(login, loginPassword)
	key, err := vault.NewKey()
	if err != nil {
		return err
	}
	s.secrets = append(s.secrets, loginPassword, key)
	if s.Front, err = startFront(ctx); err != nil {
		return err
	}
	s.closers = append(s.closers, s.Front.close)
	s.URL = "http://" + s.Front.Addr()
	if s.mails, err = mailtest.Open(ctx, mailtest.Options{}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.mails.Close)
	s.environ = []string{
		"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + database.String(), "REDIS_URL=" + redis.String(), "MASTER_KEY=" + key,
		"PUBLIC_URL=" + s.URL, "EGRESS_ALLOW_CIDRS=127.0.0.0/8", "LOG_LEVEL=" + s.options.LogLevel,
		"SMTP_URL=smtp://" + s.mails.Address() + "?tls=off", "MAIL_FROM=Sidecard <no-reply@sidecard.example>",
		// All tenants come from one address here.
		"TRIES_PER_ADDRESS=1000000", "SIGN_UPS_PER_ADDRESS=1000000", "API_CALLS_PER_MINUTE=1000000",
	}
	return nil
}

func (s *Stack) proxy(to *servertest.Server) (*servertest.Proxy, error) {
	p, err := servertest.StartProxy(to.Addr())
	if err == nil {
		s.closers = append(s.closers, p.Close)
	}
	return p, err
}

// startPrograms starts LiveSupporti and then the programs, all at once.
func (s *Stack) startPrograms(ctx context.Context) error {
	s.Live = livesupportitest.New(s.options.Live)
	s.closers = append(s.closers, s.Live.Close)
	var all sync.WaitGroup
	failed := make([]error, s.options.APIs+s.options.Workers)
	for i := range failed {
		p, err := s.program(ctx, i)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, func() { _ = p.Kill() })
		all.Go(func() { failed[i] = p.Start(ctx) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// program makes the i-th program: the apis come first.
func (s *Stack) program(ctx context.Context, i int) (*Program, error) {
	address, err := servertest.FreeAddr()
	if err != nil {
		return nil, err
	}
	kind, number, count, more, worker := "api", i, s.options.APIs, s.options.APIEnviron, -1
	if i >= s.options.APIs {
		kind, number, count, more = "worker", i-s.options.APIs, s.options.Workers, s.options.WorkerEnviron
		worker = number
	}
	live, err := s.serveLive(ctx, worker)
	if err != nil {
		return nil, err
	}
	name := kind
	if count > 1 {
		name = fmt.Sprintf("%s-%d", kind, number+1)
	}
	p := &Program{
		Name: name, Addr: address, LogFile: filepath.Join(s.Dir, name+".log"), binary: filepath.Join(s.Dir, kind),
		environ: slices.Concat(s.environ, []string{"LISTEN_ADDR=" + address, "LIVESUPPORTI_API_URL=" + live + "/api"}, more),
	}
	if kind == "api" {
		s.APIs = append(s.APIs, p)
		s.Front.add(address)
	} else {
		s.Workers = append(s.Workers, p)
	}
	return p, nil
}

// serveLive opens a door to LiveSupporti of its own for each program, so that it is known which worker posts.
func (s *Stack) serveLive(ctx context.Context, worker int) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Live.ServeHTTP(w, r)
		if f := s.beforeReply.Load(); f != nil && worker >= 0 && r.Method == http.MethodPost {
			(*f)(worker)
		}
	})}
	go func() { _ = server.Serve(l) }()
	s.closers = append(s.closers, func() { _ = server.Close() })
	return "http://" + l.Addr().String(), nil
}

// BeforeReply has f called when LiveSupporti has judged a worker's post and before it answers; nil ends that.
func (s *Stack) BeforeReply(f func(worker int)) {
	if f == nil {
		s.beforeReply.Store(nil)
		return
	}
	s.beforeReply.Store(&f)
}

// Programs are the apis and then the workers.
func (s *Stack) Programs() []*Program { return slices.Concat(s.APIs, s.Workers) }

// DatabaseURL is the database as the programs sign in to it, but not through the proxy.
func (s *Stack) DatabaseURL() (string, error) {
	u, err := url.Parse(s.Postgres.URL())
	if err != nil {
		return "", err
	}
	u.User = url.UserPassword(login, loginPassword)
	return u.String(), nil
}

// PIDs are the processes that run now, by name: those of the programs, "postgres" and "redis".
func (s *Stack) PIDs() map[string]int {
	pids := map[string]int{"postgres": s.Postgres.PID(), "redis": s.Redis.PID()}
	for _, p := range s.Programs() {
		if pid := p.PID(); pid != 0 {
			pids[p.Name] = pid
		}
	}
	return pids
}

// Secrets are the texts that no log may hold: keys and passwords of the stack and of its tenants so far.
func (s *Stack) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secrets := slices.Clone(s.secrets)
	for _, t := range s.tenants {
		secrets = append(secrets, t.APIKey, t.Secret, t.Password)
	}
	return secrets
}
