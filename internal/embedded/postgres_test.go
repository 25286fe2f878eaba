package embedded_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/servertest"
)

func TestATenantsPostgresIsShown(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		shop := servertest.Postgres(t).NewDatabase(t, "")
		conn, err := pgx.Connect(t.Context(), shop)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), `create table customers (email text, name text, bought numeric);
			insert into customers values ('Maya@Lindqvist.se', 'Maya of the shop', 12345.60),
				('twins@example.com', 'One', 1), ('twins@example.com', 'Other', 2)`)
		if closeErr := conn.Close(t.Context()); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		at, err := url.Parse(shop)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := at.User.Password()
		c, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: map[string]json.RawMessage{
			"host": raw(at.Hostname()), "port": json.RawMessage(at.Port()), "database": raw(at.Path[1:]), "user": raw(at.User.Username()),
			"password": raw(password), "tls": raw("off"), "table": raw("customers"), "email_column": raw("email"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		report, err := w.client.Check(t.Context(), c.Id.String())
		if err != nil || !report.Ok {
			t.Fatalf("check = %+v, %v", report, err)
		}
		number := contract.CardFormatNumber
		_, err = w.client.Publish(t.Context(), []contract.CardLine{
			{Label: "Name", ConnectionId: c.Id, Field: "name"}, {Label: "Bought", ConnectionId: c.Id, Field: "bought", Format: &number},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.work()
		w.chat(livesupportitest.Visitor{Email: maya})
		page := w.ends(contract.OutcomeNameShown)
		if len(page.Details) != 2 || page.Details[0].Value != "Maya of the shop" || page.Details[1].Value != "12,345.60" {
			t.Errorf("shown: %+v", page.Details)
		}
		w.chat(livesupportitest.Visitor{Email: "twins@example.com"})
		w.ends(contract.OutcomeNameSeveralMatches)
	})
}
