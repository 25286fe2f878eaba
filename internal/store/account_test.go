package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
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
		link := signUpLink(t, db.Store, "any@example.com", a.tenant.CreatedAt)
		if err := db.Store.SignUp(ctx, link, second.tenant, second.user, second.desk); !errors.Is(err, hub.ErrEmailTaken) {
			t.Errorf("second sign-up = %v, want ErrEmailTaken", err)
		}
		second.user.Email = "other@example.com"
		second.desk.TokenHash = a.desk.TokenHash
		if err := db.Store.SignUp(ctx, link, second.tenant, second.user, second.desk); err == nil || errors.Is(err, hub.ErrEmailTaken) {
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
