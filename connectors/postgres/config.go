package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"sidecard/connectors"
)

const (
	defaultPort = 5432
	lowestPort  = 1024 // below are other services, which Sidecard is no scanner for

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
	host, port, err := address(s)
	if err != nil {
		return nil, err
	}
	secure, err := tlsConfig(s, host)
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
	conn.Host, conn.Port = host, port
	conn.Database, conn.User, conn.Password = s.String("database", ""), s.String("user", ""), s.String("password", "")
	for name, v := range map[string]string{"database": conn.Database, "user": conn.User, "password": conn.Password} {
		if strings.ContainsRune(v, 0) { // it would end the value in the protocol, and what follows be read as more
			return nil, badSetting(name, "It holds a zero byte.", "Type it again.")
		}
	}
	conn.TLSConfig, conn.Fallbacks = secure, nil
	if secure == nil || secure.InsecureSkipVerify && secure.VerifyConnection == nil {
		conn.RequireAuth = "!password" // never in clear to somebody who did not prove who it is
	}
	// Poolers refuse start parameters that they do not know; these two they all know. What else a session
	// needs is set inside each transaction.
	conn.RuntimeParams = map[string]string{"application_name": "sidecard", "client_encoding": "UTF8"}
	conn.DialFunc, conn.LookupFunc, conn.AfterNetConnect = d.dialContext, d.lookupHost, shakeHands
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

// address gives the host, a DNS name or an IP address, and the port. It refuses what pgx would read as
// several hosts or as the folder of a socket.
func address(s connectors.Settings) (string, uint16, error) {
	host := s.String("host", "")
	if host == "" || len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") != "" {
		return "", 0, badSetting("host", "The host is neither a name nor an IP address.",
			"Enter it alone, as in db.example.com: no postgres://, no port, no user.")
	}
	if strings.ContainsRune(host, ':') {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", 0, badSetting("host", "The host holds a colon but is no IPv6 address.", "Enter the port in its own field.")
		}
	}
	port := s.Int("port", defaultPort)
	if port < lowestPort || port > 65535 {
		return "", 0, badSetting("port", "The port is not between 1024 and 65535.", "Enter the port of PostgreSQL, which is 5432 in most cases.")
	}
	return host, uint16(port), nil
}

// tlsConfig builds the protection of the connection; nil is none.
func tlsConfig(s connectors.Settings, host string) (*tls.Config, error) {
	var roots *x509.CertPool // nil: those of the system
	if text := strings.TrimSpace(s.String("ca_pem", "")); text != "" {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(text)) {
			return nil, badSetting("ca_pem", "The certificate authority holds no certificate in PEM form.",
				"Paste the whole file, with its lines BEGIN CERTIFICATE and END CERTIFICATE.")
		}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	switch mode := s.String("tls", "verify_full"); mode {
	case "verify_full":
	case "verify_ca":
		c.InsecureSkipVerify = true // VerifyConnection does all but compare the name
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, roots) }
	case "encrypt":
		c.InsecureSkipVerify = true
	case "off":
		return nil, nil
	default:
		return nil, badSetting("tls", "There is no such encryption.", "Choose one of the list.")
	}
	return c, nil
}

// shakeHands does what pgx leaves to the first write, so that its errors can be told from those of the
// protocol.
func shakeHands(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
	if secure, ok := conn.(*tls.Conn); ok {
		if err := secure.HandshakeContext(ctx); err != nil {
			return conn, &handshakeError{err}
		}
	}
	return conn, nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}

func badSetting(name, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: "postgres.setting", Field: name, Message: message, Fix: fix}
}
