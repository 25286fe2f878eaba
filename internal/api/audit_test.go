package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// audited is a tenant on which every operation is tried.
type audited struct {
	tenant
	id     hub.ID            // of the tenant
	helper contract.Session  // of a second member
	mail   string            // the helper's address
	keep   map[string]string // what later operations need of earlier answers
	secret []string          // what must never be in the log
}

// logged gives all entries of a tenant's log, past the API.
func (a *audited) logged(tenant hub.ID) []hub.AuditEntry {
	a.Helper()
	all, err := a.store.Tenant(tenant).AuditAfter(a.Context(), 0, 10_000)
	must(a.T, err)
	return all
}

// hides notes a secret.
func (a *audited) hides(secret string) string {
	a.secret = append(a.secret, secret)
	return secret
}

// invites has the owner invite an address, and gives the link's token.
func (a *audited) invites(email string, role contract.Role) string {
	a.Helper()
	want[contract.Invitation](a.stage, 201, asked{method: "POST", path: "/api/v1/invitations", token: a.token, body: contract.InvitationCreate{Email: email, Role: role}})
	return a.hides(a.link(email, hub.MailInvitation))
}

// joins has somebody new join, and gives their session.
func (a *audited) joins(email string, role contract.Role) contract.Session {
	a.Helper()
	return want[contract.Session](a.stage, 200, asked{method: "POST", path: "/api/v1/auth/invitation/accept", body: contract.InvitationAccept{Token: a.invites(email, role), Password: password}})
}

// tried is one operation: what is asked, and the one entry that it leaves, or why it leaves none.
type tried struct {
	operation string
	action    string // empty: no entry
	why       string // no entry is left
	asks      func(a *audited) asked
	then      func(a *audited, answer []byte)
}

func post(path, token string, body any) asked {
	return asked{method: "POST", path: "/api/v1" + path, token: token, body: body}
}

const (
	ownAccount = "it is about the user's own sessions or name, which belong to no tenant"
	readsOnly  = "it changes nothing"
	sendsLink  = "nothing changes before the link in the mail is followed"
)

