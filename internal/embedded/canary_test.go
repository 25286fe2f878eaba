package embedded_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/servertest"
)

// dumps are all places in which something can stay: what was logged, the database as a backup holds it, and Redis.
func (w *world) dumps() map[string]string {
	w.t.Helper()
	return map[string]string{
		"log":      w.log.String(),
		"database": servertest.DumpPostgres(w.t, w.ownerURL),
		"redis":    servertest.DumpRedis(w.t, w.redis.URL()),
	}
}

// hits counts a text in a dump, written as it is or in hex.
func hits(dump, text string) int {
	dump = strings.ToLower(dump)
	text = strings.ToLower(text)
	return strings.Count(dump, text) + strings.Count(dump, hex.EncodeToString([]byte(text)))
}

// post calls the API as the tenant's owner.
func (w *world) post(token, path string, in any) (status int, out []byte) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.client.Base+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	out, err = io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, out
}

// Secrets of each kind are canaries: after chats that were shown, failed, waited and were refused, and after requests
// that failed, none of them stands in a log, a backup or Redis, and neither does who was talked to, nor what about. And
// a visitor who is erased meanwhile is in none of them under any name.
func TestNothingSecretStaysAnywhereAndAnErasedVisitorNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, servertest.Redis(t))
	session, err := w.client.SignIn(t.Context(), contract.SignIn{Email: newcomer.Email, Password: newcomer.Password})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := w.post(session.AccessToken, "/api/v1/tokens", map[string]any{"name": "ci", "scopes": []string{"chats:read"}})
	var made contract.NewToken
	if err := json.Unmarshal(answer, &made); err != nil || status != 201 {
		t.Fatalf("%d %s", status, answer)
	}
	canaries := map[string]string{
		"API key": newcomer.APIKey, "secret": w.secret, "password": newcomer.Password,
		"callback token": w.desk.CallbackUrl[strings.LastIndex(w.desk.CallbackUrl, "/")+1:],
		"API token":      made.Token, "access token": session.AccessToken, "refresh token": *session.RefreshToken,
		"password of a source": "canary-password-of-the-shop", "visitor's address": maya, "customer's name": "lindqvist",
	}
	shop, err := w.client.Connect(t.Context(), contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: map[string]json.RawMessage{
		"host": raw("127.0.0.1"), "port": json.RawMessage("1024"), "database": raw("shop"), "user": raw("sidecard"),
		"password": raw(canaries["password of a source"]), "table": raw("customers"), "email_column": raw("email"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Check(t.Context(), shop.Id.String()); err != nil { // fails, and is told
		t.Fatal(err)
	}
	stop := w.work()
	w.fault(livesupportitest.Fault{Mode: livesupportitest.ModeStatus, Status: 500, Count: 1})
	w.chat(livesupportitest.Visitor{ID: "visitor-canary-1", Email: maya})
	w.ends(contract.OutcomeNameShown)
	stop()
	w.chat(livesupportitest.Visitor{ID: "visitor-canary-2", Email: maya}) // waits
	if status, answer = w.post("made up "+made.Token, "/api/v1/replays", map[string]string{"password": newcomer.Password}); status != 401 {
		t.Fatalf("%d %s", status, answer)
	}
	for place, dump := range w.dumps() {
		for what, canary := range canaries {
			if n := hits(dump, canary); n > 0 {
				t.Errorf("the %s holds the %s %d times", place, what, n)
			}
		}
	}
	if dumps := w.dumps(); hits(dumps["log"], "delivery attempt") == 0 || hits(dumps["database"], "visitor-canary-2") == 0 || hits(dumps["redis"], "asynq") == 0 {
		t.Fatalf("the dumps hold nothing: this test would not notice anything; redis: %.300s", dumps["redis"])
	}

	status, answer = w.post(session.AccessToken, "/api/v1/privacy/erasures", map[string]string{"email": maya})
	var erased contract.Erasure
	if err := json.Unmarshal(answer, &erased); err != nil || status != 200 || erased != (contract.Erasure{Chats: 2, Unfinished: 1, Rows: 1}) {
		t.Fatalf("erased: %d %s", status, answer)
	}
	gone := w.dumps()
	delete(gone, "log") // it names chats by our own ids, never visitors; what it holds was written before
	for place, dump := range gone {
		for _, canary := range []string{"visitor-canary", maya, "lindqvist"} {
			if n := hits(dump, canary); n > 0 {
				t.Errorf("the %s still holds %q %d times", place, canary, n)
			}
		}
	}
	if hits(w.log.String(), "visitor-canary") > 0 {
		t.Error("the log names visitors")
	}
	if ids := chatIDs(t.Context(), w); len(ids) != 2 || slices.Contains(ids, "") {
		t.Errorf("chats %v, want that both are still counted", ids)
	}
}

func chatIDs(ctx context.Context, w *world) (ids []string) {
	w.t.Helper()
	list, err := w.client.Chats(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range list.Chats {
		ids = append(ids, c.Id.String())
	}
	return ids
}
