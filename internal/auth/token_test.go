package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func TestRefreshTokenIsOpaqueAndHashed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		token, hash, err := NewRefreshToken()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(token, "scr_") || len(token) != 47 || strings.Trim(token[4:], base62) != "" {
			t.Fatalf("a token of %d characters has another form", len(token))
		}
		if hash != sha256.Sum256([]byte(token)) || hash != HashToken(token) || seen[token] {
			t.Fatal("the hash is not of the token, or the token is not new")
		}
		seen[token] = true
	}
}

func TestHashTokenIsStable(t *testing.T) {
	t.Parallel()
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if h := HashToken("abc"); hex.EncodeToString(h[:]) != want {
		t.Errorf("hash %x, want SHA-256", h)
	}
}

func TestRandomTokenHoldsTheBitsAskedFor(t *testing.T) {
	t.Parallel()
	for bits, length := range map[int]int{128: 22, 160: 27, 256: 43, 285: 48, 4096: 688} {
		token, err := RandomToken(bits)
		if err != nil || len(token) != length || strings.Trim(token, base62) != "" {
			t.Errorf("%d bits: %d characters, %v, want %d of base62", bits, len(token), err, length)
		}
	}
	for _, bits := range []int{-1, 0, 64, 127, 4097, 1 << 30} {
		if token, err := RandomToken(bits); err == nil || token != "" {
			t.Errorf("%d bits were accepted", bits)
		}
	}
}

// A random byte modulo 62 would favour the first eight letters by a quarter. Of
// 620,000 letters they are 80,000 with a deviation of 264.
func TestRandomTokenFavoursNoLetter(t *testing.T) {
	t.Parallel()
	total, early := 0, 0
	for total < 620_000 {
		token, err := RandomToken(4096)
		if err != nil {
			t.Fatal(err)
		}
		total += len(token)
		for _, r := range token {
			if strings.ContainsRune(base62[:8], r) {
				early++
			}
		}
	}
	if share := early * 620_000 / total; share < 78_000 || share > 82_000 {
		t.Errorf("the first eight letters came %d times, want about 80000", share)
	}
}
