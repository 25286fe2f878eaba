package postgres_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"sidecard/connectors"
	"sidecard/connectors/postgres"
)

const onePerson = "insert into people (email, name) values ('ana@toy.example', 'Ana')"

func TestTLSModes(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	ca, other := newAuthority(t), newAuthority(t)
	start := func(c *tls.Config) int { return newRelay(t, d.url.Host, func(r *relay) { r.tls = c }) }
	good := start(ca.server(time.Hour, "localhost", "127.0.0.1"))
	named := start(ca.server(time.Hour, "db.internal.example"))
	expired := start(ca.server(-time.Hour, "127.0.0.1"))
	old := ca.server(time.Hour, "127.0.0.1")
	old.MaxVersion = tls.VersionTLS11
	old.MinVersion = tls.VersionTLS10
	outdated := start(old)
	none := start(nil)

	const ok, warn = connectors.StepOK, connectors.StepWarn
	for _, c := range []struct {
		name, tls, ca string
		port          int
		code          string               // of the error; empty = it works
		state         connectors.StepState // of the step "Encrypt", when it works
	}{
		{"verified", "verify_full", ca.pem(), good, "", ok},
		{"other authority", "verify_full", other.pem(), good, "postgres.tls.unknown_authority", ""},
		{"public authorities", "verify_full", "", good, "postgres.tls.unknown_authority", ""},
		{"other name", "verify_full", ca.pem(), named, "postgres.tls.name", ""},
		{"expired", "verify_full", ca.pem(), expired, "postgres.tls.expired", ""},
		{"outdated protocol", "verify_full", ca.pem(), outdated, "postgres.tls.handshake", ""},
		{"server without TLS", "verify_full", ca.pem(), none, "postgres.tls.off", ""},
		{"several authorities", "verify_full", other.pem() + "\n" + ca.pem(), good, "", ok},
		{"chain of another name", "verify_ca", ca.pem(), named, "", ok},
		{"chain of another authority", "verify_ca", other.pem(), named, "postgres.tls.unknown_authority", ""},
		{"chain expired", "verify_ca", ca.pem(), expired, "postgres.tls.expired", ""},
		{"chain without TLS", "verify_ca", ca.pem(), none, "postgres.tls.off", ""},
		{"anybody", "encrypt", "", expired, "", warn},
		{"anybody without TLS", "encrypt", "", none, "postgres.tls.off", ""},
		{"in clear", "off", "", good, "", warn},
	} {
		s := d.settings(map[string]any{"tls": c.tls, "ca_pem": c.ca, "port": c.port})
		src := open(t, s)
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		report := check(t, src)
		if c.code == "" {
			if s := step(t, report, "Encrypt"); err != nil || !report.OK() || s.State != c.state {
				t.Errorf("%s: %v, %+v", c.name, err, report.Steps)
			}
			continue
		}
		e := mustFail(t, err, connectors.Misconfigured, c.code)
		if s := step(t, report, "Encrypt"); s.State != connectors.StepFail || s.Detail != e.Message || s.Advice != e.Fix {
			t.Errorf("%s: %+v", c.name, report.Steps)
		}
	}
}

func TestWorksBehindAPoolerInTransactionMode(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	port := newRelay(t, d.url.Host, func(r *relay) { r.pooler = true })
	src := open(t, d.settings(map[string]any{"port": port}))
	for range 3 {
		if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
			t.Errorf("got %+v", res)
		}
	}
	if report := check(t, src); !report.OK() {
		t.Errorf("check: %+v", report.Steps)
	}
	if _, err := src.(connectors.Discoverer).Discover(within(t)); err != nil {
		t.Error(err)
	}
}

// TestSessionsAreLimited asks for the limits where they count: in the transaction of a lookup.
func TestSessionsAreLimited(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, `create view people as select 'ana@toy.example'::text as email, current_setting('transaction_read_only') as ro,
		current_setting('statement_timeout') as st, current_setting('lock_timeout') as lt, current_setting('search_path') as sp,
		current_setting('idle_in_transaction_session_timeout') as it, current_setting('application_name') as app`)
	got := lookup(t, open(t, d.settings(nil)), "ana@toy.example").Records[0]
	for name, want := range map[string]string{"ro": "on", "st": "3s", "lt": "500ms", "it": "5s", "sp": "pg_catalog", "app": "sidecard"} {
		if got[name].Text != want {
			t.Errorf("%s is %q, want %q", name, got[name].Text, want)
		}
	}
}

