package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
)

const joinersPassword = "nine purple kettles 77"

// invites has an actor invite an address, and gives the token of the link in the mail.
func (o *office) invites(by hub.Actor, email string, role hub.Role) string {
	o.Helper()
	_, err := o.hubs[0].Invite(o.Context(), by, email, role)
	must(o.T, err)
	return o.tokenIn(hub.FoldEmail(email), hub.MailInvitation)
}

func (o *office) tokenIn(email, kind string) string {
	o.Helper()
	_, token, ok := strings.Cut(o.mailed(email, kind), "token=")
	if !ok {
		o.Fatalf("no link in the mail %s to %s", kind, email)
	}
	return strings.Fields(token)[0]
}

// mailed waits for a mail and gives its text.
func (o *office) mailed(email, kind string) string {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), 30*time.Second)
	defer cancel()
	m, err := o.mails.Wait(ctx, email, kind)
	if err != nil {
		o.Fatalf("no mail %s to %s: %v", kind, email, err)
	}
	return m.Text
}

// joins has somebody new join.
func (o *office) joins(email string, role hub.Role) hub.Actor {
	o.Helper()
	in, err := o.hubs[1].AcceptInvitation(o.Context(), hub.Acceptance{Token: o.invites(o.dana, email, role), Password: joinersPassword})
	must(o.T, err)
	return hub.Actor{UserID: in.Me.User.ID, TenantID: in.Me.Tenant.ID, Role: in.Me.Role, Name: email}
}

func (o *office) roles() map[hub.ID]hub.Role {
	o.Helper()
	members, err := o.hubs[0].Members(o.Context(), o.dana)
	must(o.T, err)
	roles := map[hub.ID]hub.Role{}
	for _, m := range members {
		roles[m.UserID] = m.Role
	}
	return roles
}

// actions lists what is in the tenant's audit log, oldest first.
func (o *office) actions() (all []string) {
	o.Helper()
	page, _, err := o.hubs[0].AuditPage(o.Context(), o.dana, hub.AuditQuery{Limit: 200})
	must(o.T, err)
	for _, e := range slices.Backward(page) {
		all = append(all, e.Action)
	}
	return all
}

