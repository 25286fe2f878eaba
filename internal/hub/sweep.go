package hub

import (
	"context"
	"time"
)

// Sweep makes chats ready again whose worker died or whose next try is due. Any process may sweep at any
// time; Swept.Next says when it is worth doing again.
func (h *Hub) Sweep(ctx context.Context, r SweepRequest) (Swept, error) {
	r.Lease = h.Limits.Lease
	return h.Store.Sweep(ctx, r)
}

// LetGo of a chat whose lease was lost, once nothing more will be done for it.
func (h *Hub) LetGo(ctx context.Context, hold Hold) (Grip, error) { return h.Store.LetGo(ctx, hold) }

// Claim takes the next fair batch of a lane, for Carry.
func (h *Hub) Claim(ctx context.Context, r ClaimRequest) ([]Claimed, error) {
	r.Lease = h.Limits.Lease
	return h.Store.Claim(ctx, r)
}

// Extend renews the leases of chats that take long, and returns those that are still held.
func (h *Hub) Extend(ctx context.Context, holds []Hold) ([]ID, error) {
	return h.Store.Extend(ctx, holds, h.Limits.Lease)
}

// Lease is how long a claim lasts.
func (h *Hub) Lease() time.Duration { return h.Limits.Lease }

// Ready says whether the hub can work.
func (h *Hub) Ready(ctx context.Context) error { return h.Store.Ping(ctx) }
