package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// newFace makes the plumbing without a hub, and the log it writes.
func newFace(t *testing.T) (*face, *logLines) {
	t.Helper()
	rules, err := contractRules()
	if err != nil {
		t.Fatal(err)
	}
	lines := &logLines{}
	log := slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return &face{rules: rules, Config: Config{Log: log, Now: time.Now, MaxUpload: maxUpload}}, lines
}

// logLines keeps what was logged.
type logLines struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes.String()
}

func TestRoutesAreTheContractBothWays(t *testing.T) {
	t.Parallel()
	f, _ := newFace(t)
	e := f.engine()
	f.routes(e)
	routed := map[string]bool{}
	for _, r := range e.Routes() {
		if strings.HasPrefix(r.Path, "/api/") {
			routed[r.Method+" "+r.Path] = true
		}
	}
	for key := range f.rules {
		if !routed[key] {
			t.Errorf("%s is in the contract and has no route", key)
		}
	}
	for key := range routed {
		if _, ok := f.rules[key]; !ok {
			t.Errorf("%s has a route and is not in the contract", key)
		}
	}
	if len(f.rules) < 20 {
		t.Errorf("the contract has %d operations: this test looked at nothing", len(f.rules))
	}
}

func TestOnlySigningInIsPublic(t *testing.T) {
	t.Parallel()
	f, _ := newFace(t)
	for key, op := range f.rules {
		if want := strings.HasPrefix(key, "POST /api/v1/auth/"); op.public != want {
			t.Errorf("%s: public is %t, want %t", key, op.public, want)
		}
	}
}