// everyChange tries all operations that are no GET, in an order in which each finds what it needs.
var everyChange = []tried{
	{"signUp", "", sendsLink, func(*audited) asked {
		return post("/auth/signup", "", contract.SignUp{Company: "Other", Email: "other@example.com", Password: password})
	}, nil},
	{"signIn", "", ownAccount, func(a *audited) asked { return post("/auth/signin", "", a.operation["signIn"]) }, func(a *audited, answer []byte) {
		a.keep["spare"] = a.hides(*readAs[contract.Session](a, answer).RefreshToken)
	}},
	{"refresh", "", ownAccount, func(a *audited) asked {
		return post("/auth/refresh", "", contract.Refresh{RefreshToken: new(a.keep["spare"])})
	}, func(a *audited, answer []byte) {
		a.keep["spare"] = a.hides(*readAs[contract.Session](a, answer).RefreshToken)
	}},
	{"signOut", "", ownAccount, func(a *audited) asked {
		return post("/auth/signout", "", contract.Refresh{RefreshToken: new(a.keep["spare"])})
	}, nil},
	{"updateMe", "", ownAccount, func(a *audited) asked {
		return asked{method: "PATCH", path: "/api/v1/me", token: a.helper.AccessToken, body: `{"name":"Helper"}`}
	}, nil},
	{"endOtherSessions", "", ownAccount, func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/me/sessions", token: a.token}
	}, nil},
	{"endSession", "", ownAccount, func(a *audited) asked {
		spare := want[contract.Session](a.stage, 200, post("/auth/signin", "", a.operation["signIn"]))
		list := want[contract.SessionList](a.stage, 200, asked{method: "GET", path: "/api/v1/me/sessions", token: spare.AccessToken})
		for _, s := range list.Sessions {
			if s.Current {
				return asked{method: "DELETE", path: "/api/v1/me/sessions/" + s.Id.String(), token: a.token}
			}
		}
		a.Fatalf("no session is the current one: %+v", list)
		return asked{}
	}, nil},
	{"switchTenant", "", ownAccount, func(a *audited) asked {
		return post("/me/tenant", a.helper.AccessToken, contract.TenantSwitch{TenantId: a.id})
	}, func(a *audited, answer []byte) { a.helper = readAs[contract.Session](a, answer) }},
	{"changePassword", "user.password_changed", "", func(a *audited) asked {
		return post("/me/password", a.helper.AccessToken, contract.PasswordChange{Current: password, New: a.hides("nine purple kettles 77")})
	}, nil},
	{"changeEmail", "", sendsLink, func(a *audited) asked {
		return post("/me/email", a.helper.AccessToken, contract.EmailChange{Email: "renamed@example.com", Password: "nine purple kettles 77"})
	}, nil},
	{"confirmEmail", "user.email_changed", "", func(a *audited) asked {
		return post("/auth/email/confirm", "", contract.LinkConfirm{Token: a.hides(a.link("renamed@example.com", hub.MailChangeEmail))})
	}, nil},
	{"askReset", "", sendsLink, func(*audited) asked { return post("/auth/reset", "", `{"email":"renamed@example.com"}`) }, nil},
	{"confirmReset", "user.password_reset", "", func(a *audited) asked {
		token := a.hides(a.link("renamed@example.com", hub.MailResetPassword))
		return post("/auth/reset/confirm", "", `{"token":"`+token+`","password":"`+a.hides("ten yellow anchors 11")+`"}`)
	}, nil},
	{"beginSecondFactor", "", "a factor counts once it is confirmed", func(a *audited) asked {
		return post("/me/second-factor", a.token, contract.PasswordOnly{Password: password})
	}, func(a *audited, answer []byte) {
		a.keep["totp"] = a.hides(readAs[struct{ Secret string }](a, answer).Secret)
	}},
	{"confirmSecondFactor", "user.second_factor_on", "", func(a *audited) asked {
		return post("/me/second-factor/confirm", a.token, contract.CodeOnly{Code: a.code()})
	}, func(a *audited, answer []byte) {
		for _, code := range readAs[contract.RecoveryCodes](a, answer).Codes {
			a.hides(code)
		}
	}},
	{"updateTenant", "tenant.updated", "", func(a *audited) asked {
		return asked{method: "PATCH", path: "/api/v1/tenant", token: a.token, body: `{"name":"Renamed","second_factor_required":false}`}
	}, nil},
	{"removeSecondFactor", "user.second_factor_off", "", func(a *audited) asked {
		a.pass(time.Minute) // a code works once
		return post("/me/second-factor/remove", a.token, contract.SecondFactorRemoval{Password: password, Code: a.code()})
	}, nil},
	{"invite", "invitation.created", "", func(a *audited) asked {
		return post("/invitations", a.token, contract.InvitationCreate{Email: "third@example.com", Role: contract.RoleMember})
	}, func(a *audited, _ []byte) { a.keep["link"] = a.hides(a.link("third@example.com", hub.MailInvitation)) }},
	{"showInvitation", "", readsOnly, func(a *audited) asked {
		return post("/auth/invitation", "", contract.LinkConfirm{Token: a.keep["link"]})
	}, nil},
	{"acceptInvitation", "invitation.accepted", "", func(a *audited) asked {
		return post("/auth/invitation/accept", "", contract.InvitationAccept{Token: a.keep["link"], Password: password})
	}, func(a *audited, answer []byte) {
		a.keep["third"] = readAs[contract.Session](a, answer).Me.User.Id.String()
	}},
	{"updateMember", "member.role_changed", "", func(a *audited) asked {
		return asked{method: "PATCH", path: "/api/v1/members/" + a.keep["third"], token: a.token, body: `{"role":"admin"}`}
	}, nil},
	{"removeMember", "member.removed", "", func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/members/" + a.keep["third"], token: a.token}
	}, nil},
	{"withdrawInvitation", "invitation.withdrawn", "", func(a *audited) asked {
		in := want[contract.Invitation](a.stage, 201, post("/invitations", a.token, contract.InvitationCreate{Email: "fourth@example.com", Role: contract.RoleViewer}))
		return asked{method: "DELETE", path: "/api/v1/invitations/" + in.Id.String(), token: a.token}
	}, nil},
	{"leaveTenant", "member.left", "", func(a *audited) asked {
		leaving := a.joins("leaving@example.com", contract.RoleViewer)
		return asked{method: "DELETE", path: "/api/v1/me/membership", token: leaving.AccessToken}
	}, nil},
	{"eraseVisitor", "visitor.erased", "", func(a *audited) asked {
		return post("/privacy/erasures", a.token, `{"email":"`+a.hides("erased.canary@example.com")+`"}`)
	}, nil},
	{"exportTenant", "tenant.exported", "", func(a *audited) asked {
		return post("/tenant/export", a.token, contract.PasswordOnly{Password: password})
	}, nil},
	{"scheduleDeletion", "tenant.deletion_scheduled", "", func(a *audited) asked {
		return post("/tenant/deletion", a.token, contract.PasswordOnly{Password: password})
	}, nil},
	{"cancelDeletion", "tenant.deletion_cancelled", "", func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/tenant/deletion", token: a.token}
	}, nil},
	{"createToken", "token.created", "", func(a *audited) asked {
		return post("/tokens", a.token, `{"name":"Deploys","scopes":["chats:read"]}`)
	}, func(a *audited, answer []byte) {
		made := readAs[contract.NewToken](a, answer)
		a.hides(made.Token)
		a.keep["token"] = made.Details.Id.String()
	}},
	{"revokeToken", "token.revoked", "", func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/tokens/" + a.keep["token"], token: a.token}
	}, nil},
	{"verifyAudit", "", readsOnly, func(a *audited) asked { return post("/audit/verify", a.token, nil) }, nil},
	{"updateDesk", "desk.updated", "", func(a *audited) asked {
		return asked{method: "PATCH", path: "/api/v1/desk", token: a.token, body: map[string]string{"email": liveEmail, "api_key": a.hides(liveKey)}}
	}, nil},
	{"rotateSecret", "desk.secret_rotated", "", func(a *audited) asked {
		return post("/desk/secret", a.token, map[string]string{"secret": a.hides(strings.Repeat("canary-", 6))})
	}, nil},
	{"testDesk", "", "it asks LiveSupporti; only ending a pause would be an entry", func(a *audited) asked { return post("/desk/test", a.token, nil) }, nil},
	{"createConnection", "connection.created", "", func(a *audited) asked {
		return post("/connections", a.token, `{"kind":"toy","name":"Spare","settings":{"host":"h","password":"`+a.hides("canary password one")+`"}}`)
	}, func(a *audited, answer []byte) { a.keep["spare"] = readAs[contract.Connection](a, answer).Id.String() }},
	{"updateConnection", "connection.updated", "", func(a *audited) asked {
		return asked{method: "PATCH", path: "/api/v1/connections/" + a.keep["spare"], token: a.token, body: `{"name":"Other","settings":{"host":"i","password":"` + a.hides("canary password two") + `"}}`}
	}, nil},
	{"checkConnection", "", "it keeps what it found, which is no setting", func(a *audited) asked {
		return post("/connections/"+a.keep["spare"]+"/check", a.token, nil)
	}, nil},
	{"lookUp", "", readsOnly, func(a *audited) asked {
		return post("/connections/"+a.toy.String()+"/lookup", a.token, a.operation["lookUp"])
	}, nil},
	{"deleteConnection", "connection.deleted", "", func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/connections/" + a.keep["spare"], token: a.token}
	}, nil},
	{"endLogin", "", "there is no login to end; TestLoginsAreAudited of internal/hub ends one", func(a *audited) asked {
		return asked{method: "DELETE", path: "/api/v1/connections/" + a.toy.String() + "/login", token: a.token}
	}, nil},
	{"importFile", "connection.file_imported", "", func(a *audited) asked {
		return asked{method: "POST", path: "/api/v1/connections/" + a.csv.String() + "/import", token: a.token, body: customers, header: csvType}
	}, nil},
	{"publishCard", "card.published", "", func(a *audited) asked {
		return asked{method: "PUT", path: "/api/v1/card", token: a.token, body: a.operation["publishCard"]}
	}, nil},
	{"previewCard", "", readsOnly, func(a *audited) asked { return post("/card/preview", a.token, a.operation["previewCard"]) }, nil},
	{"revealVisitor", "chat.address_revealed", "", func(a *audited) asked {
		return post("/chats/"+a.chat.String()+"/reveal", a.token, nil)
	}, func(a *audited, answer []byte) { a.hides(*readAs[contract.Revealed](a, answer).Email) }},
	{"dryRunChat", "", readsOnly, func(a *audited) asked { return post("/chats/"+a.chat.String()+"/dry-run", a.token, nil) }, nil},
	{"countReplays", "", readsOnly, func(a *audited) asked { return post("/replays/count", a.token, a.operation["countReplays"]) }, nil},
	{"replayChats", "chats.replayed", "", func(a *audited) asked {
		a.work()
		return post("/replays", a.token, `{"chat_ids":["`+a.chat.String()+`"],"force":true,"expect":1}`)
	}, nil},
}

