package api_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// chatOf lets a chat of a visitor arrive, and gives its id.
func (t tenant) chatOf(visitor, email string) hub.ID {
	t.Helper()
	n := bytes.ReplaceAll(announcement(fmt.Sprint("firing ", hub.NewID()), visitor), []byte("dana@example.com"), []byte(email))
	if a := t.send(n, t.sign(n)); a.status != 200 {
		t.Fatalf("%s: %d %s", visitor, a.status, a.body)
	}
	return t.chats()[0].Id
}

func (t tenant) erase(body string) contract.Erasure {
	t.Helper()
	return want[contract.Erasure](t.stage, 200, asked{method: "POST", path: "/api/v1/privacy/erasures", token: t.token, body: body})
}

// showsCustomer publishes a card that shows a row of the uploaded file.
func (t tenant) showsCustomer() {
	t.Helper()
	lines := `[{"label":"Name","connection_id":"` + t.csv.String() + `","field":"name","format":"text","hide_if_empty":true,"fallback":"-"}]`
	want[contract.Card](t.stage, 200, asked{method: "PUT", path: "/api/v1/card", token: t.token, body: `{"lines":` + lines + `}`})
	want[contract.Desk](t.stage, 200, asked{method: "PATCH", path: "/api/v1/desk", token: t.token, body: map[string]string{"email": liveEmail, "api_key": liveKey}})
}

// kept gives all that a database holds: what stands in its columns, and what is sealed in them, opened.
func (s *stage) kept(db storetest.Database) string {
	s.Helper()
	var all strings.Builder
	list := "select table_name from information_schema.tables where table_schema = 'public'"
	if db.URL == "" {
		list = "select name from sqlite_master where type = 'table' and name not like 'sqlite%'"
	}
	var tables []string
	s.each(db.Owner, list, func(row []any) { tables = append(tables, fmt.Sprint(row[0])) })
	for _, table := range tables {
		s.each(db.Owner, "select * from "+table, func(row []any) {
			for _, v := range row {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintln(&all, v)
			}
		})
	}
	keys := hub.NewKeyring(s.store, s.vault, nil)
	tenants, err := s.store.TenantsAfter(s.Context(), hub.ID{}, 100)
	must(s.T, err)
	for _, id := range tenants {
		for _, c := range s.store.SealedColumns() {
			if c.Owner == "" {
				continue
			}
			values, err := s.store.Tenant(id).SealedValues(s.Context(), c, hub.SealedQuery{Prefix: []byte("unlike"), Other: true, Limit: 10_000})
			must(s.T, err)
			for _, v := range values {
				if len(v.Sealed) == 0 {
					continue
				}
				plain, err := keys.Open(s.Context(), vault.Ref{Tenant: id.String(), Table: c.PlaceTable, Column: c.PlaceColumn, Row: v.Row}, v.Sealed)
				must(s.T, err)
				fmt.Fprintf(&all, "%s %s\n", c, plain)
			}
		}
	}
	return all.String()
}

func (s *stage) each(db *sql.DB, query string, visit func(row []any)) {
	s.Helper()
	rows, err := db.QueryContext(s.Context(), query)
	must(s.T, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(s.T, err)
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		must(s.T, rows.Scan(to...))
		visit(row)
	}
	must(s.T, rows.Err())
}

// mentions counts how often a text stands in what is kept, however it is written.
func mentions(kept, text string) int {
	kept = strings.ToLower(kept)
	return strings.Count(kept, strings.ToLower(text)) + strings.Count(kept, hex.EncodeToString([]byte(text)))
}

