package auth

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting is a Passwords that counts how often Argon2 runs, with little memory
// to be quick.
func counting() (*Passwords, *atomic.Int64) {
	p, runs := NewPasswords(2), &atomic.Int64{}
	full := p.derive
	p.derive = func(password, salt []byte, c cost, length uint32) []byte {
		runs.Add(1)
		c.memory = 64
		return full(password, salt, c, length)
	}
	return p, runs
}

func TestPasswordVerifiesAtFullCost(t *testing.T) {
	t.Parallel()
	p := NewPasswords(1)
	hash, err := p.Hash(t.Context(), "seven grey otters swim")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := p.Verify(t.Context(), hash, "seven grey otters swim"); err != nil || !ok {
		t.Errorf("%v, %v, want the password to verify", ok, err)
	}
}

func TestPasswordVerifiesAgainstItsHashAlone(t *testing.T) {
	t.Parallel()
	p, runs := counting()
	const password = "seven grey otters swim"
	hash, err := p.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") || strings.Contains(hash, password) {
		t.Errorf("hash %q", hash)
	}
	again, err := p.Hash(t.Context(), password)
	if err != nil || again == hash {
		t.Errorf("hashing twice gives the same text (%v)", err)
	}
	runs.Store(0)
	for candidate, want := range map[string]bool{
		password: true, password + " ": false, "Seven grey otters swim": false, "": false, hash: false,
	} {
		if ok, err := p.Verify(t.Context(), hash, candidate); err != nil || ok != want {
			t.Errorf("%q: %v, %v, want %v", candidate, ok, err, want)
		}
	}
	if runs.Load() != 5 {
		t.Errorf("argon2 ran %d times, want 5", runs.Load())
	}
}

// Composed and decomposed letters, ligatures and full-width forms are one
// password: which of them arrives depends on the keyboard.
func TestPasswordIsNormalised(t *testing.T) {
	t.Parallel()
	p, _ := counting()
	hash, err := p.Hash(t.Context(), "Bu\u0308rofenster \ufb01x 12")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := p.Verify(t.Context(), hash, "B\u00fcrofenster fix \uff11\uff12"); err != nil || !ok {
		t.Errorf("%v, %v, want the same password", ok, err)
	}
}

func TestUnknownAccountCostsAHashToo(t *testing.T) {
	t.Parallel()
	p, runs := counting()
	var seen cost
	count := p.derive
	p.derive = func(password, salt []byte, c cost, length uint32) []byte {
		seen = c
		return count(password, salt, c, length)
	}
	for _, password := range []string{"", "seven grey otters swim"} {
		runs.Store(0)
		ok, err := p.Verify(t.Context(), "", password)
		if ok || err != nil || runs.Load() != 1 || seen != standard {
			t.Errorf("%v, %v after %d runs of %+v, want false after one of %+v", ok, err, runs.Load(), seen, standard)
		}
	}
}

func TestOverlongPasswordIsNotHashed(t *testing.T) {
	t.Parallel()
	p, runs := counting()
	long := strings.Repeat("x", 1025)
	if _, err := p.Hash(t.Context(), long); !errors.Is(err, ErrWeakPassword) {
		t.Errorf("hash: %v, want ErrWeakPassword", err)
	}
	for _, hash := range []string{"", phcFixed} {
		if ok, err := p.Verify(t.Context(), hash, long); ok || err != nil {
			t.Errorf("verify: %v, %v, want false", ok, err)
		}
	}
	if runs.Load() != 0 {
		t.Errorf("argon2 ran %d times", runs.Load())
	}
}

// phcFixed is a test vector of Argon2's reference implementation: password
// "password", salt "somesalt", 64 MiB, two passes.
const phcFixed = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestHashOfOtherCostVerifies(t *testing.T) {
	t.Parallel()
	p := NewPasswords(1)
	if ok, err := p.Verify(t.Context(), phcFixed, "password"); err != nil || !ok {
		t.Errorf("%v, %v, want the published vector to verify", ok, err)
	}
}

func TestDamagedHashIsAnErrorAndCostsNothing(t *testing.T) {
	t.Parallel()
	p, runs := counting()
	const salt, tag = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, hash := range []string{
		"x", "$", "$$$$$", "password", "$2b$12$abcdefghijklmnopqrstuv", strings.TrimPrefix(phcFixed, "$"), phcFixed + "$", phcFixed + "=", phcFixed + "\n",
		"$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + tag, "$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + tag, "$argon2id$v=19$m=65536,t=4294967295,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=65536,t=2,p=255$" + salt + "$" + tag, "$argon2id$v=19$m=0,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + tag, "$argon2id$v=19$m=65536,t=2,p=0$" + salt + "$" + tag,
		"$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + tag, "$argon2id$v=19$m=065536,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=65536,t=2,p=1,x=1$" + salt + "$" + tag, "$argon2id$v=19$t=2,m=65536,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=65536,t=2,p=1$$" + tag, "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$", "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$AAAA",
		"$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + strings.Repeat("A", 4000), "$argon2id$v=19$m=65536,t=2,p=1$!!!$" + tag,
	} {
		if ok, err := p.Verify(t.Context(), hash, "password"); ok || !errors.Is(err, errHashDamaged) {
			t.Errorf("%q: %v, %v, want a damaged hash", hash, ok, err)
		}
	}
	if runs.Load() != 0 {
		t.Errorf("argon2 ran %d times", runs.Load())
	}
}

func TestOnlyAFewHashesRunAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(2)
		var running, most atomic.Int64
		p.derive = func(_, _ []byte, _ cost, length uint32) []byte {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-time.After(300 * time.Millisecond)
			running.Add(-1)
			return make([]byte, length)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := p.Hash(t.Context(), "seven grey otters swim"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != 2 {
			t.Errorf("%d ran at a time, want 2", most.Load())
		}
	})
}

func TestBusyAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(0)
		release := make(chan struct{})
		p.derive = func(_, _ []byte, _ cost, length uint32) []byte {
			<-release
			return bytes.Repeat([]byte{1}, int(length))
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.Hash(t.Context(), "seven grey otters swim"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		start := time.Now()
		if _, err := p.Verify(t.Context(), "", "x"); !errors.Is(err, ErrBusy) || time.Since(start) != hashWait {
			t.Errorf("%v after %v, want ErrBusy after %v", err, time.Since(start), hashWait)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := p.Verify(ctx, phcFixed, "x"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v, want the context's deadline after 1s", err, time.Since(start))
		}
		close(release)
		wg.Wait()
		if _, err := p.Verify(t.Context(), "", "x"); err != nil {
			t.Errorf("the slot was not given back: %v", err)
		}
	})
}
