package mysql_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sidecard/connectors"
)

// answer lets the client in and answers its first prepared question.
func answer(say func(*fake)) func(*fake) {
	return func(f *fake) {
		if _, ok := f.welcome(); ok && f.prepared() {
			say(f)
		}
	}
}

// signIn greets, and goes on when the client has answered.
func signIn(say func(*fake)) func(*fake) {
	return func(f *fake) {
		if f.meet("mysql_native_password", nil) {
			say(f)
			f.receive()
		}
	}
}

func sends(payload ...byte) func(*fake) {
	return func(f *fake) {
		f.send(payload...)
		_, _ = io.Copy(io.Discard, f)
	}
}

// raw writes bytes that are no sound packet.
func raw(b string) func(*fake) {
	return func(f *fake) {
		_, _ = f.Write([]byte(b))
		_, _ = io.Copy(io.Discard, f)
	}
}

func publicKey(key *ecdsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&key.PublicKey))})
}

// TestHostileServersAreSurvived is not parallel, so that goroutines which stay behind can be told from others.
func TestHostileServersAreSurvived(t *testing.T) {
	const (
		canary        = "ana.canary@toy.example"
		misconfigured = connectors.Misconfigured
	)
	elliptic := publicKey(newKey())
	for name, c := range map[string]struct {
		script func(*fake)
		class  connectors.Class
		code   string
	}{
		"endless greeting":        {raw("\xff\xff\xff\x00" + strings.Repeat("x", 1<<20)), misconfigured, "mysql.protocol"},
		"not the protocol":        {raw("HTTP/1.1 400 Bad Request\r\n\r\n"), misconfigured, "mysql.protocol"},
		"another protocol":        {raw("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), misconfigured, "mysql.protocol"},
		"empty greeting":          {raw("\x00\x00\x00\x00"), misconfigured, "mysql.protocol"},
		"short greeting":          {sends(greeting("8.4.2", "", fakeFlags)[:20]...), misconfigured, "mysql.protocol"},
		"greeting without an end": {sends(bytes.Repeat([]byte{10}, 100)...), misconfigured, "mysql.protocol"},
		"old greeting":            {sends(9, 0), misconfigured, "mysql.protocol"},
		"short error":             {sends(0xff, 1), misconfigured, "mysql.protocol"},
		"hangs up":                {func(f *fake) { f.Close() }, connectors.Transient, "mysql.connection_lost"},

		"endless sign-in":          {signIn(raw("\xff\xff\xff\x02")), misconfigured, "mysql.protocol"},
		"short success":            {signIn(sends(0)), misconfigured, "mysql.protocol"},
		"short challenge":          {signIn(sends([]byte("\xfemysql_native_password\x00abc\x00")...)), misconfigured, "mysql.protocol"},
		"switch without an end":    {signIn(sends([]byte("\xfemysql_native_password")...)), misconfigured, "mysql.protocol"},
		"key of another kind":      {signIn(sends(append([]byte{1}, elliptic...)...)), misconfigured, "mysql.protocol"},
		"method nobody knows":      {signIn(sends([]byte("\xfedialog\x00\x04Password: \x00")...)), misconfigured, "mysql.method"},
		"method of old":            {signIn(sends(0xfe)), misconfigured, "mysql.method"},
		"password in clear":        {signIn(sends([]byte("\xfemysql_clear_password\x00")...)), misconfigured, "mysql.cleartext"},
		"refusal with the address": {signIn(sends(errorPacket(1045, canary)...)), connectors.AuthRevoked, "mysql.1045"},

		"wants a file":                  {answer(sends([]byte("\xfb/etc/passwd")...)), misconfigured, "mysql.asks_for_files"},
		"wants a file at once":          {signIn(func(f *fake) { f.send(okPacket...); f.receive(); f.send([]byte("\xfb/etc/passwd")...) }), misconfigured, "mysql.asks_for_files"},
		"a billion columns":             {answer(sends(0xfe, 0, 0, 0, 64, 0, 0, 0, 0)), connectors.Bug, "mysql.unexpected"},
		"a trillion columns":            {answer(sends(0xfe, 0, 0, 0, 0, 0, 1, 0, 0)), connectors.Bug, "mysql.unexpected"},
		"less than no columns":          {answer(sends(0xfe, 255, 255, 255, 255, 255, 255, 255, 255)), connectors.Bug, "mysql.unexpected"},
		"columns of a simple command":   {signIn(func(f *fake) { f.send(okPacket...); f.receive(); f.send(0xfe, 0, 0, 0, 0, 0, 1, 0, 0) }), connectors.Bug, "mysql.unexpected"},
		"more answers than questions":   {answer(sends(0, 0, 0, 8, 0, 0, 0)), connectors.Bug, "mysql.unexpected"},
		"half a count":                  {answer(sends(0xfc, 1)), connectors.Bug, "mysql.unexpected"},
		"one packet beyond the limit":   {answer(raw("\x00\x00\x90\x01")), misconfigured, "mysql.too_large"},
		"a row without its values":      {answer(row(0, 0)), connectors.Bug, "mysql.unexpected"},
		"a value of an unknown type":    {answer(row(0xee)), connectors.Bug, "mysql.unexpected"},
		"another number of arguments":   {unlikely, connectors.Bug, "mysql.unexpected"},
		"hangs up instead of an answer": {answer(func(f *fake) { f.Close() }), connectors.Transient, "mysql.connection_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			told := make(chan string, 1)
			port := newFake(t, func(f *fake) {
				c.script(f)
				_, _ = io.Copy(&f.heard, f)
				told <- f.heard.String()
			})
			src := open(t, fakeSettings(t, port, nil))
			_, err := src.Lookup(within(t), connectors.Query{Email: canary})
			e := mustFail(t, err, c.class, c.code)
			for _, text := range []string{err.Error(), e.Message, e.Fix, e.Code} {
				if strings.Contains(text, canary) {
					t.Errorf("the visitor's address is told: %s", text)
				}
			}
			if heard := <-told; strings.Contains(heard, "root:") || strings.Contains(heard, "long secret") {
				t.Errorf("the server was given what it must not have: %q", heard)
			}
			if err := src.Close(); err != nil {
				t.Error(err)
			}
			if err := goleak.Find(before, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait")); err != nil {
				t.Error(err)
			}
		})
	}
}

// row answers with six columns and one row of this content.
func row(content ...byte) func(*fake) {
	return func(f *fake) {
		f.send(6)
		for range 6 {
			f.send(columnPacket("v")...)
		}
		f.send(0xfe, 0, 0, 2, 0)
		sends(content...)(f)
	}
}

// unlikely takes another number of arguments than the statement has.
func unlikely(f *fake) {
	if _, ok := f.welcome(); ok {
		f.send(0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0)
		f.send(columnPacket("?")...)
		f.send(0xfe, 0, 0, 2, 0)
		f.receive()
	}
}

// TestEndlessAnswersAreNotKept lets a server answer with rows without end. Not parallel, for the heap.
func TestEndlessAnswersAreNotKept(t *testing.T) {
	value := bytes.Repeat([]byte("x"), 1<<16-1)
	long := append([]byte{0xfc, 0xff, 0xff}, value...)
	content := append([]byte{0, 0}, bytes.Repeat(long, 6)...)
	port := newFake(t, answer(func(f *fake) {
		f.send(6)
		for range 6 {
			f.send(columnPacket("v")...)
		}
		f.send(0xfe, 0, 0, 2, 0)
		for f.send(content...) {
		}
	}))
	src := open(t, fakeSettings(t, port, nil))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	runtime.ReadMemStats(&after)
	mustFail(t, err, connectors.Misconfigured, "mysql.too_large")
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 || time.Since(start) > 10*time.Second {
		t.Errorf("the heap grew by %d MiB in %s", grown>>20, time.Since(start))
	}
}
