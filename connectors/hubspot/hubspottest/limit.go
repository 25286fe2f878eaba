package hubspottest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The limits [doc].
const (
	window       = 10 * time.Second
	keyBurst     = 100     // of service keys and static tokens on the small plans
	oauthBurst   = 110     // of an app at each account that installed it
	keyDaily     = 250_000 // OAuth has none
	searchSecond = 5       // for the whole account, apart from the others
)

// Policies that a 429 names [doc].
const (
	PolicyTenSeconds = "TEN_SECONDLY_ROLLING"
	PolicySecond     = "SECONDLY"
	PolicyDaily      = "DAILY"
)

// day counts the calls until midnight of the account's time zone [doc].
type day struct {
	date  string
	calls int
}

func (d *day) take(now time.Time, zone string, limit int) (left int) {
	if where, err := time.LoadLocation(zone); err == nil {
		now = now.In(where)
	}
	if today := now.Format(time.DateOnly); d.date != today {
		d.date, d.calls = today, 0
	}
	d.calls++
	return limit - d.calls
}

// counter counts calls in a rolling stretch of time.
type counter struct{ calls []time.Time }

// take counts one call and says how many of the limit are left then; negative = refused. Refused calls count [doc].
func (c *counter) take(now time.Time, limit int, per time.Duration) (left int) {
	recent := c.calls[:0]
	for _, at := range c.calls {
		if now.Sub(at) < per {
			recent = append(recent, at)
		}
	}
	c.calls = append(recent, now)
	return limit - len(c.calls)
}

// allow counts a call against the limits and refuses it with a 429 when one is used up. The caller holds mu.
func (s *Server) allow(w http.ResponseWriter, r *http.Request, c *credential) bool {
	now := s.now()
	if strings.HasSuffix(r.URL.Path, "/search") { // no headers [doc]
		if s.world.searches.take(now, searchSecond, time.Second) < 0 {
			tooMany(w, PolicySecond, 0)
			return false
		}
		return true
	}
	most, left := c.burst(s.options), c.counter.take(now, c.burst(s.options), window)
	header := w.Header()
	header.Set("X-Hubspot-Ratelimit-Max", strconv.Itoa(most))
	header.Set("X-Hubspot-Ratelimit-Remaining", strconv.Itoa(max(left, 0)))
	header.Set("X-Hubspot-Ratelimit-Interval-Milliseconds", strconv.Itoa(int(window.Milliseconds())))
	if c.grant == nil { // not for OAuth [doc]
		daily := s.options.Daily
		if daily == 0 {
			daily = keyDaily
		}
		rest := s.world.today.take(now, s.world.account.TimeZone, daily)
		header.Set("X-Hubspot-Ratelimit-Daily", strconv.Itoa(daily))
		header.Set("X-Hubspot-Ratelimit-Daily-Remaining", strconv.Itoa(max(rest, 0)))
		if rest < 0 {
			tooMany(w, PolicyDaily, 0)
			return false
		}
	}
	if left < 0 {
		tooMany(w, PolicyTenSeconds, 0)
		return false
	}
	return true
}

// tooMany is a 429 with or without Retry-After, which is documented for other callers only [doc].
func tooMany(w http.ResponseWriter, policy string, retryAfter time.Duration) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	id := correlate(w)
	write(w, http.StatusTooManyRequests, map[string]string{
		"status": "error", "message": "You have reached your " + strings.ToLower(policy) + " limit.", "errorType": "RATE_LIMIT",
		"correlationId": id, "policyName": policy, "requestId": id,
	})
}
