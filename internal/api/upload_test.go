package api_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/api/contract"
)

// endless gives the same line for ever, and counts what was taken.
type endless struct {
	line  string
	taken atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.line)
	}
	e.taken.Add(int64(n))
	return n, nil
}

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	for name, c := range map[string]struct {
		q      asked
		atMost int64 // taken, with what may stand in the buffers of a connection
	}{
		"a notification": {asked{method: "POST", path: own.hook, header: http.Header{"Ms-Signature": {"x"}}}, 16 << 20},
		"JSON":           {asked{method: "POST", path: "/api/v1/card/preview", token: own.token}, 16 << 20},
		"signing in":     {asked{method: "POST", path: "/api/v1/auth/signin"}, 16 << 20},
		"a file":         {asked{method: "POST", path: "/api/v1/connections/" + own.csv.String() + "/import", token: own.token, header: csvType}, maxUpload + 16<<20},
	} {
		body := &endless{line: "dana@example.com,x,y\n"}
		c.q.body = body
		if a := s.ask(c.q); a.status != 413 || !strings.Contains(string(a.body), `"code":"too_large"`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if got := body.taken.Load(); got > c.atMost {
			t.Errorf("%s: %d bytes were taken", name, got)
		}
	}
}

func TestAFileIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	own := s.furnish("brightwater")
	path := "/api/v1/connections/" + own.csv.String() + "/import"
	large := []byte("email,name\n" + strings.Repeat("sam@example.com,Sam\n", maxUpload/20+1))
	for _, c := range []struct {
		name   string
		body   any
		header http.Header
		status int
		code   string
	}{
		{"no file", nil, csvType, 422, "bad_file"},
		{"an empty file", "", csvType, 422, "bad_file"},
		{"not text", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + strings.Repeat("\x00\xff", 1000), csvType, 422, "bad_file"},
		{"without addresses", "a,b\n" + strings.Repeat("1,2\n", 10_000), csvType, 422, "bad_file"},
		{"too large", large, csvType, 413, "too_large"},
		{"too large, in pieces", struct{ io.Reader }{bytes.NewReader(large)}, csvType, 413, "too_large"},
		{"JSON", "{}", nil, 415, "unsupported_media_type"},
		{"no type", customers, http.Header{"Content-Type": {""}}, 415, "unsupported_media_type"},
		{"a form", customers, http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, 415, "unsupported_media_type"},
		{"packed", customers, http.Header{"Content-Type": {"text/csv"}, "Content-Encoding": {"gzip"}}, 415, "unsupported_media_type"},
	} {
		p := want[contract.Problem](s, c.status, asked{method: "POST", path: path, token: own.token, body: c.body, header: c.header})
		if p.Code != c.code {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	s.breakOff(own, path)
	found := want[contract.LookupResult](s, 200, asked{method: "POST", path: strings.Replace(path, "import", "lookup", 1), token: own.token, body: `{"email":"dana@example.com"}`})
	if found.Match != "found" {
		t.Errorf("after all the bad files the good one counts: %+v", found)
	}
}

// breakOff sends a file whose end never comes, over a connection that the client shuts for writing.
func (s *stage) breakOff(own tenant, path string) {
	s.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 5*time.Second)
	must(s.T, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+own.token+
		"\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\nemail,name\nsam@example.com,Sam\n")
	must(s.T, err)
	must(s.T, conn.(*net.TCPConn).CloseWrite())
	must(s.T, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return // nobody is answered who has gone
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode < 400 {
		s.Errorf("half a file: %s %s", resp.Status, body)
	}
}
