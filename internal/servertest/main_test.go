package servertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// orphanVariable turns this test binary into a process that starts servers and waits to be killed.
const orphanVariable = "SERVERTEST_ORPHAN"

func TestMain(m *testing.M) {
	if os.Getenv(orphanVariable) != "" {
		if err := becomeOrphan(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

// orphan is what such a process tells about one of its servers.
type orphan struct {
	PID    int
	Folder string
}

func becomeOrphan() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	postgres, err := StartPostgres(ctx, PostgresOptions{})
	if err != nil {
		return err
	}
	redis, err := StartRedis(ctx, RedisOptions{})
	if err != nil {
		return errors.Join(err, postgres.Stop())
	}
	err = json.NewEncoder(os.Stdout).Encode([]orphan{
		{PID: postgres.PID(), Folder: postgres.dir},
		{PID: redis.PID(), Folder: redis.dir},
	})
	if err != nil {
		return err
	}
	select {}
}

// eventually waits for what happens in another process, where no signal of ours reaches.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("did not happen within 30 s: %s", what)
		}
	}
}
