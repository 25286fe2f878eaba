package mysql

import (
	"context"
	"net"
	"strconv"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// kind is what reach needs to know about MySQL and MariaDB.
var kind = reach.Kind{Name: "mysql", Scheme: "mysql://", Port: 3306, Server: "MySQL or MariaDB", Listen: "bind-address"}

// door leads to the server.
type door struct {
	host, port string
	way        *reach.Way
}

// newDoor takes the host, the port and the way there from the settings.
func newDoor(in connectors.OpenInput) (*door, error) {
	host, port, err := kind.Address(in.Settings)
	if err != nil {
		return nil, err
	}
	way, err := kind.Way(in)
	return &door{host: host, port: strconv.Itoa(port), way: way}, err
}

// dial connects to the first address of the host that answers.
func (d *door) dial(ctx context.Context, seen witness) (net.Conn, error) {
	if err := d.way.Open(ctx); err != nil {
		return nil, err
	}
	addresses, err := d.way.Resolve(ctx, d.host)
	if err != nil {
		return nil, err
	}
	seen(stageFound, nil)
	for _, address := range addresses {
		var conn net.Conn
		if conn, err = d.way.Dial(ctx, "tcp", net.JoinHostPort(address, d.port)); err == nil {
			seen(stageReached, nil)
			return conn, nil
		}
		if connectors.IsForbidden(err) {
			break
		}
	}
	return nil, err
}
