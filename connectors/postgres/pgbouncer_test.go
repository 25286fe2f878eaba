package postgres_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"sidecard/connectors"
	"sidecard/internal/servertest"
)

// serverConns is how many connections PgBouncer may open for one user: fewer than its clients have.
const serverConns = 2

// newPgBouncer starts a PgBouncer in transaction mode before the database, that knows the users of these settings, and
// gives its port. It ends with the test, even with one that is killed.
func newPgBouncer(t *testing.T, d *database, users ...connectors.Settings) int {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not in everybody's PATH
		if _, err := os.Stat(program); err != nil {
			t.Fatal("PgBouncer is not installed: apt-get install pgbouncer")
		}
	}
	address, err := servertest.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	var list strings.Builder
	for _, s := range users {
		fmt.Fprintf(&list, "%q %q\n", s.String("user", ""), s.String("password", ""))
	}
	name := strings.TrimPrefix(d.url.Path, "/")
	dir, owner := serverFolder(t, "nobody")
	config := writeFor(t, owner, filepath.Join(dir, "pgbouncer.ini"), fmt.Sprintf(`[databases]
%s = host=%s port=%s dbname=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = %d
`, name, d.url.Hostname(), d.url.Port(), name, port, writeFor(t, owner, filepath.Join(dir, "users.txt"), list.String()), serverConns))

	// The shell ends PgBouncer when this process is gone, however it ended.
	cmd := exec.Command("sh", "-c", `"$@" & read -r _; kill $!; wait $!`, "sh", program, config)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		stdin.Close()
		<-ended
		_ = cmd.Wait() // by the signal
	})
	var log strings.Builder
	lines := bufio.NewScanner(io.TeeReader(messages, &log))
	for lines.Scan() {
		if strings.Contains(lines.Text(), "process up") {
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, messages) // a full pipe would stop it
			}()
			n, err := strconv.Atoi(port)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	close(ended)
	t.Fatalf("PgBouncer did not start:\n%s", log.String())
	return 0
}

// serverFolder makes a folder for a server that refuses to run as root, and names the user who runs it then.
func serverFolder(t *testing.T, name string) (dir string, owner *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sidecard-test-") // the test's own folder is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if os.Getuid() != 0 {
		return dir, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
		t.Fatal(err)
	}
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// writeFor writes a file that only the owner may read, and gives its path.
func writeFor(t *testing.T, owner *syscall.Credential, path, text string) string {
	t.Helper()
	err := os.WriteFile(path, []byte(text), 0o600)
	if err == nil && owner != nil {
		err = os.Chown(path, int(owner.Uid), int(owner.Gid))
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// client signs in to PgBouncer as another program does.
func client(t *testing.T, d *database, port int, s connectors.Settings) *pgx.Conn {
	t.Helper()
	u := *d.url
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	u.User = url.UserPassword(s.String("user", ""), s.String("password", ""))
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(within(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(within(t)) }) // it is only in the way of the server's end
	return conn
}

// TestPgBouncerServesManyLookupsOverFewConnections has more sources than PgBouncer has connections, all at once.
func TestPgBouncerServesManyLookupsOverFewConnections(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	reader := d.role("grant select on people")
	port := newPgBouncer(t, d, reader)
	var all sync.WaitGroup
	for range 8 {
		src := open(t, with(t, reader, map[string]any{"host": "127.0.0.1", "port": port}))
		for range 2 {
			all.Go(func() {
				for range 25 {
					res, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example", Fields: []string{"name"}})
					if err != nil || res.Match != connectors.Found || res.Records[0]["name"].Text != "Ana" {
						t.Errorf("got %+v, %v", res, err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	n, err := d.text("select count(*)::text from pg_stat_activity where usename = $1", reader.String("user", ""))
	if err != nil || n != "1" && n != strconv.Itoa(serverConns) {
		t.Errorf("the server has %s connections, %v", n, err)
	}
}

func TestCheckAndDiscoverWorkThroughPgBouncer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson)
	reader := d.role("grant select on people")
	src := open(t, with(t, reader, map[string]any{"host": "127.0.0.1", "port": newPgBouncer(t, d, reader)}))
	for range 3 {
		if report := check(t, src); !report.OK() {
			t.Errorf("check: %+v", report.Steps)
		}
		catalog, err := src.(connectors.Discoverer).Discover(within(t))
		if err != nil || len(catalog.Fields) == 0 {
			t.Errorf("discover: %+v, %v", catalog, err)
		}
	}
}

// TestLimitsHoldForLookupsAloneBehindPgBouncer has another program use the server connections that lookups had.
func TestLimitsHoldForLookupsAloneBehindPgBouncer(t *testing.T) {
	t.Parallel()
	settings := []string{
		"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone", "DateStyle", "IntervalStyle",
		"bytea_output", "extra_float_digits", "search_path", "default_transaction_read_only",
	}
	d := newDatabase(t, `create view people as select 'ana@toy.example'::text as email,
		current_setting('statement_timeout') as st, current_setting('transaction_read_only') as ro, current_setting('search_path') as sp`)
	reader := d.role("grant select on people")
	port := newPgBouncer(t, d, reader)
	show := func() (all []string) {
		t.Helper()
		var held []pgx.Tx
		for range serverConns { // a transaction each, so that each has a server connection of its own
			tx, err := client(t, d, port, reader).Begin(within(t))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, tx)
			for _, name := range settings {
				var v string
				if err := tx.QueryRow(within(t), "select current_setting('"+name+"')").Scan(&v); err != nil {
					t.Fatal(err)
				}
				all = append(all, name+"="+v)
			}
		}
		for _, tx := range held {
			if err := tx.Rollback(within(t)); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	before := show()
	src := open(t, with(t, reader, map[string]any{"host": "127.0.0.1", "port": port}))
	for range 10 {
		got := lookup(t, src, "ana@toy.example").Records[0]
		if got["st"].Text != "3s" || got["ro"].Text != "on" || got["sp"].Text != "pg_catalog" {
			t.Fatalf("a lookup has %+v", got)
		}
	}
	if report := check(t, src); !report.OK() {
		t.Errorf("check: %+v", report.Steps)
	}
	if after := show(); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("another client finds\n%s\nand found before\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}

func TestBrokenLookupsLeavePgBouncersConnectionsUsable(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people, onePerson, "create view broken as select email, 1 / (length(email) - length(email)) as name from people")
	reader := d.role("grant select on people, broken")
	through := with(t, reader, map[string]any{"host": "127.0.0.1", "port": newPgBouncer(t, d, reader)})
	good, bad := open(t, through), open(t, with(t, through, map[string]any{"table": "broken"}))
	for range 3 * serverConns {
		_, err := bad.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		mustFail(t, err, connectors.Misconfigured, "postgres.22012")
		if res := lookup(t, good, "ana@toy.example"); res.Match != connectors.Found {
			t.Errorf("got %+v", res)
		}
	}
}

// TestPgBouncersRefusalsAreTold leaves the code open: which SQLSTATE is sent depends on PgBouncer's version.
func TestPgBouncersRefusalsAreTold(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, people)
	reader := d.role("grant select on people")
	through := with(t, reader, map[string]any{"host": "127.0.0.1", "port": newPgBouncer(t, d, reader)})
	for name, replace := range map[string]map[string]any{
		"password": {"password": "wrong password"}, "user": {"user": "nobody"}, "database": {"database": "nowhere"},
	} {
		_, err := open(t, with(t, through, replace)).Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
		var e *connectors.Error
		if !errors.As(err, &e) || e.Class != connectors.AuthRevoked && e.Class != connectors.Misconfigured {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}
