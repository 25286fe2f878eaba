package egress

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sidecard/internal/livesupporti"
)

// liar answers each request of each connection with bytes of its choice and
// counts them.
type liar struct {
	url   string
	wrote atomic.Int64
}

// Write implements [io.Writer] to be used beside the connection.
func (l *liar) Write(p []byte) (int, error) {
	l.wrote.Add(int64(len(p)))
	return len(p), nil
}

// newLiar lets answer write until it returns or the client hangs up, and then
// closes the connection.
func newLiar(t *testing.T, answer func(w io.Writer)) *liar {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort(outside, "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := &liar{url: "http://" + l.Addr().String()}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body) // to close with something unread would cut off the answer
				answer(io.MultiWriter(conn, server))
			}
			_ = conn.Close()
		}
	}()
	return server
}

// repeat writes text and then more of the other until nobody listens.
func repeat(text, more string) func(io.Writer) {
	return func(w io.Writer) {
		_, err := io.WriteString(w, text)
		for chunk := strings.Repeat(more, 1+4096/len(more)); err == nil; {
			_, err = io.WriteString(w, chunk)
		}
	}
}

func once(text string) func(io.Writer) {
	return func(w io.Writer) { _, _ = io.WriteString(w, text) }
}

// emptyMembers is a gzip stream that never says anything.
func emptyMembers() string {
	var b bytes.Buffer
	_ = gzip.NewWriter(&b).Close() // a buffer takes everything
	return b.String()
}

// bodyLimit is small, so that endless answers end soon.
const bodyLimit = 64 << 10

func deepJSON() string { return strings.Repeat("[", bodyLimit-1) }

const ok = "HTTP/1.1 200 OK\r\n"

// lies are answers that no honest server gives, and how each must end.
var lies = []struct {
	name   string
	answer func(io.Writer)
	sound  bool // it can be read after all, without harm; its connection is not used again then
}{
	{"endless header lines", repeat(ok, "X-A: b\r\n"), false},
	{"one endless header", repeat(ok+"X-A: ", "b"), false},
	{"an endless status line", repeat("HTTP/1.1 200 ", "OK"), false},
	{"endless early hints", repeat("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), false},
	{"endless continues", repeat("", "HTTP/1.1 100 Continue\r\n\r\n"), false},
	{"an endless body", repeat(ok+"\r\n", "x"), false},
	{"endless chunks", repeat(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), false},
	{"endless chunk extensions", repeat(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "a=b;"), false},
	{"endless small extensions", repeat(ok+"Transfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("a", 200)+"\r\nx\r\n"), false},
	{"endless trailers", repeat(ok+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-A: b\r\n"), false},
	{"endless silence in gzip", repeat(ok+"Content-Encoding: gzip\r\n\r\n", emptyMembers()), false},
	{"a gzip header name without end", repeat(ok+"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff", "n"), false},
	{"gzip that is none", once(ok + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"), false},
	{"gzip cut short", once(ok + "Content-Encoding: gzip\r\n\r\n" + emptyMembers()[:12]), false},
	{"fewer bytes than promised", once(ok + "Content-Length: 1000\r\n\r\nshort"), false},
	{"two lengths", once(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), false},
	{"a negative length", once(ok + "Content-Length: -1\r\n\r\nxx"), false},
	{"a length beyond all", once(ok + "Content-Length: 99999999999999999999\r\n\r\nxx"), false},
	{"a bad chunk", once(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"), false},
	{"a chunk beyond all", once(ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx"), false},
	{"an unknown encoding", once(ok + "Transfer-Encoding: rot13\r\n\r\nx"), false},
	{"HTTP/0.9", once("<html>hello</html>"), false},
	{"HTTP/9.9", once("HTTP/x.9 200 OK\r\n\r\n"), false},
	{"nothing", once(""), false},
	{"zeros", repeat("", "\x00"), false},
	{"TLS in clear", once("\x15\x03\x01\x00\x02\x02\x28"), false},
	{"another protocol", once("SSH-2.0-OpenSSH_9.9\r\n"), false},
	{"a header without colon", once(ok + "nonsense\r\n\r\n"), false},
	{"a folded header", once(ok + " folded: x\r\n\r\n"), false},
	{"more bytes than promised", once(ok + "Connection: close\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), true},
	{"length and chunks", once(ok + "Connection: close\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), true},
	{"deep JSON", once(ok + "\r\n" + deepJSON()), true},
	{"a refresh", once(ok + "Connection: close\r\nRefresh: 0; url=http://127.0.0.1/\r\nContent-Length: 2\r\n\r\nok"), true},
}

// TestLiesEndInTimeAndInBounds reads every answer to its end, by GET and POST
// and as LiveSupporti's client does.
func TestLiesEndInTimeAndInBounds(t *testing.T) {
	t.Parallel()
	const most = 32 << 20 // what is read, and what the system buffers on both sides of a connection
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			server := newLiar(t, lie.answer)
			client := New(Options{AllowCIDRs: onlyOutside}).HTTP(HTTPOptions{Timeout: time.Second, MaxBody: bodyLimit})
			start := time.Now()
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				req, err := http.NewRequestWithContext(t.Context(), method, server.url, strings.NewReader("private"))
				if err != nil {
					t.Fatal(err)
				}
				body, err := readAll(client, req)
				if (err == nil) != lie.sound || len(body) > bodyLimit || strings.Contains(string(body), "evil") {
					t.Errorf("%s: %d bytes, %v", method, len(body), err)
				}
			}
			live := livesupporti.NewClient(server.url, client)
			cred := livesupporti.Credentials{Email: "agent@example.com", APIKey: "key"}
			if n, _, err := live.Agents(t.Context(), cred); err == nil {
				t.Errorf("%d agents were read", n)
			}
			if answer, err := live.PostDetails(t.Context(), cred, "7", []byte("[]")); err == nil && answer.Status != http.StatusOK {
				t.Errorf("details: status %d", answer.Status)
			}
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("took %v", took)
			}
			if n := server.wrote.Load(); n > 4*most {
				t.Errorf("the server got rid of %d bytes", n)
			}
		})
	}
}

func readAll(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func TestServerWithoutTLSIsNotSpokenTo(t *testing.T) {
	t.Parallel()
	server := newLiar(t, once(ok+"\r\nhello"))
	client := New(Options{AllowCIDRs: onlyOutside}).HTTP(HTTPOptions{Timeout: 2 * time.Second})
	err := send(t.Context(), client, http.MethodPost, strings.Replace(server.url, "http:", "https:", 1))
	if _, refused := errors.AsType[tls.RecordHeaderError](err); !refused && err == nil {
		t.Error("an answer in clear was taken for one over TLS")
	}
	if n := server.wrote.Load(); n != 0 {
		t.Errorf("the server read a request and wrote %d bytes", n)
	}
}
