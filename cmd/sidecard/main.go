// Command sidecard is everything in one process, for the first minutes and for operators' chores.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Sidecard shows a support agent who they are talking to.

  sidecard run        everything in one process, with a simulated LiveSupporti
  sidecard demo       one chat from sign-up to the agent's screen, hands off
  sidecard simulate   the simulated LiveSupporti alone
  sidecard migrate    bring a PostgreSQL database up to date (DATABASE_OWNER_URL)
  sidecard keys new   print a new master key
  sidecard keys rotate
                      seal everything with the first of several master keys, see docs/keys.md
  sidecard plan TENANT [PLAN]
                      show or set how much a tenant may use; TENANT is its id or an owner's e-mail address

sidecard COMMAND -h tells a command's flags.
`

var commands = map[string]func(context.Context, []string) error{
	"run": run, "demo": demo, "simulate": simulate, "migrate": migrate, "keys": keys, "plan": plan,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Print(usage)
		return
	}
	command, ok := commands[os.Args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "sidecard: there is no command %q\n\n%s", os.Args[1], usage)
		os.Exit(2)
	}
	err := command(ctx, os.Args[2:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidecard "+os.Args[1]+":", err)
		os.Exit(1)
	}
}
