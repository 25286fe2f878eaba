package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"
)

// Whoever guesses passwords and codes is slowed down in three ways: what comes from one address, what one address
// tries with one account, and what strangers try with one account together. The last is wide, so that an account can
// be slowed down by others, but not locked. A right answer forgets what was tried with the account before.
//
// Every verb that takes a secret from outside a session asks guess before it looks at the secret, known account or
// not, and tells guessed how it went. Nothing here depends on whether an account exists.
const (
	addressPer = 10 * time.Minute // Limits.AddressTries

	pairTries = 25 // a fifth at once, then one in 90 s
	pairPer   = 30 * time.Minute

	accountTries = 100 // a fifth at once, then one in 45 s
	accountPer   = time.Hour
)

// guess lets one try pass, or says when the next one may come. about is what is tried: an account's folded address,
// or a link's hash.
func (h *Hub) guess(ctx context.Context, verb, about string) error {
	address := addressBlock(OriginOf(ctx).Address)
	pair, account := guessKeys(verb, about, address)
	if err := h.limit(ctx, verb+"/from/"+address, h.Limits.AddressTries, addressPer); err != nil {
		return err
	}
	if err := h.limit(ctx, pair, pairTries, pairPer); err != nil {
		return err
	}
	return h.limit(ctx, account, accountTries, accountPer)
}

// guessed notes how a try ended, and logs whose it was: the zero ID stands for an account that does not exist, whose
// address is nobody's business.
func (h *Hub) guessed(ctx context.Context, verb, about string, user ID, right bool) {
	h.Log.InfoContext(ctx, "secret tried", "kind", verb, "right", right, "user", user, "client", OriginOf(ctx).Address)
	if right {
		h.forgive(ctx, verb, about)
	}
}

// forgive forgets what was tried.
func (h *Hub) forgive(ctx context.Context, verb, about string) {
	pair, account := guessKeys(verb, about, addressBlock(OriginOf(ctx).Address))
	h.Meter.Forget(ctx, pair)
	h.Meter.Forget(ctx, account)
}

// guessKeys name what is counted. What is tried is hashed: addresses of people do not belong in Redis.
func guessKeys(verb, about, address string) (pair, account string) {
	sum := sha256.Sum256([]byte(verb + "\x00" + about))
	account = verb + "/" + hex.EncodeToString(sum[:12])
	return account + "/from/" + address, account
}

// limit counts one try of so many in any stretch as long as per.
func (h *Hub) limit(ctx context.Context, key string, tries int, per time.Duration) error {
	wait, ok := h.Meter.Take(ctx, key, tries, per, 0)
	if ok {
		return nil
	}
	return &Error{
		Code: CodeTooMany, RetryAfter: wait,
		Message: "That was tried too often. Wait " + soon(wait) + " and try again.",
	}
}

// evenTime is what an answer takes that must not tell by its time whether an account exists, and whose work does not
// hide that: a mail more is about a millisecond, which can be measured from afar.
const evenTime = 50 * time.Millisecond

// evenly waits until evenTime is over since work began.
func evenly(ctx context.Context, began time.Time) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(began.Add(evenTime))):
	}
}

// soon writes a wait as people say it, never too short.
func soon(d time.Duration) string {
	if d > time.Minute {
		return inWords(d.Truncate(time.Minute) + time.Minute)
	}
	return inWords(d.Truncate(time.Second) + time.Second)
}

// LimitCalls counts one call of the API by an actor's tenant.
func (h *Hub) LimitCalls(ctx context.Context, a Actor) error {
	wait, ok := h.Meter.Take(ctx, "api/"+a.TenantID.String(), h.Limits.CallsPerMinute, time.Minute, 0)
	if ok {
		return nil
	}
	return &Error{
		Code: CodeTooMany, RetryAfter: wait,
		Message: "Your tenant calls the API too often. Wait " + soon(wait) + ", and then call less often.",
	}
}

// addressBlock is what one party is likely to have to itself: an IPv4 /24, an IPv6 /64.
func addressBlock(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	block, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return block.String()
}
