package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

const another = "nine yellow tricycles 57"

// post asks without a token, or with one.
func (s *stage) post(path, token string, body any) answered {
	s.Helper()
	return s.ask(asked{method: "POST", path: "/api/v1" + path, token: token, body: body})
}

// told asks and gives the problem, whatever its status.
func (s *stage) told(status int, path, token string, body any) contract.Problem {
	s.Helper()
	return want[contract.Problem](s, status, asked{method: "POST", path: "/api/v1" + path, token: token, body: body})
}

func (s *stage) signIn(in contract.SignIn) contract.Session {
	s.Helper()
	return want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/signin", body: in})
}

// read reads an answer's body.
func read[T any](s *stage, body []byte) (out T) {
	s.Helper()
	if err := json.Unmarshal(body, &out); err != nil {
		s.Fatalf("%v in %s", err, body)
	}
	return out
}

// works says whether an access token works.
func (s *stage) works(token string) bool {
	s.Helper()
	return s.ask(asked{method: "GET", path: "/api/v1/me", token: token}).status == 200
}

func TestASessionLivesAndEnds(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	first := s.signUp("brightwater")
	if first.ExpiresIn != 600 || first.TokenType != contract.SessionTokenTypeBearer || first.Me.Role != contract.RoleOwner || first.Me.Tenant.Name != "brightwater" {
		s.Errorf("session: %+v", first)
	}
	me := want[contract.Me](s, 200, asked{method: "GET", path: "/api/v1/me", token: first.AccessToken})
	if !reflect.DeepEqual(me, first.Me) {
		s.Errorf("me: %+v, want %+v", me, first.Me)
	}
	weak := s.told(400, "/auth/signup", "", contract.SignUp{Company: "Other", Email: "o@example.com", Password: "passwordpassword"})
	if !names(weak, "/password") {
		s.Errorf("a weak password: %+v", weak)
	}
	in := s.signIn(contract.SignIn{Email: "BRIGHTWATER@example.com", Password: password})
	s.pass(11 * time.Minute)
	if p := want[contract.Problem](s, 401, asked{method: "GET", path: "/api/v1/me", token: in.AccessToken}); p.Code != "unauthenticated" {
		s.Errorf("an old token: %+v", p)
	}
	next := want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/refresh", body: contract.Refresh{RefreshToken: in.RefreshToken}})
	want[contract.Me](s, 200, asked{method: "GET", path: "/api/v1/me", token: next.AccessToken})
	for range 2 {
		want[struct{}](s, 204, asked{method: "POST", path: "/api/v1/auth/signout", body: contract.Refresh{RefreshToken: next.RefreshToken}})
	}
	s.told(401, "/auth/refresh", "", contract.Refresh{RefreshToken: next.RefreshToken})
	s.pass(5 * time.Second)
	if s.works(next.AccessToken) {
		s.Error("the access token outlives its session")
	}
	if strings.Contains(s.log.String(), password) || strings.Contains(s.log.String(), "example.com\"") {
		s.Error("a password or an address is in the log")
	}
}

func TestARefreshTokenStolenEndsItsSessionAndTellsTheUser(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	in := s.signUp("brightwater")
	exchange := func(status int, token *string) answered {
		s.Helper()
		a := s.post("/auth/refresh", "", contract.Refresh{RefreshToken: token})
		if a.status != status {
			s.Errorf("refresh: %d %s, want %d", a.status, a.body, status)
		}
		return a
	}
	first := exchange(200, in.RefreshToken)
	s.pass(9 * time.Second)
	if again := exchange(200, in.RefreshToken); !bytes.Contains(again.body, []byte(*read[contract.Session](s, first.body).RefreshToken)) {
		s.Error("within ten seconds another successor was given")
	}
	s.pass(2 * time.Second)
	exchange(401, in.RefreshToken)
	exchange(401, read[contract.Session](s, first.body).RefreshToken)
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.mails.Wait(ctx, "brightwater@example.com", hub.MailSessionStolen); err != nil {
		s.Errorf("the user is not told: %v", err)
	}
}