// elsewhere are operations that the toy connector cannot be asked for.
var elsewhere = map[string]string{
	"beginLogin":    "TestLoginsAreAudited of internal/hub: it needs a vendor",
	"finishLogin":   "TestLoginsAreAudited of internal/hub: it needs a vendor",
	"confirmSignUp": "TestASignUpIsTheFirstAuditEntry: the log begins with it",
}

func (a *audited) code() string {
	a.Helper()
	code, err := totp.GenerateCode(a.keep["totp"], a.now())
	must(a.T, err)
	return code
}

func readAs[T any](a *audited, answer []byte) (out T) {
	a.Helper()
	if err := json.Unmarshal(answer, &out); err != nil {
		a.Fatalf("%v in %s", err, answer)
	}
	return out
}

func furnishAudited(s *stage) *audited {
	a := &audited{tenant: s.furnish("brightwater"), mail: "helper@example.com", keep: map[string]string{}}
	a.id = a.session.Me.Tenant.Id
	a.helper = a.joins(a.mail, contract.RoleMember)
	a.hides(password)
	a.hides(a.line.secret)
	return a
}

func TestEveryChangeLeavesOneAuditEntry(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	a := furnishAudited(s)
	for _, step := range everyChange {
		q := step.asks(a)
		before := a.logged(a.id)
		answer := a.ask(q)
		if answer.status >= 300 && (step.operation != "endLogin" || answer.status >= 500) {
			t.Fatalf("%s: %d %s", step.operation, answer.status, answer.body)
		}
		if route, _ := operationFor(q.method, q.path); route == nil || route.Operation.OperationID != step.operation {
			t.Errorf("%s %s is not %s", q.method, q.path, step.operation)
		}
		after := a.logged(a.id)[len(before):]
		switch {
		case step.action == "" && step.why == "":
			t.Errorf("%s leaves no entry, for no reason", step.operation)
		case step.action == "" && len(after) > 0:
			t.Errorf("%s left %+v, and was to leave nothing: %s", step.operation, after, step.why)
		case step.action != "" && (len(after) != 1 || after[0].Action != step.action):
			t.Errorf("%s left %+v, want one entry %s", step.operation, after, step.action)
		}
		for _, e := range after {
			if e.Actor == "" || e.ActorID == (hub.ID{}) || e.Address != "127.0.0.1" || e.SubjectID == "" && !strings.HasPrefix(e.Action, "desk.") && e.Action != "card.published" && e.Action != "chats.replayed" {
				t.Errorf("%s left an entry that does not say who, what and from where: %+v", step.operation, e)
			}
		}
		if step.then != nil {
			step.then(a, answer.body)
		}
	}
	tried := map[string]bool{}
	for _, step := range everyChange {
		tried[step.operation] = true
	}
	for path, item := range document().Paths.Map() {
		for method, o := range item.Operations() {
			if method != http.MethodGet && !tried[o.OperationID] && elsewhere[o.OperationID] == "" {
				t.Errorf("%s %s (%s) is not in the list above: does it leave an audit entry?", method, path, o.OperationID)
			}
		}
	}
	everything, err := json.Marshal(a.logged(a.id))
	must(t, err)
	for _, secret := range a.secret {
		if strings.Contains(string(everything), secret) {
			t.Errorf("the audit log holds the secret %q", secret)
		}
	}
	if !strings.Contains(string(everything), "api_key") || len(a.secret) < 20 {
		t.Error("the log and the secrets are not what this test thinks they are")
	}
}

