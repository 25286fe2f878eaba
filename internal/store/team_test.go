package store_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func someMail() hub.SealedMail {
	return hub.SealedMail{ID: hub.NewID(), Kind: hub.MailInvitation, Sealed: []byte("sealed")}
}

// invite stores an invitation into an account.
func invite(t *testing.T, a account, email string, role hub.Role) (hub.Invitation, [32]byte) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	in := hub.Invitation{
		ID: hub.NewID(), TenantID: a.tenant.ID, Email: email, Role: role, InvitedBy: a.user.Name, CreatedAt: now, Until: now.Add(time.Hour),
	}
	hash := sha256.Sum256(in.ID[:])
	if err := a.Invite(t.Context(), in, hash, someMail()); err != nil {
		t.Fatalf("invite: %v", err)
	}
	return in, hash
}

// join makes a user a member of an account.
func join(t *testing.T, a account, u hub.User, isNew bool, role hub.Role) hub.User {
	t.Helper()
	in, _ := invite(t, a, u.Email, role)
	if err := a.AcceptInvitation(t.Context(), in.ID, u, isNew, time.Now()); err != nil {
		t.Fatalf("accept: %v", err)
	}
	return u
}

func newUser(email string) hub.User {
	return hub.User{ID: hub.NewID(), Email: email, Name: "New", PasswordHash: "hash", CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
}

func rolesOf(t *testing.T, a account) map[hub.ID]hub.Role {
	t.Helper()
	members, err := a.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roles := map[hub.ID]hub.Role{}
	for _, m := range members {
		roles[m.UserID] = m.Role
	}
	return roles
}

func TestMembersAreListedAndChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		u := join(t, a, newUser("new@example.com"), true, hub.RoleViewer)
		members, err := a.Members(ctx)
		if err != nil || len(members) != 2 || members[0].UserID != a.user.ID || members[1].Email != u.Email || members[1].HasFactor {
			t.Fatalf("Members = %+v (%v)", members, err)
		}
		m, err := a.ChangeMember(ctx, u.ID, func(all []hub.Member, m *hub.Member) error {
			if len(all) != 2 || m.Role != hub.RoleViewer {
				t.Errorf("judged by %+v", all)
			}
			m.Role = hub.RoleAdmin
			return nil
		})
		if err != nil || m.Role != hub.RoleAdmin || rolesOf(t, a)[u.ID] != hub.RoleAdmin {
			t.Errorf("changed to %+v (%v)", m, err)
		}
		refused := errors.New("refused")
		if _, err := a.ChangeMember(ctx, u.ID, func(_ []hub.Member, m *hub.Member) error { m.Role = ""; return refused }); !errors.Is(err, refused) {
			t.Error(err)
		}
		if rolesOf(t, a)[u.ID] != hub.RoleAdmin {
			t.Error("a refused change was stored")
		}
		if _, err := b.ChangeMember(ctx, u.ID, func([]hub.Member, *hub.Member) error { return nil }); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another tenant's member: %v, want ErrNotFound", err)
		}
	})
}

func remove(_ []hub.Member, m *hub.Member) error {
	m.Role = ""
	return nil
}

func TestRemovedMembersSessionsEndThereAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		join(t, b, a.user, false, hub.RoleMember)
		now := time.Now().UTC()
		var sessions []hub.Session
		for i, in := range []account{a, b} {
			s := hub.Session{ID: hub.NewID(), UserID: a.user.ID, TenantID: in.tenant.ID, CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(time.Hour)}
			if err := db.Store.CreateSession(ctx, s, sha256.Sum256([]byte{byte(i)})); err != nil {
				t.Fatal(err)
			}
			sessions = append(sessions, s)
		}
		if _, err := b.ChangeMember(ctx, a.user.ID, remove); err != nil {
			t.Fatal(err)
		}
		if _, err := b.SessionStanding(ctx, sessions[1].ID, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("the session in the tenant: %v, want it gone", err)
		}
		if _, err := a.SessionStanding(ctx, sessions[0].ID, now); err != nil {
			t.Errorf("the session in the other tenant: %v, want it there", err)
		}
		if _, err := db.Store.User(ctx, a.user.ID); err != nil {
			t.Errorf("the user belongs to another tenant and is gone: %v", err)
		}
	})
}

