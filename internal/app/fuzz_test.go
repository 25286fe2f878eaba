package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/internal/app"
	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
	"sidecard/internal/vault"
)

// errNoWayOut is what the network of the fuzzed sources answers.
type errNoWayOut struct{}

func (errNoWayOut) Error() string   { return "no way out" }
func (errNoWayOut) Forbidden() bool { return true }

// roundTrip makes a function a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// noLimit lets every call pass.
type noLimit struct{}

func (noLimit) Take(context.Context, string, int, time.Duration, time.Duration) (time.Duration, bool) {
	return 0, true
}

func (noLimit) Pause(context.Context, string, time.Duration) {}

func (noLimit) Forget(context.Context, string) {}

// Whatever somebody enters as a connection's settings, of every kind: they are kept or refused in words for people
// that quote no secret, without any network. What was kept never shows a secret, and a lookup says why it fails.
func FuzzSettings(f *testing.F) {
	registry, err := app.Kinds(app.Config{})
	if err != nil {
		f.Fatal(err)
	}
	kinds := registry.All()
	good := make([]connectors.Settings, len(kinds))
	for i, c := range kinds {
		raw, err := os.ReadFile(filepath.Join("../../connectors", c.Spec().Kind, "testdata/settings/v1.json"))
		if err == nil {
			err = json.Unmarshal(raw, &good[i])
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), []byte(nil), uint16(0), "", uint16(1000))
		for at := range uint16(len(good[i])) {
			for _, value := range []string{"null", "-1", "\x00\u202e\xff", `["a","a: b\r\nHost: c"]`, `{"a":{}}`, "http://[::1%25x]:99999/{{email}}", strings.Repeat("a", 5000)} {
				f.Add(uint8(i), []byte(nil), at, value, uint16(1000))
			}
			f.Add(uint8(i), raw, uint16(1000), "", at)
		}
		f.Add(uint8(i), []byte(`{}`), uint16(1000), "x", uint16(1000))
	}
	key, err := vault.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	seal, err := vault.New(key)
	if err != nil {
		f.Fatal(err)
	}
	var calls atomic.Int64
	refuse := func() error { calls.Add(1); return errNoWayOut{} }
	store := storetest.SQLite(f).Store
	h := hub.New(hub.Config{
		Store: store, Connectors: registry, Meter: noLimit{}, Vault: seal, Log: slog.New(slog.DiscardHandler),
		Way: hub.Way{
			HTTP: func(int64) *http.Client {
				return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, refuse() })}
			},
			Dial:    func(context.Context, string, string) (net.Conn, error) { return nil, refuse() },
			Resolve: func(context.Context, string) ([]string, error) { return nil, refuse() },
		},
	})
	f.Cleanup(h.Close)
	who := member(f, store)

	f.Fuzz(func(t *testing.T, which uint8, raw []byte, at uint16, value string, drop uint16) {
		i := int(which) % len(kinds)
		spec := kinds[i].Spec()
		given := connectors.Settings{}
		if raw == nil || json.Unmarshal(raw, &given) != nil || !utf8.Valid(raw) {
			given = maps.Clone(good[i])
		}
		names := slices.Sorted(maps.Keys(good[i]))
		if int(at) < 2*len(names) {
			given[names[int(at)%len(names)]] = asJSON(t, value)
		}
		if int(drop) < len(names) {
			delete(given, names[drop])
		}
		secrets := secretsIn(t, spec, given)
		before := calls.Load()
		view, err := h.CreateConnection(t.Context(), who, spec.Kind, "name", given)
		if calls.Load() != before {
			t.Error("the network was asked for something")
		}
		if err != nil {
			checkRefusal(t, err, secrets)
			return
		}
		shown, err := json.Marshal(view)
		if err != nil {
			t.Fatal(err)
		}
		for name, secret := range secrets {
			if strings.Contains(string(view.Connection.Settings), `"`+name+`":`) || len(secret) >= 8 && strings.Contains(string(shown), secret) {
				t.Errorf("%s: %s is shown: %s", spec.Kind, name, shown)
			}
		}
		if !spec.Imports { // those have no rows to look in
			one, err := h.LookUpOne(t.Context(), who, view.Connection.ID, "dana@example.com")
			if err != nil || one.Problem == nil || one.Problem.Code == "bug" || one.Problem.Message == "" {
				t.Errorf("%s with %s answers %+v without a network (%v)", spec.Kind, shown, one, err)
			}
		}
		if err := h.DeleteConnection(t.Context(), who, view.Connection.ID); err != nil {
			t.Error(err)
		}
	})
}

// member signs a tenant up, past the hub.
func member(f *testing.F, store hub.Store) hub.Actor {
	f.Helper()
	who := hub.Actor{TenantID: hub.NewID(), UserID: hub.NewID(), Role: hub.RoleOwner}
	link := hub.Link{Hash: [32]byte{1}, Kind: hub.LinkSignUp, Until: time.Now().Add(time.Hour)}
	err := store.AddLink(f.Context(), link, hub.SealedMail{ID: hub.NewID(), Sealed: []byte("m")})
	if err == nil {
		err = store.SignUp(f.Context(), link.Hash, hub.Tenant{ID: who.TenantID, Name: "n", IndexKey: []byte("k")}, hub.User{ID: who.UserID, Email: "e"},
			hub.Desk{ID: hub.NewID(), TokenSealed: []byte("t"), Unsigned: hub.RefuseUnsigned})
	}
	if err != nil {
		f.Fatal(err)
	}
	return who
}

// asJSON gives a text that is JSON as it is, and any other as a JSON string.
func asJSON(t *testing.T, text string) json.RawMessage {
	t.Helper()
	if json.Valid([]byte(text)) && utf8.ValidString(text) {
		return json.RawMessage(text)
	}
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// secretsIn finds the texts of the settings that the kind's schema marks as secret.
func secretsIn(t *testing.T, spec connectors.Spec, given connectors.Settings) map[string]string {
	t.Helper()
	var schema struct {
		Properties map[string]struct {
			Secret bool `json:"x-secret"`
		}
	}
	if err := json.Unmarshal(spec.Settings, &schema); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{}
	for name, p := range schema.Properties {
		if _, ok := given[name]; ok && p.Secret {
			secrets[name] = given.String(name, "")
		}
	}
	return secrets
}

// checkRefusal wants words for people, each at its setting, of a bearable length and without a secret.
func checkRefusal(t *testing.T, err error, secrets map[string]string) {
	t.Helper()
	var e *hub.Error
	if !errors.As(err, &e) || e.Code != hub.CodeInvalid || e.Message == "" || len(e.Fields) == 0 {
		t.Errorf("refused with %T: %v", err, err)
		return
	}
	for _, field := range e.Fields {
		if !strings.HasPrefix(field.Pointer, "/settings") || field.Detail == "" || len(field.Detail) > 1000 || !utf8.ValidString(field.Pointer+field.Detail) {
			t.Errorf("refused with %+v", field)
		}
		for name, secret := range secrets {
			if len(secret) >= 8 && strings.Contains(field.Detail, secret) {
				t.Errorf("the refusal quotes %s: %q", name, field.Detail)
			}
		}
	}
}
