package embedded_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/app"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

const maya = "maya@lindqvist.se"

func TestAChatShowsWhatThePreviewPromised(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		preview, err := w.client.Preview(t.Context(), maya)
		if err != nil {
			t.Fatal(err)
		}
		chat := w.chat(livesupportitest.Visitor{Email: "  Maya@Lindqvist.SE "})
		shown, err := w.live.WaitShown(t.Context(), chat.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(shown.Shown.Fields) != len(preview.Details) || len(preview.Details) != 8 {
			t.Fatalf("shown %v, previewed %v", shown.Shown.Fields, preview.Details)
		}
		for i, d := range preview.Details {
			if f := shown.Shown.Fields[i]; f.Name != d.Name || f.Value != d.Value {
				t.Errorf("field %d: shown %v, previewed %v", i, f, d)
			}
		}
		page := w.ends(contract.OutcomeNameShown)
		if len(page.DeliveryAttempts) != 1 || page.Chat.Attempts != 1 || shown.Posts != 1 {
			t.Errorf("%d attempts kept, %d posts seen, want one of each", len(page.DeliveryAttempts), shown.Posts)
		}
		if page.RequestBody == nil || *page.RequestBody != string(w.live.Posts()[0].Body) {
			t.Errorf("kept request %v is not what LiveSupporti got", page.RequestBody)
		}
		wantParts(t, page, "received", "waited", "source", "card", "delivery", "seen")
	})
}

func wantParts(t *testing.T, page contract.ChatPage, want ...string) {
	t.Helper()
	var last float64
	got := map[string]bool{}
	for _, p := range page.Timeline {
		got[string(p.Name)] = true
		if p.StartMs < 0 || p.Ms < 0 {
			t.Errorf("part %+v runs backwards", p)
		}
		last = p.StartMs + p.Ms
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("timeline %+v has no part %q", page.Timeline, name)
		}
	}
	if page.Chat.Ms == nil || *page.Chat.Ms < last {
		t.Errorf("the chat ended after %v ms, but its last part at %v", page.Chat.Ms, last)
	}
}

func TestAChatThatIsNotShownSaysWhy(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.chat(livesupportitest.Visitor{Email: "stranger@example.com"})
		w.ends(contract.OutcomeNameNoMatch)
		w.chat(livesupportitest.Visitor{Variation: livesupportitest.Variation{NullEmail: true}})
		w.ends(contract.OutcomeNameNoEmail)
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: http.StatusBadRequest})
		w.chat(livesupportitest.Visitor{Email: maya})
		page := w.ends(contract.OutcomeNameRefused)
		if page.Chat.Attempts != 1 || page.DeliveryAttempts[0].Verdict != contract.AttemptVerdictRefused {
			t.Errorf("attempts = %+v, want a 400 to be final", page.DeliveryAttempts)
		}
		if n := len(w.live.Posts()); n != 1 {
			t.Errorf("%d posts, want one", n)
		}
	})
}

func TestTheCardAndItsSourcesDecideTheOutcome(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		list, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "csv", Name: "List", Settings: map[string]json.RawMessage{}})
		if err == nil {
			_, err = w.client.Upload(t.Context(), list.Id.String(), "list.csv", strings.NewReader("email,name\n"+maya+",Maya\n"))
		}
		if err != nil {
			t.Fatal(err)
		}
		broken, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: map[string]json.RawMessage{
			"host": raw("10.0.0.7"), "database": raw("shop"), "user": raw("sidecard"), "password": raw("secret-of-the-shop"),
			"table": raw("customers"), "email_column": raw("email"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		name := contract.CardLine{Label: "Name", ConnectionId: list.Id, Field: "name"}
		plan := contract.CardLine{Label: "Plan", ConnectionId: broken.Id, Field: "plan"}
		absent := contract.CardLine{Label: "Absent", ConnectionId: list.Id, Field: "absent"}
		for _, tt := range []struct {
			lines []contract.CardLine
			want  contract.OutcomeName
		}{
			{[]contract.CardLine{name, plan}, contract.OutcomeNameShownInPart},
			{[]contract.CardLine{plan}, contract.OutcomeNameLookupFailed},
			{[]contract.CardLine{absent}, contract.OutcomeNameNothingToShow},
		} {
			if _, err := w.client.Publish(t.Context(), tt.lines); err != nil {
				t.Fatal(err)
			}
			w.chat(livesupportitest.Visitor{Email: maya})
			w.ends(tt.want)
		}
		if n := len(w.live.Posts()); n != 1 {
			t.Errorf("%d posts, want only the card that was shown in part", n)
		}
	})
}

func (w *world) fault(f livesupportitest.Fault) {
	w.t.Helper()
	f.Route = livesupportitest.RouteDetails
	if err := w.live.Misbehave(f); err != nil {
		w.t.Fatal(err)
	}
}

