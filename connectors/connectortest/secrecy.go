package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"sidecard/connectors"
)

// closedDoor is the refusal of a guarded way out.
type closedDoor struct{}

func (closedDoor) Error() string   { return "that address is not allowed" }
func (closedDoor) Forbidden() bool { return true }

// closed shuts every way out; withNames leaves the resolver open.
func closed(in *connectors.OpenInput) {
	closedButNames(in)
	in.Resolve = func(context.Context, string) ([]string, error) { return nil, closedDoor{} }
}

func closedButNames(in *connectors.OpenInput) {
	in.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, closedDoor{} }
	in.HTTP = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, closedDoor{} })}
}

func openNeedsNoNetwork(ctx context.Context, h Harness) error {
	start := time.Now()
	src, on, err := h.open(ctx, h.Good, closed)
	if err != nil {
		return err
	}
	defer src.Close()
	if used := on.used(); len(used) > 0 {
		return fmt.Errorf("open went out: %s", strings.Join(used, ", "))
	}
	if took := time.Since(start); took > slack {
		return fmt.Errorf("open took %s", took)
	}
	return nil
}

// egressIsGuarded closes the door: what still answers has found another way.
func egressIsGuarded(ctx context.Context, h Harness) error {
	if h.Offline {
		return staysInside(ctx, h)
	}
	return errors.Join(stopsAtDoor(ctx, h, closed), stopsAtDoor(ctx, h, closedButNames))
}

func staysInside(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, on, err := h.open(ctx, h.Good)
	if err != nil {
		return err
	}
	defer src.Close()
	_, checkErr := src.Check(ctx)
	_, lookupErr := find(ctx, src, connectors.Query{Email: h.Known.Email}, connectors.Found)
	if used := on.used(); len(used) > 0 {
		return fmt.Errorf("a kind that is offline went out: %s", strings.Join(used, ", "))
	}
	return errors.Join(checkErr, lookupErr)
}

func stopsAtDoor(ctx context.Context, h Harness, edit func(*connectors.OpenInput)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, on, err := h.open(ctx, h.Good, edit)
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
	if err := isError(err, connectors.Forbidden); err != nil {
		return fmt.Errorf("lookup with the door closed: %w", err)
	}
	generic := connectors.ForbiddenError(nil)
	if e := connectors.AsError(err); e.Message != generic.Message || e.Fix != generic.Fix {
		return fmt.Errorf("a refused address is told as %q %q, want %q %q", e.Message, e.Fix, generic.Message, generic.Fix)
	}
	report, err := src.Check(ctx)
	if err != nil {
		return fmt.Errorf("check with the door closed: %w", err)
	}
	if report.OK() {
		return fmt.Errorf("check passes with the door closed: %+v", report.Steps)
	}
	if last := report.Steps[len(report.Steps)-1]; last.Detail != generic.Message || last.Advice != generic.Fix {
		return fmt.Errorf("check tells more of a refused address than %q %q: %+v", generic.Message, generic.Fix, last)
	}
	if len(on.used()) == 0 {
		return errors.New("the door was never tried: the answer came another way")
	}
	return nil
}

// textsAreClean lets everything happen, good and bad, and searches what was said for secrets and visitors.
func textsAreClean(ctx context.Context, h Harness) error {
	s, err := h.schema()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	secrets := s.secrets()
	emails := append([]string{unknown, h.Known.Email}, storable...)
	broken := []error{
		h.saysNothing(ctx, h.newHost(h.Host, h.Good), secrets, emails, patience),
	}
	for _, f := range h.faults() {
		on, end := h.faultyHost(f)
		if err := h.saysNothing(ctx, on, secrets, emails, patience); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", f.Name, err))
		}
		end()
	}
	broken = append(broken, h.eachHang(ctx, func(stuck hang) error {
		return h.saysNothing(ctx, h.newHost(h.Host, h.Good, stuck.edit), secrets, emails[:2], deadline)
	}))
	return errors.Join(broken...)
}

// saysNothing uses a source in every way, each within the time, and searches its errors, reports and logs.
func (h Harness) saysNothing(
	ctx context.Context, on *host, secrets, emails []string, within time.Duration,
) error {
	said := &texts{}
	src, _, err := openOn(ctx, h.Connector, on)
	if err != nil {
		return err
	}
	try := func(use func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		said.error(use(ctx))
	}
	for _, email := range emails {
		try(func(ctx context.Context) error {
			_, err := src.Lookup(ctx, connectors.Query{Email: email})
			return err
		})
	}
	try(func(ctx context.Context) error {
		report, err := src.Check(ctx)
		said.json(report)
		return err
	})
	if d, ok := src.(connectors.Discoverer); ok {
		try(func(ctx context.Context) error {
			_, err := d.Discover(ctx)
			return err
		})
	}
	said.error(src.Close())
	said.add(on.log.String())
	for _, name := range secrets {
		if in := said.find(on.Settings.String(name, "")); in != "" {
			return fmt.Errorf("the secret %s is told: %s", name, in)
		}
	}
	for _, email := range emails {
		if in := said.find(email); in != "" {
			return fmt.Errorf("the visitor's address is told: %s", in)
		}
	}
	return nil
}

// texts is all that a connector said.
type texts struct{ said []string }

func (t *texts) add(s string) { t.said = append(t.said, s) }

func (t *texts) json(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		raw = fmt.Appendf(nil, "%+v", v)
	}
	t.add(string(raw))
}

// error notes each error of the chain as text and as a logger would print it.
func (t *texts) error(err error) {
	if err == nil {
		return
	}
	t.add(err.Error())
	t.add(fmt.Sprintf("%+v", err))
	if e := connectors.AsError(err); e != nil {
		t.add(e.Code + " " + e.Message + " " + e.Fix)
	}
	switch e := err.(type) { //nolint:errorlint // each error of the chain is looked at by itself
	case interface{ Unwrap() error }:
		t.error(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			t.error(one)
		}
	}
}

// find returns the first text that holds the canary, as it is or as JSON writes it.
func (t *texts) find(canary string) string {
	if canary == "" {
		return ""
	}
	quoted, err := json.Marshal(canary)
	if err != nil {
		quoted = []byte(canary)
	}
	inner := strings.Trim(string(quoted), `"`)
	for _, s := range t.said {
		if strings.Contains(s, canary) || strings.Contains(s, inner) {
			return s
		}
	}
	return ""
}
