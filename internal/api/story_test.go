package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/store/storetest"
)

const customers = "email,name,plan\ndana@example.com,Dana Okafor,Gold\nnot an address,x,y\nsam@example.com,Sam,Free\n"

// The whole way of a tenant, over the API alone, with each answer held against the contract.
func TestATenantGoesTheWholeWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		token := s.signUp("brightwater").AccessToken
		connectDesk(s, token)
		csv := connectFile(s, token)
		toy := connectToy(s, token)
		publish(s, token, csv, toy)
		watchAChat(s, token)
		refuseToRemove(s, token, csv)
	})
}

func connectDesk(s *stage, token string) {
	s.Helper()
	d := want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: token})
	if d.SecretSet || d.ApiKeySet || d.Paused || d.HandshakeAt != nil || d.Unsigned != contract.UnsignedPolicyRefuse || d.GoalMs != 1000 || d.DeadlineSeconds != 600 {
		s.Errorf("a new desk: %+v", d)
	}
	if !strings.HasPrefix(d.CallbackUrl, s.url+"/hooks/") {
		s.Fatalf("callback at %s", d.CallbackUrl)
	}
	not := want[contract.Problem](s, 409, asked{method: "POST", path: "/api/v1/desk/test", token: token})
	if not.Code != "not_ready" {
		s.Errorf("testing without credentials: %+v", not)
	}

	wrong := want[contract.Desk](s, 200, asked{method: "PATCH", path: "/api/v1/desk", token: token, body: `{"email":"` + liveEmail + `","api_key":"not-the-key"}`})
	if !wrong.ApiKeySet || *wrong.ApiKeyHint != "-key" || wrong.Email != liveEmail {
		s.Errorf("stored credentials: %+v", wrong)
	}
	failed := want[contract.DeskTest](s, 200, asked{method: "POST", path: "/api/v1/desk/test", token: token})
	if failed.Ok || *failed.Status != 401 || failed.Fix == nil || failed.Agents != nil {
		s.Errorf("test of a wrong key: %+v", failed)
	}
	want[contract.Desk](s, 200, asked{method: "PATCH", path: "/api/v1/desk", token: token, body: `{"api_key":"` + liveKey + `"}`})
	tested := want[contract.DeskTest](s, 200, asked{method: "POST", path: "/api/v1/desk/test", token: token})
	if !tested.Ok || tested.Agents == nil || *tested.Agents != 2 {
		s.Errorf("test of the right key: %+v", tested)
	}

	first := want[contract.NewSecret](s, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: token, body: `{}`})
	if len(first.Secret) < 32 || len(first.Secret) > 64 || first.PreviousValidUntil != nil {
		s.Errorf("first secret: %d characters, %v", len(first.Secret), first.PreviousValidUntil)
	}
	second := want[contract.NewSecret](s, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: token, body: `{}`})
	if until := second.PreviousValidUntil; until == nil || until.Sub(s.now()).Round(time.Hour) != 24*time.Hour {
		s.Errorf("by default the secret before stays valid until %v", until)
	}
	now := want[contract.NewSecret](s, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: token, body: `{"keep_previous_hours":0}`})
	if now.PreviousValidUntil != nil {
		s.Errorf("the secret before stays valid until %v", now.PreviousValidUntil)
	}
	own := strings.Repeat("k3!", 15)
	if got := want[contract.NewSecret](s, 200, asked{method: "POST", path: "/api/v1/desk/secret", token: token, body: contract.SecretRotation{Secret: &own}}); got.Secret != own {
		s.Errorf("own secret: %q", got.Secret)
	}

	hook := livesupportitest.Registration{CallbackURL: d.CallbackUrl, Secret: own, BrowserCheck: true}
	if _, err := s.live.RegisterWebHook(s.Context(), liveEmail, hook); err != nil {
		s.Fatal(err)
	}
	d = want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: token})
	if d.HandshakeAt == nil || !d.SecretSet || d.PreviousSecretUntil == nil {
		s.Errorf("after the handshake: %+v", d)
	}
}