func TestAnErasedVisitorIsNowhereAnyMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := setup(t, db.Store, nil)
		own, other := s.furnish("brightwater"), s.furnish("harbour")
		own.showsCustomer()
		other.showsCustomer()
		s.work()
		sent := own.chatOf("v-sent", "Dana@Example.com")
		sams := own.chatOf("v-sam", "sam@example.com")
		othersSent := other.chatOf("v-sent", "dana@example.com")
		s.work()
		replayed := own.replay(1, chosen(sent)).Chats[0]
		s.work()
		nameless := own.chatOf("v-sent", "") // the same visitor, before the pre-chat form
		waiting := own.chatOf("v-waiting", "dana@example.com")
		if p := own.page(sent); p.Chat.Outcome.Name != contract.OutcomeNameRefused || len(p.Details) != 1 {
			t.Fatalf("before: %+v", p)
		}
		before := s.kept(db)
		for _, text := range []string{"dana@example.com", "Dana Okafor", "v-waiting"} {
			if mentions(before, text) == 0 {
				t.Fatalf("%q is kept nowhere even before: the search finds nothing", text)
			}
		}

		// furnish let a chat of dana@example.com come, too.
		e := own.erase(`{"email":" DANA@example.com "}`)
		if want := (contract.Erasure{Chats: 5, Unfinished: 2, Rows: 1}); e != want {
			t.Errorf("erased %+v, want %+v", e, want)
		}
		s.work()
		for id, outcome := range map[hub.ID]contract.OutcomeName{
			sent: contract.OutcomeNameRefused, replayed: contract.OutcomeNameRefused, // LiveSupporti knows none of these visitors
			nameless: contract.OutcomeNameErased, waiting: contract.OutcomeNameErased,
		} {
			p := own.page(id)
			c := p.Chat
			if c.Outcome.Name != outcome || c.DetailsRemoved == nil || c.VisitorId != "" || c.VisitorEmail != nil || len(p.Details) > 0 || len(p.Timeline)+len(p.Sources)+len(p.DeliveryAttempts) > 0 || c.Ms == nil {
				t.Errorf("an erased chat: %+v", p)
			}
		}
		own.count(0, chosen(sent), contract.ReplaySkipReasonDetailsRemoved)
		if p := s.told(409, "/chats/"+sent.String()+"/dry-run", own.token, nil); !strings.Contains(p.Detail, "has been removed") {
			t.Errorf("a dry run of an erased chat: %+v", p)
		}
		if p := own.page(sams); p.Chat.Outcome.Name != contract.OutcomeNameRefused || p.Chat.DetailsRemoved != nil || len(p.Details) != 1 {
			t.Errorf("another visitor's chat: %+v", p)
		}
		if p := other.page(othersSent); p.Chat.Outcome.Name != contract.OutcomeNameRefused || len(p.Details) != 1 {
			t.Errorf("another company's chat: %+v", p)
		}
		if u := own.usage(); u.CsvRows.Used != 1 {
			t.Errorf("%d rows are counted, want 1", u.CsvRows.Used)
		}
		if again := own.erase(`{"email":"dana@example.com"}`); again != (contract.Erasure{}) {
			t.Errorf("once more erases %+v", again)
		}

		other.erase(`{"visitor_id":"v-sent"}`) // and the address in its chats
		after := s.kept(db)
		for _, text := range []string{"dana@example.com", "Dana Okafor", "v-waiting", "v-sent"} {
			if n := mentions(after, text); n > 0 {
				t.Errorf("%q is still kept in %d places", text, n)
			}
		}
		if mentions(after, "sam@example.com") == 0 {
			t.Error("sam is gone, too")
		}

		anew := own.chatOf("v-sent", "dana@example.com")
		s.work()
		if p := own.page(anew); p.Chat.Outcome.Name != contract.OutcomeNameNoMatch {
			t.Errorf("a new chat after the erasure: %+v", p.Chat.Outcome)
		}
	})
}

func TestErasingNeedsOneNameOfTheVisitor(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	erase := func(body string) asked {
		return asked{method: "POST", path: "/api/v1/privacy/erasures", token: own.token, body: body}
	}
	s.refuses("nobody", erase(`{}`), 400, "")
	s.refuses("both", erase(`{"email":"a@b.c","visitor_id":"v"}`), 400, "")
	s.refuses("no address", erase(`{"email":"dana"}`), 400, "/email")
	s.refuses("a space", erase(`{"email":"   "}`), 400, "/email")
	for range 300 {
		if s.raw(erase(`{"visitor_id":"nobody"}`)).status == http.StatusTooManyRequests {
			return
		}
	}
	s.Error("nobody slows down who erases without end")
}

func TestTheDaysThatDetailsAreKeptAreTheTenants(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	path := asked{method: "GET", path: "/api/v1/tenant", token: own.token}
	if page := want[contract.TenantPage](s, 200, path); page.RetentionDays != 30 {
		t.Errorf("at first %d days", page.RetentionDays)
	}
	update := func(body string) asked {
		return asked{method: "PATCH", path: "/api/v1/tenant", token: own.token, body: body}
	}
	if page := want[contract.TenantPage](s, 200, update(`{"retention_days":7}`)); page.RetentionDays != 7 || page.Name != "brightwater" {
		t.Errorf("changed: %+v", page)
	}
	s.refuses("no day", update(`{"retention_days":0}`), 400, "/retention_days")
	s.refuses("too many days", update(`{"retention_days":366}`), 400, "/retention_days")
	s.pass(time.Minute)
	if page := want[contract.TenantPage](s, 200, path); page.RetentionDays != 7 {
		t.Errorf("afterwards %d days", page.RetentionDays)
	}
}
