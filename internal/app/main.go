package app

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a program configured by the environment until it is interrupted or told to end. A start that
// fails prints one sentence and exits with 1.
func Main(name string, run func(context.Context, Config) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := FromEnv()
	if err == nil {
		err = run(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidecard "+name+":", err)
		os.Exit(1)
	}
}