func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.signUp("brightwater")
	known, unknown := "brightwater@example.com", "nobody@example.com"
	same := func(what string, a, b answered) {
		s.Helper()
		if a.status != b.status || !bytes.Equal(a.body, b.body) {
			s.Errorf("%s: %d %s for a known address, %d %s for an unknown one", what, a.status, a.body, b.status, b.body)
		}
	}
	for what, ask := range map[string]func(email string) answered{
		"signing up": func(email string) answered {
			return s.post("/auth/signup", "", contract.SignUp{Company: "Other", Email: email, Password: another})
		},
		"signing in": func(email string) answered {
			return s.post("/auth/signin", "", contract.SignIn{Email: email, Password: another})
		},
		"a reset": func(email string) answered { return s.post("/auth/reset", "", contract.EmailOnly{Email: email}) },
	} {
		same(what, ask(known), ask(unknown))
	}
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.mails.Wait(ctx, known, hub.MailAlreadySignedUp); err != nil {
		s.Errorf("who has an account is not told by mail: %v", err)
	}
	if s.link(unknown, hub.MailConfirmSignUp) == "" {
		s.Error("who has none gets no link")
	}
	for _, m := range s.mails.Mails() {
		if m.To == unknown && m.Kind == hub.MailResetPassword {
			s.Error("a reset for nobody was mailed")
		}
	}
}

func TestALinkWorksOnceAndForItsOwnPurpose(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.post("/auth/signup", "", contract.SignUp{Company: "Brightwater", Email: "dana@example.com", Password: password})
	token := s.link("dana@example.com", hub.MailConfirmSignUp)
	for path, body := range map[string]any{
		"/auth/reset/confirm": contract.ResetConfirm{Token: token, Password: another}, "/auth/email/confirm": contract.LinkConfirm{Token: token},
		"/auth/invitation": contract.LinkConfirm{Token: token},
	} {
		if p := s.told(410, path, "", body); p.Code != "link_ended" {
			s.Errorf("%s with a link of another kind: %+v", path, p)
		}
	}
	s.post("/auth/signup/confirm", "", contract.LinkConfirm{Token: token})
	s.told(410, "/auth/signup/confirm", "", contract.LinkConfirm{Token: token})
	s.told(410, "/auth/signup/confirm", "", contract.LinkConfirm{Token: "scl_never"})
	s.post("/auth/reset", "", contract.EmailOnly{Email: "dana@example.com"})
	late := s.link("dana@example.com", hub.MailResetPassword)
	s.pass(31 * time.Minute)
	s.told(410, "/auth/reset/confirm", "", contract.ResetConfirm{Token: late, Password: another})
}

func TestAResetEndsEverySessionAndEveryOtherLink(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	in := s.signUp("brightwater")
	const email = "brightwater@example.com"
	var tokens []string
	for range 2 {
		s.post("/auth/reset", "", contract.EmailOnly{Email: email})
		tokens = append(tokens, s.link(email, hub.MailResetPassword))
	}
	if p := s.told(400, "/auth/reset/confirm", "", contract.ResetConfirm{Token: tokens[0], Password: "passwordpassword"}); !names(p, "/password") {
		s.Errorf("a weak password: %+v", p)
	}
	want[struct{}](s, 204, asked{method: "POST", path: "/api/v1/auth/reset/confirm", body: contract.ResetConfirm{Token: tokens[0], Password: another}})
	s.told(410, "/auth/reset/confirm", "", contract.ResetConfirm{Token: tokens[1], Password: password})
	if s.works(in.AccessToken) {
		s.Error("a session outlives the reset")
	}
	s.told(401, "/auth/refresh", "", contract.Refresh{RefreshToken: in.RefreshToken})
	s.told(401, "/auth/signin", "", contract.SignIn{Email: email, Password: password})
	s.signIn(contract.SignIn{Email: email, Password: another})
}

func TestAPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	here, elsewhere := s.signUp("brightwater"), s.signIn(contract.SignIn{Email: "brightwater@example.com", Password: password})
	if p := s.told(400, "/me/password", here.AccessToken, contract.PasswordChange{Current: another, New: another}); !names(p, "/current") {
		s.Errorf("a wrong current password: %+v", p)
	}
	want[struct{}](s, 204, asked{method: "POST", path: "/api/v1/me/password", token: here.AccessToken, body: contract.PasswordChange{Current: password, New: another}})
	if !s.works(here.AccessToken) || s.works(elsewhere.AccessToken) {
		s.Error("the other sessions should end, and this one stay")
	}
}

