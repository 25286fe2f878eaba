package mysql_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"sidecard/connectors"
	"sidecard/connectors/mysql"
)

// TestEveryWayOfSigningInWorks uses the methods that MariaDB has for passwords.
func TestEveryWayOfSigningInWorks(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	s := d.user("select on people")
	name := s.String("user", "")
	if _, err := d.root.ExecContext(t.Context(), "install soname 'auth_ed25519'"); err != nil && !strings.Contains(err.Error(), "already") {
		t.Fatal(err)
	}
	for _, method := range []string{"mysql_native_password using password('secret of all')", "ed25519 using password('secret of all')"} {
		d.exec("alter user " + name + " identified via " + method)
		for _, mode := range []string{"off", "verify_full"} {
			src := open(t, with(t, s, map[string]any{"password": "secret of all", "tls": mode, "ca_pem": authority.pem()}))
			if res := lookup(t, src, "ana@toy.example"); res.Match != connectors.Found {
				t.Errorf("%s, %s: %+v", method, mode, res)
			}
		}
	}
	d.exec("alter user " + name + " identified via unix_socket")
	_, err := open(t, s).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.AuthRevoked, "mysql.1698")
	d.exec("alter user "+name+" identified by 'secret of all'", "alter user "+name+" account lock")
	_, err = open(t, with(t, s, map[string]any{"password": "secret of all"})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.AuthRevoked, "mysql.4151")
}

func TestSignInErrorsAreTold(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	good := d.user("select on people")
	for name, c := range map[string]struct {
		replace map[string]any
		class   connectors.Class
		code    string
	}{
		"wrong password": {map[string]any{"password": "wrong password"}, connectors.AuthRevoked, "mysql.1045"},
		"no password":    {map[string]any{"password": ""}, connectors.AuthRevoked, "mysql.1045"},
		"unknown user":   {map[string]any{"user": "nobody at all"}, connectors.AuthRevoked, "mysql.1045"},
		"no rights":      {map[string]any{"database": "mysql"}, connectors.Misconfigured, "mysql.1044"},
	} {
		src := open(t, with(t, good, c.replace))
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		e := mustFail(t, err, c.class, c.code)
		if s := step(t, check(t, src), "Sign in"); s.State != connectors.StepFail || s.Detail != e.Message {
			t.Errorf("%s: %+v", name, s)
		}
	}
	_, err := open(t, d.settings(map[string]any{"database": "no such database"})).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.Misconfigured, "mysql.1049")
	d.exec("alter user " + good.String("user", "") + " with max_queries_per_hour 1")
	_, err = open(t, good).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
	mustFail(t, err, connectors.RateLimited, "mysql.1226")
}

// TestHostileSettingsLeadNowhere tries values that are a folder, several hosts, or more than one value in the protocol.
func TestHostileSettingsLeadNowhere(t *testing.T) {
	t.Parallel()
	canary := filepath.Join(t.TempDir(), "canary")
	base := map[string]any{"host": "db.example.com", "database": "shop", "user": "app", "password": "long secret", "table": "people", "email_column": "email"}
	for name, values := range map[string][]any{
		"host": {
			"", "/var/run/mysqld/mysqld.sock", "unix(/tmp/x)", "tcp(db.example.com:3306)", "@abstract", "a.example,b.example", "db.example.com:3306", "db.example.com/shop",
			"mysql://app@db.example.com", "db.example.com?allowAllFiles=true", "db.example.com\x00x", "db.example.com\n", "[::1]", "::1%lo", "db:x", "ḋb.example", "user@db", strings.Repeat("a", 254),
		},
		"port":            {0, -1, 22, 25, 1023, 65536, 1 << 40},
		"database":        {"shop\x00mysql_clear_password"},
		"user":            {"app\x00x", "\x00"},
		"password":        {"x\x00y"},
		"tls":             {"preferred", "skip-verify", "true", "VERIFY_FULL"},
		"ca_pem":          {canary, "/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "x"},
		"client_cert_pem": {canary, "x"},
	} {
		for _, v := range values {
			in := openDoor()
			in.Settings = with(t, asSettings(t, base), map[string]any{name: v})
			_, err := mysql.New().Open(t.Context(), in)
			if e := mustFail(t, err, connectors.Misconfigured, "mysql.setting"); e.Field != name {
				t.Errorf("%s %q: points at %q", name, v, e.Field)
			}
		}
	}
	// These are taken as they are: as a name in the protocol, not as more settings.
	for name, v := range map[string]string{"database": "shop?tls=false", "user": "app:x@unix(/tmp/x)/", "password": "x@unix(/tmp/x)/?allowAllFiles=true"} {
		var calls []string
		src := open(t, with(t, asSettings(t, base), map[string]any{name: v}), func(in *connectors.OpenInput) {
			in.Resolve = func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil }
			in.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
				calls = append(calls, network+" "+address)
				return nil, syscall.ECONNREFUSED
			}
		})
		_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		mustFail(t, err, connectors.Transient, "mysql.refused")
		if got := strings.Join(calls, ", "); got != "tcp 192.0.2.7:3306" {
			t.Errorf("%s %q: went to %s", name, v, got)
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
		}, nil, "mysql.host_not_found", "Find the server"},
		"no address": {func(context.Context, string) ([]string, error) { return nil, nil }, nil, "mysql.host_not_found", "Find the server"},
		"no DNS":     {func(context.Context, string) ([]string, error) { return nil, &net.DNSError{Err: "server misbehaving"} }, nil, "mysql.dns", "Find the server"},
		"hangs up": {found, func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			far.Close()
			return near, nil
		}, "mysql.connection_lost", "Encrypt"},
		"many addresses": {func(context.Context, string) ([]string, error) {
			return strings.Split(strings.Repeat("192.0.2.7 ", 1000), " "), nil
		}, refusing(4), "mysql.refused", "Reach it"},
		"silent": {found, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}, "mysql.no_answer", "Reach it"},
		"mute": {found, func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, far := net.Pipe()
			context.AfterFunc(ctx, func() { far.Close() })
			return near, nil
		}, "mysql.no_answer", "Encrypt"},
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