func connectFile(s *stage, token string) hub.ID {
	s.Helper()
	kinds := want[contract.ConnectorList](s, 200, asked{method: "GET", path: "/api/v1/connectors", token: token})
	if len(kinds.Connectors) != 2 || !kinds.Connectors[0].Imports || !json.Valid(kinds.Connectors[0].SettingsSchema) {
		s.Errorf("kinds: %+v", kinds)
	}
	c := want[contract.Connection](s, 201, asked{method: "POST", path: "/api/v1/connections", token: token, body: `{"kind":"csv","name":"Customers","settings":{}}`})
	if c.Status != contract.ConnectionStatusNew || c.OnCard || c.LastImport != nil {
		s.Errorf("a new connection: %+v", c)
	}
	path := "/api/v1/connections/" + c.Id.String()
	text := http.Header{"Content-Type": {"text/csv; charset=windows-1252"}}
	report := want[contract.ImportReport](s, 200, asked{method: "POST", path: path + "/import?filename=customers.csv&email_column=email", token: token, body: customers, header: text})
	if report.Rows != 2 || report.Rejected != 1 || report.Rejects[0].Line != 3 || report.EmailColumn != "email" || report.Filename != "customers.csv" {
		s.Errorf("import: %+v", report)
	}
	bad := want[contract.Problem](s, 422, asked{method: "POST", path: path + "/import", token: token, body: "a,b\n1,2\n", header: text})
	if bad.Code != "bad_file" || bad.Errors == nil {
		s.Errorf("a file without addresses: %+v", bad)
	}
	got := want[contract.Connection](s, 200, asked{method: "GET", path: path, token: token})
	if got.Status != contract.ConnectionStatusWorking || got.LastImport == nil || got.LastImport.Rows != 2 {
		s.Errorf("after a bad file the good one counts: %+v", got)
	}
	fields := want[contract.FieldList](s, 200, asked{method: "GET", path: path + "/fields", token: token})
	if len(fields.Fields) != 3 || fields.Fields[1].Id != "name" {
		s.Errorf("fields: %+v", fields)
	}
	found := want[contract.LookupResult](s, 200, asked{method: "POST", path: path + "/lookup", token: token, body: `{"email":"Dana@Example.com"}`})
	if found.Match != "found" || *found.Matches != 1 || len(found.Fields) != 3 {
		s.Errorf("lookup: %+v", found)
	}
	return c.Id
}

func connectToy(s *stage, token string) hub.ID {
	s.Helper()
	c := want[contract.Connection](s, 201, asked{method: "POST", path: "/api/v1/connections", token: token, body: `{"kind":"toy","name":"Toy","settings":{"host":"a","limit":12345678901234567890,"password":"hunter2"}}`})
	if len(c.SecretsSet) != 1 || c.SecretsSet[0] != "password" || strings.Contains(string(c.Settings), "hunter2") || !strings.Contains(string(c.Settings), "12345678901234567890") {
		s.Errorf("settings with a secret: %s, %q", c.Settings, c.SecretsSet)
	}
	path := "/api/v1/connections/" + c.Id.String()
	changed := want[contract.Connection](s, 200, asked{method: "PATCH", path: path, token: token, body: `{"name":"Toys","settings":{"host":"b"}}`})
	if changed.Name != "Toys" || string(changed.Settings) != `{"host":"b"}` || len(changed.SecretsSet) != 1 {
		s.Errorf("changed: %+v %s", changed, changed.Settings)
	}
	check := want[contract.CheckReport](s, 200, asked{method: "POST", path: path + "/check", token: token})
	if check.Ok || len(check.Steps) != 2 || check.Steps[1].Advice != "Ask again." {
		s.Errorf("check: %+v", check)
	}
	broken := want[contract.LookupResult](s, 200, asked{method: "POST", path: path + "/lookup", token: token, body: `{"email":"broken@example.com"}`})
	if broken.Match != "failed" || broken.Problem == nil || broken.Problem.Fix != "Mend it." || broken.Fields == nil {
		s.Errorf("a source that fails: %+v", broken)
	}
	list := want[contract.ConnectionList](s, 200, asked{method: "GET", path: "/api/v1/connections", token: token})
	if len(list.Connections) != 2 || list.Connections[1].Status != contract.ConnectionStatusFailing || list.Connections[1].LastCheck == nil {
		s.Errorf("connections: %+v", list)
	}
	wrong := want[contract.Problem](s, 400, asked{method: "PATCH", path: path, token: token, body: `{"settings":{"hots":"hunter3"}}`})
	if !names(wrong, "/settings/hots") || !names(wrong, "/settings/host") {
		s.Errorf("wrong settings: %+v", wrong)
	}
	none := want[contract.Problem](s, 409, asked{method: "POST", path: path + "/import", token: token, body: customers, header: http.Header{"Content-Type": {"text/csv"}}})
	if none.Code != "conflict" {
		s.Errorf("a file for what takes none: %+v", none)
	}
	return c.Id
}

