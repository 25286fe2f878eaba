package store

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

const slowQuery = 500 * time.Millisecond

// slowLog tells the log about slow queries and nothing else: errors go to the caller. Values never reach it,
// as long as nobody calls gorm's Scan, which writes them into the statement by itself.
type slowLog struct {
	log  *slog.Logger
	slow time.Duration
}

var (
	_ logger.Interface = slowLog{}
	// gorm asks a logger for this before it writes values into a statement's text.
	_ interface {
		ParamsFilter(ctx context.Context, sql string, params ...any) (string, []any)
	} = slowLog{}
)

// LogMode implements logger.Interface.
func (l slowLog) LogMode(logger.LogLevel) logger.Interface { return l }

// Info implements logger.Interface.
func (slowLog) Info(context.Context, string, ...any) {}

// Warn implements logger.Interface.
func (slowLog) Warn(context.Context, string, ...any) {}

// Error implements logger.Interface.
func (slowLog) Error(context.Context, string, ...any) {}

// ParamsFilter drops the values.
func (slowLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) { return sql, nil }

// Trace implements logger.Interface.
func (l slowLog) Trace(ctx context.Context, began time.Time, statement func() (string, int64), _ error) {
	if took := time.Since(began); took >= l.slow {
		sql, rows := statement()
		l.log.WarnContext(ctx, "slow query", "ms", took.Milliseconds(), "rows", rows, "sql", sql)
	}
}
