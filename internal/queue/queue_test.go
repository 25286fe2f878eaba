package queue

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/servertest"
)

func newTestRinger(t *testing.T, url string) *Ringer {
	t.Helper()
	c, err := Client(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	r := NewRinger(c, slog.New(slog.DiscardHandler))
	t.Cleanup(r.Close)
	return r
}

// heard rings and waits until the ring was taken from its channel.
func (r *Ringer) heard(t *testing.T, lane hub.Lane) {
	t.Helper()
	r.Ring(lane)
	for deadline := time.Now().Add(10 * time.Second); len(r.lanes[lane]) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("nobody took the ring")
		}
	}
}

func TestRingsDoNotPileUpWhileNoWorkerHears(t *testing.T) {
	t.Parallel()
	r := newTestRinger(t, servertest.Redis(t).URL())
	for range 10 * (ringsEnough + lookEvery) {
		r.heard(t, hub.LaneLookup)
	}
	n, err := r.redis.LLen(t.Context(), "asynq:{lookup}:pending").Result()
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n > ringsEnough+lookEvery {
		t.Errorf("%d rings wait in Redis, want some, and at most %d", n, ringsEnough+lookEvery)
	}
}

func TestRingingNeverBlocksWhenRedisIsFrozen(t *testing.T) {
	t.Parallel()
	proxy := servertest.NewProxy(t, servertest.Redis(t).Addr())
	r := newTestRinger(t, "redis://"+proxy.Addr())
	r.heard(t, hub.LaneLookup)
	proxy.Freeze()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100_000 {
			r.Ring(hub.LaneLookup)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("ringing waits for a frozen Redis")
	}
}

func TestAWrongRedisURLDoesNotShowItsPassword(t *testing.T) {
	t.Parallel()
	_, err := Client("redis://user:hunter2@host:port/x")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("err = %v, want a refusal without the password", err)
	}
}
