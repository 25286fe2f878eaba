// Package embedded runs Sidecard in one process with nothing installed: SQLite in a file, Redis in memory and
// a mailbox in place of a mail server, behind the same program as production. It is for the first minutes,
// demonstrations and tests; cmd/api and cmd/worker never link it.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sidecard/internal/app"
	"sidecard/internal/mail"
	"sidecard/internal/queue"
	"sidecard/internal/store/sqlite"
	"sidecard/internal/vault"
)

// Open opens the backends over a folder, which it makes when it is not there.
func Open(ctx context.Context, dir string, log *slog.Logger) (app.Backends, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return app.Backends{}, fmt.Errorf("make data folder: %w", err)
	}
	s, err := sqlite.Open(ctx, filepath.Join(dir, "sidecard.db"), log)
	if err != nil {
		return app.Backends{}, err
	}
	r, err := miniredis.Run()
	if err != nil {
		s.Close()
		return app.Backends{}, fmt.Errorf("start in-process redis: %w", err)
	}
	client, err := queue.Client("redis://" + r.Addr())
	if err != nil {
		return app.Backends{}, err
	}
	age, stop := context.WithCancel(context.WithoutCancel(ctx))
	go ageKeys(age, r)
	return app.Backends{Store: s, Redis: client, Mailbox: mail.NewMailbox(), Close: func() {
		stop()
		_ = client.Close()
		r.Close()
		s.Close()
	}}, nil
}

// ageKeys lets time-outs in the in-process Redis pass, which does not age keys by itself.
func ageKeys(ctx context.Context, r *miniredis.Miniredis) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.FastForward(now.Sub(last))
			last = now
		}
	}
}

// MasterKey reads the folder's master key, making one at the first start.
func MasterKey(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make data folder: %w", err)
	}
	path := filepath.Join(dir, "master.key")
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read master key: %w", err)
	}
	key, err := vault.NewKey()
	if err != nil {
		return "", err
	}
	return key, os.WriteFile(path, []byte(key+"\n"), 0o600)
}
