package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// The key and its thumbprint are those of RFC 8037, appendix A.
func TestKeyIDIsTheThumbprint(t *testing.T) {
	t.Parallel()
	k := rfcKey(t)
	if k.ID != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("id %s", k.ID)
	}
	again, err := ParseKey(k.Seed())
	if err != nil || again.ID != k.ID || !again.Private.Equal(k.Private) {
		t.Errorf("parsed %v, %v", again, err)
	}
}

func rfcKey(t testing.TB) Key {
	t.Helper()
	seed, err := base64.RawURLEncoding.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNewKeysDiffer(t *testing.T) {
	t.Parallel()
	a, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSigningKey()
	if err != nil || a.ID == b.ID || bytes.Equal(a.Seed(), b.Seed()) {
		t.Errorf("two new keys are alike (%v)", err)
	}
}

func TestSeedOfOtherLengthIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 31, 33, 64} {
		if _, err := ParseKey(make([]byte, n)); err == nil {
			t.Errorf("a seed of %d bytes was accepted", n)
		}
	}
	if (Key{}).Seed() != nil {
		t.Error("the zero key has a seed")
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	k := rfcKey(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k)
	outs := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		outs = append(outs, fmt.Sprintf(verb, k), fmt.Sprintf(verb, &k), fmt.Sprintf(verb, []Key{k}))
	}
	for _, out := range outs {
		if !strings.Contains(out, k.ID) {
			t.Errorf("%s does not name the key", out)
		}
		for _, secret := range []string{"nWGxne", "9d61b1", "157 97 177"} {
			if strings.Contains(out, secret) {
				t.Errorf("the seed is printed")
			}
		}
	}
	if out, err := json.Marshal(k); err == nil {
		t.Errorf("written as JSON: %s", out)
	}
}
