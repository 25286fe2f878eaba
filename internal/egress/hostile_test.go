package egress

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestBodyUpToTheLimitIsRead(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for _, size := range []int{0, 1, limit - 1, limit, limit + 1, 2 * limit, 1 << 20} {
		s := startServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), size)) })
		resp, err := get(t, localClient(t, HTTPOptions{MaxBody: limit}), s.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if len(body) != min(size, limit) || errors.Is(err, ErrTooLarge) != (size > limit) || size <= limit && err != nil {
			t.Errorf("size %d: read %d bytes, %v", size, len(body), err)
		}
		if _, again := resp.Body.Read(make([]byte, 1)); size > limit && !errors.Is(again, ErrTooLarge) {
			t.Errorf("size %d: reading on: %v, want ErrTooLarge", size, again)
		}
		_ = resp.Body.Close()
	}
}

func TestEndlessBodyEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	s := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	resp, err := get(t, localClient(t, HTTPOptions{}), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != defaultMaxBody || !errors.Is(err, ErrTooLarge) {
		t.Errorf("read %d bytes, %v, want %d and ErrTooLarge", n, err, defaultMaxBody)
	}
}

func TestCompressedBombEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(z, zeros{}, 8<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	resp, err := get(t, localClient(t, HTTPOptions{}), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != defaultMaxBody || !errors.Is(err, ErrTooLarge) {
		t.Errorf("read %d bytes, %v, want %d and ErrTooLarge", n, err, defaultMaxBody)
	}
}

// A stream of empty members decompresses to nothing, for ever.
func TestCompressedNothingEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	server := newLiar(t, repeat(ok+"Content-Encoding: gzip\r\n\r\n", emptyMembers()))
	resp, err := get(t, New(Options{AllowCIDRs: onlyOutside}).HTTP(HTTPOptions{}), server.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != 0 || !errors.Is(err, ErrTooLarge) {
		t.Errorf("read %d bytes, %v, want none and ErrTooLarge", n, err)
	}
}

func TestCompressedAnswersAreRead(t *testing.T) {
	t.Parallel()
	const text = "the same text, once and once more, once and once more"
	s := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" || r.Method == http.MethodHead {
			_, _ = io.WriteString(w, "asked for "+r.Header.Get("Accept-Encoding"))
			return
		}
		w.Header().Set("Content-Encoding", "GZip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
	})
	client := localClient(t, HTTPOptions{})
	for accept, want := range map[string]string{"": text, "identity": "asked for identity"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if accept != "" {
			req.Header.Set("Accept-Encoding", accept)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != want || resp.Header.Get("Content-Encoding") != "" || resp.Uncompressed != (accept == "") {
			t.Errorf("accepting %q: %q, %v, %v", accept, body, err, resp.Header)
		}
		if req.Header.Get("Accept-Encoding") != accept || resp.Request.Header.Get("Accept-Encoding") != accept {
			t.Error("the caller's request was changed")
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestHeaderBombIsRefused(t *testing.T) {
	t.Parallel()
	handler := func(w http.ResponseWriter, _ *http.Request) {
		for i := range 64 {
			w.Header().Set("X-Filler-"+strconv.Itoa(i), strings.Repeat("x", 1<<10))
		}
		_, _ = io.WriteString(w, "ok")
	}
	plain := startServer(t, handler)
	if _, err := get(t, localClient(t, HTTPOptions{}), plain.URL); err == nil {
		t.Error("HTTP/1.1: 64 KiB of headers were accepted")
	}
	client, target := startTLS(t, handler, tls.VersionTLS13)
	if _, err := get(t, client, target); err == nil {
		t.Error("HTTP/2: 64 KiB of headers were accepted")
	}
}

// Each way of taking long must end with the client's timeout, not with the
// server's patience, which here is endless.
func TestSlowServersEndInTime(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*bufio.Writer, <-chan struct{}){
		"silent":       func(_ *bufio.Writer, gone <-chan struct{}) { <-gone },
		"header drips": func(w *bufio.Writer, gone <-chan struct{}) { drip(w, "HTTP/1.1 200 OK\r\nX-A: ", gone) },
		"body drips":   func(w *bufio.Writer, gone <-chan struct{}) { drip(w, "HTTP/1.1 200 OK\r\n\r\n", gone) },
		"body stops": func(w *bufio.Writer, gone <-chan struct{}) {
			drip(w, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", nil)
			<-gone
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := serveRaw(t, write)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			resp, err := localClient(t, HTTPOptions{Timeout: 200 * time.Millisecond}).Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
				t.Errorf("%v, want a timeout", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// drip writes head and then a byte each ten milliseconds until the client has
// gone; with no channel to tell that, it writes head alone.
func drip(w *bufio.Writer, head string, gone <-chan struct{}) {
	_, _ = w.WriteString(head)
	_ = w.Flush()
	if gone == nil {
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
			_ = w.WriteByte('x')
			_ = w.Flush()
		}
	}
}

// serveRaw accepts one connection, reads a request's head and lets write answer;
// its channel closes when the client hangs up.
func serveRaw(t *testing.T, write func(*bufio.Writer, <-chan struct{})) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = r.ReadByte()
		}()
		write(bufio.NewWriter(conn), gone)
	}()
	return "http://" + l.Addr().String()
}
