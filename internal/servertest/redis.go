package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var errNoRedis = errors.New("redis-server is not installed: apt-get install redis-server")

// RedisOptions say how StartRedis starts a server; the zero value is fine.
type RedisOptions struct {
	Port int      // 0: a free one
	Args []string // further arguments, such as "--maxmemory", "64mb"; no password
}

// StartRedis starts a Redis server that listens on 127.0.0.1 alone and keeps nothing: after Kill or Restart it is
// empty. The caller stops it.
func StartRedis(ctx context.Context, o RedisOptions) (*Server, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errNoRedis
	}
	return onFreePort(o.Port, func(port int) (*Server, error) {
		dir, err := os.MkdirTemp("", "sidecard-redis-")
		if err != nil {
			return nil, fmt.Errorf("folder for Redis: %w", err)
		}
		addr := localAddr(port)
		args := append([]string{
			"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir,
			"--save", "", "--appendonly", "no", "--daemonize", "no",
		}, o.Args...)
		return launch(ctx, program{
			name: "Redis",
			command: func() *exec.Cmd {
				cmd := exec.Command(binary, args...)
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C for the tests is not for their servers
				return cmd
			},
			ready: func(pid int) bool { return redisAnswers(addr, pid) },
			stop:  syscall.SIGKILL, // nothing to save, and an orderly end takes up to 100 ms
			quit:  syscall.SIGKILL,
		}, dir, addr, "redis://"+addr+"/0")
	})
}

// redisAnswers reports whether the server at the address is the one with this pid, and not another that won the port.
func redisAnswers(addr string, pid int) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	// QUIT ends the connection, so that the answer to INFO can be read to its end.
	if _, err := io.WriteString(conn, "INFO server\r\nQUIT\r\n"); err != nil {
		return false
	}
	answer, err := io.ReadAll(conn)
	return err == nil && strings.Contains(string(answer), fmt.Sprintf("\r\nprocess_id:%d\r\n", pid))
}
