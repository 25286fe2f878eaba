package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/bench/stack"
	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// records reads, as the superuser, what the database holds of the chats that came since then.
func records(ctx context.Context, s *stack.Stack, since time.Time) ([]record, error) {
	const query = `
		select t.name, c.ext_id, c.visitor_id, c.received_at - c.ago_ms * interval '1 ms', c.id::text,
		       array(select o.outcome from outcomes o where o.tenant_id = c.tenant_id and o.chat_id = c.id),
		       (select max(o.at) from outcomes o where o.tenant_id = c.tenant_id and o.chat_id = c.id),
		       exists (select from work w where w.tenant_id = c.tenant_id and (w.chat_id = c.id or c.id = any (w.older)))
		from chats c join tenants t on t.id = c.tenant_id
		where c.received_at >= $1`
	return ask(ctx, s, func(conn *pgx.Conn) ([]record, error) {
		rows, err := conn.Query(ctx, query, since)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r record, err error) {
			var outcomes []int16
			var ended *time.Time
			if err := row.Scan(&r.Tenant, &r.External, &r.Visitor, &r.Started, &r.Seq, &outcomes, &ended, &r.Working); err != nil {
				return r, err
			}
			for _, o := range outcomes {
				r.Outcomes = append(r.Outcomes, hub.Outcome(o))
			}
			if ended != nil {
				r.Ended = *ended
			}
			return r, nil
		})
	})
}

// unfinished is how many visitors have a chat at work.
func unfinished(ctx context.Context, s *stack.Stack) (int, error) {
	return ask(ctx, s, func(conn *pgx.Conn) (n int, err error) {
		err = conn.QueryRow(ctx, "select count(*) from work").Scan(&n)
		return n, err
	})
}

// ask connects for one question: the server may have been started anew since the last one.
func ask[T any](ctx context.Context, s *stack.Stack, question func(*pgx.Conn) (T, error)) (answer T, err error) {
	conn, err := pgx.Connect(ctx, s.Postgres.URL())
	if err != nil {
		return answer, fmt.Errorf("ask the database: %w", err)
	}
	answer, err = question(conn)
	return answer, errors.Join(err, conn.Close(ctx))
}

// told reads how many of the visitors' chats a tenant's API lists, by outcome, newest first and back to a time.
func told(ctx context.Context, s *stack.Stack, t *stack.Tenant, mine map[string]bool, since time.Time) (counters, error) {
	c := counters{Tenant: t.Number, By: map[string]int{}}
	_, session, err := t.SignIn(ctx)
	if err != nil {
		return c, err
	}
	for before := ""; ; {
		page, err := listChats(ctx, s.URL+"/api/v1/chats?limit=100"+before, session.AccessToken)
		if err != nil {
			return c, fmt.Errorf("%s: list chats: %w", t.Name, err)
		}
		for _, chat := range page.Chats {
			if chat.ReceivedAt.Before(since) {
				return c, nil
			}
			if mine[chat.VisitorId] {
				c.By[string(chat.Outcome.Name)]++
			}
		}
		if page.Next == nil {
			return c, nil
		}
		before = "&before=" + page.Next.String()
	}
}

func listChats(ctx context.Context, url, token string) (page contract.ChatList, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return page, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return page, errors.New(resp.Status)
	}
	return page, json.NewDecoder(resp.Body).Decode(&page)
}
