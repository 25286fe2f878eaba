package livesupporti_test

import (
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	tests := map[livesupporti.Verdict][]int{
		livesupporti.Accepted:     {200, 201, 202, 204, 299},
		livesupporti.Refused:      {300, 301, 302, 303, 304, 307, 308, 400, 402, 404, 405, 409, 410, 413, 415, 422, 451, 499},
		livesupporti.Unauthorized: {401, 403},
		livesupporti.Throttled:    {429},
		livesupporti.Retry:        {0, 101, 408, 425, 500, 501, 502, 503, 504, 599, 999},
	}
	for want, statuses := range tests {
		for _, status := range statuses {
			if got := (livesupporti.Answer{Status: status}).Verdict(); got != want {
				t.Errorf("%d is %s, want %s", status, got, want)
			}
		}
	}
}

func TestVerdictHasAWord(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(livesupporti.Retry, livesupporti.Accepted, livesupporti.Refused,
		livesupporti.Unauthorized, livesupporti.Throttled, livesupporti.Verdict(9))
	if want := "retry accepted refused unauthorized throttled verdict 9"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 5, 31, 0, time.UTC)
	tests := map[string]time.Duration{
		"":                                0,
		"0":                               0,
		"7":                               7 * time.Second,
		" 7 ":                             7 * time.Second,
		"007":                             7 * time.Second,
		"3600":                            time.Hour,
		"3601":                            time.Hour,
		"1000000000":                      time.Hour,
		"99999999999999999999999":         time.Hour,
		"-1":                              0,
		"+5":                              0,
		"1.5":                             0,
		"1e3":                             0,
		"soon":                            0,
		"5s":                              0,
		"٣":                               0,
		"Sun, 22 Nov 2026 14:05:41 GMT":   10 * time.Second,
		"Sunday, 22-Nov-26 14:05:41 GMT":  10 * time.Second,
		"Sun Nov 22 14:05:41 2026":        10 * time.Second,
		"Sun, 22 Nov 2026 14:05:21 GMT":   0,
		"Sun, 22 Nov 2027 14:05:21 GMT":   time.Hour,
		"Fri, 01 Jan 0001 00:00:00 GMT":   0,
		"Fri, 31 Dec 9999 23:59:59 GMT":   time.Hour,
		"Sun, 22 Nov 2026 14:05:41 +0000": 0,
	}
	for value, want := range tests {
		if got := livesupporti.ParseRetryAfter(value, now); got != want {
			t.Errorf("ParseRetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 22, 14, 5, 31, 0, time.UTC)
	f.Add("120")
	f.Add("99999999999999999999")
	f.Add("Sun, 22 Nov 2026 14:05:41 GMT")
	f.Add("-1")
	f.Add("3600")
	f.Add("Sun, 22 Nov 2026 15:05:31 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		var want time.Duration
		trimmed := strings.TrimSpace(value)
		if seconds, ok := new(big.Int).SetString(trimmed, 10); ok && strings.Trim(trimmed, "0123456789") == "" {
			want = time.Hour
			if seconds.Cmp(big.NewInt(3600)) < 0 {
				want = time.Duration(seconds.Int64()) * time.Second
			}
		} else if at, err := http.ParseTime(trimmed); err == nil && at.After(now) {
			want = time.Hour
			if at.Before(now.Add(time.Hour)) {
				want = at.Sub(now)
			}
		}
		if got := livesupporti.ParseRetryAfter(value, now); got != want {
			t.Errorf("ParseRetryAfter(%q) = %v, want %v", value, got, want)
		}
	})
}
