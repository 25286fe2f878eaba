package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"sidecard/internal/api"
	"sidecard/internal/queue"
	"sidecard/internal/store"
	"sidecard/internal/vault"
)

// drainTime is how long requests in flight may take at a stop.
const drainTime = 15 * time.Second

// Production opens PostgreSQL and Redis.
func Production(ctx context.Context, c Config, log *slog.Logger) (Backends, error) {
	r, err := queue.Client(c.RedisURL)
	if err != nil {
		return Backends{}, fmt.Errorf("REDIS_URL: %w", err)
	}
	s, err := store.OpenPostgres(ctx, store.Options{URL: c.DatabaseURL, MaxConns: c.DatabaseConns, Log: log})
	if err != nil {
		return Backends{}, errors.Join(err, r.Close())
	}
	return Backends{Store: s, Redis: r, Close: func() { _ = r.Close(); s.Close() }}, nil
}

// RunAPI serves the HTTP face until ctx ends, then lets requests in flight finish.
func RunAPI(ctx context.Context, c Config) error {
	if err := c.Require("PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "MASTER_KEY"); err != nil {
		return err
	}
	return run(ctx, c, func(ctx context.Context, a *App) error {
		handler, err := a.Handler()
		if err != nil {
			return err
		}
		ctx, handler = a.leave(ctx, handler)
		return a.listen(ctx, handler)
	})
}

// leave holds a stop back until nobody should send requests here any more. Meanwhile each answer closes its
// connection, so that the next request goes elsewhere.
func (a *App) leave(ctx context.Context, h http.Handler) (context.Context, http.Handler) {
	later, stop := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		a.leaving.Store(true)
		time.AfterFunc(a.config.DrainDelay, stop)
	})
	return later, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// RunWorker carries chats until ctx ends, and answers health checks meanwhile.
func RunWorker(ctx context.Context, c Config) error {
	if err := c.Require("PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "MASTER_KEY"); err != nil {
		return err
	}
	return run(ctx, c, func(ctx context.Context, a *App) error {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return a.Work(ctx) })
		both.Go(func() error { return a.listen(ctx, api.Health(a.Hub)) })
		return both.Wait()
	})
}

func run(ctx context.Context, c Config, serve func(context.Context, *App) error) error {
	log := Log(os.Stderr, c.LogLevel)
	slog.SetDefault(log)
	stdlog.SetOutput(io.Discard)                      // net/http writes what strange servers send; what matters comes as an error
	if _, err := vault.New(c.MasterKey); err != nil { // before anything is waited for
		return err
	}
	b, err := Production(ctx, c, log)
	if err != nil {
		return err
	}
	a, err := New(ctx, c, b, log)
	if err != nil {
		b.Close()
		return err
	}
	defer a.Close()
	return serve(ctx, a)
}

func (a *App) listen(ctx context.Context, h http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.config.ListenAddr)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	a.log.Info("listening", "address", l.Addr().String())
	return Serve(ctx, l, h)
}

// Serve answers on l until ctx ends, then drains.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := api.Server(h)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}
