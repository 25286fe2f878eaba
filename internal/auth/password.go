package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	saltLen    = 16
	tagLen     = 32
	hashWait   = 2 * time.Second
	maxMemory  = 256 << 10 // KiB
	maxPasses  = 16
	maxThreads = 8
	// maxPasswordBytes bounds the work of normalising a password.
	maxPasswordBytes = 1024
)

var (
	// ErrBusy says that too many passwords are being checked: the caller should
	// answer that it is overloaded, and the person may try again at once.
	ErrBusy = errors.New("too many passwords are being checked")

	errHashDamaged = errors.New("password hash is damaged")
)

// cost is what one hash takes: memory in KiB, passes over it, threads.
type cost struct {
	memory  uint32
	passes  uint32
	threads uint8
}

// standard is OWASP's choice of least passes: 46 MiB, one pass, one thread.
var standard = cost{memory: 46 << 10, passes: 1, threads: 1}

// Passwords hashes and verifies passwords with Argon2id. Each takes 46 MiB and
// some thirty milliseconds of one core, so only a few run at a time. It is safe
// for concurrent use.
type Passwords struct {
	slots  chan struct{}
	derive func(password, salt []byte, c cost, length uint32) []byte
}

// NewPasswords lets at most concurrent hashes be computed at a time, at least one.
func NewPasswords(concurrent int) *Passwords {
	return &Passwords{
		slots: make(chan struct{}, max(concurrent, 1)),
		derive: func(password, salt []byte, c cost, length uint32) []byte {
			return argon2.IDKey(password, salt, c.passes, c.memory, c.threads, length)
		},
	}
}

// Hash returns the PHC string to store for password:
// $argon2id$v=19$m=47104,t=1,p=1$salt$tag. It does not judge the password, see
// [CheckPassword], but refuses one of more than 1024 bytes with [ErrWeakPassword].
// It waits two seconds at most for its turn, then returns [ErrBusy].
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > maxPasswordBytes {
		return "", errTooLong
	}
	salt := make([]byte, saltLen)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	tag, err := p.compute(ctx, password, salt, standard, tagLen)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		standard.memory, standard.passes, standard.threads, encode(salt), encode(tag)), nil
}

// Verify reports whether password is the one that hash was made from. With an
// empty hash it computes a hash all the same and reports false, so that an
// unknown account costs what a known one does. It waits two seconds at most for
// its turn, then returns [ErrBusy].
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > maxPasswordBytes {
		return false, nil
	}
	if hash == "" {
		_, err := p.compute(ctx, password, make([]byte, saltLen), standard, tagLen)
		return false, err
	}
	stored, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	tag, err := p.compute(ctx, password, stored.salt, stored.cost, uint32(len(stored.tag)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(tag, stored.tag) == 1, nil
}

// compute waits for a slot and derives. Text that looks alike is made alike
// (NFKC), since keyboards differ in how they compose a letter.
func (p *Passwords) compute(ctx context.Context, password string, salt []byte, c cost, length uint32) ([]byte, error) {
	timeout := time.NewTimer(hashWait)
	defer timeout.Stop()
	select {
	case p.slots <- struct{}{}:
	case <-timeout.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for password check: %w", context.Cause(ctx))
	}
	defer func() { <-p.slots }()
	return p.derive(norm.NFKC.Bytes([]byte(password)), salt, c, length), nil
}

// phc is a parsed PHC string.
type phc struct {
	cost      cost
	salt, tag []byte
}

// parseHash reads a PHC string of Argon2id. Its bounds keep a row that somebody
// wrote into the database from taking all memory.
func parseHash(hash string) (phc, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errHashDamaged
	}
	var out phc
	c := &out.cost
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.passes, c.threads) {
		return phc{}, errHashDamaged
	}
	if c.memory < 8 || c.memory > maxMemory || c.passes < 1 || c.passes > maxPasses || c.threads < 1 || c.threads > maxThreads {
		return phc{}, errHashDamaged
	}
	var saltErr, tagErr error
	out.salt, saltErr = decode(parts[4])
	out.tag, tagErr = decode(parts[5])
	if saltErr != nil || tagErr != nil || len(out.salt) < 8 || len(out.salt) > 64 || len(out.tag) < 16 || len(out.tag) > 64 {
		return phc{}, errHashDamaged
	}
	return out, nil
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// decode is strict: without the check encoding/base64 would skip line breaks.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errHashDamaged
	}
	return base64.RawStdEncoding.Strict().DecodeString(s)
}