func TestDeliveryTriesAgainWithTheSameBytes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault livesupportitest.Fault
	}{
		{"server error", livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 503, Count: 2}},
		{"throttled", livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 429, RetryAfter: "1", Count: 1}},
		{"reset before", livesupportitest.Fault{Mode: livesupportitest.ModeResetBefore, Count: 2}},
		{"reset after", livesupportitest.Fault{Mode: livesupportitest.ModeResetAfter, Count: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				w.work()
				w.fault(tt.fault)
				w.chat(livesupportitest.Visitor{Email: maya})
				page := w.ends(contract.OutcomeNameShown)
				if want := tt.fault.Count + 1; page.Chat.Attempts != want || len(page.DeliveryAttempts) != want {
					t.Fatalf("%d attempts (%d kept), want %d", page.Chat.Attempts, len(page.DeliveryAttempts), want)
				}
				for i, a := range page.DeliveryAttempts {
					if a.Number != i+1 || a.Message == "" {
						t.Errorf("attempt %d = %+v", i, a)
					}
				}
				posts := w.live.Posts()
				for _, p := range posts[1:] {
					if len(p.Body) > 0 && len(posts[0].Body) > 0 && !bytes.Equal(p.Body, posts[0].Body) {
						t.Errorf("a repeated post differs: %s, first %s", p.Body, posts[0].Body)
					}
				}
			})
		})
	}
}

func TestThrottlingIsObeyed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 429, RetryAfter: "1", Count: 1})
		w.chat(livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameShown)
		posts := w.live.Posts()
		if wait := posts[1].At.Sub(posts[0].At); wait < time.Second {
			t.Errorf("came back after %v, want no earlier than the second it asked for", wait)
		}
	})
}

func TestRefusedCredentialsPauseTheDeskUntilTheyAreRight(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		wrong := "no-longer-valid"
		w.credentials(wrong)
		w.chat(livesupportitest.Visitor{Email: maya})
		page := w.until(func(p contract.ChatPage) bool { return len(p.DeliveryAttempts) == 1 })
		if page.Chat.Outcome.Name != contract.OutcomeNameWaiting || page.DeliveryAttempts[0].Verdict != contract.AttemptVerdictUnauthorized {
			t.Fatalf("chat = %+v, want it to wait for better credentials", page.Chat)
		}
		desk, err := w.client.Desk(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !desk.Paused || desk.Problem == nil || desk.Problem.Fix == "" {
			t.Fatalf("desk = %+v, want a pause with a fix", desk)
		}
		w.credentials(newcomer.APIKey)
		w.ends(contract.OutcomeNameShown)
		if desk, err = w.client.Desk(t.Context()); err != nil || desk.Paused || desk.Problem != nil {
			t.Fatalf("desk = %+v, %v, want the pause ended", desk, err)
		}
	})
}

func (w *world) credentials(apiKey string) {
	w.t.Helper()
	email := newcomer.DeskEmail
	if _, _, err := w.client.ConnectDesk(w.t.Context(), contract.DeskUpdate{Email: &email, ApiKey: &apiKey}); err != nil {
		w.t.Fatal(err)
	}
}

func TestAChatTooOldExpires(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 500})
		w.chat(livesupportitest.Visitor{Email: maya})
		page := w.ends(contract.OutcomeNameExpired)
		if page.Chat.Attempts < 2 {
			t.Errorf("%d attempts, want several inside the deadline", page.Chat.Attempts)
		}
		for _, a := range page.DeliveryAttempts {
			if !a.At.Before(*page.DeadlineAt) {
				t.Errorf("attempt %d began at %v, past the deadline at %v", a.Number, a.At, *page.DeadlineAt)
			}
		}
	}, func(c *app.Config) { c.ChatDeadline = 3 * time.Second })
}

func TestChatsOutliveTheWorkersAndTheQueue(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		chat := w.chat(livesupportitest.Visitor{Email: maya}) // accepted with nobody to carry it
		if w.redis != nil {
			if err := w.redis.Kill(); err != nil { // and every ring lost
				t.Fatal(err)
			}
		}
		w.work()
		if _, err := w.live.WaitShown(t.Context(), chat.ID); err != nil {
			t.Fatal(err)
		}
		next := w.chat(livesupportitest.Visitor{Email: maya})
		if _, err := w.live.WaitShown(t.Context(), next.ID); err != nil {
			t.Fatal(err)
		}
	})
}

func TestARepeatedNotificationChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		if err := w.live.Misbehave(livesupportitest.Fault{Route: livesupportitest.RouteNotifications, Mode: livesupportitest.ModeDuplicate}); err != nil {
			t.Fatal(err)
		}
		w.chat(livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameShown)
		w.live.Heal()
		w.chat(livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameShown)
		list, err := w.client.Chats(t.Context())
		if err != nil || len(list.Chats) != 2 {
			t.Fatalf("%d chats (%v), want the repeated one once", len(list.Chats), err)
		}
		if n := len(w.live.Posts()); n != 2 {
			t.Errorf("%d posts, want one for each chat", n)
		}
	})
}

