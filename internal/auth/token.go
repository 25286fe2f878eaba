package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
)

const (
	// The prefixes let secret scanners recognise tokens.
	refreshPrefix = "scr_"
	linkPrefix    = "scl_"
	opaqueBits    = 256
	minBits       = 128
	maxBits       = 4096
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

var errTokenBits = errors.New("random token: ask for 128 to 4096 bits")

// NewRefreshToken makes an opaque refresh token of 256 random bits, "scr_" and
// 43 base62 characters, and the hash under which to store it.
func NewRefreshToken() (token string, hash [32]byte, err error) { return opaque(refreshPrefix) }

// NewLinkToken makes the token of a link in a mail, "scl_" and 43 base62
// characters, and the hash under which to store it.
func NewLinkToken() (token string, hash [32]byte, err error) { return opaque(linkPrefix) }

func opaque(prefix string) (token string, hash [32]byte, err error) {
	random, err := RandomToken(opaqueBits)
	if err != nil {
		return "", hash, err
	}
	token = prefix + random
	return token, HashToken(token), nil
}

// HashToken is the SHA-256 of a token's text. Tokens are random and long, so a
// plain hash can't be reversed, and equal tokens can be looked up by it.
func HashToken(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// RandomToken makes a text of at least the given number of random bits from the
// base62 alphabet, fit for URLs and headers: 128 bits are 22 characters, 256 are
// 43, 285 are 48. It refuses fewer than 128 bits.
func RandomToken(bits int) (string, error) {
	if bits < minBits || bits > maxBits {
		return "", errTokenBits
	}
	length := int(math.Ceil(float64(bits) / math.Log2(float64(len(base62)))))
	var out strings.Builder
	out.Grow(length)
	buf := make([]byte, length)
	for {
		if _, err := rand.Read(buf); err != nil {
			return "", fmt.Errorf("random token: %w", err)
		}
		for _, b := range buf {
			// 248 is the largest multiple of 62 in a byte: the bytes above
			// would make the first letters likelier.
			if b >= 248 {
				continue
			}
			out.WriteByte(base62[b%62])
			if out.Len() == length {
				return out.String(), nil
			}
		}
	}
}
