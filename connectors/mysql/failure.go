package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"sidecard/connectors"
)

// misconfigured makes an error that the tenant mends in the settings or on the server.
func misconfigured(code, field, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: code, Field: field, Message: message, Fix: fix}
}

// serverError stands for an error of the server in logs. The server's own text is left out: it may quote the visitor's
// address.
type serverError uint16

func (e serverError) Error() string { return "server answered error " + strconv.Itoa(int(e)) }

// told is what the tenant is told about an error of the server.
type told struct {
	class        connectors.Class
	field        string
	message, fix string
}

const (
	again     = "Try again in a moment."
	reselect  = "Look at the settings again: the table may have been changed or renamed."
	ourFault  = "Try again; if it stays, tell us."
	fewerFix  = "Raise max_connections of the server, or MAX_USER_CONNECTIONS of the user."
	signInFix = "Enter user and password again. They are those of the database, not of your hosting account. The user must be allowed to sign in from Sidecard's address, as 'name'@'%' is."
)

// numbers are the errors that have a meaning of their own. See "Server Error Message Reference" of MySQL, and "MariaDB
// Error Codes"; from 1000 to 1800 both are the same.
var numbers = map[uint16]told{
	1021: {connectors.Transient, "", "The server's disk is full.", "Make room on the server."},
	1037: {connectors.Transient, "", "The server is short of memory.", "Look at the server's load."},
	1038: {connectors.Transient, "", "The server is short of memory.", "Look at the server's load."},
	1040: {connectors.RateLimited, "", "The server has no connection left for Sidecard.", fewerFix},
	1041: {connectors.Transient, "", "The server is short of memory.", "Look at the server's load."},
	1043: {connectors.Misconfigured, "port", "The server does not take connections of this kind.", "Check host and port."},
	1044: {connectors.Misconfigured, "database", "The user may not use this database.", "Check the name of the database, and grant SELECT on its table to the user."},
	1045: {connectors.AuthRevoked, "password", "User or password is wrong, or the user may not sign in this way.", signInFix + " Some users must use encryption."},
	1047: {connectors.Transient, "", "The server is not ready, as a cluster is that has lost its other members.", again},
	1049: {connectors.Misconfigured, "database", "There is no database of this name on the server.", "Check the name of the database; capitals count on most servers."},
	1053: {connectors.Transient, "", "The server is being shut down.", again},
	1054: {connectors.Misconfigured, "columns", "A column is gone or was renamed.", reselect},
	1064: {connectors.Bug, "", "The server did not understand Sidecard's question.", ourFault},
	1129: {connectors.Misconfigured, "host", "The server shuts Sidecard's address out after failed connections.", "Run FLUSH HOSTS as an administrator, and raise max_connect_errors."},
	1130: {connectors.Misconfigured, "user", "The server does not let anybody in from Sidecard's address.", "Make a user for that address or for all, as 'name'@'%' is."},
	1142: {connectors.Misconfigured, "table", "The user may not read what is chosen.", "Grant SELECT on the table to the user."},
	1143: {connectors.Misconfigured, "columns", "The user may not read a column that is chosen.", "Grant SELECT on the columns to the user, or choose fewer."},
	1146: {connectors.Misconfigured, "table", "The table is gone or was renamed.", reselect},
	1193: {connectors.Misconfigured, "host", "The server is older than MySQL 5.6 or MariaDB 10.1, or a proxy that lacks a setting.", "Update the server, or connect past the proxy."},
	1203: {connectors.RateLimited, "", "The user has no connection left for Sidecard.", fewerFix},
	1205: {connectors.Transient, "", "The table is locked by something else.", again},
	1213: {connectors.Transient, "", "The server gave up this query for another one.", again},
	1226: {connectors.RateLimited, "", "The user has used up what the server allows it.", "Raise the user's limits, such as MAX_USER_CONNECTIONS or MAX_QUERIES_PER_HOUR."},
	1251: {connectors.Misconfigured, "user", "The user signs in by a method that is too old to be safe.", methodFix},
	1267: {connectors.Misconfigured, "email_column", "The address column cannot be compared with a text.", "Choose the column that holds the visitor's e-mail address."},
	1290: {connectors.Bug, "", "The server refused a change that Sidecard did not mean to make.", ourFault},
	1317: {connectors.Transient, "", "The query was ended on the server.", again},
	1356: {connectors.Misconfigured, "table", "The view does not work: something that it reads is gone, or its owner may not read it.", "Make the view again."},
	1524: {connectors.Misconfigured, "user", "The server lacks the method by which this user signs in.", methodFix},
	1698: {connectors.AuthRevoked, "user", "This user signs in without a password, on the server itself only.", "Make a user with a password for Sidecard; the guide has the script."},
	1792: {connectors.Bug, "", "The server refused a change that Sidecard did not mean to make.", ourFault},
	1820: {connectors.AuthRevoked, "password", "The password has expired.", "Give the user a new password, and enter it here."},
	1836: {connectors.Bug, "", "The server refused a change that Sidecard did not mean to make.", ourFault},
	1862: {connectors.AuthRevoked, "password", "The password has expired.", "Give the user a new password, and enter it here."},
	1927: {connectors.Transient, "", "The connection was ended on the server.", again},
	1969: {connectors.Transient, "", slowMessage, slowFix},
	2006: {connectors.Transient, "", "The server or its proxy has lost the connection.", again},
	2013: {connectors.Transient, "", "The server or its proxy has lost the connection.", again},
	3024: {connectors.Transient, "", slowMessage, slowFix},
	3118: {connectors.AuthRevoked, "user", "The user is locked.", "Unlock the user, or make another one for Sidecard."},
	3159: {connectors.Misconfigured, "tls", "The server only takes encrypted connections.", "Choose an encryption."},
	3955: {connectors.AuthRevoked, "user", "The user is locked after failed sign-ins.", "Unlock the user, and enter the password again."},
	4031: {connectors.Transient, "", "The server ended an idle connection.", again},
	4151: {connectors.AuthRevoked, "user", "The user is locked.", "Unlock the user, or make another one for Sidecard."},
}

