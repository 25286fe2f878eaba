package postgres

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// kind is what reach needs to know about PostgreSQL.
var kind = reach.Kind{Name: "postgres", Scheme: "postgres://", Port: 5432, Server: "PostgreSQL", Listen: "listen_addresses"}

const (
	// maxAnswer bounds what one message of the server, and all rows of one query together, may make us hold.
	// pgx has no bound of its own.
	maxAnswer      = 8 << 20
	connectTimeout = 2 * time.Second
	// maxConns per source and process: tenants' servers have few connections to give.
	maxConns = 2
)

// pinned names every parameter that pgx would else take from PG… variables or from files in the home
// folder. All that matter are overwritten below; here they are only kept from being read. PGSERVICE alone
// cannot be overruled: with it set, parsing fails, and no source is opened.
const pinned = "host=localhost port=5432 database=unset user=unset password=unset passfile='' servicefile='' " +
	"application_name='' options='' timezone='' connect_timeout=2 " +
	"sslmode=disable sslcert='' sslkey='' sslpassword='' sslrootcert='' sslcertmode=allow sslsni=1 sslnegotiation=postgres " +
	"target_session_attrs=any min_protocol_version=3.0 max_protocol_version=3.0 channel_binding=prefer require_auth=''"

// config builds the pool's configuration from typed settings.
func (d *door) config(s connectors.Settings) (*pgxpool.Config, error) {
	host, port, err := kind.Address(s)
	if err != nil {
		return nil, err
	}
	secure, err := kind.TLS(s, host)
	if err != nil {
		return nil, err
	}
	c, parseErr := pgxpool.ParseConfig(pinned)
	if parseErr != nil {
		return nil, &connectors.Error{
			Class: connectors.Bug, Code: "postgres.environment",
			Message: "Sidecard is not set up to connect to PostgreSQL sources.",
			Fix:     "Ask the operator to remove the variable PGSERVICE from Sidecard's environment.", Err: parseErr,
		}
	}
	conn := c.ConnConfig
	conn.Host, conn.Port = host, uint16(port)
	conn.Database, conn.User, conn.Password = s.String("database", ""), s.String("user", ""), s.String("password", "")
	for name, v := range map[string]string{"database": conn.Database, "user": conn.User, "password": conn.Password} {
		if strings.ContainsRune(v, 0) { // it would end the value in the protocol, and what follows be read as more
			return nil, kind.BadSetting(name, "It holds a zero byte.", "Type it again.")
		}
	}
	conn.TLSConfig, conn.Fallbacks = secure, nil
	if !reach.Proves(secure) {
		conn.RequireAuth = "!password" // never in clear to somebody who did not prove who it is
	}
	// Poolers refuse start parameters that they do not know; these two they all know. What else a session
	// needs is set inside each transaction.
	conn.RuntimeParams = map[string]string{"application_name": "sidecard", "client_encoding": "UTF8"}
	conn.DialFunc, conn.LookupFunc, conn.AfterNetConnect = d.dialContext, d.way.Resolve, shakeHands
	conn.ConnectTimeout = connectTimeout
	conn.MaxProtocolMessageBodyLen = maxAnswer
	conn.DefaultQueryExecMode = pgx.QueryExecModeExec // no named statements, which poolers lose
	conn.StatementCacheCapacity, conn.DescriptionCacheCapacity = 0, 0

	c.MaxConns, c.MinConns = maxConns, 0
	c.MaxConnIdleTime, c.HealthCheckPeriod = 2*time.Minute, 30*time.Second
	c.MaxConnLifetime, c.MaxConnLifetimeJitter = 20*time.Minute, 2*time.Minute
	c.PingTimeout = time.Second
	return c, nil
}

// shakeHands does what pgx leaves to the first write, so that its errors can be told from those of the
// protocol.
func shakeHands(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
	if secure, ok := conn.(*tls.Conn); ok {
		if err := secure.HandshakeContext(ctx); err != nil {
			return conn, &reach.HandshakeError{Err: err}
		}
	}
	return conn, nil
}