func TestAnAddressChangesWhenItsLinkIsFollowed(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	in, other := s.signUp("brightwater"), s.signUp("elsewhere")
	change := func(email string) string {
		s.Helper()
		if a := s.post("/me/email", in.AccessToken, contract.EmailChange{Email: email, Password: password}); a.status != 202 {
			s.Fatalf("change to %s: %d %s", email, a.status, a.body)
		}
		return s.link(email, hub.MailChangeEmail)
	}
	taken, next := change(other.Me.User.Email), change("dana@new.example")
	s.told(410, "/auth/email/confirm", "", contract.LinkConfirm{Token: taken})
	want[struct{}](s, 204, asked{method: "POST", path: "/api/v1/auth/email/confirm", body: contract.LinkConfirm{Token: next}})
	if got := s.signIn(contract.SignIn{Email: "dana@new.example", Password: password}); got.Me.User.Id != in.Me.User.Id {
		s.Errorf("signed in as %+v", got.Me.User)
	}
	s.told(401, "/auth/signin", "", contract.SignIn{Email: in.Me.User.Email, Password: password})
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.mails.Wait(ctx, in.Me.User.Email, hub.MailEmailChanged); err != nil {
		s.Errorf("the old address is not told: %v", err)
	}
}

// app is an authenticator app.
type app struct {
	s      *stage
	secret string
}

func (a app) code() string {
	a.s.Helper()
	code, err := totp.GenerateCode(a.secret, a.s.now())
	if err != nil {
		a.s.Fatal(err)
	}
	return code
}

// factor sets a second factor up.
func (s *stage) factor(token string) (app, []string) {
	s.Helper()
	begun := want[contract.SecondFactor](s, 200, asked{method: "POST", path: "/api/v1/me/second-factor", token: token, body: contract.PasswordOnly{Password: password}})
	a := app{s, begun.Secret}
	codes := want[contract.RecoveryCodes](s, 200, asked{method: "POST", path: "/api/v1/me/second-factor/confirm", token: token, body: contract.CodeOnly{Code: a.code()}})
	return a, codes.Codes
}

func TestASecondFactorIsAskedForAndEachCodeWorksOnce(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	owner := s.signUp("brightwater")
	email := owner.Me.User.Email
	s.told(409, "/me/second-factor/confirm", owner.AccessToken, contract.CodeOnly{Code: "123456"})
	device, recovery := s.factor(owner.AccessToken)
	s.told(409, "/me/second-factor", owner.AccessToken, contract.PasswordOnly{Password: password})

	in := func(code string) answered {
		body := contract.SignIn{Email: email, Password: password}
		if code != "" {
			body.Code = &code
		}
		return s.post("/auth/signin", "", body)
	}
	outcome := func(what string, a answered, status int, code string) {
		s.Helper()
		if a.status != status || code != "" && read[contract.Problem](s, a.body).Code != code {
			s.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, status, code)
		}
	}
	outcome("without a code", in(""), 401, "code_required")
	outcome("with the code of the set-up", in(device.code()), 401, "wrong_login")
	s.pass(30 * time.Second)
	code := device.code()
	outcome("with a new code", in(code[:3]+" "+code[3:]), 200, "")
	outcome("with that code again", in(code), 401, "wrong_login")
	outcome("with a recovery code", in(strings.ToUpper(recovery[0])), 200, "")
	outcome("with that one again", in(recovery[0]), 401, "wrong_login")
	outcome("with nonsense", in("not-a-code"), 401, "wrong_login")

	s.pass(time.Hour)
	session := s.signIn(contract.SignIn{Email: email, Password: password, Code: &recovery[1]})
	if !session.Me.User.SecondFactor {
		s.Error("me does not tell of the second factor")
	}
	s.told(400, "/me/second-factor/remove", session.AccessToken, contract.SecondFactorRemoval{Password: password, Code: "000000"})
	want[struct{}](s, 204, asked{method: "POST", path: "/api/v1/me/second-factor/remove", token: session.AccessToken, body: contract.SecondFactorRemoval{Password: password, Code: device.code()}})
	outcome("after it was removed", in(""), 200, "")
}

