// Package reach is how a connector reaches a tenant's database server: the rules for host and port, TLS with its ways to
// trust, a tunnel through the tenant's own SSH server, and words for what fails on the way.
//
// It goes out by the ways that the host of the connector gives, and by no others; it knows no database. What it says
// never holds a secret or a visitor's value.
package reach

import (
	"net/netip"
	"strings"

	"sidecard/connectors"
)

// Kind is what kinds of server differ in.
type Kind struct {
	Name   string // begins the codes of errors: "postgres"
	Scheme string // of the URLs that people paste as a host: "postgres://"
	Port   int    // that most servers listen on
	Server string // for people: "PostgreSQL"
	Listen string // the server's setting for the addresses it listens on
}

// lowestPort is the lowest that may be asked for: below are other services, which Sidecard is no scanner for.
const lowestPort = 1024

// Address gives the server's host, a DNS name or an IP address, and port from the settings host and port.
func (k Kind) Address(s connectors.Settings) (host string, port int, err error) {
	host = s.String("host", "")
	if !isHost(host) {
		return "", 0, k.BadSetting("host", "The host is neither a name nor an IP address.",
			"Enter it alone, as in db.example.com: no "+k.Scheme+", no port, no user.")
	}
	if !colonsFit(host) {
		return "", 0, k.BadSetting("host", "The host holds a colon but is no IPv6 address.", "Enter the port in its own field.")
	}
	port = s.Int("port", k.Port)
	if port < lowestPort || port > 65535 {
		return "", 0, k.BadSetting("port", "The port is not between 1024 and 65535.", "Enter the port of "+k.Server+".")
	}
	return host, port, nil
}

// BadSetting is the refusal of a setting that no schema can judge.
func (k Kind) BadSetting(name, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: k.Name + ".setting", Field: name, Message: message, Fix: fix}
}

func isHost(host string) bool {
	return host != "" && len(host) <= 253 &&
		strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == ""
}

// colonsFit reports whether a host has colons only as an IPv6 address does.
func colonsFit(host string) bool {
	if !strings.ContainsRune(host, ':') {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
