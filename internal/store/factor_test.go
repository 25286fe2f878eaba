package store_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func recovery(n ...byte) (codes [][32]byte) {
	for _, b := range n {
		codes = append(codes, sha256.Sum256([]byte{b}))
	}
	return codes
}

func TestASecondFactorIsBegunConfirmedAndRemoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, s, now, a, b := t.Context(), db.Store, moment(), signUp(t, db.Store), signUp(t, db.Store)
		begin := func(secret string) error {
			return s.BeginFactor(ctx, hub.Factor{UserID: a.user.ID, Sealed: []byte(secret)})
		}
		confirm := func() error { return s.ConfirmFactor(ctx, a.user.ID, 10, recovery(1, 2), now, someMail()) }
		is := func(secret string, at time.Time) {
			t.Helper()
			f, err := s.Factor(ctx, a.user.ID)
			if err != nil || string(f.Sealed) != secret || !f.ConfirmedAt.Equal(at) || f.UserID != a.user.ID {
				t.Errorf("Factor = %+v (%v), want %q of %v", f, err, secret, at)
			}
		}
		if err := second(s.Factor(ctx, a.user.ID)); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("no factor: %v", err)
		}
		if err := confirm(); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("confirmed before it was begun: %v", err)
		}
		for _, secret := range []string{"first", "second"} {
			if err := begin(secret); err != nil {
				t.Fatal(err)
			}
			is(secret, time.Time{})
		}
		if ok, err := s.UseStep(ctx, a.user.ID, 99); ok || err != nil {
			t.Errorf("a code of a factor not in use: %v, %v", ok, err)
		}
		if err := confirm(); err != nil {
			t.Fatal(err)
		}
		is("second", now)
		if err := begin("third"); hub.CodeOf(err) != hub.CodeConflict {
			t.Errorf("begun while another is in use: %v, want a conflict", err)
		}
		if err := confirm(); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("confirmed twice: %v", err)
		}
		is("second", now)
		if err := second(s.Factor(ctx, b.user.ID)); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another user has it too: %v", err)
		}
		if err := s.RemoveFactor(ctx, a.user.ID, someMail()); err != nil {
			t.Fatal(err)
		}
		if err := second(s.UseRecoveryCode(ctx, a.user.ID, recovery(1)[0])); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a recovery code outlives its factor: %v", err)
		}
		if err := begin("third"); err != nil {
			t.Error(err)
		}
		is("third", time.Time{})
	})
}

func TestEachCodeWorksOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, s, a, b := t.Context(), db.Store, signUp(t, db.Store), signUp(t, db.Store)
		for _, x := range []account{a, b} {
			if err := s.BeginFactor(ctx, hub.Factor{UserID: x.user.ID, Sealed: []byte("secret")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.ConfirmFactor(ctx, a.user.ID, 10, recovery(1, 2, 3), moment(), someMail()); err != nil {
			t.Fatal(err)
		}
		if err := s.ConfirmFactor(ctx, b.user.ID, 10, recovery(4), moment(), someMail()); err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct {
			step int64
			want bool
		}{{10, false}, {9, false}, {11, true}, {11, false}, {13, true}, {12, false}} {
			if ok, err := s.UseStep(ctx, a.user.ID, try.step); ok != try.want || err != nil {
				t.Errorf("step %d: %v, %v; want %v", try.step, ok, err, try.want)
			}
		}
		oneOf(t, "codes of one step", func(int) error {
			ok, err := s.UseStep(ctx, a.user.ID, 14)
			if err == nil && !ok {
				return hub.ErrNotFound
			}
			return err
		})
		if left, err := s.UseRecoveryCode(ctx, a.user.ID, recovery(1)[0]); left != 2 || err != nil {
			t.Errorf("%d codes left (%v), want 2", left, err)
		}
		for what, code := range map[string]byte{"used": 1, "another user's": 4, "unknown": 5} {
			if err := second(s.UseRecoveryCode(ctx, a.user.ID, recovery(code)[0])); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("a code that is %s: %v, want ErrNotFound", what, err)
			}
		}
		oneOf(t, "uses of a recovery code", func(int) error {
			return second(s.UseRecoveryCode(ctx, a.user.ID, recovery(2)[0]))
		})
	})
}
