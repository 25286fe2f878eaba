package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

var place = Ref{Tenant: "t1", Table: "desks", Column: "api_key", Row: "d1"}

func newVault(t testing.TB) *Vault {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return openVault(t, key)
}

func openVault(t testing.TB, key string) *Vault {
	t.Helper()
	v, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func seal(t testing.TB, v *Vault, ref Ref, plain string) []byte {
	t.Helper()
	sealed, err := v.Seal(ref, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedValueOpensInItsPlace(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	for _, plain := range []string{"", "x", "hunter2", strings.Repeat("\x00\xff", 5000)} {
		sealed := seal(t, v, place, plain)
		got, err := v.Open(place, sealed)
		if err != nil || string(got) != plain {
			t.Errorf("opened %d bytes of %d, %v", len(got), len(plain), err)
		}
		if len(sealed) != len(plain)+33 || sealed[0] != 1 || binary.BigEndian.Uint32(sealed[1:]) != v.KeyID() {
			t.Errorf("sealed value of %d bytes has not the documented form", len(plain))
		}
		if plain != "" && bytes.Contains(sealed, []byte(plain)) && len(plain) > 1 {
			t.Error("the sealed value holds the text")
		}
	}
	if bytes.Equal(seal(t, v, place, "same"), seal(t, v, place, "same")) {
		t.Error("sealing twice gives the same bytes")
	}
}

// Each part is changed, and each boundary between two parts is moved.
func TestSealedValueOpensNowhereElse(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	sealed := seal(t, v, place, "hunter2")
	for _, ref := range []Ref{
		{"t2", "desks", "api_key", "d1"},
		{"", "desks", "api_key", "d1"},
		{"T1", "desks", "api_key", "d1"},
		{"t1", "desk", "api_key", "d1"},
		{"t1", "desks", "secret", "d1"},
		{"t1", "desks", "api_key", "d2"},
		{"t1d", "esks", "api_key", "d1"},
		{"t1desks", "api_key", "api_key", "d1"},
		{"t1", "desksapi", "_key", "d1"},
		{"t1", "desks", "api_keyd", "1"},
		{"t1", "api_key", "desks", "d1"},
		{"d1", "desks", "api_key", "t1"},
		{"t1", "desks", "api_key", "d1\x00"},
		{"t1\x00\x00\x00\x05desks", "desks", "api_key", "d1"},
	} {
		if _, err := v.Open(ref, sealed); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v, want ErrDamaged", ref, err)
		}
	}
}

func TestRefNeedsItsParts(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	sealed := seal(t, v, place, "hunter2")
	for _, ref := range []Ref{{}, {"t1", "", "api_key", "d1"}, {"t1", "desks", "", "d1"}, {"t1", "desks", "api_key", ""}} {
		if _, err := v.Seal(ref, []byte("x")); err == nil {
			t.Errorf("sealed for %+v", ref)
		}
		if _, err := v.Open(ref, sealed); err == nil {
			t.Errorf("opened for %+v", ref)
		}
	}
	installation := Ref{Table: "signing_keys", Column: "seed", Row: "k1"}
	if got, err := v.Open(installation, seal(t, v, installation, "seed")); err != nil || string(got) != "seed" {
		t.Errorf("installation's own secret: %v", err)
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	sealed := seal(t, v, place, "hunter2")
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			want := ErrDamaged
			if 1 <= i && i < prefixLen {
				want = ErrWrongKey
			}
			if _, err := v.Open(place, bad); !errors.Is(err, want) {
				t.Errorf("bit %d of byte %d: %v, want %v", bit, i, err, want)
			}
		}
	}
	for n := range sealed {
		if _, err := v.Open(place, sealed[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v, want ErrDamaged", n, err)
		}
	}
	if _, err := v.Open(place, append(bytes.Clone(sealed), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: %v, want ErrDamaged", err)
	}
	other := seal(t, newVault(t), place, "hunter2")
	other[0] = 2
	if _, err := v.Open(place, other); !errors.Is(err, ErrDamaged) {
		t.Errorf("unknown format: %v, want ErrDamaged", err)
	}
	if _, err := v.Open(place, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("nothing: %v, want ErrDamaged", err)
	}
}

func TestErrorsHoldNoContent(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	ref := Ref{Tenant: "tenant-canary", Table: "desks", Column: "api_key", Row: "row-canary"}
	sealed := seal(t, v, ref, "plain-canary")
	_, damaged := v.Open(place, sealed)
	_, wrong := newVault(t).Open(ref, sealed)
	for _, err := range []error{damaged, wrong} {
		for _, canary := range []string{"canary", string(sealed), base64.StdEncoding.EncodeToString(sealed)} {
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error holds %q", canary)
			}
		}
	}
	if !errors.Is(wrong, ErrWrongKey) || errors.Is(wrong, ErrDamaged) {
		t.Errorf("foreign key: %v, want ErrWrongKey", wrong)
	}
}

func TestVaultIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ref := Ref{Tenant: fmt.Sprint(i), Table: "desks", Column: "api_key", Row: "d1"}
			for range 50 {
				sealed, err := v.Seal(ref, []byte(ref.Tenant))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := v.Open(ref, sealed); err != nil || string(got) != ref.Tenant {
					t.Errorf("opened %q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSeal(b *testing.B) { benchmark(b, sealing) }
func BenchmarkOpen(b *testing.B) { benchmark(b, opening) }

func benchmark(b *testing.B, prepare func(*testing.B, *Vault, []byte) func() error) {
	for _, size := range []int{64, 700} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			step := prepare(b, newVault(b), bytes.Repeat([]byte("x"), size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sealing(_ *testing.B, v *Vault, plain []byte) func() error {
	return func() error { _, err := v.Seal(place, plain); return err }
}

func opening(b *testing.B, v *Vault, plain []byte) func() error {
	sealed := seal(b, v, place, string(plain))
	return func() error { _, err := v.Open(place, sealed); return err }
}
