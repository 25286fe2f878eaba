package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// The names of the steps.
const (
	stepTunnel  = "Open the tunnel"
	stepFind    = "Find the server"
	stepReach   = "Reach it"
	stepEncrypt = "Encrypt"
	stepSignIn  = "Sign in"
	stepRead    = "Read the table"
	stepIndex   = "Index"
	stepRights  = "Least privilege"
)

// partTime is what saying goodbye to the server may take.
const partTime = 500 * time.Millisecond

// Check implements connectors.Source. It uses a connection of its own.
func (s *source) Check(ctx context.Context) (connectors.Report, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Report{}, err
	}
	defer end()
	c := &check{source: s}
	failed := c.run(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return connectors.Report{}, ctx.Err()
	}
	if failed != nil {
		e := failure(ctx, failed)
		c.steps = append(c.steps, connectors.Step{
			Name: c.trying, State: connectors.StepFail, Detail: e.Message, Advice: e.Fix, Script: e.Script, Suggest: e.Suggest,
		})
	}
	return connectors.Report{Steps: c.steps}, nil
}

// check is one run of Check.
type check struct {
	*source
	steps  []connectors.Step
	trying string // the step that an error belongs to
	tls    *tls.ConnectionState
}

func (c *check) step(state connectors.StepState, name, detail, advice string) {
	c.steps = append(c.steps, connectors.Step{Name: name, State: state, Detail: detail, Advice: advice})
}

func (c *check) ok(name, detail string) { c.step(connectors.StepOK, name, detail, "") }

func (c *check) run(ctx context.Context) error {
	if err := c.reach(ctx); err != nil {
		return err
	}
	conn, err := c.signIn(ctx)
	if err != nil {
		return err
	}
	defer part(ctx, conn)
	run := func(ctx context.Context, query string, args []any, each take) error {
		return read(ctx, conn, query, args, each)
	}
	m, err := c.readTable(ctx, run)
	if err != nil {
		return err
	}
	if err := c.findIndex(ctx, run, m); err != nil {
		return err
	}
	return c.weighRights(ctx, run, m)
}

// part closes the connection, if need be after the caller's time is over.
func part(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partTime)
	defer cancel()
	_ = conn.Close(ctx) // what was asked for is known; the door cuts what does not part
}

// reach resolves the name and connects, to no more than that.
func (c *check) reach(ctx context.Context) error {
	conf := c.config.ConnConfig
	if c.door.way.Tunnelled() {
		c.trying = stepTunnel
		if err := c.door.way.Open(ctx); err != nil {
			return err
		}
		c.ok(stepTunnel, "The SSH server lets Sidecard in, and is the one that is trusted.")
		c.trying = stepReach
		return c.reachAny(ctx, []string{conf.Host})
	}
	c.trying = stepFind
	addresses, err := c.door.way.Resolve(ctx, conf.Host)
	if err != nil {
		return err
	}
	err = c.reachAny(ctx, addresses)
	if connectors.IsForbidden(err) {
		c.trying = stepFind // whether it is resolved or refused later must look the same
		return err
	}
	c.steps = slices.Insert(c.steps, 0, connectors.Step{Name: stepFind, State: connectors.StepOK, Detail: conf.Host + " is found."})
	return err
}

// reachAny connects to the first address that answers.
func (c *check) reachAny(ctx context.Context, addresses []string) (err error) {
	c.trying = stepReach
	port := strconv.Itoa(int(c.config.ConnConfig.Port))
	for _, address := range addresses {
		var conn net.Conn
		if conn, err = c.timedDial(ctx, net.JoinHostPort(address, port)); err == nil {
			conn.Close()
			c.ok(stepReach, "Port "+port+" answers.")
			return nil
		}
		if connectors.IsForbidden(err) {
			return err
		}
	}
	return err
}

func (c *check) timedDial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return c.door.dialContext(ctx, "tcp", address)
}

