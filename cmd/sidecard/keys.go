package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"

	"sidecard/internal/app"
	"sidecard/internal/vault"
	"sidecard/migrations"
)

func keys(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "new":
		key, err := vault.NewKey()
		if err != nil {
			return err
		}
		fmt.Println(key)
		return nil
	case len(args) > 0 && args[0] == "rotate":
		return rotateKeys(ctx, args[1:])
	default:
		return errors.New("what to do with keys: sidecard keys new, sidecard keys rotate")
	}
}

// migrate brings the schema up to date and lets the application's login use it.
func migrate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	if err := flags.Parse(args); err != nil {
		return err
	}
	c, err := app.FromEnv()
	if err != nil {
		return err
	}
	if err := c.Require("DATABASE_OWNER_URL", "DATABASE_URL"); err != nil {
		return err
	}
	if err := migrations.Postgres(ctx, c.OwnerURL); err != nil {
		return err
	}
	login, err := url.Parse(c.DatabaseURL)
	if err != nil || login.User.Username() == "" {
		return errors.New("DATABASE_URL must name the application's login: postgres://login:password@host/database")
	}
	password, _ := login.User.Password()
	if err := migrations.GrantLogin(ctx, c.OwnerURL, login.User.Username(), password); err != nil {
		return err
	}
	fmt.Println("The database is up to date.")
	return nil
}