const (
	slowMessage = "The query took longer than 3 seconds and was ended."
	slowFix     = "Add the index that the check names; a view may have to be made simpler."
	methodFix   = "Make a user for Sidecard that signs in with a password; the guide has the script."
)

// ofNumber gives the error for an error number of the server.
func ofNumber(number uint16, signingIn bool) *connectors.Error {
	t, ok := numbers[number]
	switch {
	case !ok && signingIn:
		t = told{connectors.AuthRevoked, "user", "The server or its proxy refuses to sign Sidecard in.", signInFix}
	case !ok:
		t = told{connectors.Bug, "", "The server answered with an error that Sidecard does not know.", "Look up error " + strconv.Itoa(int(number)) + " in the server's manual, and look at its log."}
	}
	e := &connectors.Error{Class: t.class, Code: "mysql." + strconv.Itoa(int(number)), Field: t.field, Message: t.message, Fix: t.fix, Err: serverError(number)}
	if e.Class == connectors.RateLimited {
		e.RetryAfter = 5 * time.Second
	}
	return e
}

// connectError marks what went wrong before the server had let us in.
type connectError struct{ err error }

func (e *connectError) Error() string { return "connect: " + e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

var (
	errRefused = errors.New("the guarded way out refused the address")
	errNoTable = errors.New("the table is not in the catalog")
)

// failure gives every error a class, a sentence and a way out, and keeps of its cause what may be logged.
func failure(ctx context.Context, err error) *connectors.Error {
	var own *connectors.Error
	var server *driver.MySQLError
	var connect *connectError
	connecting := errors.As(err, &connect)
	switch {
	case errors.As(err, &own):
		return own
	case connectors.IsForbidden(err):
		return connectors.ForbiddenError(errRefused)
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	case errors.As(err, &server):
		return ofNumber(server.Number, connecting)
	case errors.Is(err, errTooLarge):
		e := misconfigured("mysql.too_large", "columns", "The server's answer is larger than 8 MB.", "Choose the columns that agents need and leave out the large ones.")
		e.Err = errTooLarge
		return e
	case errors.Is(err, errFile):
		e := misconfigured("mysql.asks_for_files", "host", "The server asked Sidecard for a file, which an honest server never does.", "Make sure that host and port are those of your own server, and that nobody has changed it.")
		e.Err = errFile
		return e
	case errors.Is(err, driver.ErrCleartextPassword):
		e := misconfigured("mysql.cleartext", "tls", "The server wants the password as it is, and has not proved who it is.", "Choose an encryption that verifies the server's certificate.")
		e.Err = driver.ErrCleartextPassword
		return e
	case errors.Is(err, driver.ErrOldPassword), errors.Is(err, driver.ErrUnknownPlugin), errors.Is(err, driver.ErrNativePassword):
		e := misconfigured("mysql.method", "user", "This user signs in by a method that Sidecard does not speak.", methodFix)
		e.Err = driver.ErrUnknownPlugin
		return e
	}
	if e := kind.Failure(err); e != nil {
		return e
	}
	if connecting {
		return &connectors.Error{
			Class: connectors.Misconfigured, Code: "mysql.protocol", Field: "port",
			Message: "What answers there does not speak MySQL as Sidecard does.", Fix: "Check host and port.",
			Err: fmt.Errorf("connect: %T", connect.err),
		}
	}
	return &connectors.Error{
		Class: connectors.Bug, Code: "mysql.unexpected", Message: "The server answered in a way Sidecard does not understand.",
		Fix: ourFault, Err: fmt.Errorf("unexpected %T", err),
	}
}

// isRefusal tells that the server understood, and said no.
func isRefusal(err error) bool {
	var server *driver.MySQLError
	return errors.As(err, &server)
}

// isDrift tells that the table is not any more as the catalog said.
func isDrift(err error) bool { return hasNumber(err, 1054, 1142, 1143, 1146, 1356) }

// isUnstorable tells that the address has a character which the column cannot hold: nobody there has it.
func isUnstorable(err error) bool { return hasNumber(err, 3854, 3988) }

func hasNumber(err error, numbers ...uint16) bool {
	var server *driver.MySQLError
	if !errors.As(err, &server) {
		return false
	}
	for _, n := range numbers {
		if server.Number == n {
			return true
		}
	}
	return false
}
