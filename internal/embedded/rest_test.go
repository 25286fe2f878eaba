package embedded_test

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
)

// A worker that hangs with a visitor's older chat lets it go soon after the newer one came, so that the
// newer one waits for a renewal of the lease and not for its end.
func TestANewerChatNeedNotWaitForTheLease(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeHang, Count: 1})
		visitor := livesupportitest.Visitor{ID: "169.26.97.99-1231178", Email: maya}
		w.chat(visitor)
		w.until(func(contract.ChatPage) bool { return len(w.live.Posts()) == 1 })
		newer := w.chat(visitor)
		shown, err := w.live.WaitShown(t.Context(), newer.ID)
		if err != nil {
			t.Fatal(err)
		}
		if lease := 6000.0; shown.Shown.AfterMS > lease*5/6 {
			t.Errorf("shown after %.0f ms, want it well before a lease of %.0f ms", shown.Shown.AfterMS, lease)
		}
		w.ends(contract.OutcomeNameShown)
		list, err := w.client.Chats(t.Context())
		if err != nil || len(list.Chats) != 2 || list.Chats[1].Outcome.Name != contract.OutcomeNameSuperseded {
			t.Errorf("chats = %+v, %v; want the older one superseded", list.Chats, err)
		}
	})
}

// A source that is down costs the first chats a try each; the next ones are told at once, and shown without it.
func TestASourceThatKeepsFailingIsLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		list, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "csv", Name: "List", Settings: map[string]json.RawMessage{}})
		if err == nil {
			_, err = w.client.Upload(t.Context(), list.Id.String(), "list.csv", strings.NewReader("email,name\n"+maya+",Maya\n"))
		}
		if err != nil {
			t.Fatal(err)
		}
		down, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: map[string]json.RawMessage{
			"host": raw("127.0.0.1"), "port": json.RawMessage(closedPort(t)), "tls": raw("off"), "database": raw("shop"), "user": raw("sidecard"),
			"password": raw("secret-of-the-shop"), "table": raw("customers"), "email_column": raw("email"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		lines := []contract.CardLine{
			{Label: "Name", ConnectionId: list.Id, Field: "name"}, {Label: "Plan", ConnectionId: down.Id, Field: "plan"},
		}
		if _, err := w.client.Publish(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
		const failures = 5
		for i := range failures + 1 {
			w.chat(livesupportitest.Visitor{Email: maya})
			page := w.ends(contract.OutcomeNameShownInPart)
			if alone := strings.Contains(page.Chat.Outcome.Message, "leaving it alone"); alone != (i == failures) {
				t.Errorf("chat %d: %q", i+1, page.Chat.Outcome.Message)
			}
		}
	})
}

// closedPort is one on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// While LiveSupporti has trouble, a desk's chats wait without a post each; when it is well again, all are shown.
func TestADeskThatKeepsFailingIsLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		w.work()
		w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 502})
		const chats = 8 // as many as one tenant may have in hand
		for range chats {
			w.chat(livesupportitest.Visitor{Email: maya})
		}
		w.until(func(p contract.ChatPage) bool { return strings.Contains(p.Chat.Outcome.Message, "leaving it alone") })
		before := len(w.live.Posts())
		if before > 2*chats {
			t.Errorf("%d posts of %d chats before the desk was left alone", before, chats)
		}
		w.live.Heal()
		deadline := time.After(20 * time.Second)
		for _, page := range w.all(chats) {
			for page.Chat.Outcome.Name != contract.OutcomeNameShown {
				select {
				case <-deadline:
					t.Fatalf("chat %+v is not shown", page.Chat)
				case <-time.After(50 * time.Millisecond):
				}
				var err error
				if page, err = w.client.Chat(t.Context(), page.Chat.Id.String()); err != nil {
					t.Fatal(err)
				}
			}
			if page.Chat.Attempts > 4 {
				t.Errorf("%d attempts for one chat", page.Chat.Attempts)
			}
		}
	})
}

// all reads the newest chats.
func (w *world) all(want int) []contract.ChatPage {
	w.t.Helper()
	list, err := w.client.Chats(w.t.Context())
	if err != nil || len(list.Chats) != want {
		w.t.Fatalf("%d chats, %v; want %d", len(list.Chats), err, want)
	}
	pages := make([]contract.ChatPage, want)
	for i, c := range list.Chats {
		if pages[i], err = w.client.Chat(w.t.Context(), c.Id.String()); err != nil {
			w.t.Fatal(err)
		}
	}
	return pages
}
