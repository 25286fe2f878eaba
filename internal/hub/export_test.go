package hub

import "context"

// OverQuota tells what a worker finds out before it looks a chat up.
func (h *Hub) OverQuota(ctx context.Context, t Tenant, chat ID) bool {
	return h.overQuota(ctx, t, chat)
}