func TestASignUpIsTheFirstAuditEntry(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	session := s.signUp("brightwater")
	page := want[contract.AuditList](s, 200, asked{method: "GET", path: "/api/v1/audit", token: session.AccessToken})
	if len(page.Entries) != 1 || page.Entries[0].Action != "tenant.created" || page.Entries[0].Number != 1 {
		t.Errorf("after a sign-up the log holds %+v", page.Entries)
	}
}

func TestAuditLogIsReadVerifiedAndExported(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	token := s.signUp("brightwater").AccessToken
	names := []string{"=HYPERLINK(\"http://x\")", "+1", "-1", "@x", "＝1", "plain, with \"quotes\"\nand lines"}
	for _, name := range names {
		want[contract.Connection](s, 201, post("/connections", token, contract.ConnectionCreate{Kind: "csv", Name: name, Settings: map[string]json.RawMessage{}}))
	}
	get := func(query string) contract.AuditList {
		t.Helper()
		return want[contract.AuditList](s, 200, asked{method: "GET", path: "/api/v1/audit" + query, token: token})
	}
	first := get("?limit=4")
	if len(first.Entries) != 4 || first.Entries[0].Number != 7 || first.Next == nil {
		t.Fatalf("first page: %+v", first)
	}
	second := get(fmt.Sprintf("?limit=4&before=%d", *first.Next))
	if len(second.Entries) != 3 || second.Entries[0].Number != 3 || second.Next != nil {
		t.Errorf("second page: %+v", second)
	}
	if page := get("?action=tenant.created"); len(page.Entries) != 1 {
		t.Errorf("by action: %+v", page)
	}
	if page := get("?actor=" + hub.NewID().String()); len(page.Entries) != 0 {
		t.Errorf("by somebody else: %+v", page)
	}
	if page := get("?to=" + s.now().Add(-time.Hour).UTC().Format(time.RFC3339)); len(page.Entries) != 0 {
		t.Errorf("before it began: %+v", page)
	}
	if v := want[contract.AuditVerdict](s, 200, post("/audit/verify", token, nil)); !v.Ok || v.Entries != 7 || v.BrokenAt != nil {
		t.Errorf("verdict: %+v", v)
	}

	file := s.ask(asked{method: "GET", path: "/api/v1/audit/export", token: token})
	rows, err := csv.NewReader(strings.NewReader(string(file.body))).ReadAll()
	if err != nil || file.status != 200 || !strings.HasPrefix(file.header.Get("Content-Disposition"), `attachment; filename="sidecard-audit-`) {
		t.Fatalf("export: %d %v %v", file.status, file.header, err)
	}
	if len(rows) != 1+8 || rows[0][0] != "number" || rows[8][5] != "audit.exported" {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	for i, name := range names {
		want := name
		if i < 5 {
			want = "'" + name
		}
		if got := rows[2+i][7]; got != want {
			t.Errorf("a name that a spreadsheet would run is %q, want %q", got, want)
		}
	}
}
