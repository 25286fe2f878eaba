package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// token is a refresh token's hash of its own.
func token(n int) (hash [32]byte) {
	copy(hash[:], fmt.Sprint("token ", n))
	return hash
}

// rotation exchanges one token for another, under the rules that production has in other numbers.
func rotation(from, to int, at time.Time) hub.Exchange {
	return hub.Exchange{
		Old: token(from), Next: token(to), Successor: []byte(fmt.Sprint("sealed ", to)),
		Now: at, TTL: time.Hour, Longest: 3 * time.Hour, Grace: 10 * time.Second,
	}
}

// session opens a session at a time, with token 0.
func session(t *testing.T, db storetest.Database, a account, at time.Time) hub.Session {
	t.Helper()
	s := hub.Session{
		ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, Origin: hub.Origin{Address: "192.0.2.7", Client: "Browser"},
		CreatedAt: at, UsedAt: at, ExpiresAt: at.Add(time.Hour),
	}
	if err := db.Store.CreateSession(t.Context(), s, token(0)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessionRotatesUntilItIsTooOldOrATokenIsReused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, now := signUp(t, db.Store), time.Now().UTC().Truncate(time.Microsecond)
		s := session(t, db, a, now)
		began := now
		for i := range 3 {
			now = now.Add(50 * time.Minute)
			s.UsedAt, s.ExpiresAt = now, now.Add(time.Hour)
			if last := began.Add(3 * time.Hour); s.ExpiresAt.After(last) {
				s.ExpiresAt = last
			}
			got, successor, err := db.Store.RotateSession(t.Context(), rotation(i, i+1, now))
			if err != nil || got != s || successor != nil {
				t.Fatalf("rotation %d = %+v, %q (%v), want %+v", i, got, successor, err, s)
			}
		}
		rotate := func(what string, old int, at time.Time, want error) {
			t.Helper()
			if _, _, err := db.Store.RotateSession(t.Context(), rotation(old, 100+old, at)); !errors.Is(err, want) {
				t.Errorf("%s = %v, want %v", what, err, want)
			}
		}
		rotate("unknown token", 99, now, hub.ErrNotFound)
		rotate("token past the longest session", 3, began.Add(3*time.Hour), hub.ErrNotFound)
		rotate("token used long ago", 1, now, hub.ErrReused)
		rotate("good token of the session that the reuse ended", 3, now, hub.ErrNotFound)
		rotate("used token of an ended session", 1, now, hub.ErrNotFound)
	})
}

func TestATokenUsedAMomentAgoGivesItsSuccessorAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, now := signUp(t, db.Store), time.Now().UTC().Truncate(time.Microsecond)
		s := session(t, db, a, now)
		if _, _, err := db.Store.RotateSession(t.Context(), rotation(0, 1, now)); err != nil {
			t.Fatal(err)
		}
		got, successor, err := db.Store.RotateSession(t.Context(), rotation(0, 2, now.Add(10*time.Second)))
		if err != nil || string(successor) != "sealed 1" || got.ID != s.ID {
			t.Errorf("within the grace = %+v, %q, %v; want the successor that was given before", got, successor, err)
		}
		got, successor, err = db.Store.RotateSession(t.Context(), rotation(0, 3, now.Add(10*time.Second+time.Microsecond)))
		if !errors.Is(err, hub.ErrReused) || successor != nil || got.ID != s.ID || got.UserID != a.user.ID {
			t.Errorf("after it = %+v, %q, %v; want the reuse told, with the session", got, successor, err)
		}
	})
}

func TestSuccessorsAndUsedTokensAreForgottenWhenTheyAreNoUse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, now := signUp(t, db.Store), time.Now().UTC()
		session(t, db, a, now)
		for i, at := range []time.Duration{0, time.Minute, 8 * 24 * time.Hour} {
			r := rotation(i, i+1, now.Add(at))
			r.TTL, r.Longest = 30*24*time.Hour, 90*24*time.Hour
			if i == 0 {
				r.Now = now.Add(30 * time.Minute)
				now = r.Now
			}
			if _, _, err := db.Store.RotateSession(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		q := queueTest{t, db}
		if n := q.count("select count(*) from refresh_tokens where successor is not null"); n != 1 {
			t.Errorf("%d successors are kept, want that of the last exchange", n)
		}
		if n := q.count("select count(*) from refresh_tokens"); n != 2 {
			t.Errorf("%d tokens are kept, want the last used one and the good one", n)
		}
	})
}

func TestManyRotationsAtOnceGiveOneSuccessor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, now := signUp(t, db.Store), time.Now().UTC()
		session(t, db, a, now)
		var rotated atomic.Int64
		var mu sync.Mutex
		var won, given [][]byte
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				r := rotation(0, i+1, now)
				_, successor, err := db.Store.RotateSession(t.Context(), r)
				if err != nil {
					t.Errorf("rotation: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				if successor == nil {
					rotated.Add(1)
					won = append(won, r.Successor)
					return
				}
				given = append(given, successor)
			})
		}
		callers.Wait()
		if rotated.Load() != 1 || len(given) != 99 {
			t.Fatalf("%d rotated and %d were given a successor, want 1 and 99", rotated.Load(), len(given))
		}
		for _, g := range given {
			if !bytes.Equal(g, won[0]) {
				t.Errorf("given %q, want %q", g, won[0])
			}
		}
		if n := (queueTest{t, db}).count("select count(*) from refresh_tokens"); n != 2 {
			t.Errorf("%d refresh tokens, want the first and its one successor", n)
		}
	})
}

func TestEndedSessionIsOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a, now := signUp(t, db.Store), time.Now().UTC()
		session(t, db, a, now)
		for _, n := range []int{0, 0, 77} {
			if err := db.Store.EndSession(t.Context(), token(n), now); err != nil {
				t.Errorf("EndSession = %v, want none, even of one that is unknown or over", err)
			}
		}
		if _, _, err := db.Store.RotateSession(t.Context(), rotation(0, 1, now)); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("rotation after the end = %v, want ErrNotFound", err)
		}
	})
}

func TestSessionsAreListedAndEndedByTheirUserAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a, b := t.Context(), signUp(t, db.Store), signUp(t, db.Store)
		now := time.Now().UTC().Truncate(time.Microsecond)
		var own []hub.Session
		for i := range 3 {
			s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: now, UsedAt: now.Add(time.Duration(i) * time.Minute), ExpiresAt: now.Add(time.Hour)}
			if err := db.Store.CreateSession(ctx, s, token(10+i)); err != nil {
				t.Fatal(err)
			}
			own = append(own, s)
		}
		list := func(want ...hub.Session) {
			t.Helper()
			got, err := db.Store.Sessions(ctx, a.user.ID, now)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("sessions = %+v, %v; want %+v", got, err, want)
			}
		}
		list(own[2], own[1], own[0])
		if err := db.Store.EndSessionOf(ctx, b.user.ID, own[0].ID, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another user ends it: %v, want ErrNotFound", err)
		}
		if err := db.Store.EndSessionOf(ctx, a.user.ID, own[2].ID, now); err != nil {
			t.Error(err)
		}
		if err := db.Store.EndSessionOf(ctx, a.user.ID, own[2].ID, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("ended twice: %v, want ErrNotFound", err)
		}
		list(own[1], own[0])
		if err := db.Store.EndSessionsOf(ctx, a.user.ID, own[0].ID, now); err != nil {
			t.Error(err)
		}
		list(own[0])
		if err := db.Store.EndSessionsOf(ctx, a.user.ID, hub.ID{}, now); err != nil {
			t.Error(err)
		}
		list()
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

func TestStandingFollowsSessionMembershipAndTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a, b := t.Context(), signUp(t, db.Store), signUp(t, db.Store)
		now := time.Now().UTC()
		s := session(t, db, a, now)
		got, err := a.SessionStanding(ctx, s.ID, now)
		if err != nil || got.UserID != a.user.ID || got.Role != hub.RoleOwner || got.Name == "" || got.FactorMissing {
			t.Errorf("standing = %+v, %v", got, err)
		}
		for what, err := range map[string]error{
			"of another tenant": second(b.SessionStanding(ctx, s.ID, now)),
			"past its end":      second(a.SessionStanding(ctx, s.ID, now.Add(time.Hour))),
			"unknown":           second(a.SessionStanding(ctx, hub.NewID(), now)),
		} {
			if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("a session %s: %v, want ErrNotFound", what, err)
			}
		}
		if err := db.Store.EndSession(ctx, token(0), now); err != nil {
			t.Fatal(err)
		}
		if _, err := a.SessionStanding(ctx, s.ID, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("an ended session: %v, want ErrNotFound", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestAPITokensWorkUntilRevokedOrOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a, b := t.Context(), signUp(t, db.Store), signUp(t, db.Store)
		now := time.Now().UTC().Truncate(time.Microsecond)
		token := hub.APIToken{
			ID: hub.NewID(), Name: "Reports", Scopes: []hub.Scope{"chats:read", "card:read"}, Role: hub.RoleAdmin,
			CreatedBy: "Dana", CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour),
		}
		if err := a.AddAPIToken(ctx, token); err != nil {
			t.Fatal(err)
		}
		got, err := a.TokenStanding(ctx, token.ID, now)
		if err != nil || got.Name != "Reports" || got.Role != hub.RoleAdmin || fmt.Sprint(got.Scopes) != "[chats:read card:read]" {
			t.Errorf("standing = %+v, %v", got, err)
		}
		if _, err := a.TokenStanding(ctx, token.ID, now.Add(30*time.Second)); err != nil {
			t.Error(err)
		}
		token.LastUsedAt = now // once a minute at most
		if list, err := a.APITokens(ctx, now); err != nil || fmt.Sprint(list) != fmt.Sprint([]hub.APIToken{token}) {
			t.Errorf("tokens = %+v, %v; want %+v", list, err, token)
		}
		for what, err := range map[string]error{
			"used by another tenant":    second(b.TokenStanding(ctx, token.ID, now)),
			"used past its end":         second(a.TokenStanding(ctx, token.ID, now.Add(24*time.Hour))),
			"revoked by another tenant": b.RevokeAPIToken(ctx, token.ID, now),
		} {
			if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
		}
		if list, err := b.APITokens(ctx, now); err != nil || len(list) != 0 {
			t.Errorf("another tenant sees %+v, %v", list, err)
		}
		if err := a.RevokeAPIToken(ctx, token.ID, now); err != nil {
			t.Errorf("revoked: %v", err)
		}
		if _, err := a.TokenStanding(ctx, token.ID, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("used after that: %v, want ErrNotFound", err)
		}
		if list, err := a.APITokens(ctx, now); err != nil || len(list) != 0 {
			t.Errorf("listed after that: %+v, %v", list, err)
		}
	})
}