// names says whether a problem points at a place.
func names(p contract.Problem, pointer string) bool {
	if p.Errors == nil {
		return false
	}
	for _, e := range *p.Errors {
		if e.Pointer == pointer {
			return true
		}
	}
	return false
}

func publish(s *stage, token string, csv, toy hub.ID) {
	s.Helper()
	none := want[contract.Card](s, 200, asked{method: "GET", path: "/api/v1/card", token: token})
	if none.Version != 0 || none.PublishedAt != nil || none.Lines == nil {
		s.Errorf("before the first card: %+v", none)
	}
	if p := want[contract.Problem](s, 409, asked{method: "POST", path: "/api/v1/card/preview", token: token, body: `{"email":"dana@example.com"}`}); p.Code != "not_ready" {
		s.Errorf("preview without a card: %+v", p)
	}
	lines := `[{"label":"Name","connection_id":"` + csv.String() + `","field":"name"},
		{"label":"Spent","connection_id":"` + toy.String() + `","field":"spent","format":"number"},
		{"label":"Note","connection_id":"` + toy.String() + `","field":"note"},
		{"label":"Kept","connection_id":"` + toy.String() + `","field":"note","hide_if_empty":false},
		{"label":"Filled","connection_id":"` + toy.String() + `","field":"note","fallback":"none yet"}]`
	p := want[contract.Preview](s, 200, asked{method: "POST", path: "/api/v1/card/preview", token: token, body: `{"email":"dana@example.com","lines":` + lines + `}`})
	details := ""
	for _, d := range p.Details {
		details += d.Name + "=" + d.Value + ";"
	}
	if details != "Name=Dana Okafor;Spent=1,234.5;Kept=–;Filled=none yet;" || p.CardVersion != 0 || p.Outcome.Name != "shown" || len(p.Sources) != 2 {
		s.Errorf("preview: %s %+v", details, p)
	}
	if len(p.LeftOut) != 1 || p.LeftOut[0].Label != "Note" || p.LeftOut[0].Why != contract.LeftOutWhyEmpty {
		s.Errorf("left out: %+v", p.LeftOut)
	}
	card := want[contract.Card](s, 200, asked{method: "PUT", path: "/api/v1/card", token: token, body: `{"based_on":0,"lines":` + lines + `}`})
	if card.Version != 1 || card.PublishedAt == nil || len(card.Lines) != 5 || !*card.Lines[0].HideIfEmpty || *card.Lines[3].HideIfEmpty {
		s.Errorf("published: %+v", card)
	}
	if p := want[contract.Problem](s, 409, asked{method: "PUT", path: "/api/v1/card", token: token, body: `{"based_on":0,"lines":` + lines + `}`}); p.Code != "conflict" {
		s.Errorf("publishing over a colleague's version: %+v", p)
	}
	want[contract.Card](s, 200, asked{method: "PUT", path: "/api/v1/card", token: token, body: `{"lines":` + lines + `}`})
	versions := want[contract.CardList](s, 200, asked{method: "GET", path: "/api/v1/card/versions", token: token})
	if len(versions.Versions) != 2 || versions.Versions[0].Version != 2 {
		s.Errorf("versions: %+v", versions)
	}
	if p := want[contract.Problem](s, 400, asked{method: "PUT", path: "/api/v1/card", token: token, body: `{"lines":[{"label":"A","connection_id":"` + hub.NewID().String() + `","field":"x"}]}`}); !names(p, "/lines/0/connection_id") {
		s.Errorf("a line of nobody's connection: %+v", p)
	}
}

// work takes what waits in the lookup lane as far as it goes.
func (s *stage) work() {
	s.Helper()
	fence := rand.Int64()
	claimed, err := s.store.Claim(s.Context(), hub.ClaimRequest{Lane: hub.LaneLookup, Limit: 64, Share: 64, Lease: 6 * time.Second, Fence: fence})
	must(s.T, err)
	for _, c := range claimed {
		s.hub.Carry(s.Context(), hub.Work{Claimed: c, Since: s.now(), Young: func() bool { return true }})
	}
}