// recorder notes what is dialled and lets it through to one address only.
type recorder struct {
	mu    sync.Mutex
	calls []string
	to    string
}

func (r *recorder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	r.mu.Lock()
	r.calls = append(r.calls, network+" "+address)
	r.mu.Unlock()
	if network != "tcp" || address != r.to {
		return nil, errors.New("not this way")
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// TestEnvironmentAndHomeAreNotRead sets every variable that pgx knows to something that would show.
func TestEnvironmentAndHomeAreNotRead(t *testing.T) {
	d := newDatabase(t, people, onePerson)
	s := d.settings(nil)
	home := t.TempDir()
	canary := filepath.Join(home, "canary")
	if err := os.WriteFile(canary, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, ".postgresql"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"postgresql.crt", "postgresql.key", "root.crt"} {
		if err := os.WriteFile(filepath.Join(home, ".postgresql", file), []byte("not a certificate"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, v := range map[string]string{
		"HOME": home, "PGHOST": "/var/run/postgresql,evil.example", "PGPORT": "1,2,3", "PGDATABASE": "evil", "PGUSER": "evil", "PGPASSWORD": "evil",
		"PGPASSFILE": canary, "PGAPPNAME": "evil", "PGCONNECT_TIMEOUT": "-5", "PGSSLMODE": "nonsense", "PGSSLKEY": canary, "PGSSLCERT": canary,
		"PGSSLCERTMODE": "", "PGSSLSNI": "9", "PGSSLROOTCERT": canary, "PGSSLPASSWORD": "evil", "PGSSLNEGOTIATION": "nonsense",
		"PGTARGETSESSIONATTRS": "nonsense", "PGSERVICEFILE": canary, "PGTZ": "Evil/Zone", "PGOPTIONS": "-c search_path=evil",
		"PGMINPROTOCOLVERSION": "9", "PGMAXPROTOCOLVERSION": "9", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "nonsense",
	} {
		t.Setenv(name, v)
	}
	r := &recorder{to: d.url.Host}
	src := open(t, s, func(in *connectors.OpenInput) { in.Dial = r.dial })
	if res := lookup(t, src, "ana@toy.example", "name"); res.Match != connectors.Found || res.Records[0]["name"].Text != "Ana" {
		t.Errorf("got %+v", res)
	}
	if report := check(t, src); !report.OK() {
		t.Errorf("check: %+v", report.Steps)
	}
	for _, call := range r.calls {
		if call != "tcp "+d.url.Host {
			t.Errorf("went to %s", call)
		}
	}

	t.Setenv("PGSERVICE", "evil")
	in := openDoor()
	in.Settings = s
	_, err := postgres.New().Open(t.Context(), in)
	mustFail(t, err, connectors.Bug, "postgres.environment")
}

// TestHostileSettingsLeadNowhere tries values that are a folder, several hosts, or more than one value in the
// protocol. Nothing but TCP to the host as it is written may be tried, and no file opened.
func TestHostileSettingsLeadNowhere(t *testing.T) {
	t.Parallel()
	canary := filepath.Join(t.TempDir(), "canary")
	base := map[string]any{"host": "db.example.com", "port": 5432, "database": "shop", "user": "app", "password": "long secret", "table": "people", "email_column": "email"}
	hostile := map[string][]any{
		"host": {
			"", "/var/run/postgresql", "/tmp", "C:\\sockets", "@abstract", "a.example,b.example", "db.example.com:5432", "db.example.com/shop",
			"postgres://app@db.example.com", "db.example.com sslmode=disable", "db.example.com\x00x", "db.example.com\n", "[::1]", "::1%lo", "db:x", "localhost?host=/tmp",
			"%2Fvar%2Frun", "ḋb.example", "user@db", "~", "$HOME", "host=/tmp", "127.0.0.1:1,127.0.0.1:2", strings.Repeat("a", 254),
		},
		"port":     {0, -1, 22, 25, 1023, 65536, 1 << 40},
		"database": {"shop\x00options\x00-c statement_timeout=0", "a\x00"},
		"user":     {"app\x00replication\x00true", "\x00"},
		"password": {"x\x00y"},
		"tls":      {"prefer", "disable", "allow", "VERIFY_FULL"},
		"ca_pem":   {canary, "/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "x"},
	}
	for name, values := range hostile {
		for _, v := range values {
			in := openDoor()
			in.Settings = with(t, asSettings(t, base), map[string]any{name: v})
			_, err := postgres.New().Open(t.Context(), in)
			if e := mustFail(t, err, connectors.Misconfigured, "postgres.setting"); e.Field != name {
				t.Errorf("%s %q: points at %q", name, v, e.Field)
			}
		}
	}
	// These are taken as they are: as a name in the protocol, not as more settings.
	for name, v := range map[string]string{
		"database": "shop sslmode=disable host=/tmp", "user": "app' host='/tmp", "password": "x' sslrootcert='" + canary, "schema": "postgres://evil",
	} {
		r := &recorder{}
		src := open(t, with(t, asSettings(t, base), map[string]any{name: v}), func(in *connectors.OpenInput) {
			in.Dial = r.dial
			in.Resolve = func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil }
		})
		if _, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"}); err == nil {
			t.Errorf("%s %q: it worked", name, v)
		}
		if len(r.calls) == 0 {
			t.Errorf("%s %q: nothing was tried", name, v)
		}
		for _, call := range r.calls {
			if call != "tcp 192.0.2.7:5432" {
				t.Errorf("%s %q: went to %s", name, v, call)
			}
		}
	}
}

func TestPasswordsGoInClearOnlyToAProvenServer(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for tlsMode, want := range map[string]bool{"off": false, "encrypt": false, "verify_ca": true, "verify_full": true} {
		got := make(chan bool, 8)
		port := newFake(t, func(conn net.Conn) {
			send(conn, &pgproto3.AuthenticationCleartextPassword{})
			answer, _ := io.ReadAll(conn) // ends when the client hangs up
			got <- strings.Contains(string(answer), "long secret")
		})
		if tlsMode != "off" {
			target := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			port = newRelay(t, target, func(r *relay) { r.tls = ca.server(time.Hour, "127.0.0.1") })
		}
		ctx, cancel := context.WithTimeout(within(t), time.Second)
		_, err := open(t, fakeSettings(t, port, map[string]any{"tls": tlsMode, "ca_pem": ca.pem()})).Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
		cancel()
		if !want {
			mustFail(t, err, connectors.Misconfigured, "postgres.protocol")
		}
		if sent := <-got; sent != want {
			t.Errorf("%s: sent %v, want %v", tlsMode, sent, want)
		}
	}
}

func TestNetworkTroubleIsTold(t *testing.T) {
	t.Parallel()
	s := asSettings(t, map[string]any{"host": "db.example.com", "database": "shop", "user": "app", "password": "long secret", "table": "people", "email_column": "email"})
	found := func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil }
	for name, c := range map[string]struct {
		resolve connectors.ResolveFunc
		dial    connectors.DialFunc
		code    string
		step    string
	}{
		"unknown name": {func(context.Context, string) ([]string, error) {
			return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
		}, nil, "postgres.host_not_found", "Find the server"},
		"no DNS": {func(context.Context, string) ([]string, error) { return nil, &net.DNSError{Err: "server misbehaving"} }, nil, "postgres.dns", "Find the server"},
		"hangs up": {found, func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			far.Close()
			return near, nil
		}, "postgres.connection_lost", "Encrypt"},
		"many addresses": {func(context.Context, string) ([]string, error) {
			return strings.Split(strings.Repeat("192.0.2.7 ", 1000), " "), nil
		}, refusing(4), "postgres.refused", "Reach it"},
		"silent": {found, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}, "postgres.no_answer", "Reach it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := open(t, s, func(in *connectors.OpenInput) {
				in.Resolve = c.resolve
				if c.dial != nil {
					in.Dial = c.dial
				}
			})
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			e := mustFail(t, err, connectors.Transient, c.code)
			if s := step(t, check(t, src), c.step); s.State != connectors.StepFail || s.Detail != e.Message {
				t.Errorf("step is %+v, error %+v", s, e)
			}
		})
	}
}

// refusing fails the connection, and panics when it is asked for more often than a lookup and a check may.
func refusing(most int32) connectors.DialFunc {
	var asked atomic.Int32
	return func(context.Context, string, string) (net.Conn, error) {
		if asked.Add(1) > 2*most {
			panic("too many addresses are tried")
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
}
