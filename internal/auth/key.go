package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// Key signs access tokens with Ed25519. ID is the thumbprint of its public half
// (RFC 7638, for OKP keys RFC 8037) and stands in the header of each token. A Key
// prints as its ID alone.
type Key struct {
	ID      string
	Private ed25519.PrivateKey
}

var (
	_ fmt.Formatter  = Key{}
	_ slog.LogValuer = Key{}
)

// NewSigningKey makes a key.
func NewSigningKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("new signing key: %w", err)
	}
	return newKey(private), nil
}

// ParseKey makes the key of a seed that [Key.Seed] returned, 32 bytes.
func ParseKey(seed []byte) (Key, error) {
	if len(seed) != ed25519.SeedSize {
		return Key{}, fmt.Errorf("signing key: a seed has %d bytes, not %d", ed25519.SeedSize, len(seed))
	}
	return newKey(ed25519.NewKeyFromSeed(seed)), nil
}

// Seed returns the 32 secret bytes that make the key, to be sealed and stored.
// A key that was not made by this package has none.
func (k Key) Seed() []byte {
	if len(k.Private) != ed25519.PrivateKeySize {
		return nil
	}
	return k.Private.Seed()
}

// Format implements [fmt.Formatter] for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "signing key "+k.ID) }

// LogValue implements [slog.LogValuer].
func (k Key) LogValue() slog.Value { return slog.StringValue("signing key " + k.ID) }

// MarshalJSON refuses: a key is stored by its sealed seed.
func (k Key) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("signing key %s is not written as JSON", k.ID)
}

func newKey(private ed25519.PrivateKey) Key {
	return Key{ID: thumbprint(public(private)), Private: private}
}

func public(private ed25519.PrivateKey) ed25519.PublicKey {
	return private.Public().(ed25519.PublicKey)
}

// thumbprint hashes the members that RFC 8037 requires, in the order and form of
// RFC 7638.
func thumbprint(key ed25519.PublicKey) string {
	jwk := `{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(key) + `"}`
	sum := sha256.Sum256([]byte(jwk))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
