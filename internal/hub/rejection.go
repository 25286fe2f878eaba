package hub

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// rejectionFixes says what to do about a refused request.
var rejectionFixes = map[Code]string{
	CodeUnsigned:        "Put the secret into the WebHook in LiveSupporti, or let this desk accept unsigned requests.",
	CodeSignature:       "Copy the secret from here into the WebHook in LiveSupporti again, or make a new one and put it in both places.",
	CodeBadSignature:    "Something between LiveSupporti and Sidecard changes the request. Look at proxies and firewalls.",
	CodeBadNotification: "If this came from LiveSupporti, tell us: its format may have changed.",
	CodeTooLarge:        "If this came from LiveSupporti, tell us: its format may have changed.",
}

// refusedLimit bounds how many rejections are stored for a tenant: a flood of bad requests must not
// become a flood of writes. What is over the limit is refused all the same, only not listed.
type refusedLimit struct {
	tenants *lru.Cache[ID, *rate.Limiter]
}

func newRefusedLimit() *refusedLimit {
	c, err := lru.New[ID, *rate.Limiter](10_000)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &refusedLimit{c}
}

func (l *refusedLimit) allow(tenant ID, now time.Time) bool {
	limiter, ok := l.tenants.Get(tenant)
	if !ok {
		limiter = rate.NewLimiter(5, 20)
		l.tenants.Add(tenant, limiter)
	}
	return limiter.AllowN(now, 1)
}

// reject keeps a refused request for the tenant to see, and gives the error for whoever sent it.
func (h *Hub) reject(ctx context.Context, desk *cachedDesk, in Incoming, code Code, reason string) error {
	refusal := fail(code, reason)
	if !h.refused.allow(desk.TenantID, h.Now()) {
		return refusal
	}
	r := Rejection{ID: NewID(), At: h.Now(), Code: code, Reason: reason, Bytes: in.Bytes, Headers: in.Headers}
	if !in.TooLarge {
		sum := sha256.Sum256(in.Body)
		r.BodySHA256 = sum[:]
	}
	if err := h.Store.Tenant(desk.TenantID).AddRejection(ctx, r, h.Limits.KeepRejections); err != nil {
		h.Log.WarnContext(ctx, "rejection not kept", "tenant", desk.TenantID, "code", code, "error", err)
	}
	return refusal
}
