package mysql

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"regexp"
	"strconv"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"

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

// Check implements connectors.Source. It uses one connection of its own: servers count connections that are given up
// before the sign-in, and shut out who makes many of them.
func (s *source) Check(ctx context.Context) (connectors.Report, error) {
	end, err := s.begin()
	if err != nil {
		return connectors.Report{}, err
	}
	defer end()
	c := &check{source: s, trying: stepFind}
	if s.door.way.Tunnelled() {
		c.trying = stepTunnel
	}
	failed := c.run(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return connectors.Report{}, ctx.Err()
	}
	if failed != nil {
		e := failure(ctx, failed)
		c.add(connectors.Step{
			State: connectors.StepFail, Name: c.trying, Detail: e.Message, Advice: e.Fix, Script: c.script, Suggest: append(c.suggest, e.Suggest...),
		})
	}
	return connectors.Report{Steps: c.steps}, nil
}

// check is one run of Check.
type check struct {
	*source
	steps  []connectors.Step
	trying string // the step that an error belongs to
	// What helps against the error.
	script  string
	suggest []connectors.Suggestion
}

func (c *check) add(s connectors.Step) { c.steps = append(c.steps, s) }

func (c *check) ok(name, detail string) {
	c.add(connectors.Step{Name: name, State: connectors.StepOK, Detail: detail})
}

func (c *check) warn(name, detail, advice string) {
	c.add(connectors.Step{Name: name, State: connectors.StepWarn, Detail: detail, Advice: advice})
}

func (c *check) run(ctx context.Context) error {
	opened, err := c.signIn(ctx)
	if err != nil {
		return err
	}
	defer opened.part()
	m, err := c.readTable(ctx, opened.read)
	if err != nil {
		return err
	}
	if err := c.findIndex(ctx, opened.read, m); err != nil {
		return err
	}
	return c.weighRights(ctx, opened.read)
}

// signIn opens a connection as lookups do, and notes how far it gets.
func (c *check) signIn(ctx context.Context) (*session, error) {
	opened, err := c.connect(ctx, c.reached)
	var server *mysqldriver.MySQLError
	if errors.As(err, &server) {
		c.trying = stepSignIn // it may have refused us before it would have encrypted
	}
	if connectors.IsForbidden(err) {
		c.trying, c.steps = stepFind, nil // whether it is resolved or refused later must look the same
	}
	if err != nil {
		return nil, err
	}
	product := "MySQL "
	if opened.mariadb {
		product = "MariaDB "
	}
	c.ok(stepSignIn, "Signed in to database "+c.choice.database+" as "+c.config.User+" ("+product+version(opened.line.version)+").")
	return opened, nil
}

// reached notes that a stage of the connection is behind us.
func (c *check) reached(s stage, state *tls.ConnectionState) {
	switch s {
	case stageFound:
		if c.door.way.Tunnelled() {
			c.ok(stepTunnel, "The SSH server lets Sidecard in, and is the one that is trusted.")
		} else {
			c.ok(stepFind, c.door.host+" is found.")
		}
		c.trying = stepReach
	case stageReached:
		c.ok(stepReach, "Port "+c.door.port+" answers.")
		c.trying = stepEncrypt
	case stageSecured:
		c.encrypted(state)
		c.trying = stepSignIn
	}
}

var (
	// Old programs take a server for one of their time; MariaDB tells them a version of MySQL first.
	disguise    = regexp.MustCompile(`^5\.5\.5-`)
	versionForm = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3})*`)
)

// version reads the version of a greeting: 8.4.2, or 10.11.6 of 5.5.5-10.11.6-MariaDB.
func version(greeting string) string {
	return versionForm.FindString(disguise.ReplaceAllString(greeting, ""))
}

// readTable finds the table and asks it for an address that nobody has.
func (c *check) readTable(ctx context.Context, run reader) (*mapping, error) {
	c.trying = stepRead
	t, err := c.table(ctx, run)
	if err != nil {
		return nil, errors.Join(err, c.suggestTables(ctx, run))
	}
	m, err := c.choice.in(t)
	if err != nil {
		if guess, ok := t.emailColumn(); ok {
			c.suggest = append(c.suggest, connectors.Suggestion{Setting: "email_column", Value: guess.name, Label: "Use the column “" + guess.name + "”"})
		}
		return nil, err
	}
	if _, err := find(ctx, run, m, connectors.Query{Email: nobody}); err != nil {
		return nil, err
	}
	if gone := c.choice.gone(t); len(gone) > 0 {
		c.warn(stepRead, "These chosen columns are gone, or the user may not read them: "+strings.Join(gone, ", ")+".",
			"Choose the columns again, or grant SELECT on them. Cards go on without them.")
		return m, nil
	}
	detail := "1 column can be shown."
	if n := len(m.columns); n != 1 {
		detail = strconv.Itoa(n) + " columns can be shown."
	}
	if !m.email.ignoresCase() {
		detail += " Capitals count in this column: addresses are found if they are stored in small letters, or as the visitor types them."
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

// suggestTables offers the tables that look as if they held visitors, and the script that lets the user read.
func (c *check) suggestTables(ctx context.Context, run reader) error {
	const most = 5
	tables, err := catalog(ctx, run, c.choice.database, "")
	if err != nil {
		return err
	}
	for _, t := range tables {
		if email, ok := t.emailColumn(); ok && len(c.suggest) < most {
			c.suggest = append(c.suggest, connectors.Suggestion{Setting: "table", Value: t.name, Label: t.name + " (address column “" + email.name + "”)"})
		}
	}
	return run(ctx, query{text: "SELECT CURRENT_USER()"}, func(row []driver.Value) error {
		if len(row) != 1 {
			return errShape
		}
		if c.choice.table != "" || len(tables) == 0 {
			c.script = c.choice.grant(account(textOf(row[0])))
		}
		return nil
	})
}

func (c *check) encrypted(state *tls.ConnectionState) {
	switch {
	case state == nil:
		c.warn(stepEncrypt, "The connection is not encrypted.",
			"Switch encryption on, unless the network between Sidecard and the server is private.")
	case !reach.Proves(c.secure):
		shown := reach.Fingerprint(state)
		c.add(connectors.Step{
			Name: stepEncrypt, State: connectors.StepWarn,
			Detail:  "The connection is encrypted with " + tls.VersionName(state.Version) + ", but the server has not proved who it is. Its certificate has the fingerprint " + shown + ".",
			Advice:  "Trust this certificate, if it is your server's. Whoever else answers in its place could learn the password.",
			Suggest: reach.Trust(shown),
		})
	default:
		c.ok(stepEncrypt, "The connection is encrypted with "+tls.VersionName(state.Version)+", and the server has proved who it is.")
	}
}
