package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mariadbRoot is the user that may do everything on a server of StartMariaDB.
const mariadbRoot = "root"

var errNoMariaDB = errors.New("MariaDB is not installed: apt-get install mariadb-server")

// MariaDBOptions say how StartMariaDB starts a server; the zero value is fine.
type MariaDBOptions struct {
	// Certificate and Key, in PEM form, have the server offer TLS. Without them it offers none.
	Certificate, Key []byte
	// Settings are further options of the server, such as "max_connections": "5"; they win over ours.
	Settings map[string]string
	// Port is the TCP port on 127.0.0.1; 0 takes a free one.
	Port int
}

// MariaDB starts a private MariaDB server that ends with the test.
func MariaDB(tb testing.TB, o MariaDBOptions) *Server {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	server, err := StartMariaDB(ctx, o)
	if err != nil {
		tb.Fatalf("a private MariaDB is needed: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("stop MariaDB: %v", err)
		}
	})
	return server
}

// StartMariaDB makes a new, empty server and starts it; that takes a few seconds. Its administrator is "root" with a
// random password, from 127.0.0.1, see URL; everybody signs in by password, over TCP. Text is utf8mb4. Data is not
// synced to disk. The caller stops it, and the data is gone then.
//
// MariaDB refuses to run as root: root starts it as user "mysql", or "nobody".
func StartMariaDB(ctx context.Context, o MariaDBOptions) (*Server, error) {
	daemon, install, err := mariadbPrograms()
	if err != nil {
		return nil, err
	}
	owner, err := serverOwner("MariaDB", "mysql", "nobody")
	if err != nil {
		return nil, err
	}
	return onFreePort(o.Port, func(port int) (*Server, error) {
		parents := []string{os.TempDir(), "/tmp", "/var/tmp"}
		if memoryIsLarge() {
			parents = slices.Insert(parents, 0, memoryDisk)
		}
		dir, err := serverFolder("mariadb", parents, owner)
		if err != nil {
			return nil, err
		}
		password := rand.Text()
		if err := prepareMariaDB(ctx, install, dir, password, o, owner); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		args := []string{"--no-defaults"} // the first, or the machine's own settings count
		settings := mariadbSettings(o, dir, port)
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			args = append(args, "--"+name+"="+settings[name])
		}
		addr := localAddr(port)
		address := url.URL{Scheme: "mysql", User: url.UserPassword(mariadbRoot, password), Host: addr}
		return launch(ctx, program{
			name:    "MariaDB",
			command: func() *exec.Cmd { return mariadbCommand(context.Background(), daemon, dir, owner, args...) },
			ready:   func(pid int) bool { return mariadbGreets(filepath.Join(dir, "pid"), addr, pid) },
			stop:    syscall.SIGKILL, // nothing to save, and an orderly end takes a second
			quit:    syscall.SIGKILL,
		}, dir, addr, address.String())
	})
}

func mariadbSettings(o MariaDBOptions, dir string, port int) map[string]string {
	settings := map[string]string{
		"datadir": filepath.Join(dir, "data"), "tmpdir": dir, "socket": filepath.Join(dir, "socket"), "pid-file": filepath.Join(dir, "pid"),
		"init-file": filepath.Join(dir, "first.sql"), "bind-address": "127.0.0.1", "port": strconv.Itoa(port), "skip-name-resolve": "ON",
		"character-set-server": "utf8mb4", "max-connections": "300", "performance-schema": "OFF",
		"innodb-buffer-pool-size": "64M", "innodb-log-file-size": "16M", "innodb-flush-log-at-trx-commit": "0", "innodb-flush-method": "nosync",
		"ssl": "OFF",
	}
	if o.Certificate != nil {
		settings["ssl"], settings["ssl-cert"], settings["ssl-key"] = "ON", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	}
	maps.Copy(settings, o.Settings)
	return settings
}

// prepareMariaDB fills the folder: the system's own tables, and the statements that let the administrator in.
func prepareMariaDB(ctx context.Context, install, dir, password string, o MariaDBOptions, owner *syscall.Credential) error {
	first := fmt.Sprintf("CREATE OR REPLACE USER %[1]s@'127.0.0.1' IDENTIFIED BY '%[2]s';\n"+
		"GRANT ALL ON *.* TO %[1]s@'127.0.0.1' WITH GRANT OPTION;\nDROP USER IF EXISTS %[1]s@'localhost';\n", mariadbRoot, password)
	for name, content := range map[string][]byte{"first.sql": []byte(first), "cert.pem": o.Certificate, "key.pem": o.Key} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("file for MariaDB: %w", err)
		}
		if err := own(path, owner); err != nil {
			return err
		}
	}
	cmd := mariadbCommand(ctx, install, dir, owner, "--no-defaults", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--innodb-flush-method=nosync")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, output)
	}
	return nil
}

// mariadbGreets reports whether the server with this pid answers at the address: it is the one that wrote its pid, and
// a server greets whoever connects once it takes connections.
func mariadbGreets(pidFile, addr string, pid int) bool {
	written, err := os.ReadFile(pidFile)
	if err != nil || strings.TrimSpace(string(written)) != strconv.Itoa(pid) {
		return false
	}
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1))
	return err == nil
}

func mariadbCommand(ctx context.Context, path, dir string, owner *syscall.Credential, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin", "HOME=" + dir, "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	return cmd
}

// mariadbPrograms finds the server, which Debian keeps where users do not look, and the program that makes its data.
func mariadbPrograms() (daemon, install string, err error) {
	for _, path := range []string{"mariadbd", "/usr/sbin/mariadbd"} {
		if daemon, err = exec.LookPath(path); err == nil {
			break
		}
	}
	if err != nil {
		return "", "", errNoMariaDB
	}
	if install, err = exec.LookPath("mariadb-install-db"); err != nil {
		return "", "", errNoMariaDB
	}
	return daemon, install, nil
}
