package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"sidecard/internal/app"
	"sidecard/internal/hub"
	"sidecard/internal/store"
)

// plan is sidecard plan: it shows or sets a tenant's plan in the database of DATABASE_URL while Sidecard runs.
func plan(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("plan", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 1 || flags.NArg() > 2 {
		return errors.New("use: sidecard plan TENANT [PLAN], with the tenant's id or an owner's e-mail address; the plans are " + strings.Join(hub.PlanNames(), ", "))
	}
	var chosen hub.Plan
	var err error
	if flags.NArg() == 2 {
		if chosen, err = hub.ParsePlan(flags.Arg(1)); err != nil {
			return err
		}
	}
	c, err := app.FromEnv()
	if err != nil {
		return err
	}
	if err := c.Require("DATABASE_URL"); err != nil {
		return err
	}
	s, err := store.OpenPostgres(ctx, store.Options{URL: c.DatabaseURL, MaxConns: 2, Log: app.Log(os.Stderr, slog.LevelWarn)})
	if err != nil {
		return err
	}
	defer s.Close()
	return planIn(ctx, os.Stdout, s, flags.Arg(0), chosen)
}

// planIn shows a tenant's plan, after it was set if one is given.
func planIn(ctx context.Context, out io.Writer, s hub.Store, tenant string, chosen hub.Plan) error {
	t, err := hub.TenantNamed(ctx, s, tenant)
	if err != nil {
		return err
	}
	verb := "has"
	if chosen.Name != "" {
		if t, err = hub.SetPlan(ctx, s, t.ID, chosen, time.Now()); err != nil {
			return err
		}
		verb = "has from its next chat on"
	}
	p := t.Limits()
	fmt.Fprintf(out, "%s (%s) %s the plan %s: %s chats a day, %s connections, %s rows from files, %s members.\n",
		t.Name, t.ID, verb, p.Name, number(p.ChatsPerDay), number(p.Connections), number(p.CSVRows), number(p.Members))
	return nil
}

func number(limit int) string {
	if limit == 0 {
		return "any number of"
	}
	return strconv.Itoa(limit)
}
