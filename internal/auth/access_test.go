package auth

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	testIssuer   = "https://sidecard.example"
	testAudience = "sidecard-api"
)

var noon = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

var someone = Claims{Subject: "u1", Tenant: "t1", Role: "owner", Session: "s1", ID: "j1"}

// tokensAt uses the key of RFC 8037 and a clock that stands still.
func tokensAt(t testing.TB, now time.Time, keys ...Key) *Tokens {
	t.Helper()
	if len(keys) == 0 {
		keys = []Key{rfcKey(t)}
	}
	tokens, err := NewTokens(testIssuer, testAudience, func() time.Time { return now }, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func issue(t testing.TB, tokens *Tokens, c Claims, ttl time.Duration) string {
	t.Helper()
	raw, err := tokens.IssueAccess(c, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAccessTokenSaysWhatWasPutIn(t *testing.T) {
	t.Parallel()
	tokens := tokensAt(t, noon.Add(700*time.Millisecond))
	got, err := tokens.VerifyAccess(issue(t, tokens, someone, 10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want := someone
	want.IssuedAt, want.ExpiresAt = noon, noon.Add(10*time.Minute)
	if got != want {
		t.Errorf("said %+v, want %+v", got, want)
	}
	c := someone
	c.ID = ""
	first, err := tokens.VerifyAccess(issue(t, tokens, c, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	second, err := tokens.VerifyAccess(issue(t, tokens, c, time.Minute))
	if err != nil || len(first.ID) != 36 || first.ID == second.ID {
		t.Errorf("ids %q and %q (%v), want two UUIDs", first.ID, second.ID, err)
	}
}

func TestAccessTokenExpires(t *testing.T) {
	t.Parallel()
	raw := issue(t, tokensAt(t, noon), someone, 10*time.Minute)
	for at, want := range map[time.Duration]error{
		-31 * time.Second:               ErrTokenInvalid, // issued in the future
		-30 * time.Second:               nil,
		0:                               nil,
		10*time.Minute + 29*time.Second: nil,
		10*time.Minute + 30*time.Second: ErrTokenExpired,
		time.Hour:                       ErrTokenExpired,
	} {
		got, err := tokensAt(t, noon.Add(at)).VerifyAccess(raw)
		if !errors.Is(err, want) || err != nil && got != (Claims{}) {
			t.Errorf("after %v: %+v, %v, want %v", at, got, err, want)
		}
	}
}

// A token that is old and also wrong is wrong: only one that was good is expired.
func TestOldForgeryIsInvalidNotExpired(t *testing.T) {
	t.Parallel()
	late := tokensAt(t, noon.Add(time.Hour))
	forger := newForger(t)
	for name, raw := range map[string]string{
		"other audience": forger.claims("aud", `"other"`),
		"other issuer":   forger.claims("iss", `"other"`),
		"no tenant":      forger.claims("tid", ""),
		"other key":      issue(t, tokensAt(t, noon, strangerKey(t)), someone, time.Minute),
		"other type":     forger.header("typ", `"JWT"`),
		"no iat":         forger.claims("iat", ""),
		"text for nbf":   forger.claims("nbf", `"soon"`),
	} {
		if _, err := late.VerifyAccess(raw); !errors.Is(err, ErrTokenInvalid) || errors.Is(err, ErrTokenExpired) {
			t.Errorf("%s: %v, want ErrTokenInvalid", name, err)
		}
	}
}

func strangerKey(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey([]byte(strings.Repeat("s", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFirstKeySignsAndAllVerify(t *testing.T) {
	t.Parallel()
	before, after := rfcKey(t), strangerKey(t)
	old := tokensAt(t, noon, before)
	rotating := tokensAt(t, noon, after, before)
	if _, err := rotating.VerifyAccess(issue(t, old, someone, time.Minute)); err != nil {
		t.Errorf("the old key's token: %v", err)
	}
	fresh := issue(t, rotating, someone, time.Minute)
	if _, err := rotating.VerifyAccess(fresh); err != nil {
		t.Errorf("the new key's token: %v", err)
	}
	if _, err := old.VerifyAccess(fresh); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("a key not known yet: %v, want ErrTokenInvalid", err)
	}
}

func TestNewTokensRefusesWhatCanNotWork(t *testing.T) {
	t.Parallel()
	key := rfcKey(t)
	renamed := Key{ID: "../../key", Private: key.Private}
	for name, build := range map[string]func() (*Tokens, error){
		"no issuer":   func() (*Tokens, error) { return NewTokens("", testAudience, nil, key) },
		"no audience": func() (*Tokens, error) { return NewTokens(testIssuer, "", nil, key) },
		"no key":      func() (*Tokens, error) { return NewTokens(testIssuer, testAudience, nil) },
		"zero key":    func() (*Tokens, error) { return NewTokens(testIssuer, testAudience, nil, Key{}) },
		"other id":    func() (*Tokens, error) { return NewTokens(testIssuer, testAudience, nil, key, renamed) },
	} {
		if tokens, err := build(); err == nil || tokens != nil {
			t.Errorf("%s: accepted", name)
		}
	}
	tokens, err := NewTokens(testIssuer, testAudience, nil, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.VerifyAccess(issue(t, tokens, someone, time.Minute)); err != nil {
		t.Errorf("with the machine's clock: %v", err)
	}
}

func TestIncompleteClaimsAreNotIssued(t *testing.T) {
	t.Parallel()
	tokens := tokensAt(t, noon)
	for _, spoil := range []func(*Claims){
		func(c *Claims) { c.Subject = "" }, func(c *Claims) { c.Tenant = "" },
		func(c *Claims) { c.Role = "" }, func(c *Claims) { c.Session = "" },
		func(c *Claims) { c.Subject = strings.Repeat("x", maxTokenBytes) },
	} {
		c := someone
		spoil(&c)
		if raw, err := tokens.IssueAccess(c, time.Minute); err == nil || raw != "" {
			t.Errorf("issued for a subject of %d bytes, tenant %q, role %q, session %q", len(c.Subject), c.Tenant, c.Role, c.Session)
		}
	}
	for _, ttl := range []time.Duration{0, -time.Minute, time.Millisecond} {
		if _, err := tokens.IssueAccess(someone, ttl); err == nil {
			t.Errorf("issued for %v", ttl)
		}
	}
}
