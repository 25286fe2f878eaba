package servertest

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestMariaDBAsksForPasswordsAndKeepsItsDataWhenKilled(t *testing.T) {
	t.Parallel()
	server := MariaDB(t, MariaDBOptions{})
	if err := askMariaDB(t.Context(), server.URL(), "create database shop"); err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(server.URL(), "@", "x@", 1)
	var refused *mysql.MySQLError
	if err := askMariaDB(t.Context(), wrong, "select 1"); !errors.As(err, &refused) || refused.Number != 1045 {
		t.Errorf("a wrong password: %v", err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := askMariaDB(t.Context(), server.URL(), "create table shop.t (i int)"); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(server.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestStartMariaDBTellsWhatTheServerComplainsAbout(t *testing.T) {
	t.Parallel()
	_, err := StartMariaDB(t.Context(), MariaDBOptions{Settings: map[string]string{"max-connections": "lots"}})
	if err == nil || !strings.Contains(err.Error(), "lots") {
		t.Errorf("error = %v, want the complaint about max-connections", err)
	}
}

func askMariaDB(ctx context.Context, address, statement string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User = "tcp", u.Host, u.User.Username()
	config.Passwd, _ = u.User.Password()
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}
