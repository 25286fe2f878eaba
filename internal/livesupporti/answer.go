package livesupporti

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter caps what a Retry-After header can ask for.
const maxRetryAfter = time.Hour

// Answer is what LiveSupporti said to one request.
type Answer struct {
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// RetryAfter is the wait that the answer asked for, 0 when it asked for
	// none.
	RetryAfter time.Duration
	// Excerpt is the beginning of the answer's body as one line of at most 300
	// bytes of valid UTF-8, without control characters and without the
	// credentials that were sent. It may repeat what was said about the
	// visitor: keep it as carefully as the details.
	Excerpt string
	// Took is the time from the call until the status arrived, or until it was
	// clear that none would.
	Took time.Duration
}

// Verdict says what an answer means for the delivery.
type Verdict int

// The verdicts. Their zero value is Retry, which is right for no answer.
const (
	// Retry: LiveSupporti was unable just now; the same bytes may do later.
	Retry Verdict = iota
	// Accepted: the details are shown.
	Accepted
	// Refused: these bytes will never be accepted.
	Refused
	// Unauthorized: LiveSupporti does not accept the e-mail and API key.
	Unauthorized
	// Throttled: too many requests; wait for Answer.RetryAfter.
	Throttled
)

// String returns the verdict as one lower-case word.
func (v Verdict) String() string {
	switch v {
	case Retry:
		return "retry"
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	case Unauthorized:
		return "unauthorized"
	case Throttled:
		return "throttled"
	default:
		return "verdict " + strconv.Itoa(int(v))
	}
}

// Verdict classifies the answer by its status. A redirect is Refused: the base
// URL is wrong or something poses as LiveSupporti, and neither is followed.
// LiveSupporti documents 200 and 400 only; the rest is the meaning in HTTP.
func (a Answer) Verdict() Verdict {
	switch {
	case a.Status >= 200 && a.Status <= 299:
		return Accepted
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return Unauthorized
	case a.Status == http.StatusTooManyRequests:
		return Throttled
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly:
		return Retry
	case a.Status >= 300 && a.Status <= 499:
		return Refused
	default:
		return Retry
	}
}

// ParseRetryAfter reads a Retry-After header (RFC 9110, section 10.2.3): whole
// seconds, or an HTTP date, which is taken relative to now. Whatever makes no
// sense, is negative or lies in the past is 0; the most is one hour.
func ParseRetryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.ParseInt(v, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
