package mysql

import (
	"net"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// configure takes the way to the server and the sign-in from the settings. There is no connection string: the driver's
// configuration is filled in here, and nothing else of it can be set.
func (s *source) configure(in connectors.OpenInput) error {
	var err error
	if s.door, err = newDoor(in); err != nil {
		return err
	}
	if s.secure, err = kind.TLS(in.Settings, s.door.host); err != nil {
		return err
	}
	c := driver.NewConfig()
	c.DBName, c.User, c.Passwd = in.Settings.String("database", ""), in.Settings.String("user", ""), in.Settings.String("password", "")
	for name, v := range map[string]string{"database": c.DBName, "user": c.User, "password": c.Passwd} {
		if strings.ContainsRune(v, 0) { // it would end the value in the protocol, and what follows be read as more
			return kind.BadSetting(name, "It holds a zero byte.", "Type it again.")
		}
	}
	c.Net, c.Addr = "tcp", net.JoinHostPort(s.door.host, s.door.port)
	c.Timeout = connectTimeout
	c.MaxAllowedPacket = maxAnswer
	c.ConnectionAttributes = "program_name:sidecard"
	c.Logger = &driver.NopLogger{} // the driver would log what servers say
	c.CheckConnLiveness = false    // the pool asks the server
	c.AllowCleartextPasswords = reach.Proves(s.secure)
	s.config = c
	return nil
}
