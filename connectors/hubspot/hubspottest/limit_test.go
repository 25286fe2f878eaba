package hubspottest_test

import (
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

func TestAKeyHasAHundredCallsInTenSeconds(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.spend(p.key, "100")
	if a := p.getAs(p.ServiceKey(), details); a.status != 200 {
		t.Errorf("another key: %d", a.status)
	}
}

func TestAnAppHasAHundredAndTenCallsInTenSeconds(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	tokens := p.connect()
	p.spend(tokens.Access, "110")
	refused(t, p.getAs(p.refresh(tokens.Refresh).Access, details), 429) // all tokens of a consent count together
}

// spend uses up ten seconds of a credential and checks the headers on the way.
func (p *portal) spend(token, most string) {
	p.t.Helper()
	a := p.getAs(token, details)
	if a.header.Get("X-HubSpot-RateLimit-Max") != most || a.header.Get("X-HubSpot-RateLimit-Interval-Milliseconds") != "10000" {
		p.t.Errorf("headers %v", a.header)
	}
	calls := 1
	for a.status == 200 && calls < 200 {
		if a.header.Get("X-HubSpot-RateLimit-Remaining") == "0" {
			break
		}
		a = p.getAs(token, details)
		calls++
	}
	if got := (map[string]int{"100": 100, "110": 110})[most]; calls != got {
		p.t.Errorf("%d calls, want %d", calls, got)
	}
	refused(p.t, p.getAs(token, details), 429, `"policyName":"TEN_SECONDLY_ROLLING"`, `"errorType":"RATE_LIMIT"`, "You have reached your ten_secondly_rolling limit.")
}

func TestTheWindowRollsAndRefusedCallsCount(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{Burst: 2})
	p.get(details)
	p.Advance(6 * time.Second)
	p.get(details)
	refused(t, p.get(details), 429)
	p.Advance(5 * time.Second)
	refused(t, p.get(details), 429) // the two of five seconds ago, one of them refused
	p.Advance(10 * time.Second)
	if a := p.get(details); a.status != 200 {
		t.Errorf("ten seconds later: %d", a.status)
	}
}

func TestTheDayEndsAtMidnightOfThePortal(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{Daily: 2})
	if a := p.get(details); a.header.Get("X-HubSpot-RateLimit-Daily") != "2" || a.header.Get("X-HubSpot-RateLimit-Daily-Remaining") != "1" {
		t.Errorf("headers %v", a.header)
	}
	p.getAs(p.ServiceKey(), details) // the day is the account's
	policy := `"policyName":"DAILY"`
	refused(t, p.get(details), 429, policy, "You have reached your daily limit.")
	p.advance(13 * time.Hour) // 01:00 UTC of the next day is 20:00 in US/Eastern
	refused(t, p.get(details), 429, policy)
	p.advance(4 * time.Hour)
	if a := p.get(details); a.status != 200 {
		t.Errorf("at midnight: %d", a.status)
	}
}

func TestOAuthHasNoDailyLimit(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{Daily: 1})
	access := p.connect().Access
	for range 3 {
		if a := p.getAs(access, details); a.status != 200 || a.header.Get("X-HubSpot-RateLimit-Daily") != "" {
			t.Errorf("%d %v", a.status, a.header)
		}
	}
}