func wantCode(t *testing.T, what string, err error, code hub.Code) {
	t.Helper()
	if e := (*hub.Error)(nil); !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestNobodyGivesOrTakesARoleAboveTheirOwn(t *testing.T) {
	onBoth(t, func(o *office) {
		admin := o.joins("admin@example.com", hub.RoleAdmin)
		viewer := o.joins("viewer@example.com", hub.RoleViewer)
		h, ctx := o.hubs[0], o.Context()
		_, err := h.ChangeRole(ctx, admin, viewer.UserID, hub.RoleOwner)
		wantCode(o.T, "an admin makes an owner", err, hub.CodeForbidden)
		_, err = h.ChangeRole(ctx, admin, admin.UserID, hub.RoleOwner)
		wantCode(o.T, "an admin makes themselves an owner", err, hub.CodeForbidden)
		_, err = h.ChangeRole(ctx, admin, o.dana.UserID, hub.RoleViewer)
		wantCode(o.T, "an admin demotes an owner", err, hub.CodeForbidden)
		wantCode(o.T, "an admin removes an owner", h.RemoveMember(ctx, admin, o.dana.UserID), hub.CodeForbidden)
		_, err = h.Invite(ctx, admin, "new@example.com", hub.RoleOwner)
		wantCode(o.T, "an admin invites an owner", err, hub.CodeForbidden)
		_, err = h.ChangeRole(ctx, o.dana, viewer.UserID, "king")
		wantCode(o.T, "a role that is none", err, hub.CodeInvalid)
		in, err := h.Invite(ctx, o.dana, "new@example.com", hub.RoleOwner)
		must(o.T, err)
		wantCode(o.T, "an admin withdraws an owner's invitation", h.WithdrawInvitation(ctx, admin, in.ID), hub.CodeForbidden)
		if _, err := h.ChangeRole(ctx, admin, viewer.UserID, hub.RoleAdmin); err != nil {
			o.Errorf("an admin makes an admin: %v", err)
		}

		// What counts is the role at that moment, not the one of when the request came.
		if _, err := h.ChangeRole(ctx, o.dana, admin.UserID, hub.RoleViewer); err != nil {
			o.Fatal(err)
		}
		_, err = h.ChangeRole(ctx, admin, viewer.UserID, hub.RoleMember)
		wantCode(o.T, "who was an admin until a moment ago", err, hub.CodeForbidden)
		must(o.T, h.RemoveMember(ctx, o.dana, admin.UserID))
		_, err = h.ChangeRole(ctx, admin, viewer.UserID, hub.RoleMember)
		wantCode(o.T, "who was a member until a moment ago", err, hub.CodeUnauthenticated)

		// A token has the role it was made with.
		token := hub.Actor{TenantID: o.dana.TenantID, TokenID: hub.NewID(), Role: hub.RoleAdmin, Name: "Deploys"}
		if _, err := h.ChangeRole(ctx, token, viewer.UserID, hub.RoleMember); err != nil {
			o.Errorf("a token changes a role: %v", err)
		}
		wantCode(o.T, "a token removes an owner", h.RemoveMember(ctx, token, o.dana.UserID), hub.CodeForbidden)
	})
}

func TestTheLastOwnerStays(t *testing.T) {
	onBoth(t, func(o *office) {
		h, ctx := o.hubs[0], o.Context()
		_, err := h.ChangeRole(ctx, o.dana, o.dana.UserID, hub.RoleAdmin)
		wantCode(o.T, "the last owner steps down", err, hub.CodeConflict)
		wantCode(o.T, "the last owner leaves", h.Leave(ctx, o.dana), hub.CodeConflict)
		wantCode(o.T, "the last owner removes themselves", h.RemoveMember(ctx, o.dana, o.dana.UserID), hub.CodeConflict)
		second := o.joins("second@example.com", hub.RoleOwner)
		must(o.T, h.Leave(ctx, second))
		wantCode(o.T, "the last owner leaves again", h.Leave(ctx, o.dana), hub.CodeConflict)
	})
}

// Two owners who demote each other at the same moment do not leave a tenant without one.
func TestOfTwoOwnersWhoDemoteEachOtherOneStays(t *testing.T) {
	onBoth(t, func(o *office) {
		second := o.joins("second@example.com", hub.RoleOwner)
		for round := range 5 {
			pair := []hub.Actor{o.dana, second}
			var errs [2]error
			var both sync.WaitGroup
			for i, by := range pair {
				other := pair[1-i].UserID
				both.Go(func() {
					if round%2 == 0 {
						_, errs[i] = o.hubs[i].ChangeRole(o.Context(), by, other, hub.RoleMember)
					} else {
						_, errs[i] = o.hubs[i].ChangeRole(o.Context(), by, by.UserID, hub.RoleMember)
					}
				})
			}
			both.Wait()
			owner := hub.Actor{}
			for _, a := range pair {
				if o.roles()[a.UserID] == hub.RoleOwner {
					owner = a
				}
			}
			if owner.UserID == (hub.ID{}) || (errs[0] == nil) == (errs[1] == nil) {
				o.Fatalf("round %d: roles %v after %v and %v", round, o.roles(), errs[0], errs[1])
			}
			for _, a := range pair {
				if a.UserID != owner.UserID {
					_, err := o.hubs[0].ChangeRole(o.Context(), owner, a.UserID, hub.RoleOwner)
					must(o.T, err)
				}
			}
		}
	})
}

func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	onBoth(t, func(o *office) {
		h, ctx := o.hubs[0], o.Context()
		token := o.invites(o.dana, " New@Example.com ", hub.RoleMember)
		shown, err := h.ShowInvitation(ctx, token)
		if err != nil || shown.Company != "Brightwater" || shown.Email != "new@example.com" || shown.Role != hub.RoleMember || shown.HasAccount {
			o.Errorf("ShowInvitation = %+v (%v)", shown, err)
		}
		_, err = h.AcceptInvitation(ctx, hub.Acceptance{Token: token, Password: "brightwater1"})
		wantCode(o.T, "a weak password", err, hub.CodeInvalid)
		in, err := h.AcceptInvitation(ctx, hub.Acceptance{Token: token, Name: " Nia ", Password: joinersPassword})
		if err != nil || in.Me.User.Email != "new@example.com" || in.Me.User.Name != "Nia" || in.Me.Role != hub.RoleMember || in.Me.Tenant.ID != o.dana.TenantID {
			o.Errorf("AcceptInvitation = %+v (%v)", in.Me, err)
		}
		for what, t := range map[string]string{"used": token, "made up": "sci_nonsense", "empty": ""} {
			_, err = h.ShowInvitation(ctx, t)
			wantCode(o.T, "looking at one that is "+what, err, hub.CodeLinkEnded)
			_, err = h.AcceptInvitation(ctx, hub.Acceptance{Token: t, Password: joinersPassword})
			wantCode(o.T, "accepting one that is "+what, err, hub.CodeLinkEnded)
		}
		_, err = h.Invite(ctx, o.dana, "new@example.com", hub.RoleViewer)
		wantCode(o.T, "inviting who is there", err, hub.CodeConflict)
		_, err = h.Invite(ctx, o.dana, "new", hub.RoleViewer)
		wantCode(o.T, "inviting no address", err, hub.CodeInvalid)
	})
}

