// Package web holds the portal and serves it: the built files of web/dist are part of the binary.
//
// It knows files, caching and what its pages may load, and nothing of the API. No Node is needed at run time, and a
// binary that was built without the portal still starts: its pages then say what to run.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Handler serves the portal. Files under /assets/ carry a hash in their name and may be kept forever; each
// path without a file of its own is a page of the portal and gets index.html, which is never kept. What is
// missing under /assets/ is 404, a method other than GET and HEAD 405. While the portal is not built, every
// page answers 503 and says what to run.
func Handler() http.Handler { return newPortal(built()) }

// Docs serves the page that shows /openapi.yaml readably, whatever the path. Its assets come from Handler.
func Docs() http.Handler { return readOnly(newPage(built()["docs.html"])) }

var built = sync.OnceValue(func() map[string]file {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid name
	}
	loaded, err := load(files)
	if err != nil {
		panic(err) // embedded files can always be read
	}
	return loaded
})
