package hub

import (
	"context"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"sidecard/internal/auth"
)

// deskCache remembers desks by their callback token, so that a notification costs no query. An entry
// lives some seconds; a signature that does not fit is checked against a fresh desk before it is refused
// (chat.go), so age can only keep an old secret alive a little longer.
type deskCache struct {
	entries *expirable.LRU[[32]byte, *cachedDesk]
}

const (
	desksRemembered = 20_000
	deskMemory      = 5 * time.Second
)

func newDeskCache() *deskCache {
	return &deskCache{expirable.NewLRU[[32]byte, *cachedDesk](desksRemembered, nil, deskMemory)}
}

// cachedDesk is a desk with its secrets opened.
type cachedDesk struct {
	Desk
	secret, previous []byte
	fresh            bool // read for this very request
}

// secrets are the ones that are valid at a time.
func (d *cachedDesk) secrets(now time.Time) [][]byte {
	var all [][]byte
	if len(d.secret) > 0 {
		all = append(all, d.secret)
	}
	if len(d.previous) > 0 && now.Before(d.PreviousSecretUntil) {
		all = append(all, d.previous)
	}
	return all
}

func (c *deskCache) find(ctx context.Context, h *Hub, token string) (*cachedDesk, error) {
	hash := auth.HashToken(token)
	if d, ok := c.entries.Get(hash); ok {
		remembered := *d
		return &remembered, nil
	}
	d := &cachedDesk{Desk: Desk{TokenHash: hash}}
	return d, c.reload(ctx, h, d)
}

// reload reads the desk anew, into d and into the cache.
func (c *deskCache) reload(ctx context.Context, h *Hub, d *cachedDesk) error {
	desk, err := h.Store.DeskByToken(ctx, d.TokenHash)
	if err != nil {
		return err
	}
	read := cachedDesk{Desk: desk}
	if read.secret, err = h.open(ctx, deskRef(desk, "secret"), desk.SecretSealed); err != nil {
		return err
	}
	if read.previous, err = h.open(ctx, deskRef(desk, "previous_secret"), desk.PreviousSecretSealed); err != nil {
		return err
	}
	kept := read
	c.entries.Add(desk.TokenHash, &kept)
	read.fresh = true
	*d = read
	return nil
}

func (c *deskCache) forget(hash [32]byte) { c.entries.Remove(hash) }