func TestAnInvitationEndsAfterSevenDays(t *testing.T) {
	onBoth(t, func(o *office) {
		token := o.invites(o.dana, "new@example.com", hub.RoleMember)
		o.pass(7*24*time.Hour - time.Minute)
		_, err := o.hubs[0].ShowInvitation(o.Context(), token)
		must(o.T, err)
		o.pass(2 * time.Minute)
		_, err = o.hubs[0].AcceptInvitation(o.Context(), hub.Acceptance{Token: token, Password: joinersPassword})
		wantCode(o.T, "after seven days", err, hub.CodeLinkEnded)
		list, err := o.hubs[0].ListInvitations(o.Context(), o.dana)
		if err != nil || len(list) != 0 {
			o.Errorf("ListInvitations = %+v (%v), want none", list, err)
		}
	})
}

// Whoever has an account joins with it: the link alone opens nobody's account.
func TestAnAccountJoinsASecondTenantWithItsOwnPassword(t *testing.T) {
	onBoth(t, func(o *office) {
		h, ctx := o.hubs[0], o.Context()
		eve := o.signUp("eve@elsewhere.example")
		token := o.invites(o.dana, "eve@elsewhere.example", hub.RoleAdmin)
		shown, err := h.ShowInvitation(ctx, token)
		if err != nil || !shown.HasAccount {
			o.Errorf("ShowInvitation = %+v (%v), want that there is an account", shown, err)
		}
		_, err = h.AcceptInvitation(ctx, hub.Acceptance{Token: token, Password: joinersPassword})
		wantCode(o.T, "with another password", err, hub.CodeWrongLogin)
		in, err := h.AcceptInvitation(ctx, hub.Acceptance{Token: token, Name: "ignored", Password: "trekker-in-the-rain"})
		must(o.T, err)
		if in.Me.User.ID != eve.UserID || in.Me.User.Name != "D" || len(in.Me.Places) != 2 || in.Me.Tenant.ID != o.dana.TenantID || in.Me.Role != hub.RoleAdmin {
			o.Errorf("joined as %+v", in.Me)
		}
		there := hub.Actor{UserID: eve.UserID, TenantID: o.dana.TenantID, Role: hub.RoleAdmin}
		must(o.T, h.Leave(ctx, there))
		back, err := h.SignIn(ctx, hub.SignIn{Email: "eve@elsewhere.example", Password: "trekker-in-the-rain"})
		if err != nil || len(back.Me.Places) != 1 || back.Me.Tenant.ID != eve.TenantID {
			o.Errorf("after leaving: %+v (%v)", back.Me, err)
		}
	})
}

