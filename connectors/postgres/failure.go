package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// misconfigured makes an error that the tenant mends in the settings or on the server.
func misconfigured(code, field, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: code, Field: field, Message: message, Fix: fix}
}

// serverError stands for an error of the server in logs. Text and details of the server's own are left out:
// they may quote the visitor's address.
type serverError string

func (e serverError) Error() string { return "server answered SQLSTATE " + string(e) }

// told is what the tenant is told about an SQLSTATE.
type told struct {
	class        connectors.Class
	field        string
	message, fix string
}

const (
	again    = "Try again in a moment."
	reselect = "Look at the settings again: the table may have been changed or renamed."
	ourFault = "Try again; if it stays, tell us."
)

// states are the errors that have a meaning of their own. See appendix A of PostgreSQL's manual.
var states = map[string]told{
	"08P01": {connectors.Misconfigured, "port", "The server or its pooler does not take connections of this kind.", "Check host and port; for a pooler, use its transaction mode."},
	"22P02": {connectors.Misconfigured, "email_column", "The address column cannot be compared with a text.", "Choose the column that holds the visitor's e-mail address."},
	"25006": {connectors.Bug, "", "The server refused a change that Sidecard did not mean to make.", ourFault},
	"25P03": {connectors.Transient, "", "The server ended an idle transaction.", again},
	"25P04": {connectors.Transient, "", "The server ended a transaction that took too long.", again},
	"28000": {connectors.Misconfigured, "user", "The server does not let this user in from here.", "Add a line for this user, this database and Sidecard's address to pg_hba.conf (hostssl … scram-sha-256), and check that the role may log in."},
	"28P01": {connectors.AuthRevoked, "password", "User or password is wrong.", "Enter user and password again. They are those of the database, not of your hosting account."},
	"3D000": {connectors.Misconfigured, "database", "There is no database of this name on the server.", "Check the name of the database; capitals count."},
	"3F000": {connectors.Misconfigured, "schema", "There is no schema of this name.", reselect},
	"42501": {connectors.Misconfigured, "table", "The user may not read what is chosen.", "Grant SELECT on the table and USAGE on its schema to the user."},
	"42601": {connectors.Bug, "", "The server did not understand Sidecard's question.", ourFault},
	"42703": {connectors.Misconfigured, "columns", "A column is gone or was renamed.", reselect},
	"42883": {connectors.Misconfigured, "email_column", "The address column is no text.", "Choose the column that holds the visitor's e-mail address."},
	"42P01": {connectors.Misconfigured, "table", "The table is gone or was renamed.", reselect},
	"53300": {connectors.RateLimited, "", "The server has no connection left for Sidecard.", "Raise the connection limit of the role or the server, or connect through a pooler."},
	"55P03": {connectors.Transient, "", "The table is locked by something else.", again},
	"57014": {connectors.Transient, "", "The query took longer than 3 seconds and was ended.", "Add the index that the check names; a view may have to be made simpler."},
	"57P01": {connectors.Transient, "", "The server is being shut down.", again},
	"57P02": {connectors.Transient, "", "The server has crashed and restarts.", again},
	"57P03": {connectors.Transient, "", "The server is starting up.", again},
}

// byGroup answers for the other errors of a group, the first two characters of the SQLSTATE.
var byGroup = map[string]told{
	"08": {connectors.Transient, "", "The connection to the server broke off.", again},
	"22": {connectors.Misconfigured, "columns", "A value in the table cannot be read as text.", "Leave out columns of unusual types, or make a view that turns them into text."},
	"25": {connectors.Bug, "", "The server is in a state that should not be.", ourFault},
	"28": {connectors.Misconfigured, "user", "The server does not let this user in.", "Check the user and the server's rules for signing in."},
	"40": {connectors.Transient, "", "The server gave up this query for another one.", again},
	"42": {connectors.Misconfigured, "table", "The server cannot answer this question about the table.", reselect},
	"53": {connectors.Transient, "", "The server is short of memory, disk or connections.", "Look at the server's load."},
	"55": {connectors.Transient, "", "The server is not ready for this query.", again},
	"57": {connectors.Transient, "", "The server ended the query.", again},
	"58": {connectors.Transient, "", "The server has trouble with its own files.", "Look at the server's log."},
}

