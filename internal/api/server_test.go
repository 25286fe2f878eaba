package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// memory is a listener whose connections never leave the process, so that a test's clock rules them.
type memory struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (m memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.dialled:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m memory) Close() error   { close(m.closed); return nil }
func (m memory) Addr() net.Addr { return &net.IPAddr{} }

// dial starts Server for a handler and connects to it. It is to be called in a synctest bubble.
func dial(t *testing.T, h http.Handler) net.Conn {
	l := memory{dialled: make(chan net.Conn), closed: make(chan struct{})}
	s := Server(h)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	ours, theirs := net.Pipe()
	l.dialled <- theirs
	t.Cleanup(func() {
		_ = ours.Close()
		_ = s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		pass(time.Minute) // connections linger a moment
	})
	return ours
}

// pass lets time of the bubble pass.
func pass(d time.Duration) { <-time.After(d) }

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// drip writes one piece at a time with pauses, until it is told to stop or the connection ends.
func drip(c net.Conn, piece string, pause time.Duration, times int) {
	for range times {
		if _, err := io.WriteString(c, piece); err != nil {
			return
		}
		pass(pause)
	}
}

func readAll(c *gin.Context) { _, _ = io.Copy(io.Discard, c.Request.Body) }

func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	const get = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		handler gin.HandlerFunc
		client  func(net.Conn)
		within  time.Duration
	}{
		"that never finish their header": {
			handler: func(*gin.Context) {},
			client:  func(c net.Conn) { drip(c, "G", time.Second, 100) },
			within:  readHeaderTime,
		},
		"that drip their body": {
			handler: readAll,
			client: func(c net.Conn) {
				_, _ = io.WriteString(c, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
				drip(c, "x", time.Second, 100)
			},
			within: readTime,
		},
		"that do not read their answer": {
			handler: func(c *gin.Context) { _, _ = c.Writer.WriteString(strings.Repeat("x", 1<<20)) },
			client:  func(c net.Conn) { _, _ = io.WriteString(c, get); pass(writeTime + time.Second) },
			within:  writeTime,
		},
		"that keep a connection for nothing": {
			handler: func(c *gin.Context) { c.Status(http.StatusNoContent) },
			client:  func(c net.Conn) { _, _ = io.WriteString(c, get) },
			within:  idleTime,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, _ := newFace(t)
				e := f.engine()
				e.Any("/x", c.handler)
				conn := dial(t, e)
				began := time.Now()
				clientDone := make(chan struct{})
				go func() { defer close(clientDone); c.client(conn) }()
				if name == "that do not read their answer" {
					<-clientDone
				}
				_, _ = io.Copy(io.Discard, conn) // until the server ends it
				<-clientDone
				if took := time.Since(began); took > c.within+time.Second {
					t.Errorf("cut off after %s, want %s", took, c.within)
				}
			})
		})
	}
}

func TestAHugeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFace(t)
		conn := dial(t, f.engine())
		go func() {
			_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("answered %s", resp.Status)
		}
	})
}

const aConnection = "/api/v1/connections/0192aaaa-bbbb-7ccc-8ddd-eeeeffff0000"

// net/http ends a request's context when the time for reading the request is over, even while a handler works.
func TestASlowAnswerIsNotTakenForAClientThatWentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFace(t)
		e := f.engine()
		e.POST("/api/v1/connections/:connection_id/check", f.validate, func(c *gin.Context) {
			select {
			case <-c.Request.Context().Done():
				c.Status(http.StatusTeapot)
			case <-time.After(readTime + 10*time.Second):
				c.Status(http.StatusNoContent)
			}
		})
		conn := dial(t, e)
		send(t, conn, "POST "+aConnection+"/check HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("answered %s", resp.Status)
		}
	})
}

func TestAnUploadMayTakeItsTimeButNotStandStill(t *testing.T) {
	t.Parallel()
	const piece = "5\r\na,b\r\n\r\n"
	for name, c := range map[string]struct {
		pause  time.Duration
		pieces int
		status int
		code   string
	}{
		"a slow line":       {pause: 20 * time.Second, pieces: 30, status: http.StatusNoContent},
		"a pause too long":  {pause: uploadPause + time.Second, pieces: 3, status: http.StatusBadRequest, code: "invalid_request"},
		"longer than ever":  {pause: 20 * time.Second, pieces: 60, status: http.StatusBadRequest, code: "invalid_request"},
		"cut in the middle": {pieces: 1, status: http.StatusBadRequest, code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, _ := newFace(t)
				e := f.engine()
				e.POST("/api/v1/connections/:connection_id/import", f.validate, func(c *gin.Context) {
					if _, err := io.Copy(io.Discard, c.Request.Body); err != nil {
						f.fail(c, c.Request.Body.(*upload).refusal(fmt.Errorf("read: %w", err)))
						return
					}
					c.Status(http.StatusNoContent)
				})
				conn := dial(t, e)
				send(t, conn, "POST "+aConnection+"/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n")
				go func() {
					drip(conn, piece, c.pause, c.pieces)
					end := "0\r\n\r\n"
					if name == "cut in the middle" {
						end = "nonsense\r\n\r\n"
					}
					_, _ = io.WriteString(conn, end)
				}()
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != c.status || !strings.Contains(string(body), c.code) {
					t.Errorf("answered %s %s, want %d %s", resp.Status, body, c.status, c.code)
				}
			})
		})
	}
}
