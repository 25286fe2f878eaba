package queue

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// errorPause is how long a worker leaves Redis alone after it failed. Asynq asks again at once, which would
// cost a processor while Redis is away.
const errorPause = 100 * time.Millisecond

// pauseAfterErrors is a hook for a worker's Redis client.
type pauseAfterErrors struct{}

var _ redis.Hook = pauseAfterErrors{}

func (pauseAfterErrors) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (pauseAfterErrors) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return paused(ctx, next(ctx, cmd)) }
}

func (pauseAfterErrors) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { return paused(ctx, next(ctx, cmds)) }
}

func paused(ctx context.Context, err error) error {
	if !away(err) {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(errorPause):
	}
	return err
}

// away reports whether an error is about Redis' own state, and not the answer to one command.
func away(err error) bool {
	if err == nil {
		return false
	}
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, context.Canceled)
	}
	for _, state := range []string{"OOM", "LOADING", "READONLY", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "ERR max number of clients"} {
		if redis.HasErrorPrefix(reply, state) {
			return true
		}
	}
	return false
}
