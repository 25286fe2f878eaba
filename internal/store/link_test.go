package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// linkOf adds a link of a kind for an account's user, to an address.
func linkOf(t *testing.T, db storetest.Database, a account, kind hub.LinkKind, email string, at time.Time) hub.Link {
	t.Helper()
	l := hub.Link{
		Hash: sha256.Sum256([]byte(fmt.Sprint("link ", links.Add(1)))), Kind: kind, Email: email, UserID: a.user.ID,
		Sealed: []byte("sealed"), CreatedAt: at, Until: at.Add(30 * time.Minute),
	}
	if err := db.Store.AddLink(t.Context(), l, someMail()); err != nil {
		t.Fatalf("add link: %v", err)
	}
	return l
}

func moment() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func TestALinkIsKeptWithItsMailUntilItsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, q, a, now := t.Context(), queueTest{t, db}, signUp(t, db.Store), moment()
		mails := q.count("select count(*) from mails")
		l := linkOf(t, db, a, hub.LinkReset, a.user.Email, now)
		if n := q.count("select count(*) from mails"); n != mails+1 {
			t.Errorf("%d mails, want one more than %d", n, mails)
		}
		for range 2 {
			if got, err := db.Store.Link(ctx, l.Hash, l.Kind, l.Until.Add(-time.Microsecond)); err != nil || !reflect.DeepEqual(got, l) {
				t.Fatalf("Link = %+v (%v), want %+v", got, err, l)
			}
		}
		for what, err := range map[string]error{
			"at its end":       second(db.Store.Link(ctx, l.Hash, l.Kind, l.Until)),
			"of another kind":  second(db.Store.Link(ctx, l.Hash, hub.LinkEmail, now)),
			"of another token": second(db.Store.Link(ctx, [32]byte{1}, l.Kind, now)),
		} {
			if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("a link %s: %v, want ErrNotFound", what, err)
			}
		}

		taken := someMail()
		if err := db.Store.AddMail(ctx, taken); err != nil {
			t.Fatal(err)
		}
		lost := l
		lost.Hash = [32]byte{7}
		if err := db.Store.AddLink(ctx, lost, taken); err == nil {
			t.Error("a mail with the id of another was taken")
		}
		if err := second(db.Store.Link(ctx, lost.Hash, l.Kind, now)); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a link whose mail could not be kept: %v, want ErrNotFound", err)
		}
		lost.Kind = hub.LinkNothing
		if err := db.Store.AddLink(ctx, lost, hub.SealedMail{}); err != nil {
			t.Errorf("a link without a mail: %v", err)
		}
		if n := q.count("select count(*) from mails"); n != mails+2 {
			t.Errorf("%d mails, want two more than %d", n, mails)
		}
	})
}

func TestTheNewestLinksToAnAddressAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q, a, now := queueTest{t, db}, signUp(t, db.Store), moment()
		old := linkOf(t, db, a, hub.LinkReset, "other@example.com", now.Add(-30*time.Minute))
		email := linkOf(t, db, a, hub.LinkEmail, a.user.Email, now)
		var resets []hub.Link
		for i := range 5 {
			resets = append(resets, linkOf(t, db, a, hub.LinkReset, a.user.Email, now.Add(time.Duration(i)*time.Second)))
		}
		there := func(l hub.Link) bool {
			return q.count("select count(*) from links where hash = $1", l.Hash[:]) == 1
		}
		if there(old) {
			t.Error("a link that is over was kept")
		}
		if !there(email) {
			t.Error("a link of another kind was removed")
		}
		for i, l := range resets {
			if there(l) != (i >= 2) {
				t.Errorf("link %d of 5 is there: %v", i+1, there(l))
			}
		}
	})
}

func TestANewPasswordEndsSessionsAndLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, q, now := t.Context(), queueTest{t, db}, moment()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		var own []hub.Session
		for i := range 2 {
			s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: a.tenant.ID, CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(time.Hour)}
			if err := db.Store.CreateSession(ctx, s, token(i)); err != nil {
				t.Fatal(err)
			}
			own = append(own, s)
		}
		reset := func() hub.Link { return linkOf(t, db, a, hub.LinkReset, a.user.Email, now) }
		sessions := func() int {
			t.Helper()
			list, err := db.Store.Sessions(ctx, a.user.ID, now)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		theirs := linkOf(t, db, b, hub.LinkReset, b.user.Email, now)
		reset()
		// A thief who knows the password may have asked for this one.
		stolen := linkOf(t, db, a, hub.LinkEmail, "thief@example.com", now)
		if err := db.Store.SetPassword(ctx, a.user.ID, "second hash", own[0].ID, now, someMail()); err != nil {
			t.Fatal(err)
		}
		if n := sessions(); n != 1 {
			t.Errorf("%d sessions after a change, want the one that asked", n)
		}
		if err := second(db.Store.TakeEmail(ctx, stolen.Hash, now, someMail())); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a change of address that was asked for with the old password: %v, want ErrNotFound", err)
		}

		kept, used := reset(), reset()
		mails := q.count("select count(*) from mails")
		if u, err := db.Store.ResetPassword(ctx, used.Hash, "third hash", now, someMail()); err != nil || u.ID != a.user.ID {
			t.Errorf("ResetPassword = %+v, %v", u, err)
		}
		if u, err := db.Store.User(ctx, a.user.ID); err != nil || u.PasswordHash != "third hash" {
			t.Errorf("user %+v, %v", u, err)
		}
		if n := sessions(); n != 0 {
			t.Errorf("%d sessions after a reset, want none", n)
		}
		if n := q.count("select count(*) from mails"); n != mails+1 {
			t.Errorf("%d mails, want one more than %d", n, mails)
		}
		if err := second(db.Store.ResetPassword(ctx, kept.Hash, "fourth hash", now, someMail())); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another link of the user: %v, want ErrNotFound", err)
		}
		if err := second(db.Store.Link(ctx, theirs.Hash, theirs.Kind, now)); err != nil {
			t.Errorf("a link of another user: %v", err)
		}
	})
}

func TestAnAddressIsTakenOnceAndByOneUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, q, now := t.Context(), queueTest{t, db}, moment()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		taken := linkOf(t, db, a, hub.LinkEmail, b.user.Email, now)
		mails := q.count("select count(*) from mails")
		if err := second(db.Store.TakeEmail(ctx, taken.Hash, now, someMail())); !errors.Is(err, hub.ErrEmailTaken) {
			t.Errorf("an address of somebody else: %v, want ErrEmailTaken", err)
		}
		if n := q.count("select count(*) from mails"); n != mails {
			t.Error("a mail tells of a change that was refused")
		}
		reset := linkOf(t, db, a, hub.LinkReset, a.user.Email, now)
		l := linkOf(t, db, a, hub.LinkEmail, "new@example.com", now)
		if u, err := db.Store.TakeEmail(ctx, l.Hash, now, someMail()); err != nil || u != a.user {
			t.Errorf("TakeEmail = %+v (%v), want the user as it was", u, err)
		}
		if u, err := db.Store.UserByEmail(ctx, "new@example.com"); err != nil || u.ID != a.user.ID {
			t.Errorf("UserByEmail = %+v, %v", u, err)
		}
		for what, err := range map[string]error{
			"again":                         second(db.Store.TakeEmail(ctx, l.Hash, now, someMail())),
			"a reset by the address it had": second(db.Store.ResetPassword(ctx, reset.Hash, "hash", now, someMail())),
		} {
			if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
		}
	})
}

func TestOfManyWhoFollowALinkAtOnceOneWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, q, now, a := t.Context(), queueTest{t, db}, moment(), signUp(t, db.Store)
		reset := linkOf(t, db, a, hub.LinkReset, a.user.Email, now)
		oneOf(t, "resets", func(i int) error {
			return second(db.Store.ResetPassword(ctx, reset.Hash, fmt.Sprint("hash ", i), now, someMail()))
		})
		email := linkOf(t, db, a, hub.LinkEmail, "new@example.com", now)
		oneOf(t, "changes of address", func(int) error {
			return second(db.Store.TakeEmail(ctx, email.Hash, now, someMail()))
		})
		tenants := q.count("select count(*) from tenants")
		link := signUpLink(t, db.Store, "newcomer@example.com", now)
		oneOf(t, "sign-ups", func(i int) error {
			company := hub.Tenant{ID: hub.NewID(), Name: "New", IndexKey: []byte("key"), CreatedAt: now}
			desk := hub.Desk{ID: hub.NewID(), TenantID: company.ID, TokenHash: token(100 + i), TokenSealed: []byte("sealed"), Unsigned: hub.RefuseUnsigned}
			return db.Store.SignUp(ctx, link, company, newUser(fmt.Sprintf("newcomer%d@example.com", i)), desk)
		})
		if n := q.count("select count(*) from tenants"); n != tenants+1 {
			t.Errorf("%d tenants, want one more than %d", n, tenants)
		}
	})
}

// oneOf does something eight times at once: one is to succeed, and nothing is to be left for the others.
func oneOf(t *testing.T, what string, do func(i int) error) {
	t.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := again(func() (struct{}, error) { return struct{}{}, do(i) })
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, hub.ErrNotFound):
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
		})
	}
	all.Wait()
	if n := won.Load(); n != 1 {
		t.Errorf("%s: %d of 8 succeeded, want 1", what, n)
	}
}
