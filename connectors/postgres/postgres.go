// Package postgres is the connector for a table or view in the tenant's own PostgreSQL.
//
// Its one question is fixed: the row whose address is the visitor's. It takes no connection string and no
// SQL from anybody; names of tables and columns are used only if the server's catalog has them, and quoted.
// Every statement runs in a read-only transaction with limits on time, on locks and on size. That is no
// protection against a role that may write, so Check says how to make one that may not.
//
// The package takes nothing from the environment or the disk, however they are set up for other programs,
// and reaches the server only through the guarded dialer and resolver.
package postgres

import (
	"context"
	_ "embed" // the settings and the guide
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

//go:embed settings.json
var settings []byte

//go:embed guide.md
var guide string

// New returns the connector. All of its sources together keep pools open for 256 tenants at most.
func New() connectors.Connector { return connector{reach.NewKeeper(reach.MostHolders, reach.IdleTime)} }

type connector struct{ pools *reach.Keeper }

// Spec implements connectors.Connector.
func (connector) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "postgres", Name: "PostgreSQL", Summary: "Shows visitors from a table or view of your database.", Version: 1,
		Settings: slices.Clone(settings), Guide: guide,
	}
}

// Open implements connectors.Connector. Its errors are about settings that a schema cannot judge.
func (c connector) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	way, err := kind.Way(in)
	if err != nil {
		return nil, err
	}
	s := &source{pools: c.pools, door: &door{way: way}, choice: choiceOf(in.Settings), now: in.Now}
	if s.now == nil {
		s.now = time.Now
	}
	config, err := s.door.config(in.Settings)
	if err != nil {
		return nil, err
	}
	s.config = config
	return s, nil
}

// choice is what the tenant chose to read.
type choice struct {
	schema, table, email, orderBy string
	columns                       []string // nil = all that are readable
	exact                         bool
}

func choiceOf(s connectors.Settings) choice {
	c := choice{
		schema: s.String("schema", ""), table: s.String("table", ""), email: s.String("email_column", ""),
		orderBy: s.String("order_by", ""), columns: s.Strings("columns"), exact: s.Bool("exact_match", false),
	}
	if c.schema == "" {
		c.schema = "public"
	}
	return c
}

// source is one tenant's table. Its pool is made by the first lookup, and again after it was let go.
type source struct {
	pools  *reach.Keeper
	door   *door
	config *pgxpool.Config
	choice choice
	now    func() time.Time

	mu      sync.Mutex
	pool    *pgxpool.Pool
	closed  bool
	users   sync.WaitGroup // of the pool; grows under mu and while not closed
	parting sync.WaitGroup // pools that were let go and are being closed

	known remembered
}

var _ connectors.Discoverer = (*source)(nil)

// begin registers a use of the source; the caller ends it.
func (s *source) begin() (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &connectors.Error{Class: connectors.Canceled, Code: "postgres.closed", Message: "The lookup was stopped."}
	}
	s.users.Add(1)
	return s.users.Done, nil
}

// connections gives the pool. The source is in use.
func (s *source) connections() (*pgxpool.Pool, error) {
	s.pools.Used(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil {
		return s.pool, nil
	}
	// The context only lends values to connections made ahead, and none are.
	pool, err := pgxpool.NewWithConfig(context.Background(), s.config)
	if err != nil {
		return nil, err
	}
	s.pool = pool
	return pool, nil
}

// LetGo implements reach.Holder. Lookups that have a connection go on with it.
func (s *source) LetGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool == nil || s.closed {
		return
	}
	pool := s.pool
	s.pool = nil
	s.parting.Go(pool.Close) // it waits for the connections that are in use
}

// Close implements connectors.Source. It waits for lookups under way, which end by their own deadlines, and
// for nothing else: connections that are still being made, cancelled or said goodbye to are cut.
func (s *source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.pools.Forget(s)
	s.users.Wait()
	s.door.shut()
	s.parting.Wait()
	if s.pool != nil { // nobody writes it any more
		s.pool.Close()
	}
	return nil
}