func TestATenantThatRequiresASecondFactorLetsOthersOnlySetOneUp(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	owner := s.signUp("brightwater")
	yes := true
	update := asked{method: "PATCH", path: "/api/v1/tenant", token: owner.AccessToken, body: contract.TenantUpdate{SecondFactorRequired: &yes}}
	if a := s.ask(update); a.status != 400 {
		s.Errorf("required by somebody who has none: %d %s", a.status, a.body)
	}
	colleague := s.join(owner, "lee@example.com", contract.RoleMember)
	device, _ := s.factor(owner.AccessToken)
	want[contract.TenantPage](s, 200, update)
	s.told(409, "/me/second-factor/remove", owner.AccessToken, contract.SecondFactorRemoval{Password: password, Code: device.code()})
	want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: owner.AccessToken})

	s.pass(5 * time.Second)
	look := asked{method: "GET", path: "/api/v1/desk", token: colleague.AccessToken}
	if p := want[contract.Problem](s, 403, look); p.Code != "second_factor_missing" {
		s.Errorf("a colleague without one: %+v", p)
	}
	me := want[contract.Me](s, 200, asked{method: "GET", path: "/api/v1/me", token: colleague.AccessToken})
	if me.SecondFactorMissing == nil || !*me.SecondFactorMissing {
		s.Errorf("me says nothing of what is missing: %+v", me)
	}
	s.factor(colleague.AccessToken)
	want[contract.Desk](s, 200, look)
}

// join lets somebody new join a tenant.
func (s *stage) join(owner contract.Session, email string, role contract.Role) contract.Session {
	s.Helper()
	want[contract.Invitation](s, 201, asked{method: "POST", path: "/api/v1/invitations", token: owner.AccessToken, body: contract.InvitationCreate{Email: email, Role: role}})
	return want[contract.Session](s, 200, asked{method: "POST", path: "/api/v1/auth/invitation/accept", body: contract.InvitationAccept{
		Token: s.link(email, hub.MailInvitation), Password: password,
	}})
}

func TestAccountsAreGuessedSlowlyAndOthersNotHeldUp(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.signUp("brightwater")
	s.signUp("elsewhere")
	tried, slowed := 0, 0
	for i := range 60 {
		switch a := s.post("/auth/signin", "", contract.SignIn{Email: "brightwater@example.com", Password: fmt.Sprint("guess number ", i)}); a.status {
		case 401:
			tried++
		case 429:
			slowed++
			if a.header.Get("Retry-After") == "" || read[contract.Problem](s, a.body).Code != "too_many" {
				s.Errorf("%s says not when to try again", a.body)
			}
		default:
			s.Fatalf("%d %s", a.status, a.body)
		}
	}
	if tried > 6 || slowed < 54 {
		s.Errorf("%d of 60 guesses were tried and %d slowed down, want about 5 tried", tried, slowed)
	}
	s.signIn(contract.SignIn{Email: "elsewhere@example.com", Password: password})
}

func TestABrowserKeepsItsRefreshTokenInACookie(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.signUp("brightwater")
	yes := true
	a := s.post("/auth/signin", "", contract.SignIn{Email: "brightwater@example.com", Password: password, Cookie: &yes})
	cookie := a.header.Get("Set-Cookie")
	if in := read[contract.Session](s, a.body); in.RefreshToken != nil || !strings.HasPrefix(cookie, "__Host-sidecard=scr_") {
		s.Fatalf("refresh token %v, cookie %q", in.RefreshToken, cookie)
	}
	for _, attribute := range []string{"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=2592000"} {
		if !strings.Contains(cookie, "; "+attribute) {
			s.Errorf("%q is not %s", cookie, attribute)
		}
	}
	kept, _, _ := strings.Cut(cookie, ";")
	refresh := func(header ...string) answered {
		q := asked{method: "POST", path: "/api/v1/auth/refresh", body: contract.Refresh{}, header: http.Header{"Cookie": {kept}}}
		for i := 0; i < len(header); i += 2 {
			q.header.Set(header[i], header[i+1])
		}
		return s.ask(q)
	}
	for what, header := range map[string][]string{
		"another site": {"Sec-Fetch-Site", "cross-site"}, "a neighbour": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://evil.example"},
	} {
		if a := refresh(header...); a.status != 403 || a.header.Get("Set-Cookie") != "" {
			s.Errorf("a page of %s: %d %s", what, a.status, a.body)
		}
	}
	a = refresh("Sec-Fetch-Site", "same-origin")
	next := a.header.Get("Set-Cookie")
	if a.status != 200 || next == "" || next == cookie || read[contract.Session](s, a.body).RefreshToken != nil {
		s.Fatalf("refresh by cookie: %d %s, cookie %q", a.status, a.body, next)
	}
	kept, _, _ = strings.Cut(next, ";")
	out := s.ask(asked{method: "POST", path: "/api/v1/auth/signout", body: contract.Refresh{}, header: http.Header{"Cookie": {kept}}})
	if out.status != 204 || !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		s.Errorf("sign out: %d, cookie %q", out.status, out.header.Get("Set-Cookie"))
	}
	if a := refresh(); a.status != 401 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		s.Errorf("refresh after that: %d, cookie %q", a.status, a.header.Get("Set-Cookie"))
	}
}