// signIn encrypts and signs in with the very configuration that lookups use.
func (c *check) signIn(ctx context.Context) (*pgx.Conn, error) {
	c.trying = stepEncrypt
	conf := c.config.ConnConfig.Copy()
	conf.AfterNetConnect = func(ctx context.Context, conf *pgconn.Config, conn net.Conn) (net.Conn, error) {
		conn, err := shakeHands(ctx, conf, conn)
		if err != nil {
			return conn, err
		}
		c.trying = stepSignIn
		if secure, ok := conn.(*tls.Conn); ok {
			state := secure.ConnectionState()
			c.tls = &state
		}
		return conn, nil
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if c.trying == stepSignIn {
		c.encrypted(conf.TLSConfig)
	}
	if err != nil {
		return nil, err
	}
	detail := "Signed in to database " + conf.Database + " as " + conf.User
	if v := version.FindString(conn.PgConn().ParameterStatus("server_version")); v != "" {
		detail += " (PostgreSQL " + v + ")"
	}
	c.ok(stepSignIn, detail+".")
	return conn, nil
}

var version = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3})*`)

func (c *check) encrypted(conf *tls.Config) {
	if conf == nil || c.tls == nil {
		c.step(connectors.StepWarn, stepEncrypt, "The connection is not encrypted.",
			"Switch encryption on, unless the network between Sidecard and the server is private.")
		return
	}
	with := "The connection is encrypted with " + tls.VersionName(c.tls.Version)
	if !reach.Proves(conf) {
		shown := reach.Fingerprint(c.tls)
		c.steps = append(c.steps, connectors.Step{
			Name: stepEncrypt, State: connectors.StepWarn,
			Detail:  with + ", but the server has not proved who it is. Its certificate has the fingerprint " + shown + ".",
			Advice:  "Choose “Verify certificate and name”, with the certificate of your server's authority if it has its own. Or compare the fingerprint with the server's certificate, and trust exactly this one.",
			Suggest: reach.Trust(shown),
		})
		return
	}
	c.ok(stepEncrypt, with+", and the server has proved who it is.")
}

// readTable finds the table and asks it for an address that nobody has.
func (c *check) readTable(ctx context.Context, run reader) (*mapping, error) {
	c.trying = stepRead
	if c.choice.table == "" {
		return nil, c.suggest(ctx, run)
	}
	t, err := c.table(ctx, run)
	if err != nil {
		return nil, err
	}
	m, err := c.choice.in(t)
	if err != nil {
		return nil, err
	}
	if _, err := find(ctx, run, m, connectors.Query{Email: "nobody@sidecard.invalid"}); err != nil {
		return nil, err
	}
	if gone := c.choice.gone(t); len(gone) > 0 {
		c.step(connectors.StepWarn, stepRead, "These chosen columns are gone, or the user may not read them: "+strings.Join(gone, ", ")+".",
			"Choose the columns again, or grant SELECT on them. Cards go on without them.")
		return m, nil
	}
	detail := "1 column can be shown."
	if n := len(m.columns); n != 1 {
		detail = strconv.Itoa(n) + " columns can be shown."
	}
	c.ok(stepRead, c.choice.name()+" is found by its column “"+m.email.name+"”. "+detail)
	return m, nil
}

// gone lists the chosen columns that the table does not have.
func (c choice) gone(t table) []string {
	var gone []string
	for _, name := range c.columns {
		if _, ok := t.column(name); !ok {
			gone = append(gone, name)
		}
	}
	return gone
}

// suggest offers the tables that look as if they held visitors.
func (c *check) suggest(ctx context.Context, run reader) error {
	const most = 5
	tables, err := catalog(ctx, run, "", "")
	if err != nil {
		return err
	}
	e := misconfigured("postgres.no_table", "table", "No table is chosen yet.", "Choose the table or view with your visitors and its column of addresses.")
	if len(tables) == 0 {
		e.Fix = "There is no table yet that the user may read. Run this as an administrator, with the name of yours."
		e.Script = c.grants(c.config.ConnConfig.User, nil)
		return e
	}
	var elsewhere []string
	for _, t := range tables {
		email, ok := t.emailColumn()
		switch {
		case !ok:
		case t.schema != c.choice.schema:
			elsewhere = append(elsewhere, t.schema+"."+t.name)
		case len(e.Suggest) < most:
			e.Suggest = append(e.Suggest, connectors.Suggestion{Setting: "table", Value: t.name, Label: t.name + " (address column “" + email.name + "”)"})
		}
	}
	if len(elsewhere) > 0 {
		e.Fix += " Tables of other schemas that seem to hold addresses: " + strings.Join(elsewhere[:min(len(elsewhere), most)], ", ") + "."
	}
	return e
}
