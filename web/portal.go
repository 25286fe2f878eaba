package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// portal is a single-page application: its files, and one page for every other path.
type portal struct {
	files map[string]file
	index http.Handler
}

func newPortal(files map[string]file) http.Handler {
	return readOnly(portal{files: files, index: newPage(files["index.html"])})
}

func (p portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	hashed := strings.HasPrefix(name+"/", "assets/")
	f, found := p.files[name]
	switch {
	case found && f.isPage():
		p.index.ServeHTTP(w, r)
	case found && hashed:
		f.serve(w, r, "public, max-age=31536000, immutable")
	case found:
		f.serve(w, r, "no-cache")
	case hashed:
		http.NotFound(w, r) // a page in place of a script would only confuse
	default:
		p.index.ServeHTTP(w, r)
	}
}

// file is one built file and, where the build made one, its gzipped copy.
type file struct {
	name    string
	content []byte
	packed  []byte
}

func (f file) isPage() bool { return strings.HasSuffix(f.name, ".html") }

func (f file) serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", contentType(f.name))
	content := f.content
	if f.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
			content = f.packed
		}
	}
	sum := sha256.Sum256(content)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// contentType does not ask the machine's own table, so that every machine answers alike.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func takesGzip(r *http.Request) bool {
	for _, accepted := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(accepted), ";")
		if coding == "gzip" {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// readOnly refuses everything but GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// load reads every file once. Copies ending in .gz belong to the file they were made of.
func load(files fs.FS) (map[string]file, error) {
	loaded := map[string]file{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if of, packed := strings.CutSuffix(name, ".gz"); packed {
			f := loaded[of] // walked in order: the file comes before its copy
			f.packed = content
			loaded[of] = f
			return nil
		}
		loaded[name] = file{name: name, content: content}
		return nil
	})
	return loaded, err
}
