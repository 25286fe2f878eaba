// Package calm uses what it is given.
package calm

import (
	"context"
	"net"
	"os"
	"time"
)

var names = map[string]int{"a": 1}

// Ask changes only what is its own.
func Ask(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error)) (int, error) {
	names := map[string]int{}
	names["b"]++
	conn, err := dial(ctx, "tcp", net.JoinHostPort("toy.example", "1"))
	if err != nil {
		return 0, err
	}
	return read(names), conn.SetReadDeadline(time.Now())
}

func read(own map[string]int) int { return names["a"] + own["b"] }

// IsTimeout compares with an error of os, which is not a way out.
func IsTimeout(err error) bool { return err == os.ErrDeadlineExceeded }
