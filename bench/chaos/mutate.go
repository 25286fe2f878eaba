package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// mutate breaks Sidecard with a flaw: in the programs from their next start on, or in the database.
func (h *harness) mutate(ctx context.Context, m mutant) error {
	for _, edit := range m.Rewrites {
		if err := h.rewrite(ctx, edit); err != nil {
			return fmt.Errorf("%s: %w", m.Flaw, err)
		}
	}
	for _, p := range h.stack.Programs() {
		p.Always()
		if len(m.Rewrites) == 0 {
			p.Always("SIDECARD_FLAW=" + string(m.Flaw))
		}
	}
	return h.startAll(ctx)
}

// rewrite replaces a text in a function of the database. It fails when there is no such text: the function has changed,
// and the flaw would be none.
func (h *harness) rewrite(ctx context.Context, edit rewrite) error {
	definition, err := h.definition(ctx, edit.Function)
	if err != nil {
		return err
	}
	if h.original[edit.Function] == "" {
		h.original[edit.Function] = definition
	}
	if !strings.Contains(definition, edit.From) {
		return fmt.Errorf("function %s holds no %q any more", edit.Function, edit.From)
	}
	return h.exec(ctx, strings.ReplaceAll(definition, edit.From, edit.To))
}

func (h *harness) definition(ctx context.Context, function string) (string, error) {
	return ask(ctx, h.stack, func(conn *pgx.Conn) (string, error) {
		const query = "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace and proname = $1"
		rows, err := conn.Query(ctx, query, function)
		if err != nil {
			return "", err
		}
		definition, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		if err != nil {
			return "", fmt.Errorf("function %s: %w", function, err)
		}
		return definition, nil
	})
}

func (h *harness) exec(ctx context.Context, statements string) error {
	_, err := ask(ctx, h.stack, func(conn *pgx.Conn) (any, error) { return conn.Exec(ctx, statements) })
	return err
}

// mend takes a flaw back, with all that it may have left behind, and leaves the programs ended.
func (h *harness) mend(ctx context.Context) error {
	for _, p := range h.stack.Programs() {
		if err := errors.Join(p.Thaw(), p.Kill()); err != nil {
			return err
		}
		p.Environ()
		p.Always()
	}
	h.stack.Live.Heal()
	for function, definition := range h.original {
		if err := h.exec(ctx, definition); err != nil {
			return err
		}
		delete(h.original, function)
	}
	// Nobody answers now, so what is still to be announced is given up within seconds.
	l := h.book.current.Load()
	for l.pending() > 0 {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	const clean = `truncate chats, work, outcomes, attempts; update desks set paused_at = null, problem_at = null, problem_code = ''`
	return errors.Join(h.exec(ctx, clean), h.stack.Redis.Restart(ctx)) // Redis keeps nothing over a restart
}

func (h *harness) startAll(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, p := range h.stack.Programs() {
		all.Go(func() error { return p.Start(ctx) })
	}
	return all.Wait()
}
