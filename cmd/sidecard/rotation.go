package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"sidecard/internal/app"
	"sidecard/internal/hub"
	"sidecard/internal/store"
	"sidecard/internal/vault"
)

// rotateKeys is sidecard keys rotate: it works on the database of DATABASE_URL while Sidecard runs.
func rotateKeys(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("keys rotate", flag.ContinueOnError)
	signing := flags.Bool("signing", false, "add a key for access tokens; it signs after ten minutes")
	now := flags.Bool("now", false, "with -signing, after a leak: the new key signs now, and no other is good for anything")
	data := flags.Bool("data", false, "give each tenant a new data key, which seals from now on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *signing && *data || *now && !*signing || flags.NArg() > 0 {
		return errors.New("use: sidecard keys rotate, or sidecard keys rotate -data, or sidecard keys rotate -signing [-now]")
	}
	c, err := app.FromEnv()
	if err != nil {
		return err
	}
	if err := c.Require("DATABASE_URL", "MASTER_KEY"); err != nil {
		return err
	}
	master, err := vault.New(c.MasterKey)
	if err != nil {
		return err
	}
	s, err := store.OpenPostgres(ctx, store.Options{URL: c.DatabaseURL, MaxConns: 2, Log: app.Log(os.Stderr, slog.LevelWarn)})
	if err != nil {
		return err
	}
	defer s.Close()
	ring := hub.NewKeyring(s, master, nil)
	if _, err := ring.SigningKeys(ctx); err != nil { // a wrong master key must change nothing
		return err
	}
	switch {
	case *signing:
		return rotateSigning(ctx, os.Stdout, ring, *now)
	case *data:
		return rotateData(ctx, os.Stdout, ring)
	default:
		return rotateMaster(ctx, os.Stdout, ring, master.KeyName())
	}
}

func rotateMaster(ctx context.Context, out io.Writer, ring *hub.Keyring, first string) error {
	fmt.Fprintf(out, "Sealing with the first key of MASTER_KEY, %s, what others sealed.\n", first)
	r, err := ring.RotateMaster(ctx, func(r hub.Rotation) {
		fmt.Fprintf(out, "%d tenants seen, %d data keys and %d values moved; %d data keys wait.\n", r.Tenants, r.DataKeys, r.Values, r.Waiting)
	})
	if err != nil {
		return fmt.Errorf("broken off, run it again: %w", err)
	}
	if r.Stuck > 0 {
		return fmt.Errorf("%d values could not be moved, so keep the old key. The last: %w", r.Stuck, r.Problem)
	}
	if !r.Done() {
		return fmt.Errorf("%d data keys are on another key still. Give all processes the new key first, then run this again", r.Waiting)
	}
	fmt.Fprintf(out, "Nothing needs another key any more. MASTER_KEY can be the key %s alone; the old ones can be removed.\n", first)
	return nil
}

func rotateSigning(ctx context.Context, out io.Writer, ring *hub.Keyring, now bool) error {
	key, err := ring.RotateSigning(ctx, now)
	if err != nil {
		return err
	}
	if now {
		fmt.Fprintf(out, "Key %s signs access tokens now. Tokens of all other keys stop being accepted within half a minute.\n", key.KeyID)
		return nil
	}
	fmt.Fprintf(out, "Key %s verifies everywhere within half a minute and signs access tokens from %s.\n", key.KeyID, key.SignsAt.UTC().Format("15:04 MST"))
	return nil
}

func rotateData(ctx context.Context, out io.Writer, ring *hub.Keyring) error {
	r, err := ring.RotateData(ctx, func(r hub.Rotation) { fmt.Fprintf(out, "%d tenants have a new data key.\n", r.Tenants) })
	if err != nil {
		return fmt.Errorf("broken off after %d tenants: %w", r.Tenants, err)
	}
	fmt.Fprintln(out, "Every tenant has a new data key; all processes seal with it within five minutes.")
	return nil
}
