package servertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestPostgresKeepsItsDataWhenKilledAndRestarted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := startPostgres(t, PostgresOptions{Fsync: true})
	conn := connect(t, server.URL())
	mustExec(t, conn, "create table kept (n int)")
	mustExec(t, conn, "insert into kept values (42)")
	first, backend := server.PID(), int(conn.PgConn().PID())

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the backend process ends, too", func() bool { return !alive(backend) })
	if err := conn.Ping(ctx); err == nil {
		t.Error("the connection survived Kill")
	}
	if pid := server.PID(); pid != 0 {
		t.Errorf("PID after Kill = %d, want 0", pid)
	}
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if server.PID() == first {
		t.Error("Restart kept the old process")
	}
	var n int
	if err := connect(t, server.URL()).QueryRow(ctx, "select n from kept").Scan(&n); err != nil || n != 42 {
		t.Errorf("after the restart: n = %d (%v), want 42", n, err)
	}
}

func TestPostgresIsAskedForPasswords(t *testing.T) {
	t.Parallel()
	cluster, err := startPostgres(t, PostgresOptions{}).cluster()
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, connect(t, cluster.superuser.String()), "create role reader login password 'right'")
	connect(t, cluster.URL("reader", "right", "postgres"))
	if _, err := pgx.Connect(t.Context(), cluster.URL("reader", "wrong", "postgres")); err == nil {
		t.Error("a wrong password was accepted")
	}
}

func TestPostgresSettingsAreThoseAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options PostgresOptions
		setting string
		want    string
	}{
		"fast by default":    {PostgresOptions{}, "fsync", "off"},
		"durable when asked": {PostgresOptions{Fsync: true}, "fsync", "on"},
		"the caller's":       {PostgresOptions{Settings: map[string]string{"max_connections": "7"}}, "max_connections", "7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			conn := connect(t, startPostgres(t, c.options).URL())
			if err := conn.QueryRow(t.Context(), "show "+c.setting).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s = %q (%v), want %q", c.setting, got, err, c.want)
			}
		})
	}
}

func TestStartPostgresTellsWhatTheServerComplainsAbout(t *testing.T) {
	t.Parallel()
	parent := openFolder(t)
	_, err := StartPostgres(t.Context(), PostgresOptions{Dir: parent, Settings: map[string]string{"work_mem": "lots"}})
	if err == nil || !strings.Contains(err.Error(), "work_mem") {
		t.Errorf("error = %v, want the complaint about work_mem", err)
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStartPostgresTellsWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := postgresBinaries(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("error = %v, want what to install", err)
	}
	if _, err := StartRedis(t.Context(), RedisOptions{}); err == nil || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("error = %v, want what to install", err)
	}
	if _, err := findChromium(); err == nil || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Errorf("error = %v, want what to install", err)
	}
}

func TestPostgresBinariesAreTheNewest(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	prefix := t.TempDir()
	for _, version := range []string{"9.6", "15", "17"} {
		bin := filepath.Join(prefix, version, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := postgresBinaries(prefix); err != nil || got != filepath.Join(prefix, "17", "bin") {
		t.Errorf("binaries = %q (%v), want those of 17", got, err)
	}
}

func TestChromiumIsFound(t *testing.T) {
	t.Parallel()
	if info, err := os.Stat(Chromium(t)); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("not a program: %v (%v)", info, err)
	}
}

func TestRedisIsEmptyAfterKillAndStopsForGood(t *testing.T) {
	t.Parallel()
	server := Redis(t)
	if got := redisCommand(t, server.Addr(), "SET key value"); got != "+OK" {
		t.Fatalf("SET: %s", got)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", server.Addr()); err == nil {
		conn.Close()
		t.Error("somebody still listens after Kill")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := redisCommand(t, server.Addr(), "DBSIZE"); got != ":0" {
		t.Errorf("keys after the restart: %s, want none", got)
	}
	for range 2 {
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Restart(t.Context()); err == nil {
		t.Error("a server that was stopped for good restarted")
	}
	if _, err := os.Stat(server.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there (%v)", err)
	}
}

func TestRedisTakesArguments(t *testing.T) {
	t.Parallel()
	server, err := StartRedis(t.Context(), RedisOptions{Args: []string{"--databases", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	if got := redisCommand(t, server.Addr(), "SELECT 3"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("SELECT 3 of 3 databases: %s, want an error", got)
	}
}

func TestRedisRefusesAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	first := Redis(t)
	_, port, err := net.SplitHostPort(first.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := StartRedis(t.Context(), RedisOptions{Port: number}); err == nil {
		stop(t, second)
		t.Error("two servers answer at one port: somebody else's was taken for ours")
	}
}

// A test run that is killed must not leave servers and folders behind.
func TestServersEndWithTheProcessThatStartedThem(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), orphanVariable+"=1")
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		t.Fatal(errors.Join(err, cmd.Wait()))
	}
	var orphans []orphan
	if err := json.Unmarshal(line, &orphans); err != nil || len(orphans) != 2 {
		t.Fatalf("it told %s (%v)", line, err)
	}
	for _, o := range orphans {
		if err := syscall.Kill(o.PID, 0); err != nil {
			t.Fatalf("server %d does not run: %v", o.PID, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as asked
	for _, o := range orphans {
		eventually(t, "the server ends", func() bool { return !alive(o.PID) })
		eventually(t, "its folder is removed", func() bool {
			_, err := os.Stat(o.Folder)
			return errors.Is(err, os.ErrNotExist)
		})
	}
}

// alive takes a zombie for dead: in a container, process 1 may never reap what it inherits.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func startPostgres(t *testing.T, o PostgresOptions) *Server {
	t.Helper()
	server, err := StartPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *Server) {
	t.Helper()
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(context.Background(), conn) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// openFolder is a temporary folder that PostgreSQL's user may pass through, as t.TempDir is not.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "servertest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func redisCommand(t *testing.T, addr, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
