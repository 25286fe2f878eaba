package queue

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sidecard/internal/servertest"
)

// Redis itself says which errors are about its state: one that may not write, and one that does not know a script.
func TestOnlyTroubleOfRedisItselfMakesAWorkerPause(t *testing.T) {
	t.Parallel()
	c := redis.NewClient(&redis.Options{Addr: servertest.Redis(t).Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	unknown := c.EvalSha(t.Context(), "0000000000000000000000000000000000000000", nil).Err()
	missing := c.Get(t.Context(), "no such key").Err()
	if err := c.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	full := c.Set(t.Context(), "key", "value", 0).Err()
	for name, tt := range map[string]struct {
		err  error
		away bool
	}{
		"no error":       {nil, false},
		"no such key":    {missing, false},
		"unknown script": {unknown, false},
		"a stop":         {context.Canceled, false},
		"full":           {full, true},
		"broken off":     {io.EOF, true},
		"too slow":       {context.DeadlineExceeded, true},
	} {
		if name != "no error" && tt.err == nil {
			t.Fatalf("%s: Redis said nothing", name)
		}
		if got := away(tt.err); got != tt.away {
			t.Errorf("%s (%v): away = %t, want %t", name, tt.err, got, tt.away)
		}
	}
}

func TestAPauseEndsWithTheWorkAndKeepsTheError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	if err := paused(ctx, io.EOF); !errors.Is(err, io.EOF) {
		t.Errorf("err = %v, want what Redis failed with", err)
	}
}
