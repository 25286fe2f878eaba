package store_test

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func TestDeskComesBackAsItWasChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		at := time.Now().UTC().Truncate(time.Microsecond)
		want := a.desk
		want.TokenHash, want.TokenSealed = [32]byte{7}, []byte("t")
		want.SecretSealed, want.PreviousSecretSealed, want.PreviousSecretUntil = []byte("s"), []byte("p"), at
		want.Email, want.APIKeySealed, want.APIKeyHint = "e@example.com", []byte("k"), "cdef"
		want.Unsigned = hub.AcceptUnsigned
		want.HandshakeAt, want.FirstSignedAt, want.PausedAt = at.Add(1e6), at.Add(2e6), at.Add(3e6)
		want.Problem = &hub.DeskProblem{At: at.Add(4e6), Code: "credentials_refused"}
		check := func() {
			t.Helper()
			if got, err := a.Desk(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Desk = %+v (%v)\nwant %+v", got, err, want)
			}
			if got, err := db.Store.DeskByToken(t.Context(), want.TokenHash); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("DeskByToken = %+v (%v)\nwant %+v", got, err, want)
			}
			if setup, err := a.Setup(t.Context()); err != nil || !reflect.DeepEqual(setup.Desk, want) {
				t.Errorf("Setup = %+v (%v)\nwant %+v", setup.Desk, err, want)
			}
		}
		change := func(d *hub.Desk) error {
			*d = want
			d.ID, d.TenantID = hub.NewID(), hub.NewID() // these stay
			return nil
		}
		if got, err := a.UpdateDesk(t.Context(), change); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("UpdateDesk = %+v (%v)\nwant %+v", got, err, want)
		}
		check()
		want = hub.Desk{ID: want.ID, TenantID: want.TenantID, TokenHash: want.TokenHash, TokenSealed: want.TokenSealed, Unsigned: hub.RefuseUnsigned}
		if _, err := a.UpdateDesk(t.Context(), change); err != nil {
			t.Error(err)
		}
		check()
	})
}

func TestDeskChangesAtOnceDoNotLoseEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		var changes sync.WaitGroup
		for range 20 {
			changes.Go(func() {
				if _, err := a.UpdateDesk(t.Context(), func(d *hub.Desk) error { d.Email += "x"; return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		changes.Wait()
		if d, err := a.Desk(t.Context()); err != nil || len(d.Email) != 20 {
			t.Errorf("after 20 changes: %q (%v)", d.Email, err)
		}
	})
}

func TestRejectionsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		at := time.Now().UTC().Truncate(time.Microsecond)
		for i := range 12 {
			r := hub.Rejection{
				ID: hub.NewID(), At: at, Code: hub.CodeSignature, Reason: fmt.Sprint(i), Bytes: int64(i),
				Headers: map[string]string{"User-Agent": `quote " and ü`},
			}
			if i%2 == 0 {
				r.BodySHA256 = bytes.Repeat([]byte{byte(i)}, 32)
			}
			for _, tenant := range []account{a, b} {
				if err := tenant.AddRejection(t.Context(), r, 5); err != nil {
					t.Fatal(err)
				}
				r.ID = hub.NewID()
			}
		}
		list, err := a.Rejections(t.Context())
		if err != nil || len(list) != 5 {
			t.Fatalf("%d rejections (%v), want the newest 5", len(list), err)
		}
		for i, r := range list {
			n := 11 - i
			if r.Reason != fmt.Sprint(n) || r.Bytes != int64(n) || r.At != at || r.Code != hub.CodeSignature ||
				r.Headers["User-Agent"] != `quote " and ü` || (r.BodySHA256 == nil) != (n%2 == 1) {
				t.Errorf("rejection %d = %+v", i, r)
			}
		}
		if others, err := b.Rejections(t.Context()); err != nil || len(others) != 5 {
			t.Errorf("the other tenant has %d (%v), want its own 5", len(others), err)
		}
	})
}
