package http_test

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/connectortest"
	source "sidecard/connectors/http"
)

const (
	ana = `{"id": 1, "email": "ana@toy.example", "name": "Ana Lima", "vip": true, "spent": -1234.50, "born": "1990-02-28",
		"seen_at": "2026-11-01T12:00:00+02:00", "tags": ["a", "b c"], "company": {"name": "Lima Lda", "city": null}, "orders": [{"id": 7, "total": 1.10}]}`
	sparse = `{"id": 2, "email": "sparse@toy.example", "name": "", "plan": null}`
)

func TestConnectorKeepsItsPromises(t *testing.T) {
	t.Run("GET with a key", func(t *testing.T) {
		a := newAPI(t)
		connectortest.Run(t, a.harness(nil, connectortest.Fault{
			Settings: a.settings(map[string]any{"secret": "not the key"}), Step: "Sign in", Says: "API key", Class: connectors.AuthRevoked,
		}))
	})
	t.Run("POST with OAuth2", func(t *testing.T) {
		a := newAPI(t)
		post := map[string]any{
			"method": "POST", "url": a.URL + "/search", "body": `{"filter": {"email": "{{email}}"}}`,
			"auth": "oauth2", "user": theClient, "secret": theSecret, "oauth_url": a.URL + "/token", "key_name": nil,
		}
		connectortest.Run(t, a.harness(post, connectortest.Fault{
			Settings: a.settings(with(post, "secret", "not the secret")), Step: "Sign in", Says: "client secret", Class: connectors.AuthRevoked,
		}))
	})
}

func with(m map[string]any, name string, v any) map[string]any {
	out := map[string]any{name: v}
	for k, old := range m {
		if k != name {
			out[k] = old
		}
	}
	return out
}

// harness describes the API to the suite.
func (a *api) harness(replace map[string]any, badCredential connectortest.Fault) connectortest.Harness {
	a.t.Helper()
	a.add("ana@toy.example", ana)
	a.add("sparse@toy.example", sparse)
	a.add("huge@toy.example", `{"email": "huge@toy.example", "note": "`+strings.Repeat("é", 60_000)+`"}`)
	a.add("twins@toy.example", `{"email": "twins@toy.example", "name": "One"}`)
	a.add("twins@toy.example", `{"email": "Twins@Toy.Example", "name": "Two"}`)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	nobody.Close()
	unreachable := "http://" + nobody.Addr().String()
	return connectortest.Harness{
		Connector: source.New(),
		Good:      a.settings(replace),
		Host:      openHost,
		Known: connectortest.Person{Email: "ana@toy.example", Record: connectors.Record{
			"id":           {Kind: connectors.Number, Text: "1"},
			"name":         {Kind: connectors.Text, Text: "Ana Lima"},
			"vip":          {Kind: connectors.Bool, Text: "true"},
			"spent":        {Kind: connectors.Number, Text: "-1234.50"},
			"born":         {Kind: connectors.Date, Text: "1990-02-28"},
			"seen_at":      {Kind: connectors.DateTime, Text: "2026-11-01T12:00:00+02:00"},
			"tags":         {Kind: connectors.List, Text: "a, b c"},
			"company.name": {Kind: connectors.Text, Text: "Lima Lda"},
			"company.city": {Kind: connectors.Null},
			"orders":       {Kind: connectors.JSON, Text: `[{"id":7,"total":1.10}]`},
		}},
		Second: connectortest.Second{Never: "which addresses a question matches is the API's own affair"},
		Huge:   connectortest.Huge{Email: "huge@toy.example", Field: "note"},
		Beside: connectortest.Beside{Never: "one request gives the whole record"},
		Wide:   connectortest.Wide{Never: "fields are those of one sample record, at most 500"},
		Sparse: connectortest.Sparse{Email: "sparse@toy.example", Null: "plan", Empty: "name", Absent: "vip"},
		Twins:  connectortest.Twins{Email: "twins@toy.example"},
		Add: func(email string) error {
			a.add(email, `{"email": `+quote(email)+`}`)
			return nil
		},
		State:         a.state,
		BadCredential: badCredential,
		Unreachable: connectortest.Fault{
			Settings: a.settings(map[string]any{"url": unreachable + "/{{email}}"}), Step: "Find the server", Says: "port", Class: connectors.Transient,
		},
		MissingTable: connectortest.Fault{
			Settings: a.settings(with(replace, "record_path", "data.persons")), Step: "Read the record", Says: "data.persons", Class: connectors.Misconfigured,
		},
		Revoked: connectortest.Fault{
			Settings: a.settings(replace), Break: a.saying(http.StatusUnauthorized, nil), Step: "Sign in", Class: connectors.AuthRevoked,
		},
		MissingPermission: connectortest.Fault{
			Settings: a.settings(replace), Break: a.saying(http.StatusForbidden, nil), Step: "Ask for somebody unknown",
			Says: "right to read customers", Class: connectors.Misconfigured,
		},
		BadTLS: connectortest.Fault{
			Settings: a.settings(map[string]any{"url": a.secure() + "/{{email}}"}), Step: "Find the server", Says: "certificate", Class: connectors.Misconfigured,
		},
		Faults: []connectortest.Fault{
			{
				Name: "too many questions", Settings: a.settings(replace), Break: a.saying(http.StatusTooManyRequests, http.Header{"Retry-After": {"7"}}),
				Class: connectors.RateLimited, RetryAfter: 7 * time.Second,
			},
			{Name: "a status nobody knows", Settings: a.settings(replace), Break: a.saying(699, nil), Class: connectors.Bug},
			{Name: "trouble", Settings: a.settings(replace), Break: a.saying(http.StatusInternalServerError, nil), Class: connectors.Transient},
		},
	}
}

