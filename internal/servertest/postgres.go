package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	superuser    = "postgres"
	debianPrefix = "/usr/lib/postgresql"
	memoryDisk   = "/dev/shm"
)

var errNoPostgres = errors.New("PostgreSQL is not installed: apt-get install postgresql")

// PostgresOptions say how StartPostgres starts a cluster; the zero value is fine for tests.
type PostgresOptions struct {
	// Dir is the folder in which the cluster's own folder is made, on the disk that is to be measured, say. It must
	// be open to everybody to pass through when this process is root. Empty: the system's temporary folder, or memory
	// when there is enough of it and nothing is to be synced.
	Dir string
	// Fsync has every commit wait for the disk, as in production. Without it a crash of the machine, though not of
	// PostgreSQL, would lose data, and tests run several times faster.
	Fsync bool
	// Settings are further settings of postgresql.conf, such as "max_connections": "50"; they win over ours.
	Settings map[string]string
	// Port is the TCP port on 127.0.0.1; 0 takes a free one.
	Port int
}

// StartPostgres makes a new cluster and starts it; that takes about a second. Its superuser is "postgres" with a random
// password, see URL; other users sign in by password (SCRAM), over TCP or by the socket in the cluster's folder.
// Text is UTF-8, sorted by code point. The caller stops it, and the cluster is gone then.
//
// PostgreSQL refuses to run as root: root starts it as user "postgres", or "nobody".
func StartPostgres(ctx context.Context, o PostgresOptions) (*Server, error) {
	bin, err := postgresBinaries(debianPrefix)
	if err != nil {
		return nil, err
	}
	owner, err := serverOwner("PostgreSQL", superuser, "nobody")
	if err != nil {
		return nil, err
	}
	return onFreePort(o.Port, func(port int) (*Server, error) {
		dir, err := postgresFolder(o, owner)
		if err != nil {
			return nil, err
		}
		password := rand.Text()
		if err := initCluster(ctx, bin, dir, password, owner); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		data := dataFolder(dir)
		args := []string{"-D", data}
		settings := postgresSettings(o, dir, port)
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			args = append(args, "-c", name+"="+settings[name])
		}
		address := url.URL{
			Scheme: "postgres", User: url.UserPassword(superuser, password), Host: localAddr(port),
			Path: "/postgres", RawQuery: "sslmode=disable",
		}
		return launch(ctx, program{
			name:    "PostgreSQL",
			command: func() *exec.Cmd { return postgresCommand(context.Background(), bin, "postgres", dir, owner, args...) },
			ready:   func(pid int) bool { return postgresReady(data, pid) },
			stop:    syscall.SIGINT,  // "fast": connections are ended, then a checkpoint
			quit:    syscall.SIGQUIT, // "immediate": shared memory is given back, nothing is saved
		}, dir, address.Host, address.String())
	})
}

func postgresSettings(o PostgresOptions, dir string, port int) map[string]string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": dir,
		"max_connections":         "300", // the pools of several test binaries at once
	}
	if !o.Fsync {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "256MB" // it may be memory
	}
	maps.Copy(settings, o.Settings)
	return settings
}

// postgresReady reads what the server writes about itself: its pid in line 1, its state in line 8.
// See src/include/utils/pidfile.h of PostgreSQL.
func postgresReady(data string, pid int) bool {
	file, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(file), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

func initCluster(ctx context.Context, bin, dir, password string, owner *syscall.Credential) error {
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		return fmt.Errorf("password of the cluster: %w", err)
	}
	if err := own(file, owner); err != nil {
		return err
	}
	cmd := postgresCommand(ctx, bin, "initdb", dir, owner,
		"-D", dataFolder(dir), "--username="+superuser, "--pwfile="+file, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return os.Remove(file)
}

// postgresCommand prepares one of PostgreSQL's programs, free of the PG… variables of whoever runs the tests.
func postgresCommand(
	ctx context.Context, bin, name, dir string, owner *syscall.Credential, args ...string,
) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: true}
	return cmd
}

// postgresBinaries returns the folder with initdb: from PATH, else the newest version that Debian installed.
func postgresBinaries(prefix string) (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob(filepath.Join(prefix, "*", "bin", "initdb"))
	if err != nil || len(found) == 0 {
		return "", errNoPostgres
	}
	version := func(path string) float64 {
		number, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(path))), 64)
		return number
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return int(version(a) - version(b)) })
	return filepath.Dir(newest), nil
}

// serverOwner returns who runs a server that refuses to run as root, the first of the users there is: nil is this
// process's own user.
func serverOwner(program string, names ...string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("ids of user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("%s refuses to run as root, and there is no user %s to run it as", program, strings.Join(names, " or "))
}

// postgresFolder makes the cluster's folder where its owner can reach it.
func postgresFolder(o PostgresOptions, owner *syscall.Credential) (string, error) {
	parents := []string{o.Dir}
	if o.Dir == "" {
		parents = []string{os.TempDir(), "/tmp", "/var/tmp"}
		if !o.Fsync && memoryIsLarge() {
			parents = slices.Insert(parents, 0, memoryDisk)
		}
	}
	return serverFolder("postgres", parents, owner)
}

// serverFolder makes a server's folder in the first of the folders that its owner may pass through.
func serverFolder(program string, parents []string, owner *syscall.Credential) (string, error) {
	for _, parent := range parents {
		if owner != nil && !openToAll(parent) {
			continue
		}
		dir, err := os.MkdirTemp(parent, "sidecard-"+program+"-")
		if err != nil {
			return "", fmt.Errorf("folder for %s: %w", program, err)
		}
		return dir, own(dir, owner)
	}
	return "", fmt.Errorf("the user of %s may not pass through %s: name a folder that everybody may", program, parents[0])
}

// memoryIsLarge reports whether there is a file system in memory with room for a test run. A new database is some 300
// files, which a disk's file system takes up to ten times as long to make. Containers often have 64 MB.
func memoryIsLarge() bool {
	var disk syscall.Statfs_t
	return syscall.Statfs(memoryDisk, &disk) == nil && disk.Bavail*uint64(disk.Bsize) >= 2<<30
}

func openToAll(dir string) bool {
	for dir, err := filepath.Abs(dir); ; dir = filepath.Dir(dir) {
		if err != nil {
			return false
		}
		if state, err := os.Stat(dir); err != nil || state.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func own(path string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("give a server's folder to its user: %w", err)
	}
	return nil
}

func dataFolder(dir string) string { return filepath.Join(dir, "data") }
