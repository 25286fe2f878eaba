package mysql_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
	"sidecard/connectors/mysql"
	"sidecard/internal/servertest"
)

// TestTLSModes signs in to a real server in each mode.
func TestTLSModes(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	must := d.user("select on people")
	d.exec("alter user " + must.String("user", "") + " require ssl")
	const ok, warn = connectors.StepOK, connectors.StepWarn
	for _, c := range []struct {
		name     string
		settings map[string]any
		code     string               // of the error; empty = it works
		state    connectors.StepState // of the step "Encrypt", when it works
	}{
		{"verified", map[string]any{"tls": "verify_full", "ca_pem": authority.pem()}, "", ok},
		{"several authorities", map[string]any{"tls": "verify_full", "ca_pem": newAuthority().pem() + authority.pem()}, "", ok},
		{"other authority", map[string]any{"tls": "verify_full", "ca_pem": newAuthority().pem()}, "mysql.tls.unknown_authority", ""},
		{"public authorities", map[string]any{"tls": "verify_full"}, "mysql.tls.unknown_authority", ""},
		{"other name", map[string]any{"tls": "verify_full", "ca_pem": authority.pem(), "host": "localhost"}, "mysql.tls.name", ""},
		{"chain of another name", map[string]any{"tls": "verify_ca", "ca_pem": authority.pem(), "host": "localhost"}, "", ok},
		{"anybody", map[string]any{"tls": "encrypt"}, "", warn},
		{"in clear", map[string]any{"tls": "off"}, "mysql.1045", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := open(t, with(t, must, c.settings), func(in *connectors.OpenInput) {
				in.Resolve = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
			})
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			report := check(t, src)
			if c.code == "" {
				if s := step(t, report, "Encrypt"); err != nil || !report.OK() || s.State != c.state {
					t.Errorf("%v, %+v", err, report.Steps)
				}
				return
			}
			class, name := connectors.Misconfigured, "Encrypt"
			if c.code == "mysql.1045" {
				class, name = connectors.AuthRevoked, "Sign in"
			}
			e := mustFail(t, err, class, c.code)
			if s := step(t, report, name); s.State != connectors.StepFail || s.Detail != e.Message || s.Advice != e.Fix {
				t.Errorf("%+v", report.Steps)
			}
		})
	}
}

// TestACertificateIsTrustedByAClick takes what the check offers, and gives the server another certificate then.
func TestACertificateIsTrustedByAClick(t *testing.T) {
	t.Parallel()
	certificate, key := newAuthority().server(-time.Hour, "db.internal.example").pem() // expired, for another name, signed by nobody
	own := servertest.MariaDB(t, servertest.MariaDBOptions{Certificate: certificate, Key: key})
	d := newDatabaseOn(t, own, people, onePerson)
	s := with(t, d.user("select on people"), map[string]any{"tls": "encrypt"})
	offered := step(t, check(t, open(t, s)), "Encrypt")
	if offered.State != connectors.StepWarn || len(offered.Suggest) != 1 {
		t.Fatalf("nothing is offered: %+v", offered)
	}
	// The portal chooses what the setting depends on, too.
	s = with(t, s, map[string]any{offered.Suggest[0].Setting: offered.Suggest[0].Value, "tls": "pin"})
	report := check(t, open(t, s))
	if encrypt := step(t, report, "Encrypt"); !report.OK() || encrypt.State != connectors.StepOK || s.String("tls", "") != "pin" {
		t.Errorf("after the click: %+v", report.Steps)
	}
	first := s.String("pin", "")
	written := strings.ToUpper(first[:2]) + ":" + first[2:]
	if res := lookup(t, open(t, with(t, s, map[string]any{"pin": written})), "ana@toy.example"); res.Match != connectors.Found {
		t.Errorf("a fingerprint with a colon: %+v", res)
	}

	other := with(t, s, map[string]any{"pin": hex.EncodeToString(make([]byte, sha256.Size))})
	_, err := open(t, other).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.tls.pin")
	if s := step(t, check(t, open(t, other)), "Encrypt"); s.State != connectors.StepFail || len(s.Suggest) > 0 {
		t.Errorf("another certificate: %+v", s)
	}

	none := open(t, with(t, s, map[string]any{"pin": ""}))
	_, err = none.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.tls.no_pin")
	if s := step(t, check(t, none), "Encrypt"); s.State != connectors.StepFail || len(s.Suggest) != 1 || s.Suggest[0].Value != first {
		t.Errorf("no certificate is trusted yet: %+v", s)
	}
}

