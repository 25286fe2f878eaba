package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/auth"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// No token that somebody made up is taken, not even one that the server's own key has signed but that is of another
// kind, time, place or person. Each is refused with the one problem of those who did not sign in.
func TestProofForgedTokens(t *testing.T) {
	t.Parallel()
	prove(t, 200, func(p *proof, s *stage, _ storetest.Database) {
		own, other := s.furnish("brightwater"), s.furnish("moonrakers")
		access := s.forgedAccess(p, own, other)
		tokens := s.forgedAPI(p, own, other)
		if len(access) < 100 || len(tokens) < 100 {
			p.Errorf("only %d access tokens and %d API tokens were forged", len(access), len(tokens))
		}
		for name, token := range access {
			p.refusesToken("the access token "+name, own, asked{method: "GET", path: "/api/v1/me"}, token)
		}
		for name, token := range tokens {
			p.refusesToken("the API token "+name, own, asked{method: "GET", path: "/api/v1/chats"}, token)
		}
	})
}

func (p *proof) refusesToken(what string, t tenant, q asked, token string) {
	p.Helper()
	q.header = http.Header{"Authorization": {"Bearer " + token}}
	a := t.ask(q)
	var told contract.Problem
	p.holds(readProblem(a, &told) && a.status == http.StatusUnauthorized && told.Code == "unauthenticated" && a.header.Get("WWW-Authenticate") == "Bearer",
		"%s: %d %.300s, want 401 unauthenticated", what, a.status, a.body)
}

// taken fails the proof unless the forger's untouched token works: then a forgery is refused for what is wrong with it.
func (p *proof) taken(f *forger, path string) {
	p.Helper()
	if a := f.stage.ask(asked{method: "GET", path: path, token: f.good()}); a.status != http.StatusOK {
		p.Fatalf("a good token by hand: %d %s", a.status, a.body)
	}
}

// forgedAccess are access tokens of an owner's session.
func (s *stage) forgedAccess(p *proof, own, other tenant) map[string]string {
	s.Helper()
	id := func(id hub.ID) string { return strconv.Quote(id.String()) }
	f := newForger(s, "at+jwt", "", map[string]string{
		"sub": id(own.session.Me.User.Id), "tid": id(own.session.Me.Tenant.Id), "sid": id(own.signedIn), "role": `"owner"`, "jti": id(hub.NewID()),
	})
	p.taken(f, "/api/v1/me")
	all := f.forgeries()
	for name, values := range map[string][]string{
		"sub": {"", `""`, `null`, `1`, `"x"`, id(hub.NewID()), id(own.colleague.Me.User.Id), id(other.session.Me.User.Id), id(own.signedIn)},
		"sid": {"", `""`, `null`, `"x"`, id(hub.NewID()), id(other.signedIn), id(own.session.Me.User.Id), id(own.made.Details.Id)},
		"tid": {id(other.session.Me.Tenant.Id), id(hub.NewID()), id(own.session.Me.User.Id)}, "role": {"", `""`, `null`, `1`},
	} {
		for _, value := range values {
			all[name+" "+value] = f.claim(name, value)
		}
	}
	all["an API token as one"] = strings.TrimPrefix(own.made.Token, "sct_")
	all["typ of an API token"] = f.header("typ", `"pat+jwt"`)
	all["with the prefix of an API token"] = "sct_" + f.good()
	all["with the prefix of a refresh token"] = "scr_" + f.good()
	all["a refresh token"] = *own.session.RefreshToken
	all["of another server"] = s.issued(p, "https://elsewhere.example", own)
	return all
}

// issued is an access token that another server made for its own tenants, with the same key.
func (s *stage) issued(p *proof, issuer string, own tenant) string {
	s.Helper()
	tokens, err := auth.NewTokens(issuer, issuer, s.now, s.key)
	must(p, err)
	token, err := tokens.IssueAccess(auth.Claims{
		Subject: own.session.Me.User.Id.String(), Tenant: own.session.Me.Tenant.Id.String(), Role: "owner", Session: own.signedIn.String(),
	}, time.Minute)
	must(p, err)
	return token
}

// forgedAPI are API tokens of a tenant.
func (s *stage) forgedAPI(p *proof, own, other tenant) map[string]string {
	s.Helper()
	id := func(id hub.ID) string { return strconv.Quote(id.String()) }
	f := newForger(s, "pat+jwt", "sct_", map[string]string{
		"sub": id(own.made.Details.Id), "jti": id(own.made.Details.Id), "tid": id(own.session.Me.Tenant.Id), "scp": `["chats:read"]`,
	})
	p.taken(f, "/api/v1/chats")
	all := f.forgeries()
	for name, values := range map[string][]string{
		"scp": {"", `""`, `"chats:read"`, `[]`, `null`, `{}`, `[1]`, `["chats:read",null]`},
		"jti": {`"x"`, id(hub.NewID()), id(other.made.Details.Id), id(own.signedIn), id(own.session.Me.User.Id)},
		"tid": {id(other.session.Me.Tenant.Id), id(hub.NewID())},
	} {
		for _, value := range values {
			all[name+" "+value] = f.claim(name, value)
		}
	}
	bare := strings.TrimPrefix(f.good(), "sct_")
	for _, prefix := range []string{"", "SCT_", "sct-", "sct_sct_", "sct_ ", "scr_", "scl_", "_"} {
		all["prefix "+prefix] = prefix + bare
	}
	all["an access token as one"] = "sct_" + own.token
	all["typ of an access token"] = f.header("typ", `"at+jwt"`)
	return all
}
