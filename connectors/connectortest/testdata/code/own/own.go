// Package own does all that a connector must not.
package own

import (
	"fmt"
	"log/slog"
	"net"
	web "net/http"
	"os"
	"time"
)

var (
	seen  = map[string]int{}
	count int
	last  struct{ at time.Time }
)

// Ask goes its own ways.
func Ask(host string) {
	seen[host] = 1
	count++
	last.at = time.Now()
	time.Sleep(time.Second)
	_, _ = net.Dial("tcp", host)
	_, _ = net.LookupHost(host)
	_, _ = web.Get("http://" + host)
	_ = web.Client{Transport: web.DefaultTransport}
	_ = os.Getenv("HOME")
	_, _ = os.ReadFile("/etc/hosts")
	slog.Info("asked")
	fmt.Println(host)
}
