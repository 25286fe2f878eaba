// Command worker looks visitors up and delivers details.
// It is configured by environment variables, see docs/configuration.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"sidecard/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := app.FromEnv()
	if err == nil {
		err = app.RunWorker(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidecard worker:", err)
		os.Exit(1)
	}
}