// saying has the API answer every question with the status, until it is told to end. Tokens are still to be had.
func (a *api) saying(status int, header http.Header) func() (end func()) {
	return func() func() {
		a.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				tell(w, http.StatusOK, map[string]any{"access_token": "in-vain", "token_type": "bearer", "expires_in": 60})
				return
			}
			maps.Copy(w.Header(), header)
			w.WriteHeader(status)
		})
		return func() { a.answer(nil) }
	}
}

// secure is a server whose certificate nobody trusts.
func (a *api) secure() string {
	server := httptest.NewTLSServer(a)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshakes that fail are what is tested
	a.t.Cleanup(server.Close)
	return server.URL
}

func TestEverySignInIsUnderstood(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.add("ana@toy.example", ana)
	for name, c := range map[string]struct {
		settings map[string]any
		wrong    string // what is told of a wrong secret
	}{
		"key in a header": {map[string]any{}, "key"},
		"key in the URL":  {map[string]any{"auth": "key_query", "key_name": "key"}, "key"},
		"key after nothing": {map[string]any{
			"auth": "key_query", "key_name": "key", "url": a.URL + "/customer/{{email}}", "record_path": nil,
		}, "key"},
		"basic":                   {map[string]any{"auth": "basic", "user": theUser, "secret": thePass}, "password"},
		"bearer":                  {map[string]any{"auth": "bearer"}, "token"},
		"key pasted with its end": {map[string]any{"secret": " " + theKey + "\n"}, "key"},
		"OAuth2 in a header": {map[string]any{
			"auth": "oauth2", "user": theClient, "secret": theSecret, "oauth_url": a.URL + "/token", "scope": "read",
		}, "secret"},
		"OAuth2 in the body": {map[string]any{
			"auth": "oauth2", "user": theClient, "secret": theSecret, "oauth_url": a.URL + "/token", "client_auth": "body",
		}, "secret"},
	} {
		if res := lookup(t, open(t, a.settings(c.settings)), "ana@toy.example"); res.Match != connectors.Found {
			t.Errorf("%s: %s", name, res.Match)
		}
		src := open(t, a.settings(with(c.settings, "secret", "wrong secret")))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := connectors.AsError(err)
		if e == nil || e.Class != connectors.AuthRevoked || e.Field != "secret" || !strings.Contains(e.Message+e.Fix, c.wrong) {
			t.Errorf("%s: a wrong secret is told as %+v", name, e)
			continue
		}
		if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail || s.Detail != e.Message || s.Advice != e.Fix {
			t.Errorf("%s: %+v", name, s)
		}
	}
	_, err := open(t, a.settings(map[string]any{"auth": "none"})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "http.401")
}

func TestRequestsSayWhoAsksAndWhatIsUnderstood(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	src := open(t, a.settings(map[string]any{"headers": []string{"X-Region: eu", "X-Visitor: {{ email }}", "X-Region: us"}}))
	lookup(t, src, "Ana@Toy.Example")
	got := a.got()
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	for name, want := range map[string][]string{
		"User-Agent": {"Sidecard"}, "Accept": {"application/json"}, "X-Region": {"eu", "us"}, "X-Visitor": {"ana@toy.example"}, "X-Api-Key": {theKey},
	} {
		if !slices.Equal(got[0].header[name], want) {
			t.Errorf("%s is %q, want %q", name, got[0].header[name], want)
		}
	}
	src = open(t, a.settings(map[string]any{"headers": []string{"Accept: application/vnd.api+json"}, "lower_case": false}))
	lookup(t, src, "Ana@Toy.Example")
	got = a.got()
	if h := got[0].header["Accept"]; !slices.Equal(h, []string{"application/vnd.api+json"}) || got[0].query["email"][0] != "Ana@Toy.Example" {
		t.Errorf("got %+v", got[0])
	}
}

func TestNothingIsTriedTwiceAndNoRedirectFollowed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, status := range []int{301, 302, 303, 307, 308, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504} {
		a.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
		})
		_, _ = open(t, a.settings(nil)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if n := len(a.got()); n != 1 {
			t.Errorf("%d: asked %d times", status, n)
		}
	}
}