func TestReadRulesRefusesADocumentItCannotHold(t *testing.T) {
	t.Parallel()
	const head = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\n"
	for name, document := range map[string]string{
		"no YAML":         "\t",
		"no OpenAPI":      "a: 1",
		"two media types": head + "paths: {/x: {post: {requestBody: {content: {a/b: {}, c/d: {}}}, responses: {'200': {description: x}}}}}",
	} {
		if _, err := readRules([]byte(document)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// codesOf reads the values of the constants of type Code from a Go file.
func codesOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.Contains(spec.Names[0].Name, "ode") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			code, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	return codes
}

func TestEveryCodeHasAStatusAndStandsInTheContract(t *testing.T) {
	t.Parallel()
	codes := append(codesOf(t, "../hub/error.go"), codesOf(t, "problem.go")...)
	if len(codes) < 15 {
		t.Fatalf("found the codes %q: this test looked at nothing", codes)
	}
	for _, code := range codes {
		if statuses[hub.Code(code)] == 0 {
			t.Errorf("%s has no status", code)
		}
		if !strings.Contains(string(contract.Document), "`"+code+"`") {
			t.Errorf("%s is not in the contract", code)
		}
	}
	if len(codes) != len(statuses) {
		t.Errorf("%d codes and %d statuses", len(codes), len(statuses))
	}
}

func TestAProblemTellsPeopleAndNotMore(t *testing.T) {
	t.Parallel()
	secret := errors.New("SQLSTATE 28P01 at /var/lib/db: password hunter2")
	for name, c := range map[string]struct {
		err         error
		status      int
		code        string
		detail      string
		challenge   string
		retryAfter  string
		withID      bool
		causeLogged bool
	}{
		"a refusal":      {err: &hub.Error{Code: hub.CodeConflict, Message: "In use.", Err: secret}, status: 409, code: "conflict", detail: "In use."},
		"no token":       {err: &hub.Error{Code: hub.CodeUnauthenticated, Message: "Sign in."}, status: 401, code: "unauthenticated", detail: "Sign in.", challenge: "Bearer"},
		"no signature":   {err: &hub.Error{Code: hub.CodeUnsigned, Message: "No."}, status: 401, code: "unsigned", detail: "No.", challenge: "ms-signature"},
		"away":           {err: &hub.Error{Code: hub.CodeUnavailable, Message: "Later.", Err: secret}, status: 503, code: "unavailable", detail: "Later.", retryAfter: "5", withID: true, causeLogged: true},
		"a bug":          {err: secret, status: 500, code: "internal", detail: "Something went wrong here.", withID: true, causeLogged: true},
		"a told bug":     {err: &hub.Error{Code: hub.CodeInternal, Message: "hunter2", Err: secret}, status: 500, code: "internal", detail: "Something went wrong here.", withID: true, causeLogged: true},
		"an unknown one": {err: &hub.Error{Code: "hunter2", Message: "hunter2", Err: secret}, status: 500, code: "internal", detail: "Something went wrong here.", withID: true, causeLogged: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, lines := newFace(t)
			w := answer(f, func(x *gin.Context) { f.fail(x, c.err) })
			var p contract.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != c.status || p.Status != c.status || p.Code != c.code || !strings.HasPrefix(p.Detail, c.detail) {
				t.Errorf("answered %d %s, want %d %s %q", w.Code, w.Body, c.status, c.code, c.detail)
			}
			h := w.Header()
			if h.Get("Content-Type") != "application/problem+json" || h.Get("WWW-Authenticate") != c.challenge || h.Get("Retry-After") != c.retryAfter {
				t.Errorf("headers %v", h)
			}
			if got := p.RequestId != nil; got != c.withID || got && *p.RequestId != h.Get("X-Request-Id") {
				t.Errorf("request id %v in the body, %q in the header", p.RequestId, h.Get("X-Request-Id"))
			}
			if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(w.Body.String(), "SQLSTATE") {
				t.Errorf("the cause is in the answer: %s", w.Body)
			}
			if got := strings.Contains(lines.String(), "28P01"); got != c.causeLogged {
				t.Errorf("cause logged: %t, want %t: %s", got, c.causeLogged, lines)
			}
			if c.withID && !strings.Contains(lines.String(), *p.RequestId) {
				t.Errorf("the log does not know %s", *p.RequestId)
			}
		})
	}
}

// answer lets a handler answer GET /x behind the plumbing.
func answer(f *face, handler gin.HandlerFunc) *httptest.ResponseRecorder {
	e := f.engine()
	e.GET("/x", handler)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x?secret=hunter2", nil))
	return w
}

func TestAPanicIsAProblemAndItsStackIsLogged(t *testing.T) {
	t.Parallel()
	f, lines := newFace(t)
	w := answer(f, func(*gin.Context) { panic("no reason") })
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"code":"internal"`) || strings.Contains(w.Body.String(), "no reason") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	for _, want := range []string{"panic: no reason", "plumbing_test.go", `"level":"ERROR"`} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("%q is not in the log: %s", want, lines)
		}
	}
}

func TestAPanicInTheMiddleOfAnAnswerCutsTheConnection(t *testing.T) {
	t.Parallel()
	f, lines := newFace(t)
	e := f.engine()
	e.GET("/x", func(c *gin.Context) {
		c.Header("Content-Length", "1000")
		_, _ = c.Writer.WriteString("half of it")
		c.Writer.Flush()
		panic("no reason")
	})
	s := httptest.NewServer(e)
	defer s.Close()
	resp, err := s.Client().Get(s.URL + "/x")
	if err == nil {
		defer func() { _ = resp.Body.Close() }()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the answer looked whole")
	}
	if !strings.Contains(lines.String(), "panic: no reason") {
		t.Errorf("not in the log: %s", lines)
	}
}

func TestNobodyIsAnsweredWhoHasGone(t *testing.T) {
	t.Parallel()
	f, lines := newFace(t)
	e := f.engine()
	e.GET("/x", func(c *gin.Context) {
		ctx, cancel := context.WithCancel(c.Request.Context())
		cancel()
		c.Request = c.Request.WithContext(ctx)
		f.fail(c, fmt.Errorf("read desk: %w", ctx.Err()))
	})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	if w.Body.Len() > 0 {
		t.Errorf("answered %s", w.Body)
	}
	if !strings.Contains(lines.String(), `"status":499`) || strings.Contains(lines.String(), "ERROR") {
		t.Errorf("log: %s", lines)
	}
}

func TestAnOverdueAnswerSaysSo(t *testing.T) {
	t.Parallel()
	f, _ := newFace(t)
	w := answer(f, func(c *gin.Context) { f.fail(c, fmt.Errorf("ask: %w", context.DeadlineExceeded)) })
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "took too long") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestTheLogNamesTheRouteAndNothingThatAClientWrote(t *testing.T) {
	t.Parallel()
	f, lines := newFace(t)
	e := f.engine()
	e.GET("/hooks/:token", f.callbackSeen, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/hooks/abcds3crets3cret?echo=hunter2", nil),
		httptest.NewRequest(http.MethodGet, "/hooks/s3cret/dana@example.com", nil),
		httptest.NewRequest("s3cret", "/hooks/s3crets3cret", nil),
		httptest.NewRequest(http.MethodGet, "/hooks/s3c", nil),
	} { // in small letters: ids that we draw have capitals
		r.Header.Set("Authorization", "Bearer s3cret")
		r.Header.Set("User-Agent", "s3cret")
		e.ServeHTTP(httptest.NewRecorder(), r)
	}
	log := lines.String()
	for _, secret := range []string{"s3c", "hunter2", "dana"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log: %s", secret, log)
		}
	}
	for _, want := range []string{`"token":"abcd…"`, `"route":"/hooks/:token"`, `"method":"other"`, `"request_id"`, `"ms"`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in the log: %s", want, log)
		}
	}
	if got := strings.Count(log, "\n"); got != 4 {
		t.Errorf("%d lines for 4 requests", got)
	}
}

func TestOnlyTrustedProxiesNameTheClient(t *testing.T) {
	t.Parallel()
	for trusted, want := range map[string]string{"": "192.0.2.1", "192.0.2.0/24": "203.0.113.9"} {
		f, lines := newFace(t)
		e := f.engine()
		if trusted != "" {
			if err := e.SetTrustedProxies([]string{trusted}); err != nil {
				t.Fatal(err)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/x", nil) // comes from 192.0.2.1
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		e.ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(lines.String(), `"client":"`+want+`"`) {
			t.Errorf("trusting %q: %s", trusted, lines)
		}
	}
}

func TestNewAsksForItsParts(t *testing.T) {
	t.Parallel()
	h := http.NotFoundHandler()
	for name, c := range map[string]Config{
		"no hub":         {Portal: h, Docs: h},
		"no portal":      {Hub: &hub.Hub{}, Docs: h},
		"no docs":        {Hub: &hub.Hub{}, Portal: h},
		"a proxy's name": {Hub: &hub.Hub{}, Portal: h, Docs: h, TrustedProxies: []string{"proxy.example.com"}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
