package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
)

const (
	connectTimeout = 2 * time.Second
	// partTime is what saying goodbye to the server may take.
	partTime = 500 * time.Millisecond
)

// setUp makes a session predictable: times in UTC; quotes, blanks and errors by the servers' common rules; text in
// UTF-8; no waiting for locks, and no open transaction for long when Sidecard is gone.
const setUp = "SET time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 1, wait_timeout = 180, " +
	"character_set_client = utf8mb4, character_set_connection = utf8mb4, character_set_results = utf8mb4"

var (
	errShape   = errors.New("a row has another shape than was asked for")
	errMangled = errors.New("the driver could not read the answer")
)

// take is handed the values of one row: int64, float32, float64, []byte, or nil for NULL. They are valid during the
// call.
type take func(row []driver.Value) error

// reader runs one read-only query: on the pool, or on the one connection of a check.
type reader func(ctx context.Context, q query, each take) error

// query is a statement whose arguments are bound by the server, never put into the text.
type query struct {
	text    string
	args    []string
	limited bool // it may take long, and is to be ended by the server after three seconds
}

// connection is what is used of the driver's connection.
type connection interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.Pinger
}

// session is a connection that is signed in. One goroutine uses it at a time.
type session struct {
	conn    connection
	line    *line
	mariadb bool
	born    time.Time
	used    time.Time
}

// connect opens a session and tells how far it got.
func (s *source) connect(ctx context.Context, seen witness) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var l *line
	var live *mysqldriver.Config
	config := s.config.Clone()
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		conn, err := s.door.dial(ctx, seen)
		if err != nil {
			return nil, err
		}
		l = newLine(ctx, conn, s.secure, live, seen)
		return l, nil
	}
	err := config.Apply(mysqldriver.BeforeConnect(func(_ context.Context, own *mysqldriver.Config) error {
		live = own
		return nil
	}))
	if err != nil {
		return nil, err
	}
	connector, err := mysqldriver.NewConnector(config)
	if err != nil {
		return nil, err
	}
	var conn connection
	err = l.guard(func() error {
		opened, err := connector.Connect(ctx)
		if err == nil {
			conn = opened.(connection) //nolint:forcetypeassert // the driver's documentation promises it
		}
		return err
	})
	if l != nil {
		err = l.cause(err)
	}
	if err != nil && ctx.Err() != nil && !isRefusal(err) {
		err = ctx.Err() // which cut the line
	}
	if err != nil {
		if l != nil {
			l.Close()
		}
		return nil, &connectError{err}
	}
	l.opened()
	opened := &session{conn: conn, line: l, mariadb: strings.Contains(strings.ToLower(l.version), "mariadb"), born: s.now(), used: s.now()}
	if err := opened.exec(ctx, setUp); err != nil {
		opened.cut()
		return nil, err
	}
	return opened, nil
}

// guard runs a part of the driver. It does not check all that it reads, and would panic.
func (l *line) guard(run func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errMangled
		}
	}()
	return run()
}

// cause gives the reason why the line broke off, which the driver leaves out of its error.
func (l *line) cause(err error) error {
	var server *mysqldriver.MySQLError
	if err == nil || l.broken == nil || errors.As(err, &server) {
		return err
	}
	return l.broken
}

func (s *session) exec(ctx context.Context, statement string) error {
	return s.line.cause(s.line.guard(func() error {
		_, err := s.conn.ExecContext(ctx, statement, nil)
		return err
	}))
}

// alive asks the server whether it still knows the session.
func (s *session) alive(ctx context.Context) bool {
	return s.line.guard(func() error { return s.conn.Ping(ctx) }) == nil
}

// read runs one query in a read-only transaction of its own. After an error the session is not fit for use.
func (s *session) read(ctx context.Context, q query, each take) (err error) {
	// The driver looks at the context in most places where it waits, but not where it skips rows.
	stop := context.AfterFunc(ctx, func() { s.line.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
	}()
	if err := s.exec(ctx, "START TRANSACTION READ ONLY"); err != nil {
		return err
	}
	if err := s.line.cause(s.line.guard(func() error { return s.ask(ctx, q, each) })); err != nil {
		return err
	}
	return s.exec(ctx, "COMMIT")
}

func (s *session) ask(ctx context.Context, q query, each take) error {
	if len(q.args) == 0 {
		rows, err := s.conn.QueryContext(ctx, s.text(q), nil)
		if err != nil {
			return err
		}
		return s.each(rows, each)
	}
	statement, err := s.conn.PrepareContext(ctx, s.text(q))
	if err != nil {
		return err
	}
	args := make([]driver.NamedValue, len(q.args))
	for i, v := range q.args {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	if statement.NumInput() != len(args) {
		return errProtocol
	}
	rows, err := statement.(driver.StmtQueryContext).QueryContext(ctx, args) //nolint:forcetypeassert // a driver without it panics, which is guarded
	if err != nil {
		return err
	}
	if err := s.each(rows, each); err != nil {
		return err
	}
	return statement.Close()
}

// text gives the statement with the limit on its time in the words of the server.
func (s *session) text(q query) string {
	switch {
	case !q.limited:
		return q.text
	case s.mariadb:
		return "SET STATEMENT max_statement_time = 3 FOR " + q.text
	default:
		return strings.Replace(q.text, "SELECT ", "SELECT /*+ MAX_EXECUTION_TIME(3000) */ ", 1)
	}
}

func (s *session) each(rows driver.Rows, each take) error {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return rows.Close()
		}
		if err == nil {
			err = each(row)
		}
		if err != nil {
			s.line.Close() // there may be more to come than anybody wants to wait for
			return errors.Join(err, rows.Close())
		}
	}
}

// part says goodbye to the server, if need be after the caller's time is over.
func (s *session) part() {
	_ = s.line.SetWriteDeadline(time.Now().Add(partTime)) // without it the goodbye takes as long as it takes
	_ = s.conn.Close()                                    // nobody needs to know
}

// cut ends a session that is in an unknown state.
func (s *session) cut() {
	s.line.Close()
	_ = s.conn.Close() // ends the driver's own goroutine
}
