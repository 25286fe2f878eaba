package api_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// emptied is a store in which desks may be those of tenants that were deleted.
type emptied struct {
	hub.Store
	gone *atomic.Bool
}

func (e emptied) DeskByToken(ctx context.Context, hash [32]byte) (hub.Desk, error) {
	if e.gone.Load() {
		return hub.Desk{}, hub.ErrGone
	}
	return e.Store.DeskByToken(ctx, hash)
}

// In the week in which a deletion can be called off no chat is lost. After it LiveSupporti is told to stop.
func TestATenantTakesChatsUntilItIsGone(t *testing.T) {
	t.Parallel()
	gone := &atomic.Bool{}
	s := setup(t, storetest.SQLite(t).Store, func(store hub.Store) hub.Store { return emptied{store, gone} })
	l := s.open("brightwater")
	planned := want[contract.TenantPage](s, 200, post("/tenant/deletion", l.token, contract.PasswordOnly{Password: password}))
	if planned.DeleteAt == nil {
		t.Errorf("planned: %+v", planned)
	}
	if me := want[contract.Me](s, 200, asked{method: "GET", path: "/api/v1/me", token: l.token}); me.Tenant.DeleteAt == nil || !me.Tenant.DeleteAt.Equal(*planned.DeleteAt) {
		t.Errorf("the portal cannot warn: %+v", me.Tenant)
	}
	notification := announcement("firing", "visitor")
	if a := l.send(notification, l.sign(notification)); a.status != http.StatusOK || len(l.chats()) != 1 {
		t.Errorf("a chat in the week before: %d %s, and %d chats", a.status, a.body, len(l.chats()))
	}
	if kept := want[contract.TenantPage](s, 200, asked{method: "DELETE", path: "/api/v1/tenant/deletion", token: l.token}); kept.DeleteAt != nil {
		t.Errorf("called off: %+v", kept)
	}

	gone.Store(true)
	other := s.open("other") // with a desk that this process has not seen
	notification = announcement("another firing", "visitor")
	if a := other.send(notification, other.sign(notification)); a.status != http.StatusGone {
		t.Errorf("a notification to what is gone: %d %s, want 410", a.status, a.body)
	}
	if a := s.raw(asked{method: "GET", path: other.hook + "?echo=1"}); a.status != http.StatusGone {
		t.Errorf("an echo of what is gone: %d %s, want 410", a.status, a.body)
	}
}

// A member who was removed is out at once in this process, and the account with it.
func TestARemovedMemberIsOut(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	a := furnishAudited(s)
	me := asked{method: "GET", path: "/api/v1/me", token: a.helper.AccessToken}
	want[contract.Me](s, 200, me)
	want[struct{}](s, 204, asked{method: "DELETE", path: "/api/v1/members/" + a.helper.Me.User.Id.String(), token: a.token})
	want[contract.Problem](s, 401, me)
	want[contract.Problem](s, 401, post("/auth/signin", "", contract.SignIn{Email: a.mail, Password: password}))
	members := want[contract.MemberList](s, 200, asked{method: "GET", path: "/api/v1/members", token: a.token})
	for _, m := range members.Members {
		if m.Email == a.mail {
			t.Errorf("members: %+v", members)
		}
	}
}