func TestADeletionIsPlannedWithThePasswordAndCalledOff(t *testing.T) {
	onBoth(t, func(o *office) {
		h, ctx := o.hubs[0], o.Context()
		o.joins("second@example.com", hub.RoleOwner)
		o.joins("admin@example.com", hub.RoleAdmin)
		_, err := h.ScheduleDeletion(ctx, o.dana, "not the password")
		wantCode(o.T, "a wrong password", err, hub.CodeInvalid)
		_, err = h.CancelDeletion(ctx, o.dana)
		wantCode(o.T, "calling nothing off", err, hub.CodeConflict)
		planned, err := h.ScheduleDeletion(ctx, o.dana, "trekker-in-the-rain")
		must(o.T, err)
		if in := planned.DeleteAt.Sub(o.now()); in > 7*24*time.Hour || in < 7*24*time.Hour-time.Minute {
			o.Errorf("it is planned in %v, want seven days", in)
		}
		_, err = h.ScheduleDeletion(ctx, o.dana, "trekker-in-the-rain")
		wantCode(o.T, "planning it twice", err, hub.CodeConflict)
		kept, err := h.CancelDeletion(ctx, o.dana)
		if err != nil || !kept.DeleteAt.IsZero() {
			o.Errorf("called off: %+v (%v)", kept, err)
		}
		for _, owner := range []string{"dana@brightwater-bikes.example", "second@example.com"} {
			told := o.mailed(owner, hub.MailTenantDeleteScheduled)
			if !strings.Contains(told, planned.DeleteAt.Format("2 January 2006")) || !strings.Contains(told, "https://sidecard.example.com/settings/tenant") {
				o.Errorf("%s was told %q", owner, told)
			}
			o.mailed(owner, hub.MailTenantDeleteCancelled)
		}
	})
}

func TestOnlyWhoHasASecondFactorRequiresOne(t *testing.T) {
	onBoth(t, func(o *office) {
		h, ctx := o.hubs[0], o.Context()
		require := true
		_, err := h.UpdateTenant(ctx, o.dana, hub.TenantChange{FactorRequired: &require})
		wantCode(o.T, "without one", err, hub.CodeInvalid)
		_, err = h.UpdateTenant(ctx, hub.Actor{TenantID: o.dana.TenantID, TokenID: hub.NewID(), Role: hub.RoleAdmin}, hub.TenantChange{FactorRequired: &require})
		wantCode(o.T, "a token", err, hub.CodeInvalid)
		name, no := "  Renamed ", false
		t, err := h.UpdateTenant(ctx, o.dana, hub.TenantChange{Name: &name, FactorRequired: &no})
		if err != nil || t.Name != "Renamed" || t.FactorRequired {
			o.Errorf("UpdateTenant = %+v (%v)", t, err)
		}
		blank := " "
		_, err = h.UpdateTenant(ctx, o.dana, hub.TenantChange{Name: &blank})
		wantCode(o.T, "no name", err, hub.CodeInvalid)
	})
}

func TestLoginsAreAudited(t *testing.T) {
	onBoth(t, func(o *office) {
		id := o.connection()
		o.connect(id)
		if got := o.lookUp(0, id); got != "found" { // what renews a login is no change of anybody's
			o.Errorf("a lookup says %s", got)
		}
		_, err := o.hubs[0].EndLogin(o.Context(), o.dana, id)
		must(o.T, err)
		want := []string{"tenant.created", "connection.created", "connection.login_begun", "connection.login_finished", "connection.login_ended"}
		if got := o.actions(); !slices.Equal(got, want) {
			o.Errorf("the audit log holds %v, want %v", got, want)
		}
		page, _, err := o.hubs[0].AuditPage(o.Context(), o.dana, hub.AuditQuery{Limit: 200})
		must(o.T, err)
		text, err := json.Marshal(page)
		must(o.T, err)
		if strings.Contains(string(text), "canary") {
			o.Errorf("a secret is in the audit log: %s", text)
		}
		v, err := o.hubs[0].VerifyAudit(o.Context(), o.dana)
		if err != nil || !v.OK() || v.Entries != int64(len(want)) {
			o.Errorf("VerifyAudit = %+v (%v)", v, err)
		}
	})
}
