package web

import (
	"bytes"
	"compress/gzip"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const script = "console.log('sidecard')"

func setup(t *testing.T) http.Handler {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, script); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := load(fstest.MapFS{
		"index.html":            {Data: []byte("<title>portal</title>")},
		"docs.html":             {Data: []byte("<title>docs</title>")},
		"favicon.svg":           {Data: []byte("<svg/>")},
		".gitkeep":              {Data: []byte{}},
		"assets/app-1a2b.js":    {Data: []byte(script)},
		"assets/app-1a2b.js.gz": {Data: packed.Bytes()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return newPortal(files)
}

func get(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryPageOfThePortalGetsTheIndexAndIsNotKept(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, path := range []string{"/", "/chats", "/chats/0192f3a4", "/index.html", "/a/../chats", "/.gitkeep", "/docs.html"} {
		r := get(h, http.MethodGet, path)
		if r.StatusCode != http.StatusOK || text(t, r) != "<title>portal</title>" {
			t.Errorf("GET %s: %d, want the index", path, r.StatusCode)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("GET %s: Cache-Control %q, want no-store", path, got)
		}
	}
}

func TestHashedAssetsAreKeptForeverAndOthersAskedFor(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for path, want := range map[string][2]string{
		"/assets/app-1a2b.js": {"public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		"/favicon.svg":        {"no-cache", "image/svg+xml"},
	} {
		r := get(h, http.MethodGet, path)
		if got := r.Header.Get("Cache-Control"); got != want[0] {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want[0])
		}
		if got := r.Header.Get("Content-Type"); got != want[1] {
			t.Errorf("%s: Content-Type %q, want %q", path, got, want[1])
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", path)
		}
	}
}

func TestMissingAssetIsNotAPage(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, path := range []string{"/assets/app-old.js", "/assets/", "/assets/app-1a2b.js.gz"} {
		if r := get(h, http.MethodGet, path); r.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, r.StatusCode)
		}
	}
}

func TestPackedCopyGoesToThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const path = "/assets/app-1a2b.js"
	r := get(h, http.MethodGet, path, "Accept-Encoding", "br, gzip;q=0.8")
	if r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("headers %v, want gzip and Vary", r.Header)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || string(unpacked) != script {
		t.Fatalf("unpacked %q, %v", unpacked, err)
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip; q=0"} {
		r := get(h, http.MethodGet, path, "Accept-Encoding", accept)
		if r.Header.Get("Content-Encoding") != "" || text(t, r) != script {
			t.Errorf("Accept-Encoding %q: want the plain file", accept)
		}
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	t.Parallel()
	h := setup(t)
	tag := get(h, http.MethodGet, "/favicon.svg").Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	if r := get(h, http.MethodGet, "/favicon.svg", "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", r.StatusCode)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := get(h, method, "/")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	if r := get(h, http.MethodHead, "/"); r.StatusCode != http.StatusOK || text(t, r) != "" {
		t.Errorf("HEAD: %d with a body", r.StatusCode)
	}
}

func TestPortalThatIsNotBuiltSaysWhatToRun(t *testing.T) {
	t.Parallel()
	files, err := load(fstest.MapFS{".gitkeep": {Data: []byte{}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.Handler{"portal": newPortal(files), "docs": newPage(files["docs.html"])} {
		r := get(h, http.MethodGet, "/")
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 503", name, r.StatusCode)
		}
		if body := text(t, r); !strings.Contains(body, "make portal") {
			t.Errorf("%s: %q does not say what to run", name, body)
		}
	}
}

// Handler and Docs answer whether or not the portal was built before this test.
func TestHandlersAnswer(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{"portal": Handler(), "docs": Docs()} {
		r := get(h, http.MethodGet, "/docs")
		if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		if !strings.Contains(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: Content-Type %q", name, r.Header.Get("Content-Type"))
		}
		if r := get(h, http.MethodPost, "/docs"); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST to %s: %d, want 405", name, r.StatusCode)
		}
	}
}

func TestOnlyTheStandardLibraryIsImported(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range parsed.Imports {
			name, err := strconv.Unquote(imported.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if seen++; strings.Contains(strings.Split(name, "/")[0], ".") || strings.HasPrefix(name, "sidecard") {
				t.Errorf("%s imports %s", entry.Name(), name)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no import was looked at")
	}
}

func TestEachPageGetsANonceOfItsOwnAndNothingInlinePasses(t *testing.T) {
	t.Parallel()
	h := newPage(file{name: "index.html", content: []byte(`<meta nonce="__NONCE__"><script nonce="__NONCE__" src="/a.js">`)})
	seen := map[string]bool{}
	for range 3 {
		r := get(h, http.MethodGet, "/")
		csp := r.Header.Get("Content-Security-Policy")
		_, rest, _ := strings.Cut(csp, "'nonce-")
		nonce, _, _ := strings.Cut(rest, "'")
		if body := text(t, r); len(nonce) < 22 || seen[nonce] || body != strings.ReplaceAll(`<meta nonce="N"><script nonce="N" src="/a.js">`, "N", nonce) {
			t.Errorf("nonce %q in %s", nonce, body)
		}
		seen[nonce] = true
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("policy %q", csp)
		}
	}
}
