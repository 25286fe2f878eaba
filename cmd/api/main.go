// Command api takes LiveSupporti's callbacks and serves the API, the portal and the docs.
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
		err = app.RunAPI(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidecard api:", err)
		os.Exit(1)
	}
}
