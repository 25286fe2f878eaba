package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// AppRole is the role that the program's connections act as. It owns nothing and is bound by row-level
// security; the user in DATABASE_URL is a member of it.
const AppRole = "sidecard_app"

// queueRole owns the functions that work across tenants.
const queueRole = "sidecard_queue"

// ensureRoles creates the roles that are missing. Roles belong to the whole server, so another database's
// migration may create them at the same time.
func ensureRoles(ctx context.Context, db *sql.DB) error {
	for _, role := range []string{AppRole, queueRole} {
		exists, err := roleExists(ctx, db, role)
		if err != nil {
			return err
		}
		if !exists {
			_, err = db.ExecContext(ctx, "create role "+role+" nologin nosuperuser nobypassrls nocreatedb nocreaterole")
		}
		if refused(err) {
			return fmt.Errorf("the user that migrates may not create roles: give it CREATEROLE, "+
				"or have an administrator run `create role %s nologin; create role %s nologin;`: %w", AppRole, queueRole, err)
		}
		if err != nil && !alreadyThere(err) {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	// Only a member of the role may give it the functions.
	owner, err := currentUser(ctx, db)
	if err != nil {
		return err
	}
	return grant(ctx, db, queueRole, owner)
}

// grant makes a user a member of a role, unless it is one already.
func grant(ctx context.Context, db *sql.DB, role, user string) error {
	if member, err := isMember(ctx, db, role, user); err != nil || member {
		return err
	}
	_, err := db.ExecContext(ctx, "grant "+role+" to "+pgx.Identifier{user}.Sanitize())
	if err == nil {
		return nil
	}
	if refused(err) {
		return fmt.Errorf("the user that migrates may not make %q a member of %s: "+
			"have an administrator run `grant %s to %s`: %w", user, role, role, user, err)
	}
	if member, _ := isMember(ctx, db, role, user); member { // somebody else did it at the same time
		return nil
	}
	return fmt.Errorf("make %q a member of %s: %w", user, role, err)
}

func isMember(ctx context.Context, db *sql.DB, role, user string) (bool, error) {
	var member bool
	if err := db.QueryRowContext(ctx, "select pg_has_role($1, $2, 'member')", user, role).Scan(&member); err != nil {
		return false, fmt.Errorf("read the members of %s: %w", role, err)
	}
	return member, nil
}

// GrantLogin makes a user that the program can sign in as: it creates the user when it is missing, with the
// password if one is given, and makes it a member of sidecard_app. The password of a user that is there
// already is left alone. It fails for the user of ownerURL itself, which row-level security could not bind.
func GrantLogin(ctx context.Context, ownerURL, login, password string) error {
	db, err := openOwner(ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	owner, err := currentUser(ctx, db)
	if err != nil {
		return err
	}
	if login == owner || slices.Contains([]string{AppRole, queueRole}, login) {
		return fmt.Errorf("the program cannot sign in as %q: name a user of its own in DATABASE_URL; it is created here", login)
	}
	exists, err := roleExists(ctx, db, login)
	if err != nil {
		return err
	}
	if !exists {
		err = createLogin(ctx, db, login, password)
	}
	if err != nil && !alreadyThere(err) {
		return fmt.Errorf("create database user %q: %w", login, err)
	}
	return grant(ctx, db, AppRole, login)
}

// createLogin sends the password as its verifier, so that the server never sees or logs it.
func createLogin(ctx context.Context, db *sql.DB, login, password string) error {
	//nolint:gosec // a name is no parameter; it is quoted
	statement := "create role " + pgx.Identifier{login}.Sanitize() + " login nosuperuser nobypassrls nocreatedb nocreaterole"
	if password != "" {
		verifier, err := scramVerifier(password)
		if err != nil {
			return err
		}
		statement += " password '" + verifier + "'"
	}
	_, err := db.ExecContext(ctx, statement)
	return err
}

// CheckLogin says in one sentence why a connection's user must not run the program: it is a superuser, may
// bypass row-level security, or owns the tables or may become their owner. It returns nil for a good one.
func CheckLogin(ctx context.Context, db *sql.DB) error {
	var login string
	var superuser, bypass, owner bool
	err := db.QueryRowContext(ctx, `
		select r.rolname, r.rolsuper, r.rolbypassrls, exists (
			select from pg_class c
			where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_has_role(r.oid, c.relowner, 'member'))
		from pg_roles r where r.rolname = session_user`).Scan(&login, &superuser, &bypass, &owner)
	if err != nil {
		return fmt.Errorf("read the rights of the database user: %w", err)
	}
	const remedy = "; name a user of its own in DATABASE_URL and run `sidecard migrate`, which prepares it"
	switch {
	case superuser:
		return fmt.Errorf("the database user %q is a superuser, so row-level security would not hold tenants apart"+remedy, login)
	case bypass:
		return fmt.Errorf("the database user %q may bypass row-level security, which holds tenants apart"+remedy, login)
	case owner:
		return fmt.Errorf("the database user %q owns the tables, so it could switch row-level security off"+remedy, login)
	}
	return nil
}

func currentUser(ctx context.Context, db *sql.DB) (string, error) {
	var name string
	if err := db.QueryRowContext(ctx, "select current_user").Scan(&name); err != nil {
		return "", fmt.Errorf("connect to the database: %w", err)
	}
	return name, nil
}

func roleExists(ctx context.Context, db *sql.DB, role string) (bool, error) {
	var exists bool
	err := db.QueryRowContext(ctx, "select exists (select from pg_roles where rolname = $1)", role).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("connect to the database: %w", err)
	}
	return exists, nil
}

// refused reports whether the user lacked the right.
func refused(err error) bool { return hasCode(err, "42501") }

// alreadyThere reports whether somebody else created it at the same time.
func alreadyThere(err error) bool {
	return hasCode(err, "42710", "23505") // duplicate_object, unique_violation
}

func hasCode(err error, codes ...string) bool {
	e := (*pgconn.PgError)(nil)
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}
