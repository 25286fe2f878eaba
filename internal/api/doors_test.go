package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sidecard/internal/api"
	"sidecard/internal/api/contract"
)

func TestEachPathLeadsToItsDoor(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	for _, c := range []struct {
		method, path string
		status       int
		body         string // the beginning
		allow        string
	}{
		{"GET", "/", 200, "<h1>portal /</h1>", ""},
		{"HEAD", "/", 200, "", ""},
		{"GET", "/chats/123", 200, "<h1>portal /chats/123</h1>", ""},
		{"GET", "/apiary", 200, "<h1>portal /apiary</h1>", ""},
		{"GET", "/hooksmith", 200, "<h1>portal /hooksmith</h1>", ""},
		{"POST", "/", 405, `{"code":"method_not_allowed"`, "GET, HEAD"},
		{"TRACE", "/", 405, `{"code":"method_not_allowed"`, "GET, HEAD"},
		{"GET", "/docs", 200, "<h1>docs /docs</h1>", ""},
		{"GET", "/docs/", 200, "<h1>docs /docs/</h1>", ""},
		{"GET", "/docs/a/b.js", 200, "<h1>docs /docs/a/b.js</h1>", ""},
		{"POST", "/docs", 405, `{"code":"method_not_allowed"`, "GET, HEAD"},
		{"GET", "/openapi.yaml", 200, "openapi: 3.0.3", ""},
		{"HEAD", "/openapi.yaml", 200, "", ""},
		{"GET", "/.well-known/jwks.json", 200, `{"keys":[{"kty":"OKP"`, ""},
		{"POST", "/.well-known/jwks.json", 405, `{"code":"method_not_allowed"`, "GET, HEAD"},
		{"GET", "/.well-known/openid-configuration", 404, `{"code":"not_found"`, ""},
		{"GET", "/livez", 200, "ok", ""},
		{"HEAD", "/livez", 200, "", ""},
		{"GET", "/readyz", 200, "ok", ""},
		{"GET", "/readyz/", 404, `{"code":"not_found"`, ""},
		{"GET", "/api", 404, `{"code":"not_found"`, ""},
		{"GET", "/api/", 404, `{"code":"not_found"`, ""},
		{"GET", "/api/v1", 404, `{"code":"not_found"`, ""},
		{"GET", "/api/v1/me/", 404, `{"code":"not_found"`, ""},
		{"GET", "/api/v1/ME", 404, `{"code":"not_found"`, ""},
		{"POST", "/api/v2/auth/signin", 404, `{"code":"not_found"`, ""},
		{"GET", "/api/v1/auth/signin", 405, `{"code":"method_not_allowed"`, "POST"},
		{"DELETE", "/api/v1/me", 405, `{"code":"method_not_allowed"`, "GET, PATCH"},
		{"OPTIONS", "/api/v1/me", 405, `{"code":"method_not_allowed"`, "GET, PATCH"},
	} {
		a := s.raw(asked{method: c.method, path: c.path})
		if a.status != c.status || !strings.HasPrefix(string(a.body), c.body) || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %q %v", c.method, c.path, a.status, a.body, a.header)
		}
		if problem := a.header.Get("Content-Type") == "application/problem+json"; problem != (c.status >= 400) {
			t.Errorf("%s %s: %d as %q", c.method, c.path, a.status, a.header.Get("Content-Type"))
		}
	}
	if a := s.raw(asked{method: "GET", path: "/openapi.yaml"}); !bytes.Equal(a.body, contract.Document) || a.header.Get("Content-Type") != "application/yaml" {
		t.Error("/openapi.yaml is not the contract")
	}
}

func TestKeysOfAccessTokensArePublicForFiveMinutes(t *testing.T) {
	t.Parallel()
	a := onSQLite(t).raw(asked{method: "GET", path: "/.well-known/jwks.json"})
	var set struct {
		Keys []struct{ Kid, Crv, X, D string }
	}
	if err := json.Unmarshal(a.body, &set); err != nil || len(set.Keys) != 1 || set.Keys[0].Crv != "Ed25519" ||
		len(set.Keys[0].Kid) != 43 || len(set.Keys[0].X) != 43 || set.Keys[0].D != "" {
		t.Errorf("%s, %v", a.body, err)
	}
	if a.header.Get("Content-Type") != "application/jwk-set+json" || a.header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("headers %v", a.header)
	}
}

func TestBrowsersAreToldToBeCareful(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	for path, policy := range map[string]string{
		"/":                      "of a page",
		"/docs":                  "of a page",
		"/openapi.yaml":          "default-src 'none'; frame-ancestors 'none'",
		"/api/v1/me":             "default-src 'none'; frame-ancestors 'none'",
		"/hooks/unknown?echo=ab": "default-src 'none'; frame-ancestors 'none'",
	} {
		h := s.raw(asked{method: "GET", path: path}).header
		for name, want := range map[string]string{
			"Content-Security-Policy":   policy,
			"X-Content-Type-Options":    "nosniff",
			"Referrer-Policy":           "no-referrer",
			"Strict-Transport-Security": "max-age=31536000",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if len(h.Get("X-Request-Id")) < 20 {
			t.Errorf("%s: request id %q", path, h.Get("X-Request-Id"))
		}
	}
}

func TestAProcessThatOnlyWorksAnswersForItsHealth(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	h := api.Health(s.hub)
	for path, status := range map[string]int{"/livez": 200, "/readyz": 200, "/": 404, "/api/v1/me": 404, "/metrics": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
}
