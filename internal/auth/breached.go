package auth

import (
	"crypto/sha256"
	_ "embed"
	"sort"
)

// breachedBytes is how much of each hash is kept: two of the list's hashes in 2^48 are one by chance about never.
const breachedBytes = 6

// breached holds the beginnings of the SHA-256 of passwords that breaches made known, in lower case, sorted: of Mark
// Burnett's list of ten million, the 20,000 most common of those with 12 characters or more. It is made anew by
//
//	go test ./internal/auth -run TestBreachedList -breached LIST
//
// from a list with the most common first, one a line.
//
//go:embed breached.bin
var breached string

// isBreached reports whether a password, in lower case, is on the list.
func isBreached(password string) bool {
	want := breachedKey(password)
	n := len(breached) / breachedBytes
	at := func(i int) string { return breached[i*breachedBytes : (i+1)*breachedBytes] }
	i := sort.Search(n, func(i int) bool { return at(i) >= want })
	return i < n && at(i) == want
}

func breachedKey(password string) string {
	sum := sha256.Sum256([]byte(password))
	return string(sum[:breachedBytes])
}
