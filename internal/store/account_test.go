package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/store/storetest"
)

func TestSignUpCreatesAllTogetherOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, q := t.Context(), queueTest{t, db}
		a := signUp(t, db.Store)
		if u, err := db.Store.UserByEmail(ctx, a.user.Email); err != nil || u != a.user {
			t.Errorf("UserByEmail = %+v (%v), want %+v", u, err, a.user)
		}
		if u, err := db.Store.User(ctx, a.user.ID); err != nil || u != a.user {
			t.Errorf("User = %+v (%v)", u, err)
		}
		if got, err := a.Tenant(ctx); err != nil || !reflect.DeepEqual(got, a.tenant) {
			t.Errorf("Tenant = %+v (%v), want %+v", got, err, a.tenant)
		}
		if d, err := a.Desk(ctx); err != nil || !reflect.DeepEqual(d, a.desk) {
			t.Errorf("Desk = %+v (%v), want %+v", d, err, a.desk)
		}
		want := []hub.Membership{{TenantID: a.tenant.ID, UserID: a.user.ID, Role: hub.RoleOwner, CreatedAt: a.tenant.CreatedAt}}
		if m, err := db.Store.Memberships(ctx, a.user.ID); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("Memberships = %+v (%v), want %+v", m, err, want)
		}

		second := a
		second.tenant.ID, second.user.ID, second.desk.ID = hub.NewID(), hub.NewID(), hub.NewID()
		second.desk.TokenHash = [32]byte{1}
		if err := db.Store.SignUp(ctx, second.tenant, second.user, second.desk); !errors.Is(err, hub.ErrEmailTaken) {
			t.Errorf("second sign-up = %v, want ErrEmailTaken", err)
		}
		second.user.Email = "other@example.com"
		second.desk.TokenHash = a.desk.TokenHash
		if err := db.Store.SignUp(ctx, second.tenant, second.user, second.desk); err == nil || errors.Is(err, hub.ErrEmailTaken) {
			t.Errorf("sign-up with a token in use = %v, want an error that is not about the address", err)
		}
		if n := q.count("select (select count(*) from tenants) + (select count(*) from users) + (select count(*) from members) + (select count(*) from desks)"); n != 4 {
			t.Errorf("%d rows, want the 4 of the first sign-up", n)
		}
	})
}

func TestUnknownUsersAreNotFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		if _, err := db.Store.UserByEmail(t.Context(), "nobody@example.com"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("UserByEmail = %v", err)
		}
		if _, err := db.Store.User(t.Context(), hub.NewID()); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("User = %v", err)
		}
		if m, err := db.Store.Memberships(t.Context(), hub.NewID()); err != nil || len(m) != 0 {
			t.Errorf("Memberships = %v, %v", m, err)
		}
		if _, err := db.Store.DeskByToken(t.Context(), [32]byte{9}); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("DeskByToken = %v", err)
		}
	})
}

// token is a refresh token's hash of its own.
func token(n int) (hash [32]byte) {
	copy(hash[:], fmt.Sprint("token ", n))
	return hash
}

func TestSessionRotates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a := t.Context(), signUp(t, db.Store)
		now := time.Now().UTC().Truncate(time.Microsecond)
		s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := db.Store.CreateSession(ctx, s, token(0)); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			now = now.Add(50 * time.Minute)
			s.ExpiresAt = now.Add(time.Hour)
			got, err := db.Store.RotateSession(ctx, token(i), token(i+1), now, s.ExpiresAt)
			if err != nil || got != s {
				t.Fatalf("rotation %d = %+v (%v), want %+v", i, got, err, s)
			}
		}
		rotate := func(what string, old int, at time.Time, want error) {
			t.Helper()
			if _, err := db.Store.RotateSession(ctx, token(old), token(100+old), at, at.Add(time.Hour)); !errors.Is(err, want) {
				t.Errorf("%s = %v, want %v", what, err, want)
			}
		}
		rotate("unknown token", 99, now, hub.ErrNotFound)
		rotate("token past its end", 3, now.Add(time.Hour), hub.ErrNotFound)
		rotate("used token", 1, now, hub.ErrReused)
		rotate("good token of the session that the reuse ended", 3, now, hub.ErrNotFound)
		rotate("used token of an ended session", 1, now, hub.ErrNotFound)
	})
}

func TestEndedSessionIsOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a := t.Context(), signUp(t, db.Store)
		now := time.Now().UTC()
		s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := db.Store.CreateSession(ctx, s, token(0)); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 0, 77} {
			if err := db.Store.EndSession(ctx, token(n), now); err != nil {
				t.Errorf("EndSession = %v, want none, even of one that is unknown or over", err)
			}
		}
		if _, err := db.Store.RotateSession(ctx, token(0), token(1), now, now.Add(time.Hour)); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("rotation after the end = %v, want ErrNotFound", err)
		}
	})
}

