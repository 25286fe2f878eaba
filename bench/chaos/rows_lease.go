package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/internal/hub"
	"sidecard/internal/store"
)

// writeAsZombie claims chats as a worker does, for a moment only, and writes results when others have them.
func writeAsZombie(ctx context.Context, r *run) (err error) {
	url, err := r.DatabaseURL()
	if err != nil {
		return err
	}
	zombie, err := store.OpenPostgres(ctx, store.Options{URL: url, MaxConns: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = zombie.Close() }()
	for r.underLoad() {
		fence := r.random.Int64()
		claimed, err := zombie.Claim(ctx, hub.ClaimRequest{Lane: hub.LaneLookup, Limit: 4, Share: 1, Lease: 100 * time.Millisecond, Fence: fence})
		if err != nil {
			return err
		}
		for i, c := range claimed {
			if err := r.awaitOtherHolder(ctx, c.Hold); err != nil {
				return err
			}
			if err := r.writeResult(ctx, zombie, c.Hold, i%2 == 0); err != nil {
				return err
			}
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// awaitOtherHolder returns when the chat is leased by somebody else, or is not at work any more.
func (r *run) awaitOtherHolder(ctx context.Context, h hub.Hold) error {
	for {
		mine, err := ask(ctx, r.Stack, func(conn *pgx.Conn) (mine bool, err error) {
			err = conn.QueryRow(ctx, "select exists (select from work where tenant_id = $1 and visitor_id = $2 and (state <> 1 or fence = $3))",
				h.TenantID, h.VisitorID, h.Fence).Scan(&mine)
			return mine, err
		})
		if err != nil || !mine {
			return err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func (r *run) writeResult(ctx context.Context, zombie *store.Store, h hub.Hold, ends bool) (err error) {
	var grip hub.Grip
	if ends {
		grip, err = zombie.Finish(ctx, hub.Finish{Hold: h, Outcome: hub.LookupFailed, Trail: []byte("{}")})
	} else {
		grip, err = zombie.Retry(ctx, hub.Retry{Hold: h, Lane: hub.LaneLookup, Delay: time.Hour, Trail: []byte("{}")})
	}
	r.count("zombie_writes", 1)
	if grip != hub.Lost {
		r.count("zombie_writes_kept", 1)
	}
	return err
}

func zombieRefused(r *run, _ indexed) []string {
	switch {
	case r.figure("zombie_writes") < 3:
		return []string{"the zombie hardly wrote, so nothing was proved"}
	case r.figure("zombie_writes_kept") > 0:
		return []string{fmt.Sprintf("a worker wrote %v results of chats that were another's", r.figure("zombie_writes_kept"))}
	default:
		return nil
	}
}

// stallDatabase makes PostgreSQL slow and every tenant's setup new again and again, so that there are always chats whose
// worker still reads what it needs, and then lets it stand still.
func stallDatabase(ctx context.Context, r *run) error {
	r.PostgresProxy.Delay(50 * time.Millisecond)
	frozen := r.began.Add(r.length() / 2)
	for time.Now().Before(frozen) {
		_, err := ask(ctx, r.Stack, func(conn *pgx.Conn) (any, error) {
			return conn.Exec(ctx, "update tenants set revision = revision + 1")
		})
		if err != nil {
			return err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	at := time.Now()
	r.PostgresProxy.Freeze()
	if err := sleep(ctx, r.hold); err != nil {
		return err
	}
	r.mayRepeat(at.Add(-crashWindow), at.Add(2*time.Second)) // results of what was posted just then did not get through
	if err := r.PostgresProxy.Heal(); err != nil {
		return err
	}
	r.healed()
	return nil
}

// whileStalled allows for what both workers can have looked up and not yet ended at a moment.
func whileStalled(r *run) int { return 2 * r.rate }
