package queue

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"sidecard/internal/flaw"
	"sidecard/internal/hub"
)

const (
	drainTimeout  = 24 * time.Hour // a drain lasts as long as there is work
	checkInterval = 10 * time.Millisecond
	stopTimeout   = 25 * time.Second // for the chats in hand at a stop
)

// Worker runs both pumps behind Asynq.
type Worker struct {
	server   *asynq.Server
	lookup   *pump
	delivery *pump
	redisIll atomic.Bool
	log      *slog.Logger

	mu     sync.Mutex
	dueAt  time.Time // when the delivery pump must look again at the latest
	shared time.Time // when we last looked at what all workers have in hand
}

// NewWorker makes a worker over a Redis client made by Client.
func NewWorker(c redis.UniversalClient, carrier Carrier, log *slog.Logger) *Worker {
	w := &Worker{log: log}
	w.lookup = newPump(hub.LaneLookup, carrier, log, w.redisIll.Load)
	w.delivery = newPump(hub.LaneDelivery, carrier, log, w.redisIll.Load)
	w.lookup.due, w.delivery.due = w.due, w.due
	w.lookup.freed, w.delivery.freed = w.lookup.ring, w.lookup.ring
	w.delivery.before = func(ctx context.Context) time.Duration { return w.sweep(ctx, carrier) }
	c.AddHook(pauseAfterErrors{})
	w.server = asynq.NewServerFromRedisClient(c, asynq.Config{
		Concurrency:              8,
		Queues:                   map[string]int{queueNames[hub.LaneLookup]: 3, queueNames[hub.LaneDelivery]: 1},
		TaskCheckInterval:        checkInterval,
		DelayedTaskCheckInterval: time.Minute, // nothing is ever scheduled
		ShutdownTimeout:          stopTimeout,
		HealthCheckInterval:      time.Second,
		HealthCheckFunc:          w.health,
		Logger:                   asynqLog{log},
		LogLevel:                 asynq.WarnLevel,
	})
	return w
}

// Run works until ctx ends, then stops claiming and waits for the chats in hand.
func (w *Worker) Run(ctx context.Context) error {
	mux := asynq.NewServeMux()
	mux.HandleFunc(taskTypes[hub.LaneLookup], drainHandler(w.lookup))
	mux.HandleFunc(taskTypes[hub.LaneDelivery], drainHandler(w.delivery))
	if err := w.server.Start(mux); err != nil {
		return fmt.Errorf("start asynq: %w", err)
	}
	carry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var pumps sync.WaitGroup
	for _, p := range []*pump{w.lookup, w.delivery} {
		pumps.Go(func() { p.run(ctx, carry) })
	}
	<-ctx.Done()
	stop := time.AfterFunc(stopTimeout, cancel)
	defer stop.Stop()
	w.server.Stop()
	pumps.Wait()
	w.server.Shutdown()
	return nil
}

func drainHandler(p *pump) func(context.Context, *asynq.Task) error {
	return func(ctx context.Context, _ *asynq.Task) error {
		p.drain(ctx)
		return nil
	}
}

// health is told by Asynq each second whether Redis answered.
func (w *Worker) health(err error) {
	if ill := err != nil; w.redisIll.Swap(ill) != ill {
		if ill {
			w.log.Warn("redis does not answer; polling the database instead", "error", err)
			w.lookup.ring()
			w.delivery.ring()
			return
		}
		w.log.Info("redis answers again")
	}
}

// sweep makes what is due ready, wakes the other pump for its share and says when to come back.
func (w *Worker) sweep(ctx context.Context, c Carrier) time.Duration {
	if flaw.On(flaw.SweepOff) {
		return -1
	}
	w.mu.Lock()
	w.dueAt = time.Time{}
	request := hub.SweepRequest{Disowned: slices.Concat(w.lookup.claimedInVain(), w.delivery.claimedInVain())}
	if look := time.Since(w.shared) >= sharedLook; look {
		w.shared, request.Cap = time.Now(), sharedCap
	}
	w.mu.Unlock()
	swept, err := c.Sweep(ctx, request)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("sweep failed", "error", err)
		}
		return -1
	}
	if request.Cap > 0 {
		w.lookup.share(swept.Busy)
		w.delivery.share(swept.Busy)
	}
	if swept.Ready > 0 {
		w.lookup.ring()
		return 0 // a full sweep may have left some
	}
	w.due(swept.Next)
	return swept.Next
}

// due makes the delivery pump look again after d, unless it does so earlier anyway.
func (w *Worker) due(d time.Duration) {
	if d < 0 || d > poll {
		return
	}
	at := time.Now().Add(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dueAt.IsZero() || at.Before(w.dueAt) {
		w.dueAt = at
		time.AfterFunc(d, w.delivery.ring)
	}
}

// asynqLog gives Asynq's own messages to slog.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Warn("asynq", "message", fmt.Sprint(args...)) }
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }
