package embedded_test

import (
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/servertest"
)

// Whoever can write to Redis can ring, and no more: tasks that claim to be somebody's work, that nobody knows or that
// are huge change nothing, and the chats of tenants go on.
func TestForgedTasksOnlyRing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, servertest.Redis(t))
	w.chat(livesupportitest.Visitor{ID: "waiting", Email: "nobody@elsewhere.example"})
	options, err := redis.ParseURL(w.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	tasks := asynq.NewClientFromRedisClient(client)
	chat := chatIDs(t.Context(), w)[0]
	payloads := []string{
		"", "null", `{"tenant":"` + w.client.Base + `","chat":"` + chat + `","outcome":1}`, chat, "'; drop table chats; --",
		"\x00\xff", strings.Repeat("[", 100_000), strings.Repeat("x", 1<<20),
	}
	inspector := asynq.NewInspectorFromRedisClient(client)
	queues, err := inspector.Queues()
	if err != nil || len(queues) == 0 {
		t.Fatalf("queues %v, %v: the chat above rang nowhere", queues, err)
	}
	for _, queue := range queues {
		for _, kind := range []string{"chat:lookup", "chat:delivery", "lookup", "unknown", strings.Repeat("k", 10_000)} {
			for _, payload := range payloads {
				if _, err := tasks.Enqueue(asynq.NewTask(kind, []byte(payload)), asynq.Queue(queue), asynq.MaxRetry(0)); err != nil {
					t.Fatalf("%q: %v", kind, err)
				}
			}
		}
	}
	w.work()
	if p := w.ends(contract.OutcomeNameNoMatch); p.Chat.Id.String() != chat {
		t.Errorf("the waiting chat: %+v", p)
	}
	w.chat(livesupportitest.Visitor{Email: maya})
	w.ends(contract.OutcomeNameShown)
	if ids := chatIDs(t.Context(), w); len(ids) != 2 {
		t.Errorf("%d chats, want 2", len(ids))
	}
	if log := w.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "drop table") {
		t.Error("a payload was read, or a worker panicked")
	}
}