func watchAChat(s *stage, token string) {
	s.Helper()
	control := livesupportitest.Control{BaseURL: s.live.URL}
	started, err := s.live.StartChat(s.Context(), liveEmail, livesupportitest.Visitor{ID: "v-1", Email: "dana@example.com"})
	must(s.T, err)
	if _, err := control.WaitAnnounced(s.Context(), started.ID); err != nil {
		s.Fatal(err)
	}
	waiting := want[contract.ChatList](s, 200, asked{method: "GET", path: "/api/v1/chats?outcome=waiting", token: token})
	if len(waiting.Chats) != 1 || waiting.Chats[0].Ms != nil || waiting.Next != nil {
		s.Fatalf("waiting: %+v", waiting)
	}
	id := waiting.Chats[0].Id.String()
	want[contract.ChatPage](s, 200, asked{method: "GET", path: "/api/v1/chats/" + id, token: token})

	s.work()
	fields, ok := s.live.Details("v-1")
	if !ok || len(fields) != 4 || fields[0].Value != "Dana Okafor" {
		s.Fatalf("the agent sees %v", fields)
	}
	page := want[contract.ChatPage](s, 200, asked{method: "GET", path: "/api/v1/chats/" + id, token: token})
	if page.Chat.Outcome.Name != "shown" || page.Chat.Ms == nil || *page.Chat.Ms <= 0 || *page.Chat.Ms > 60_000 || len(page.DeliveryAttempts) != 1 || len(page.Sources) != 2 ||
		page.CardVersion == nil || *page.CardVersion != 2 || len(page.Timeline) == 0 || page.RequestBody == nil || page.Unsigned {
		s.Errorf("chat: %+v", page)
	}
	if strings.Contains(*page.Chat.VisitorEmail, "dana@") {
		s.Errorf("the address is not masked: %s", *page.Chat.VisitorEmail)
	}
	if shown := want[contract.ChatList](s, 200, asked{method: "GET", path: "/api/v1/chats?outcome=shown&limit=1", token: token}); len(shown.Chats) != 1 {
		s.Errorf("shown: %+v", shown)
	}
	if none := want[contract.ChatList](s, 200, asked{method: "GET", path: "/api/v1/chats?before=" + id, token: token}); len(none.Chats) != 0 || none.Chats == nil {
		s.Errorf("before the first: %+v", none)
	}
	d := want[contract.Desk](s, 200, asked{method: "GET", path: "/api/v1/desk", token: token})
	if d.FirstSignedAt == nil || d.LastNotificationAt == nil || d.Problem != nil {
		s.Errorf("desk after a chat: %+v", d)
	}
}

func refuseToRemove(s *stage, token string, csv hub.ID) {
	s.Helper()
	path := "/api/v1/connections/" + csv.String()
	if p := want[contract.Problem](s, 409, asked{method: "DELETE", path: path, token: token}); p.Code != "conflict" {
		s.Errorf("removing what the card shows: %+v", p)
	}
	spare := want[contract.Connection](s, 201, asked{method: "POST", path: "/api/v1/connections", token: token, body: `{"kind":"csv","name":"Spare","settings":{}}`})
	want[struct{}](s, 204, asked{method: "DELETE", path: "/api/v1/connections/" + spare.Id.String(), token: token})
	want[contract.Problem](s, 404, asked{method: "GET", path: "/api/v1/connections/" + spare.Id.String(), token: token})
}

func TestChatsComeInPages(t *testing.T) {
	t.Parallel()
	l := onSQLite(t).open("brightwater")
	visitors := make([]string, 60)
	for i := range visitors {
		visitors[i] = fmt.Sprint("v", i)
	}
	for half := range slices.Chunk(visitors, 30) {
		body := announcement(half[0], half...)
		if a := l.send(body, l.sign(body)); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	seen := map[string]bool{}
	path := "/api/v1/chats"
	for _, size := range []int{50, 10} {
		page := want[contract.ChatList](l.stage, 200, asked{method: "GET", path: path, token: l.token})
		for _, c := range page.Chats {
			seen[c.VisitorId] = true
		}
		if len(page.Chats) != size || (page.Next == nil) != (size == 10) {
			t.Fatalf("%s: %d chats, next %v", path, len(page.Chats), page.Next)
		}
		if page.Next != nil {
			path = "/api/v1/chats?before=" + page.Next.String()
		}
	}
	if len(seen) != len(visitors) {
		t.Errorf("%d visitors on the pages, want %d", len(seen), len(visitors))
	}
}
