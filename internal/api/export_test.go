package api_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

// exported takes a tenant's data out, and gives the files of the ZIP.
func (t tenant) exported() map[string]string {
	t.Helper()
	a := t.ask(asked{method: "POST", path: "/api/v1/tenant/export", token: t.token, body: contract.PasswordOnly{Password: password}})
	if a.status != 200 || a.header.Get("Content-Type") != "application/zip" || !strings.Contains(a.header.Get("Content-Disposition"), ".zip") {
		t.Fatalf("export: %d %v %s", a.status, a.header, a.body)
	}
	r, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	must(t.T, err)
	files := map[string]string{}
	for _, f := range r.File {
		from, err := f.Open()
		must(t.T, err)
		text, err := io.ReadAll(from)
		must(t.T, err)
		files[f.Name] = string(text)
	}
	return files
}

func TestAnExportHoldsAllOfATenantAndNoSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own, other := s.furnish("brightwater"), s.furnish("harbour")
		for _, it := range []tenant{own, other} {
			it.showsCustomer()
			it.chatOf("visitor of "+it.csv.String(), "dana@example.com")
		}
		s.work()
		canary := "canary-password-of-a-source"
		want[contract.Connection](s, 200, asked{method: "PATCH", path: "/api/v1/connections/" + own.toy.String(), token: own.token, body: `{"settings":{"host":"b","password":"` + canary + `"}}`})
		gone := own.chatOf("visitor to erase", "gone@example.com")
		own.erase(`{"email":"gone@example.com"}`)

		files := own.exported()
		names := []string{
			"README.txt", "audit.csv", "cards.json", "chats.ndjson", "connections.json", "desk.json", "invitations.json", "members.json",
			"problems.json", "rejections.json", "rows/" + own.csv.String() + ".ndjson", "tenant.json", "tokens.json", "usage.json",
		}
		for _, name := range names {
			if files[name] == "" {
				t.Errorf("%s is missing or empty", name)
			}
		}
		if len(files) != len(names) {
			t.Errorf("%d files, want %d", len(files), len(names))
		}
		all := ""
		for name, text := range files {
			all += text
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON: %s", name, text)
			}
		}
		for _, secret := range []string{canary, liveKey, own.secret, strings.TrimPrefix(own.hook, "/hooks/"), password, own.made.Token, own.token, "harbour"} {
			if strings.Contains(all, secret) {
				t.Errorf("the export holds %q", secret)
			}
		}
		if files["problems.json"] != "[]\n" {
			t.Errorf("problems: %s", files["problems.json"])
		}
		if rows := files["rows/"+own.csv.String()+".ndjson"]; strings.Count(rows, "\n") != 2 || !strings.Contains(rows, `{"line":2,"values":{"email":"dana@example.com","name":"Dana Okafor","plan":"Gold"}}`) {
			t.Errorf("rows: %s", rows)
		}
		if !strings.Contains(files["audit.csv"], "tenant.exported") || strings.Contains(files["audit.csv"], "audit.exported") {
			t.Errorf("audit: %s", files["audit.csv"])
		}
		chats := map[hub.ID]contract.ChatPage{}
		for line := range strings.Lines(files["chats.ndjson"]) {
			var c contract.ChatPage
			must(t, json.Unmarshal([]byte(line), &c))
			chats[c.Chat.Id] = c
		}
		listed := own.chats()
		if len(chats) != len(listed) {
			t.Errorf("%d chats, want %d", len(chats), len(listed))
		}
		for _, c := range listed {
			e := chats[c.Id]
			if c.Id == gone {
				if e.Chat.DetailsRemoved == nil || e.Chat.VisitorEmail != nil {
					t.Errorf("the erased chat: %+v", e)
				}
				continue
			}
			if e.Chat.VisitorEmail == nil || *e.Chat.VisitorEmail != "dana@example.com" || e.NotificationId == "" {
				t.Errorf("a chat: %+v", e)
			}
		}
		if !slices.ContainsFunc(listed, func(c contract.Chat) bool {
			d := chats[c.Id].Details
			return len(d) == 1 && d[0].Value == "Dana Okafor"
		}) {
			t.Error("no chat has what was shown")
		}
		ctx := s.Context()
		if m, err := s.mails.Wait(ctx, "brightwater@example.com", hub.MailTenantExported); err != nil || !strings.Contains(m.Text, "brightwater") {
			t.Errorf("the mail: %+v, %v", m, err)
		}
	})
}

