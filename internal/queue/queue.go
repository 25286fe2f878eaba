// Package queue rings between processes and pumps chats through the workers. It is the only place that
// knows Asynq.
//
// A ring says "there is work" and nothing else: the work stands in the database, and a worker claims it
// there. Losing, doubling or delaying a ring changes when a chat is carried, never whether; with Redis
// away the workers find the work by asking the database more often.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"sidecard/internal/flaw"
	"sidecard/internal/hub"
)

// The two Asynq queues and their task types, by lane.
var (
	queueNames = [...]string{hub.LaneLookup: "lookup", hub.LaneDelivery: "delivery"}
	taskTypes  = [...]string{hub.LaneLookup: "chat:lookup", hub.LaneDelivery: "chat:delivery"}
)

// Client opens Redis for ringing and for Server: deadlines are obeyed and nothing is retried inside, so
// that a frozen Redis costs a bounded time (Asynq's own client would wait for seconds).
func Client(url string) (redis.UniversalClient, error) {
	redis.SetLogger(silence{}) // who asks Redis says what went wrong
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a Redis URL; write redis://[user:password@]host:port[/db]") // the cause may hold the password
	}
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, time.Second, time.Second
	return redis.NewClient(o), nil
}

// silence keeps go-redis from writing to standard error by itself.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Ringer rings through Redis. Rings that come while one is being sent fall together.
type Ringer struct {
	redis redis.UniversalClient
	tasks *asynq.Client
	lanes [len(queueNames)]chan struct{}
	done  chan struct{}
	all   sync.WaitGroup
	log   *slog.Logger
}

var _ hub.Ringer = (*Ringer)(nil)

const (
	ringTimeout = 200 * time.Millisecond
	ringPause   = 50 * time.Millisecond // after a failed ring; it is dropped, since workers poll
	ringsEnough = 100                   // rings waiting in Redis: nobody is free to hear more
	lookEvery   = 64                    // rings between two looks at their number
	lookAgain   = time.Second           // and the time, once there were enough
)

// NewRinger starts ringing over a client made by Client.
func NewRinger(c redis.UniversalClient, log *slog.Logger) *Ringer {
	r := &Ringer{redis: c, tasks: asynq.NewClientFromRedisClient(c), done: make(chan struct{}), log: log}
	for lane := range r.lanes {
		r.lanes[lane] = make(chan struct{}, 1)
		r.all.Go(func() { r.run(hub.Lane(lane)) })
	}
	return r
}

// Ring rings a lane. It never blocks.
func (r *Ringer) Ring(lane hub.Lane) {
	if flaw.On(flaw.RingInRequest) {
		_ = r.send(lane)
		return
	}
	select {
	case r.lanes[lane] <- struct{}{}:
	default:
	}
}

// Close stops ringing.
func (r *Ringer) Close() {
	close(r.done)
	r.all.Wait()
}

func (r *Ringer) run(lane hub.Lane) {
	var failing bool
	var fullUntil time.Time
	for sent := 0; ; {
		select {
		case <-r.done:
			return
		case <-r.lanes[lane]:
		}
		if time.Now().Before(fullUntil) {
			continue
		}
		if sent%lookEvery == 0 && r.full(lane) {
			fullUntil = time.Now().Add(lookAgain)
			continue
		}
		sent++
		err := r.send(lane)
		if err != nil && !failing {
			r.log.Warn("ring not sent; workers find the work by polling", "queue", queueNames[lane], "error", err)
		}
		if failing = err != nil; failing && !r.pause() {
			return
		}
	}
}

// pause waits a little after a failure; false when ringing stops.
func (r *Ringer) pause() bool {
	select {
	case <-r.done:
		return false
	case <-time.After(ringPause):
		return true
	}
}

func (r *Ringer) send(lane hub.Lane) error {
	ctx, cancel := context.WithTimeout(context.Background(), ringTimeout)
	defer cancel()
	options := []asynq.Option{asynq.Queue(queueNames[lane]), asynq.MaxRetry(0), asynq.Timeout(drainTimeout)}
	if flaw.On(flaw.BareTaskID) {
		options = append(options, asynq.TaskID(queueNames[lane]))
	}
	_, err := r.tasks.EnqueueContext(ctx, asynq.NewTask(taskTypes[lane], nil), options...)
	return err
}

// full reports whether rings pile up, as they do while no worker runs.
func (r *Ringer) full(lane hub.Lane) bool {
	ctx, cancel := context.WithTimeout(context.Background(), ringTimeout)
	defer cancel()
	n, err := r.redis.LLen(ctx, fmt.Sprintf("asynq:{%s}:pending", queueNames[lane])).Result()
	return err == nil && n > ringsEnough
}