// ofState gives the error for an SQLSTATE.
func ofState(state string, signingIn bool) *connectors.Error {
	if !stateForm.MatchString(state) {
		state = "invalid" // whatever the server sent instead, it goes nowhere
	}
	t, ok := states[state]
	if !ok {
		t, ok = byGroup[state[:2]]
	}
	switch {
	case signingIn && (!ok || state == "08P01"):
		// Poolers say no more than this when user, password or database is wrong.
		t = told{connectors.AuthRevoked, "user", "The server or its pooler refuses to sign Sidecard in.", "Check user, password and database. Some poolers want the project in the user's name, as in user.project."}
	case !ok:
		t = told{connectors.Bug, "", "The server answered with an error that Sidecard does not know.", "Look at the server's log for SQLSTATE " + state + "."}
	}
	e := &connectors.Error{Class: t.class, Code: "postgres." + state, Field: t.field, Message: t.message, Fix: t.fix, Err: serverError(state)}
	if e.Class == connectors.RateLimited {
		e.RetryAfter = 5 * time.Second
	}
	return e
}

var stateForm = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// failure gives every error a class, a sentence and a way out, and keeps of its cause what may be logged.
func failure(ctx context.Context, err error) *connectors.Error {
	var own *connectors.Error
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &own):
		return own
	case connectors.IsForbidden(err):
		return connectors.ForbiddenError(errRefused)
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	case errors.As(err, &server):
		return ofState(server.Code, errors.As(err, &connect))
	}
	if e := onTheWay(err); e != nil {
		return e
	}
	var long *pgproto3.ExceededMaxBodyLenErr
	switch {
	case errors.As(err, &long), errors.Is(err, errTooLarge):
		return &connectors.Error{
			Class: connectors.Misconfigured, Code: "postgres.too_large", Field: "columns",
			Message: "The server's answer is larger than 8 MB.", Fix: "Choose the columns that agents need and leave out the large ones.", Err: errTooLarge,
		}
	case errors.As(err, &connect):
		return &connectors.Error{
			Class: connectors.Misconfigured, Code: "postgres.protocol", Field: "port",
			Message: "What answers there does not speak PostgreSQL as Sidecard does.",
			Fix:     "Check host and port. The server must offer SCRAM or MD5 passwords, or TLS with a verified certificate.",
			Err:     fmt.Errorf("connect: %T", errors.Unwrap(connect)),
		}
	}
	return &connectors.Error{
		Class: connectors.Bug, Code: "postgres.unexpected", Message: "The server answered in a way Sidecard does not understand.",
		Fix: ourFault, Err: fmt.Errorf("unexpected %T", err),
	}
}

var errRefused = errors.New("the guarded way out refused the address")

// onTheWay is for what goes wrong before the server speaks PostgreSQL; nil when it is something else.
func onTheWay(err error) *connectors.Error {
	if e := kind.Failure(err); e != nil {
		return e
	}
	switch {
	case strings.Contains(err.Error(), "server refused TLS connection"): // pgx has no type for it
		return kind.Failure(reach.ErrNoTLS)
	case pgconn.Timeout(err):
		return kind.Failure(context.DeadlineExceeded)
	case errors.Is(err, pgconn.ErrConnClosed):
		return kind.Failure(net.ErrClosed)
	}
	return nil
}

// isDrift tells that the table is not any more as the catalog said.
func isDrift(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "42703" || server.Code == "42P01" || server.Code == "42501" || server.Code == "42883")
}

// isUnstorable tells that the address has a character which the server's encoding lacks: nobody there has it.
func isUnstorable(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "22P05" || server.Code == "22021")
}