func TestSessionsAreSeenAndEndedOneByOne(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	here := s.signUp("brightwater")
	s.pass(time.Second)
	there := s.signIn(contract.SignIn{Email: "brightwater@example.com", Password: password})
	list := func() []contract.SignedInAt {
		s.Helper()
		return want[contract.SessionList](s, 200, asked{method: "GET", path: "/api/v1/me/sessions", token: here.AccessToken}).Sessions
	}
	all := list()
	if len(all) != 2 || all[0].Current || !all[1].Current || all[0].Address == "" || all[0].Client == "" {
		s.Fatalf("sessions: %+v", all)
	}
	end := asked{method: "DELETE", path: "/api/v1/me/sessions/" + all[0].Id.String(), token: here.AccessToken}
	want[struct{}](s, 204, end)
	want[contract.Problem](s, 404, end)
	if s.works(there.AccessToken) || !s.works(here.AccessToken) || len(list()) != 1 {
		s.Error("that session should have ended, and this one not")
	}
}

func TestAnAPITokenActsWithinItsScopesUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	owner := s.signUp("brightwater")
	made := want[contract.NewToken](s, 201, asked{method: "POST", path: "/api/v1/tokens", token: owner.AccessToken, body: `{"name":"Reports","scopes":["chats:read"]}`})
	if !strings.HasPrefix(made.Token, "sct_ey") || made.Details.Role != contract.RoleOwner {
		s.Errorf("token %+v", made)
	}
	want[contract.ChatList](s, 200, asked{method: "GET", path: "/api/v1/chats", token: made.Token})
	if p := want[contract.Problem](s, 403, asked{method: "GET", path: "/api/v1/desk", token: made.Token}); !strings.Contains(p.Detail, "desk:read") {
		s.Errorf("beyond its scopes: %+v", p)
	}
	if p := want[contract.Problem](s, 403, asked{method: "GET", path: "/api/v1/me", token: made.Token}); !strings.Contains(p.Detail, "people") {
		s.Errorf("what only people may: %+v", p)
	}
	listed := want[contract.TokenList](s, 200, asked{method: "GET", path: "/api/v1/tokens", token: owner.AccessToken})
	if len(listed.Tokens) != 1 || listed.Tokens[0].LastUsedAt == nil || strings.Contains(s.log.String(), made.Token[4:]) {
		s.Errorf("tokens: %+v", listed)
	}
	want[struct{}](s, 204, asked{method: "DELETE", path: "/api/v1/tokens/" + made.Details.Id.String(), token: owner.AccessToken})
	if p := want[contract.Problem](s, 401, asked{method: "GET", path: "/api/v1/chats", token: made.Token}); p.Code != "unauthenticated" {
		s.Errorf("after it was revoked: %+v", p)
	}
	s.told(400, "/tokens", owner.AccessToken, `{"name":"All","scopes":["everything"]}`)
}

// What one process revokes, another stops taking within five seconds.
func TestRevokedElsewhereStopsHereWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	owner := s.signUp("brightwater")
	made := want[contract.NewToken](s, 201, asked{method: "POST", path: "/api/v1/tokens", token: owner.AccessToken, body: `{"name":"Reports","scopes":["chats:read"]}`})
	ask := asked{method: "GET", path: "/api/v1/chats", token: made.Token}
	want[contract.ChatList](s, 200, ask)
	tenant := s.store.Tenant(owner.Me.Tenant.Id)
	if err := tenant.RevokeAPIToken(t.Context(), made.Details.Id, s.now()); err != nil {
		t.Fatal(err)
	}
	if err := s.store.EndSessionsOf(t.Context(), owner.Me.User.Id, hub.ID{}, s.now()); err != nil {
		t.Fatal(err)
	}
	s.pass(5 * time.Second)
	want[contract.Problem](s, 401, ask)
	if s.works(owner.AccessToken) {
		s.Error("an ended session works")
	}
}