func TestSessionsPastTheirEndAreRemovedAtTheNextSignIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		now := time.Now().UTC()
		for i := range 3 {
			at := now.Add(time.Duration(i) * 2 * time.Hour)
			s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
			if err := db.Store.CreateSession(t.Context(), s, token(i)); err != nil {
				t.Fatal(err)
			}
		}
		if n := (queueTest{t, db}).count("select (select count(*) from sessions) * 10 + (select count(*) from refresh_tokens)"); n != 11 {
			t.Errorf("sessions and tokens = %d, want 1 and 1", n)
		}
	})
}

func TestOneOfManyRotationsAtOnceSucceeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		now := time.Now().UTC()
		s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := db.Store.CreateSession(t.Context(), s, token(0)); err != nil {
			t.Fatal(err)
		}
		var succeeded, reused, over atomic.Int64
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				_, err := db.Store.RotateSession(t.Context(), token(0), token(i+1), now, now.Add(time.Hour))
				switch {
				case err == nil:
					succeeded.Add(1)
				case errors.Is(err, hub.ErrReused):
					reused.Add(1)
				case errors.Is(err, hub.ErrNotFound):
					over.Add(1)
				default:
					t.Errorf("rotation: %v", err)
				}
			})
		}
		callers.Wait()
		if succeeded.Load() != 1 || reused.Load() != 1 || over.Load() != 48 {
			t.Errorf("%d succeeded, %d were told of the reuse, %d that it is over; want 1, 1, 48", succeeded.Load(), reused.Load(), over.Load())
		}
		if n := (queueTest{t, db}).count("select count(*) from refresh_tokens"); n != 2 {
			t.Errorf("%d refresh tokens, want the first and its one successor", n)
		}
	})
}

func TestFirstSigningKeyIsStoredOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		if keys, err := db.Store.SigningKeys(t.Context()); err != nil || len(keys) != 0 {
			t.Errorf("SigningKeys = %v, %v; want none", keys, err)
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		var starting sync.WaitGroup
		for i := range 8 {
			starting.Go(func() {
				k := hub.SigningKey{KeyID: fmt.Sprint("key ", i), Sealed: []byte{byte(i)}, CreatedAt: now}
				if err := db.Store.AddFirstSigningKey(t.Context(), k); err != nil {
					t.Error(err)
				}
			})
		}
		starting.Wait()
		keys, err := db.Store.SigningKeys(t.Context())
		if err != nil || len(keys) != 1 || keys[0].KeyID != fmt.Sprint("key ", keys[0].Sealed[0]) || keys[0].CreatedAt != now {
			t.Errorf("SigningKeys = %+v, %v; want one, whole", keys, err)
		}
	})
}

// Even a slow query tells the log no value: no address, no secret, no visitor.
func TestSlowQueriesAreLoggedWithoutValues(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		var out bytes.Buffer
		store.LogEverything(db.Store, slog.New(slog.NewTextHandler(&out, nil)))
		a := signUp(t, db.Store)
		c := fill(t, a)
		ctx := t.Context()
		for what, do := range map[string]func() error{
			"user":        func() error { _, err := db.Store.UserByEmail(ctx, a.user.Email); return err },
			"desk":        func() error { _, err := db.Store.DeskByToken(ctx, a.desk.TokenHash); return err },
			"setup":       func() error { _, err := a.Setup(ctx); return err },
			"memberships": func() error { _, err := db.Store.Memberships(ctx, a.user.ID); return err },
			"rows":        func() error { _, err := a.FindRows(ctx, c.ID, []byte("same index"), 1); return err },
			"chats":       func() error { _, err := a.Chats(ctx, hub.ChatQuery{Limit: 1}); return err },
			"imports":     func() error { store.RemoveStaleImports(ctx, db.Store); return nil },
		} {
			if err := do(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if !strings.Contains(out.String(), "slow query") {
			t.Error("nothing was logged")
		}
		for _, value := range []string{a.user.Email, a.user.Name, a.tenant.Name, a.tenant.ID.String(), c.ID.String(), "same index", "canary", fmt.Sprint(time.Now().Year())} {
			for line := range strings.Lines(out.String()) {
				_, statement, _ := strings.Cut(line, " msg=")
				if strings.Contains(statement, value) {
					t.Errorf("the log contains %q: %s", value, statement)
				}
			}
		}
	})
}
