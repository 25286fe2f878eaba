package egress

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// transport asks for compressed answers and bounds the body of every response.
type transport struct {
	base    *http.Transport
	maxBody int64
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, zip := r, r.Header.Get("Accept-Encoding") == "" && r.Method != http.MethodHead
	if zip {
		sent = r.Clone(r.Context())
		sent.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := t.base.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	resp.Request = r
	// [http.Client] parses a redirect's target before it asks whether to follow,
	// and turns one that is no URL into an error that quotes it.
	if to := resp.Header.Get("Location"); to != "" {
		if _, err := r.URL.Parse(to); err != nil {
			resp.Header.Del("Location")
		}
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: t.maxBody}
	if zip && resp.ContentLength != 0 && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
		resp.Body = &boundedBody{ReadCloser: &unzipped{ReadCloser: resp.Body}, left: t.maxBody}
	}
	return resp, nil
}

// CloseIdleConnections makes [http.Client.CloseIdleConnections] work.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// unzipped decompresses a body. What is read for it is bounded beneath, since a
// stream may be endless and yet decompress to nothing.
type unzipped struct {
	io.ReadCloser
	z   *gzip.Reader
	err error
}

// Read implements [io.Reader].
func (u *unzipped) Read(p []byte) (int, error) {
	if u.z == nil && u.err == nil {
		u.z, u.err = gzip.NewReader(u.ReadCloser)
	}
	if u.err != nil {
		return 0, u.err
	}
	return u.z.Read(p)
}

// boundedBody hands out left bytes; a body that has even one more is an error,
// never a shorter body.
type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements [io.Reader].
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if len(p) == 0 {
		return 0, nil
	}
	// One byte more than allowed is asked for: only that byte tells a body of
	// exactly the limit from a longer one.
	if int64(len(p)) > b.left {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) <= b.left {
		b.left -= int64(n)
		return n, err
	}
	n = int(b.left)
	b.left = -1
	return n, ErrTooLarge
}
