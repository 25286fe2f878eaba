package web

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"strconv"
)

// nonceMark is what the build writes where the nonce of an answer belongs, see vite.config.ts.
const nonceMark = "__NONCE__"

// policy lets a page load what comes with it and nothing else. The nonce admits the style sheets that its own scripts
// write; nothing inline is admitted, so that a text which is taken for HTML can do nothing.
func policy(nonce string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
}

// newPage serves one HTML page, whatever the path, with a nonce of its own each time.
func newPage(f file) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		w.Header().Set("Content-Security-Policy", policy(nonce))
		if f.content == nil {
			servePage(w, r, http.StatusServiceUnavailable, []byte(notBuilt))
			return
		}
		servePage(w, r, http.StatusOK, bytes.ReplaceAll(f.content, []byte(nonceMark), []byte(nonce)))
	})
}

// notBuilt is the page in place of a portal that nobody has built yet.
const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The portal is not built</title>
<h1>The portal is not built</h1>
<p>The API works. To have its portal too, run <code>make portal</code>, then build and start again.</p>
</html>
`

func servePage(w http.ResponseWriter, r *http.Request, status int, content []byte) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(content)) // the client is gone: nobody to tell
	}
}
