package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func TestPlanShowsAndSetsATenantsPlan(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	now := time.Now()
	owner := hub.User{ID: hub.NewID(), Email: "dana@example.com", PasswordHash: "hash", CreatedAt: now}
	tenant := hub.Tenant{ID: hub.NewID(), Name: "Brightwater", IndexKey: []byte("sealed"), CreatedAt: now}
	desk := hub.Desk{ID: hub.NewID(), TenantID: tenant.ID, TokenSealed: []byte("sealed"), Unsigned: hub.RefuseUnsigned}
	link := hub.Link{Hash: [32]byte{1}, Kind: hub.LinkSignUp, Email: owner.Email, CreatedAt: now, Until: now.Add(time.Hour)}
	if err := db.Store.AddLink(t.Context(), link, hub.SealedMail{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Store.SignUp(t.Context(), link.Hash, tenant, owner, desk); err != nil {
		t.Fatal(err)
	}
	id := tenant.ID.String()
	none := "has the plan unlimited: any number of chats a day, any number of connections"
	for _, c := range []struct {
		what string
		args []string
		ok   bool
		says string
	}{
		{"a new tenant", []string{id}, true, "Brightwater (" + id + ") " + none},
		{"by the owner", []string{"Dana@Example.com"}, true, none},
		{"set", []string{owner.Email, "free"}, true, "has from its next chat on the plan free: 500 chats a day, 3 connections, 20000 rows from files, 5 members."},
		{"afterwards", []string{id}, true, "has the plan free: 500 chats a day"},
		{"a typo", []string{id, "teem"}, false, `there is no plan "teem"; the plans are free, team, business, unlimited`},
		{"a stranger", []string{"nobody@example.com", "team"}, false, "nobody has the e-mail address nobody@example.com"},
		{"no tenant", []string{hub.NewID().String()}, false, "there is no tenant "},
		{"nothing", nil, false, "use: sidecard plan TENANT [PLAN]"},
		{"still", []string{id}, true, "has the plan free"},
	} {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"plan"}, c.args...)...)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+db.URL)
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.ok || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v\n%s\nwant %q", c.what, err, out, c.says)
		}
	}
}
