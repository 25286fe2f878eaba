package store

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/internal/hub"
)

// LogEverything makes every query of a store count as slow. It ends the store's own chores first.
func LogEverything(s *Store, log *slog.Logger) {
	StopChores(s)
	s.writer.Logger, s.reader.Logger = slowLog{log, 0}, slowLog{log, 0}
}

// RemoveStaleImports runs what the store does once an hour.
func RemoveStaleImports(ctx context.Context, s *Store) { s.removeStaleImports(ctx) }

// SessionSettings reads a pooled connection's settings outside any gate.
func SessionSettings(ctx context.Context, s *Store) (tenant, user string, err error) {
	row := s.writer.WithContext(ctx).Raw("select coalesce(current_setting('app.tenant_id', true), ''), coalesce(current_setting('app.user_id', true), '')").Row()
	return tenant, user, row.Scan(&tenant, &user)
}

// AcceptGroup runs accept once for many chats, without waiting for a group.
func AcceptGroup(ctx context.Context, s *Store, chats []hub.Arrival) error {
	_, err := s.verbs.accept(ctx, chats)
	return err
}

// FinishGroup is the same for finish.
func FinishGroup(ctx context.Context, s *Store, ends []hub.Finish) ([]hub.Grip, error) {
	return s.verbs.finish(ctx, ends)
}

// QueueSettings are those of the queue's connections.
var QueueSettings = queueSettings

// QueueOver is a store's queue alone, over a pool of the test's own.
func QueueOver(pool *pgxpool.Pool) *Store { return &Store{queue: newQueue(postgresVerbs{pool})} }

// StopChores ends what the store does by itself now and then.
func StopChores(s *Store) {
	s.stop()
	s.chores.Wait()
}

// Purge runs what the store does once a minute.
func Purge(ctx context.Context, s *Store) { s.purge(ctx) }

// Forget runs what the store does once a minute.
func Forget(ctx context.Context, s *Store) { s.forget(ctx) }
