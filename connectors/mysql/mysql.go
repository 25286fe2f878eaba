// Package mysql is the connector for a table or view in the tenant's own MySQL or MariaDB.
//
// Its one question is fixed: the row whose address is the visitor's. It takes no connection string and no SQL from
// anybody; names of tables and columns are used only if the server's catalog has them, and quoted; the address is bound.
// Every question runs in a read-only transaction with limits on time and size. That is no protection against a user who
// may write, so Check says how to make one who may not.
//
// The server is not trusted either: it gets no file and no password in clear, and what it may make us hold is bounded.
// The package reaches it only through the guarded dialer and resolver.
package mysql

import (
	"context"
	"crypto/tls"
	_ "embed" // the settings and the guide
	"slices"
	"sync"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

//go:embed settings.json
var settings []byte

//go:embed guide.md
var guide string

// New returns the connector. Its sources share a bound on the connections that they keep.
func New() connectors.Connector {
	return connector{pools: reach.NewKeeper(reach.MostHolders, reach.IdleTime)}
}

type connector struct{ pools *reach.Keeper }

// Spec implements connectors.Connector.
func (connector) Spec() connectors.Spec {
	return connectors.Spec{
		Kind: "mysql", Name: "MySQL or MariaDB", Summary: "Shows visitors from a table or view of your database.", Version: 1,
		Settings: slices.Clone(settings), Guide: guide,
	}
}

// choice is what the tenant chose to read.
type choice struct {
	database, table, email, orderBy string
	columns                         []string // nil = all that are readable
}

func choiceOf(s connectors.Settings) choice {
	return choice{
		database: s.String("database", ""), table: s.String("table", ""), email: s.String("email_column", ""),
		orderBy: s.String("order_by", ""), columns: s.Strings("columns"),
	}
}

// Open implements connectors.Connector. Its errors are about settings that a schema cannot judge.
func (c connector) Open(_ context.Context, in connectors.OpenInput) (connectors.Source, error) {
	s := &source{choice: choiceOf(in.Settings), now: in.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.configure(in); err != nil {
		return nil, err
	}
	s.pool = newPool(c.pools, s.now, func(ctx context.Context) (*session, error) { return s.connect(ctx, ignore) })
	return s, nil
}

// ignore is a witness who tells nobody.
func ignore(stage, *tls.ConnectionState) {}

// source is one tenant's table.
type source struct {
	door   *door
	secure *tls.Config // nil = no TLS
	config *driver.Config
	choice choice
	now    func() time.Time
	pool   *pool

	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup // of the pool; grows under mu and while not closed

	known remembered
}

var _ connectors.Discoverer = (*source)(nil)

// begin registers a use of the source; the caller ends it.
func (s *source) begin() (end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &connectors.Error{Class: connectors.Canceled, Code: "mysql.closed", Message: "The lookup was stopped."}
	}
	s.users.Add(1)
	return s.users.Done, nil
}

// Close implements connectors.Source. It waits for lookups under way, which end by their own deadlines.
func (s *source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.users.Wait()
	s.pool.close()
	s.door.way.Close()
	return nil
}