func TestWhatCannotBeReadIsNamedInTheExport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		whole := own.chatOf("whole", "dana@example.com")
		_, err := db.Owner.ExecContext(t.Context(), "update chats set body = $1 where id = $2", []byte("damaged beyond repair"), own.chat.String())
		must(t, err)
		files := own.exported()
		var problems []struct{ What, Why string }
		must(t, json.Unmarshal([]byte(files["problems.json"]), &problems))
		if len(problems) != 1 || problems[0].What != "chat "+own.chat.String() || !strings.Contains(problems[0].Why, "damaged") {
			t.Errorf("problems: %+v", problems)
		}
		if !strings.Contains(files["chats.ndjson"], whole.String()) || strings.Contains(files["chats.ndjson"], own.chat.String()) {
			t.Errorf("chats: %s", files["chats.ndjson"])
		}
	})
}

func TestAnExportThatFailsOnTheWayDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own := s.furnish("brightwater")
		_, err := db.Owner.ExecContext(t.Context(), "alter table imported_rows rename to gone")
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/tenant/export", strings.NewReader(`{"password":"`+password+`"}`))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+own.token)
		req.Header.Set("Content-Type", "application/json")
		var got []byte
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			got, err = io.ReadAll(resp.Body)
			must(t, resp.Body.Close())
		}
		if err == nil {
			t.Errorf("%d bytes arrived as if they were all", len(got))
		}
		if _, err := zip.NewReader(bytes.NewReader(got), int64(len(got))); err == nil {
			t.Error("what arrived opens as a whole file")
		}
		for line := range strings.Lines(s.log.String()) {
			if strings.Contains(line, "/tenant/export") && strings.Contains(line, "imported_rows") {
				return
			}
		}
		t.Errorf("the log does not say why: %s", s.log)
	})
}

func TestAnExportNeedsThePasswordAndIsNotAskedForAllDay(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	wrong := asked{method: "POST", path: "/api/v1/tenant/export", token: own.token, body: contract.PasswordOnly{Password: "not the password"}}
	s.refuses("a wrong password", wrong, 400, "/password")
	for range 20 {
		if s.raw(asked{method: "POST", path: "/api/v1/tenant/export", token: own.token, body: contract.PasswordOnly{Password: password}}).status == 429 {
			return
		}
	}
	t.Error("nobody slows down who exports without end")
}

func TestAnAddressIsShownOnceThatIsNoted(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	id := own.chatOf("v-1", "Dana@Example.com")
	reveal := func(id hub.ID, token string) asked {
		return asked{method: "POST", path: "/api/v1/chats/" + id.String() + "/reveal", token: token}
	}
	who := want[contract.Revealed](s, 200, reveal(id, own.colleague.AccessToken))
	if who.Email == nil || *who.Email != "Dana@Example.com" || who.VisitorId != "v-1" {
		t.Errorf("revealed %+v", who)
	}
	if nameless := want[contract.Revealed](s, 200, reveal(own.chatOf("v-2", ""), own.token)); nameless.Email != nil || nameless.VisitorId != "v-2" {
		t.Errorf("without an address: %+v", nameless)
	}
	log := want[contract.AuditList](s, 200, asked{method: "GET", path: "/api/v1/audit?action=chat.address_revealed", token: own.token}).Entries
	if len(log) != 2 || *log[1].SubjectId != id.String() || log[1].Actor != "colleague.brightwater@example.com" || log[1].Subject != nil {
		t.Errorf("noted: %+v", log)
	}
	own.erase(`{"visitor_id":"v-1"}`)
	if p := want[contract.Problem](s, 409, reveal(id, own.token)); !strings.Contains(p.Detail, "has been removed") {
		t.Errorf("of an erased chat: %+v", p)
	}
}
