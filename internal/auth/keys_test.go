package auth

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestKeysChangeWhileTokensAreIssuedAndVerified(t *testing.T) {
	t.Parallel()
	old, next := rfcKey(t), freshKey(t)
	tokens := tokensAt(t, noon, old)
	before := issue(t, tokens, someone, time.Minute)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 200 {
				if _, err := tokens.VerifyAccess(issue(t, tokens, someone, time.Minute)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 50 {
		for _, keys := range [][]Key{{old, next}, {next, old}} {
			if err := tokens.Use(keys...); err != nil {
				t.Fatal(err)
			}
		}
	}
	callers.Wait()
	if _, err := tokens.VerifyAccess(before); err != nil {
		t.Errorf("the key before: %v", err)
	}
	if err := tokens.Use(next); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.VerifyAccess(before); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("a key that was dropped: %v, want ErrTokenInvalid", err)
	}
}

func TestRefusedKeysLeaveTheOldOnesInUse(t *testing.T) {
	t.Parallel()
	tokens := tokensAt(t, noon)
	if tokens.Use() == nil || tokens.Use(Key{ID: "x"}) == nil || tokens.Use(freshKey(t), Key{ID: "x"}) == nil {
		t.Error("bad keys were taken")
	}
	if _, err := tokens.VerifyAccess(issue(t, tokens, someone, time.Minute)); err != nil {
		t.Error(err)
	}
}

// The public key is the one of RFC 8037, appendix A.2.
func TestJWKSHoldsAllPublicKeysAndNothingSecret(t *testing.T) {
	t.Parallel()
	first, second := rfcKey(t), freshKey(t)
	text := tokensAt(t, noon, first, second, first).JWKS()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 2 {
		t.Fatalf("%d keys, want 2: %s", len(set.Keys), text)
	}
	want := map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		"kid": first.ID, "use": "sig", "alg": "EdDSA",
	}
	for name, value := range want {
		if set.Keys[0][name] != value {
			t.Errorf("%s is %q, want %q", name, set.Keys[0][name], value)
		}
	}
	for i, key := range set.Keys {
		if _, private := key["d"]; private || len(key) != len(want) {
			t.Errorf("key %d has members that it must not have: %s", i, text)
		}
	}
	if set.Keys[1]["kid"] != second.ID || strings.Contains(string(text), "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A") {
		t.Errorf("wrong: %s", text)
	}
}

func freshKey(t testing.TB) Key {
	t.Helper()
	k, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}
