// Package servertest starts real, private servers for tests, benchmarks and the chaos program: PostgreSQL, Redis,
// MariaDB, and a TCP proxy that breaks connections on command. It also finds the browser.
//
// It refuses to skip: a test that needs a server which is not installed fails, with the sentence that says what to
// install. It never talks to a server that it, or the make target, did not start, and whatever it started ends and is
// removed with the process, even with one that is killed.
package servertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// PostgresURLVariable names the environment variable that holds the superuser's URL of a cluster which the test
// binaries of one run share. Without it each test binary starts its own.
const PostgresURLVariable = "SIDECARD_TEST_POSTGRES_URL"

// startTimeout is what a server may take until it answers, on a machine that is busy compiling.
const startTimeout = 60 * time.Second

var errNoChromium = errors.New("chromium is not installed: apt-get install chromium")

// Postgres returns the run's private cluster: the one that PostgresURLVariable names, or one of this process's own,
// started at first use and ended when the process ends. Data is not synced to disk.
func Postgres(tb testing.TB) *Cluster {
	tb.Helper()
	cluster, err := sharedCluster()
	if err != nil {
		tb.Fatalf("a private PostgreSQL is needed: %v", err)
	}
	return cluster
}

var sharedCluster = sync.OnceValues(func() (*Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if named := os.Getenv(PostgresURLVariable); named != "" {
		return openCluster(ctx, named)
	}
	server, err := StartPostgres(ctx, PostgresOptions{})
	if err != nil {
		return nil, err
	}
	return server.cluster()
})

func openCluster(ctx context.Context, named string) (*Cluster, error) {
	u, err := url.Parse(named)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", PostgresURLVariable)
	}
	cluster := &Cluster{superuser: u}
	if err := cluster.exec(ctx, "select 1"); err != nil {
		return nil, fmt.Errorf("reach the cluster named by %s: %w", PostgresURLVariable, err)
	}
	return cluster, nil
}

// Redis starts a private Redis server that is empty, keeps nothing on disk, and ends with the test.
func Redis(tb testing.TB) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	server, err := StartRedis(ctx, RedisOptions{})
	if err != nil {
		tb.Fatalf("a private Redis is needed: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("stop Redis: %v", err)
		}
	})
	return server
}

// Chromium returns the path of the browser for browser tests.
func Chromium(tb testing.TB) string {
	tb.Helper()
	path, err := findChromium()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
