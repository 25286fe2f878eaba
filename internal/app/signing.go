package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/hub"
)

// keysEvery is how often a process reads the keys for access tokens. A new one signs much later.
const keysEvery = 30 * time.Second

// signing keeps the keys for access tokens as the database has them.
type signing struct {
	keys   *hub.Keyring
	tokens *auth.Tokens
	log    *slog.Logger
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// startSigning reads the keys, making the first one when there is none, and goes on reading them until close.
func startSigning(ctx context.Context, c Config, keys *hub.Keyring, log *slog.Logger) (*signing, error) {
	inUse, err := keys.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewTokens(c.PublicURL, c.PublicURL, nil, inUse...)
	if err != nil {
		return nil, err
	}
	s := &signing{keys: keys, tokens: tokens, log: log}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.watch(ctx) })
	return s, nil
}

func (s *signing) watch(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.reload(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "signing keys not read, those of before stay in use", "error", err)
			}
		}
	}
}

func (s *signing) reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keysEvery)
	defer cancel()
	keys, err := s.keys.SigningKeys(ctx)
	if err != nil {
		return err
	}
	return s.tokens.Use(keys...)
}

func (s *signing) close() {
	s.stop()
	s.done.Wait()
}

// ReadKeys reads the keys for access tokens now rather than with the next half minute.
func (a *App) ReadKeys(ctx context.Context) error { return a.signing.reload(ctx) }