// Nobody would be able to sign up again with the address of a user who belongs nowhere.
func TestUserWithoutATenantIsForgotten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a := signUp(t, db.Store)
		u := join(t, a, newUser("new@example.com"), true, hub.RoleMember)
		c := newConnection("toy")
		if err := a.CreateConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
		err := a.BeginLogin(ctx, hub.LoginAttempt{Connection: c.ID, State: [32]byte{1}, User: u.ID, Verifier: []byte("v"), Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.PublishCard(ctx, hub.Card{PublishedBy: u.ID, ByName: u.Name, PublishedAt: time.Now()}, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := a.ChangeMember(ctx, u.ID, remove); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Store.UserByEmail(ctx, u.Email); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("the user: %v, want ErrNotFound", err)
		}
		if card, err := a.Card(ctx); err != nil || card.Version != 1 || card.ByName != "New" {
			t.Errorf("their card is %+v (%v), want it there with their name", card, err)
		}
		join(t, a, newUser("new@example.com"), true, hub.RoleMember)
	})
}

// A card may be published by a program.
func TestTokenPublishesACard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		card, err := a.PublishCard(t.Context(), hub.Card{ByName: "Deploys", PublishedAt: time.Now()}, -1)
		if err != nil || card.ByName != "Deploys" || card.PublishedBy != (hub.ID{}) {
			t.Errorf("PublishCard = %+v (%v)", card, err)
		}
	})
}

// Whoever comes second sees what the first one left.
func TestMembersAreJudgedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		other := join(t, a, newUser("other@example.com"), true, hub.RoleOwner)
		last := errors.New("last owner")
		demote := func(user hub.ID) error {
			_, err := again(func() (hub.Member, error) {
				return a.ChangeMember(t.Context(), user, func(all []hub.Member, m *hub.Member) error {
					n := 0
					for _, one := range all {
						if one.Role == hub.RoleOwner {
							n++
						}
					}
					if n == 1 {
						return last
					}
					m.Role = hub.RoleMember
					return nil
				})
			})
			return err
		}
		for range 10 {
			var errs [2]error
			var both sync.WaitGroup
			for i, user := range []hub.ID{a.user.ID, other.ID} {
				both.Go(func() { errs[i] = demote(user) })
			}
			both.Wait()
			refused := 0
			for _, err := range errs {
				if errors.Is(err, last) {
					refused++
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if refused != 1 {
				t.Fatalf("%d of two were refused, want 1", refused)
			}
			for _, user := range []hub.ID{a.user.ID, other.ID} {
				if _, err := a.ChangeMember(t.Context(), user, func(_ []hub.Member, m *hub.Member) error { m.Role = hub.RoleOwner; return nil }); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestTenantIsUpdatedWithItsMails(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		q := queueTest{t, db}
		a := signUp(t, db.Store)
		at := time.Now().UTC().Add(time.Hour).Truncate(time.Microsecond)
		mails := q.count("select count(*) from mails")
		change := func(t *hub.Tenant) error {
			t.Name, t.FactorRequired, t.DeleteAt = "Renamed", true, at
			return nil
		}
		if _, err := a.UpdateTenant(t.Context(), change, someMail(), someMail()); err != nil {
			t.Fatal(err)
		}
		got, err := a.Tenant(t.Context())
		if err != nil || got.Name != "Renamed" || !got.FactorRequired || !got.DeleteAt.Equal(at) {
			t.Errorf("Tenant = %+v (%v)", got, err)
		}
		if n := q.count("select count(*) from mails") - mails; n != 2 {
			t.Errorf("%d mails, want 2", n)
		}
	})
}

func TestInvitationIsFoundByItsTokenAndUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a := signUp(t, db.Store)
		in, hash := invite(t, a, "new@example.com", hub.RoleAdmin)
		now := time.Now()
		if got, err := db.Store.InvitationByHash(ctx, hash, now); err != nil || got != in {
			t.Errorf("InvitationByHash = %+v (%v), want %+v", got, err, in)
		}
		for what, when := range map[string]time.Time{"over": in.Until} {
			if _, err := db.Store.InvitationByHash(ctx, hash, when); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", what, err)
			}
			if err := a.AcceptInvitation(ctx, in.ID, newUser("new@example.com"), true, when); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("accept when %s: %v, want ErrNotFound", what, err)
			}
		}
		if _, err := db.Store.InvitationByHash(ctx, [32]byte{1}, now); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("unknown: %v, want ErrNotFound", err)
		}
		var errs [4]error
		var racers sync.WaitGroup
		for i := range errs {
			racers.Go(func() {
				_, errs[i] = again(func() (any, error) {
					return nil, a.AcceptInvitation(ctx, in.ID, newUser("new@example.com"), true, now)
				})
			})
		}
		racers.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("a loser is told %v, want ErrNotFound", err)
			}
		}
		if roles := rolesOf(t, a); won != 1 || len(roles) != 2 {
			t.Errorf("%d joined and there are %d members", won, len(roles))
		}
	})
}

func TestInvitationsOfAnAddressReplaceEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		_, first := invite(t, a, "new@example.com", hub.RoleViewer)
		second, _ := invite(t, a, "new@example.com", hub.RoleMember)
		elsewhere, _ := invite(t, b, "new@example.com", hub.RoleOwner)
		if _, err := db.Store.InvitationByHash(ctx, first, time.Now()); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("the first link: %v, want ErrNotFound", err)
		}
		list, err := a.Invitations(ctx, time.Now())
		if err != nil || !slices.Equal(list, []hub.Invitation{second}) {
			t.Errorf("Invitations = %+v (%v), want the second alone", list, err)
		}
		err = a.Invite(ctx, hub.Invitation{ID: hub.NewID(), Email: a.user.Email, Role: hub.RoleViewer}, [32]byte{9}, someMail())
		if hub.CodeOf(err) != hub.CodeConflict {
			t.Errorf("inviting a member: %v, want a conflict", err)
		}
		if err := a.WithdrawInvitation(ctx, elsewhere.ID, allow); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("withdrawing another tenant's: %v, want ErrNotFound", err)
		}
		if err := a.WithdrawInvitation(ctx, second.ID, allow); err != nil {
			t.Fatal(err)
		}
		if list, err := a.Invitations(ctx, time.Now()); err != nil || len(list) != 0 {
			t.Errorf("Invitations = %+v (%v), want none", list, err)
		}
		if err := a.AcceptInvitation(ctx, second.ID, newUser("new@example.com"), true, time.Now()); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("accepting what was withdrawn: %v, want ErrNotFound", err)
		}
	})
}

func allow(hub.Invitation) error { return nil }

func TestAcceptingTellsWhoIsNotNewAndWhoIsThereAlready(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx := t.Context()
		a, b := signUp(t, db.Store), signUp(t, db.Store)
		in, _ := invite(t, a, b.user.Email, hub.RoleMember)
		if err := a.AcceptInvitation(ctx, in.ID, newUser(b.user.Email), true, time.Now()); !errors.Is(err, hub.ErrEmailTaken) {
			t.Errorf("as a new user: %v, want ErrEmailTaken", err)
		}
		if err := a.AcceptInvitation(ctx, in.ID, b.user, false, time.Now()); err != nil {
			t.Errorf("as who they are, after that: %v", err)
		}
		again, _ := invite(t, a, "old@example.com", hub.RoleMember) // the user's address before
		if err := a.AcceptInvitation(ctx, again.ID, b.user, false, time.Now()); hub.CodeOf(err) != hub.CodeConflict {
			t.Errorf("a member: %v, want a conflict", err)
		}
		places, err := db.Store.Memberships(ctx, b.user.ID)
		if err != nil || len(places) != 2 {
			t.Errorf("Memberships = %+v (%v), want two tenants", places, err)
		}
	})
}