func TestAHangingPostKeepsItsLease(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeHang, Count: 1}) // longer than a lease
		w.chat(livesupportitest.Visitor{Email: maya})
		page := w.ends(contract.OutcomeNameShown)
		if len(page.DeliveryAttempts) != 2 || len(w.live.Posts()) != 2 {
			t.Fatalf("%d attempts kept, %d posts seen, want two of each", len(page.DeliveryAttempts), len(w.live.Posts()))
		}
		if first := page.DeliveryAttempts[0]; first.Ms < 6000 {
			t.Errorf("the first attempt took %v ms: this test must outlast the lease", first.Ms)
		}
	})
}

func TestAStopWaitsForTheChatInHand(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		stop := w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeDrip, Count: 1})
		chat := w.chat(livesupportitest.Visitor{Email: maya})
		if _, err := w.live.WaitShown(t.Context(), chat.ID); err != nil { // posted, the answer still drips
			t.Fatal(err)
		}
		stop()
		w.ends(contract.OutcomeNameShown)
		if n := len(w.live.Posts()); n != 1 {
			t.Errorf("%d posts, want the one in hand to be finished", n)
		}
	})
}

func TestOneHangingTenantLeavesTheOthersAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		const other = "other@elsewhere.example"
		w.neighbour(other, "key-of-another")
		if err := w.live.Misbehave(livesupportitest.Fault{Route: livesupportitest.RouteDetails, Mode: livesupportitest.ModeHang, Account: newcomer.DeskEmail}); err != nil {
			t.Fatal(err)
		}
		for range 200 { // more than there are slots
			w.chat(livesupportitest.Visitor{Email: maya})
		}
		began := time.Now()
		chat, err := w.live.StartChat(t.Context(), other, livesupportitest.Visitor{Email: maya})
		if err == nil {
			_, err = w.live.WaitShown(t.Context(), chat.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the other tenant's agent waited %v beside one that hangs for 10 s", took)
		}
	})
}

func TestTheNewestChatOfAVisitorIsShownLast(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		visitor := livesupportitest.Visitor{ID: "169.26.97.99-1231178", Email: "stranger@example.com"}
		w.chat(visitor) // waits, as no worker runs
		visitor.Email = maya
		w.chat(visitor)
		w.work()
		w.ends(contract.OutcomeNameShown)
		list, err := w.client.Chats(t.Context())
		if err != nil || len(list.Chats) != 2 {
			t.Fatalf("%d chats, %v", len(list.Chats), err)
		}
		if got := list.Chats[1].Outcome.Name; got != contract.OutcomeNameSuperseded {
			t.Errorf("the older chat ended as %s, want superseded", got)
		}
	})
}

func TestWrongSignaturesAreRefusedAndListed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		if err := w.live.Misbehave(livesupportitest.Fault{Route: livesupportitest.RouteNotifications, Mode: livesupportitest.ModeWrongSignature, Count: 1}); err != nil {
			t.Fatal(err)
		}
		w.chat(livesupportitest.Visitor{Email: maya}) // comes again, rightly signed
		w.ends(contract.OutcomeNameShown)
		list, err := w.client.Rejections(t.Context())
		if err != nil || len(list.Rejections) != 1 || list.Rejections[0].Code != "wrong_signature" {
			t.Fatalf("rejections = %+v, %v", list, err)
		}
	})
}

func TestNoSecretAndNoVisitorReachesTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 500, Count: 1})
		w.chat(livesupportitest.Visitor{Email: maya})
		w.ends(contract.OutcomeNameShown)
		token := w.desk.CallbackUrl[strings.LastIndex(w.desk.CallbackUrl, "/")+1:]
		log := strings.ToLower(w.log.String())
		for what, canary := range map[string]string{
			"API key": newcomer.APIKey, "secret": w.secret, "callback token": token,
			"visitor's address": maya, "customer's name": "lindqvist", "password": newcomer.Password,
		} {
			if strings.Contains(log, strings.ToLower(canary)) {
				t.Errorf("the log holds the %s", what)
			}
		}
		if !strings.Contains(log, "delivery attempt") {
			t.Error("the log is empty: this test would not notice anything")
		}
	})
}

func TestAConnectionCannotReachWhatIsNotAllowed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for _, host := range []string{"169.254.169.254", "10.0.0.7", "fd00::1", "::ffff:10.0.0.1", "0x0a000001"} {
			c, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: map[string]json.RawMessage{
				"host": raw(host), "database": raw("shop"), "user": raw("sidecard"), "password": raw("secret-of-the-shop"), "table": raw("customers"), "email_column": raw("email"),
			}})
			var refused *tour.Refusal
			if errors.As(err, &refused) && refused.Problem.Status == http.StatusBadRequest {
				continue // the form refuses it already
			}
			if err != nil {
				t.Fatalf("%s: %v", host, err)
			}
			report, err := w.client.Check(t.Context(), c.Id.String())
			if err != nil || report.Ok || len(report.Steps) == 0 {
				t.Fatalf("%s: check = %+v, %v, want a failed step", host, report, err)
			}
			if last := report.Steps[len(report.Steps)-1]; !strings.Contains(last.Detail+last.Advice, "not allowed") {
				t.Errorf("%s: %+v, want it to say that the address is not allowed", host, last)
			}
		}
	})
}

func raw(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return b
}