func TestServersAskForCertificates(t *testing.T) {
	t.Parallel()
	ca := newAuthority()
	trusted := x509.NewCertPool()
	trusted.AddCert(ca.cert)
	shown := ca.server(time.Hour, "127.0.0.1")
	port := newFake(t, func(f *fake) {
		f.send(greeting("8.4.2", "mysql_native_password", fakeFlags|flagTLS)...)
		f.receive()
		asking := shown.config()
		asking.ClientAuth, asking.ClientCAs = tls.RequireAndVerifyClientCert, trusted
		secure := tls.Server(f.Conn, asking)
		if secure.Handshake() == nil {
			f.Conn = secure
			f.receive()
			f.send(errorPacket(1045, "")...)
		}
	})
	certificate, key := ca.client().pem()
	s := fakeSettings(t, port, map[string]any{"tls": "verify_full", "ca_pem": ca.pem(), "client_cert_pem": string(certificate), "client_key_pem": string(key)})
	_, err := open(t, s).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.AuthRevoked, "mysql.1045") // it got past TLS
	_, err = open(t, with(t, s, map[string]any{"client_cert_pem": "", "client_key_pem": ""})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.tls.handshake")
	in := openDoor()
	in.Settings = with(t, s, map[string]any{"client_key_pem": "x"})
	_, err = mysql.New().Open(t.Context(), in)
	if e := mustFail(t, err, connectors.Misconfigured, "mysql.setting"); e.Field != "client_cert_pem" {
		t.Errorf("points at %q", e.Field)
	}
}

// TestTLSFailuresAreTold shows certificates that a real server would not start with.
func TestTLSFailuresAreTold(t *testing.T) {
	t.Parallel()
	ca := newAuthority()
	expired, good := ca.server(-time.Hour, "127.0.0.1"), ca.server(time.Hour, "127.0.0.1")
	for code, script := range map[string]func(*fake){
		"mysql.tls.expired": func(f *fake) { f.meet("mysql_native_password", &expired) },
		"mysql.tls.off":     func(f *fake) { f.meet("mysql_native_password", nil) },
		"mysql.tls.handshake": func(f *fake) {
			f.send(greeting("8.4.2", "mysql_native_password", fakeFlags|flagTLS)...)
			f.receive()
			old := good.config()
			old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			_ = tls.Server(f.Conn, old).Handshake() // fails, as it should
		},
		// What was said in clear before TLS must not count as said in secret.
		"mysql.protocol": func(f *fake) {
			first := greeting("8.4.2", "mysql_native_password", fakeFlags|flagTLS)
			head := []byte{byte(len(first)), 0, 0, 0}
			_, _ = f.Write(append(append(head, first...), 7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0))
			f.receive()
			_ = tls.Server(f.Conn, good.config()).Handshake() // nobody takes part
		},
	} {
		src := open(t, fakeSettings(t, newFake(t, script), map[string]any{"tls": "verify_full", "ca_pem": ca.pem()}))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, connectors.Misconfigured, code)
		if s := step(t, check(t, src), "Encrypt"); s.State != connectors.StepFail || s.Detail != e.Message {
			t.Errorf("%s: %+v", code, s)
		}
	}
}

func TestPasswordsGoInClearOnlyToAProvenServer(t *testing.T) {
	t.Parallel()
	ca := newAuthority()
	shown := ca.server(time.Hour, "127.0.0.1")
	sum := sha256.Sum256(shown.certificate)
	for mode, want := range map[string]bool{"off": false, "encrypt": false, "pin": true, "verify_ca": true, "verify_full": true} {
		got := make(chan bool, 1)
		port := newFake(t, func(f *fake) {
			secure := &shown
			if mode == "off" {
				secure = nil
			}
			if !f.meet("mysql_native_password", secure) {
				return
			}
			f.send([]byte("\xfemysql_clear_password\x00")...)
			f.receive()
			f.send(errorPacket(1045, "")...)
			_, _ = io.Copy(&f.heard, f)
			got <- strings.Contains(f.heard.String(), "long secret")
		})
		src := open(t, fakeSettings(t, port, map[string]any{"tls": mode, "ca_pem": ca.pem(), "pin": hex.EncodeToString(sum[:])}))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		if want {
			mustFail(t, err, connectors.AuthRevoked, "mysql.1045")
		} else {
			mustFail(t, err, connectors.Misconfigured, "mysql.cleartext")
		}
		if sent := <-got; sent != want {
			t.Errorf("%s: sent %v, want %v", mode, sent, want)
		}
	}
}
