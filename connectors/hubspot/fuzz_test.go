package hubspot

import (
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The wait is the one that HubSpot asks for, told here by arithmetic without bounds, and never more than maxWait.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 22, 14, 5, 31, 0, time.UTC)
	f.Add("120", int64(10))
	f.Add(" 86400\t", int64(3601))
	f.Add("99999999999999999999", int64(1<<62))
	f.Add("-5", int64(0))
	f.Add("1.5", int64(-1<<63))
	f.Add("\u0663", int64(86399))
	f.Fuzz(func(t *testing.T, header string, ahead int64) {
		text, want := strings.TrimSpace(header), time.Duration(0)
		if seconds, ok := new(big.Int).SetString(text, 10); ok && !strings.ContainsAny(text, "+-") {
			want = maxWait
			if seconds.Cmp(big.NewInt(int64(maxWait/time.Second))) < 0 {
				want = time.Duration(seconds.Int64()) * time.Second
			}
		} else if at, err := http.ParseTime(text); err == nil {
			want = min(max(at.Sub(now), 0), maxWait)
		}
		if got := retryAfter(header, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", header, got, want)
		}
		ahead %= 5_000_000_000 // 158 years, well within a time.Duration
		date := now.Add(time.Duration(ahead) * time.Second)
		if got, want := retryAfter(date.Format(http.TimeFormat), now), min(max(date.Sub(now), 0), maxWait); got != want {
			t.Errorf("%s is %v ahead, want %v", date, got, want)
		}
	})
}
