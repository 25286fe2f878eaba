package reach

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
)

// ErrNoTLS is for servers that offer no TLS. The protocols tell it each in its way.
var ErrNoTLS = errors.New("the server offers no TLS")

// HandshakeError marks what went wrong while encryption was agreed on.
type HandshakeError struct{ Err error }

// Error implements error.
func (e *HandshakeError) Error() string { return "TLS handshake: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// The causes that are kept for the log: what a server or a library says may hold more than belongs there.
var (
	errWrongName = errors.New("the certificate is for another name")
	errHandshake = errors.New("the TLS handshake failed")
	errSilence   = errors.New("no answer in time")
	errHungUp    = errors.New("the connection was closed")
	errTunnel    = errors.New("the tunnel did not open")
)

// Failure puts into words what goes wrong between here and the protocol; nil when it is something else.
func (k Kind) Failure(err error) *connectors.Error {
	for _, known := range []func(error) *connectors.Error{k.ofTunnel, k.ofTLS, k.ofNetwork} {
		if e := known(err); e != nil {
			return e
		}
	}
	return nil
}

// ofTunnel is for what goes wrong at or before the SSH server.
func (k Kind) ofTunnel(err error) *connectors.Error {
	var t *tunnelError
	if !errors.As(err, &t) {
		return nil
	}
	say := func(class connectors.Class, code, field, message, fix string) *connectors.Error {
		return &connectors.Error{Class: class, Code: k.Name + ".tunnel." + code, Field: field, Message: message, Fix: fix, Err: errTunnel}
	}
	var key *hostKeyError
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &key) && key.trusted == "":
		e := say(connectors.Misconfigured, "no_host_key", "tunnel_host_key", "No key of the SSH server is trusted yet. It shows the one with the fingerprint "+key.shown+".",
			"Compare it with what ssh-keygen -lf prints on the server, and trust it.")
		e.Suggest = []connectors.Suggestion{{Setting: "tunnel_host_key", Value: key.shown, Label: "Trust this SSH server"}}
		return e
	case errors.As(err, &key):
		return say(connectors.Misconfigured, "host_key", "tunnel_host_key", "The SSH server shows another key than the trusted one.",
			"If the server is new, empty the trusted key, check, and trust what is shown. If not, somebody may be pretending to be your server.")
	case errors.As(err, &refused) && refused.Reason == ssh.Prohibited:
		return say(connectors.Misconfigured, "prohibited", "tunnel_user", "The SSH server does not let this user lead on to the database.",
			"Allow it there: restrict,port-forwarding,permitopen=\"host:port\" before the key in authorized_keys, and AllowTcpForwarding.")
	case errors.As(err, &refused), t.beyond && errors.Is(err, context.DeadlineExceeded):
		return say(connectors.Transient, "no_way_on", "host", "The SSH server is reached, but from there nothing answers at host and port.",
			"Enter host and port as the SSH server sees them, and check that the database listens there.")
	case strings.Contains(err.Error(), "unable to authenticate"): // x/crypto/ssh has no type for it
		return say(connectors.AuthRevoked, "sign_in", "tunnel_user", "The SSH server does not let this user in.",
			"Check the user, and that the public key is in its authorized_keys.")
	case k.ofNetwork(err) != nil:
		e := k.ofNetwork(err)
		return say(e.Class, strings.TrimPrefix(e.Code, k.Name+"."), "tunnel_host", "On the way to the SSH server: "+e.Message, "Check the SSH server's host and port, and allow Sidecard's address in its firewall.")
	}
	return say(connectors.Misconfigured, "handshake", "tunnel_host", "What answers there does not speak SSH as Sidecard does.", "Check host and port of the SSH server, and update it if it is old.")
}

// ofTLS is for what goes wrong between TCP and the protocol.
func (k Kind) ofTLS(err error) *connectors.Error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var pin *pinError
	var handshake *HandshakeError
	var alert *net.OpError // crypto/tls puts alerts into it; one may come after the handshake, for a client certificate
	say := func(code, field, message, fix string, cause error) *connectors.Error {
		return &connectors.Error{Class: connectors.Misconfigured, Code: k.Name + ".tls." + code, Field: field, Message: message, Fix: fix, Err: cause}
	}
	switch {
	case errors.As(err, &pin) && pin.trusted == "":
		e := say("no_pin", "pin", "No certificate is trusted yet. The server shows the one with the fingerprint "+pin.shown+".",
			"Compare it with the server's own certificate, and trust it.", pin)
		e.Suggest = Trust(pin.shown)
		return e
	case errors.As(err, &pin):
		return say("pin", "pin", "The server shows another certificate than the trusted one.",
			"If the server was given a new one, choose “Encrypt only”, check, and trust what is shown. If not, somebody may be pretending to be your server.", pin)
	case errors.As(err, &unknown):
		return say("unknown_authority", "ca_pem", "The server's certificate is signed by an authority that Sidecard does not know.",
			"Paste the certificate of that authority; your hosting provider offers it for download. Or choose “Encrypt only”, and trust the certificate that the check shows.", unknown)
	case errors.As(err, &name):
		return say("name", "host", "The server's certificate is for "+names(name.Certificate)+", not for this host.",
			"Enter that name as the host, or choose “Verify certificate only” together with the authority's certificate.", errWrongName)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return say("expired", "", "The server's certificate is not valid today: it is for "+invalid.Cert.NotBefore.Format(time.DateOnly)+" to "+
			invalid.Cert.NotAfter.Format(time.DateOnly)+".", "Renew the certificate on the server.", invalid)
	case errors.As(err, &invalid):
		return say("invalid", "ca_pem", "The server's certificate cannot be used to prove who the server is.",
			"Check that the certificate authority is the one that signs the server's certificate.", invalid)
	case errors.Is(err, ErrNoTLS):
		return say("off", "tls", "The server does not offer encryption.",
			"Give the server a certificate and switch TLS on there, or switch off encryption here if the network is private.", ErrNoTLS)
	case errors.As(err, &alert) && alert.Op == "remote error", errors.As(err, &handshake) && k.ofNetwork(err) == nil:
		return say("handshake", "tls", "The server and Sidecard found no common way to encrypt.",
			"Update the server: it must offer TLS 1.2 or newer. If it asks for a client certificate, paste it.", errHandshake)
	}
	return nil
}

// names lists whom a certificate is for: the first three, as far as they look like names.
func names(cert *x509.Certificate) string {
	var list []string
	for _, name := range cert.DNSNames {
		if isHost(strings.TrimPrefix(name, "*.")) {
			list = append(list, name)
		}
	}
	for _, ip := range cert.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		return "no name at all"
	}
	return strings.Join(list[:min(len(list), 3)], ", ")
}

// ofNetwork is for names that are not found, and servers that are not reached or hang up.
func (k Kind) ofNetwork(err error) *connectors.Error {
	say := func(code, field, message, fix string, cause error) *connectors.Error {
		return &connectors.Error{Class: connectors.Transient, Code: k.Name + "." + code, Field: field, Message: message, Fix: fix, Err: cause}
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return say("host_not_found", "host", "There is no server of this name.", "Check the name of the host letter by letter.", dns)
	case errors.As(err, &dns):
		return say("dns", "host", "The name of the host cannot be resolved right now.", "Try again; if it stays, check the name and its DNS.", dns)
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("refused", "port", "The server is there, but nothing answers on this port.",
			"Check the port, and that "+k.Server+" listens on the public address ("+k.Listen+").", syscall.ECONNREFUSED)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say("no_answer", "host", "The server does not answer.", "Check host and port, and allow Sidecard's address in the firewall.", errSilence)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return say("unreachable", "host", "There is no way to the server's address.", "Check the address, and whether the server is on the internet at all.", syscall.EHOSTUNREACH)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return say("connection_lost", "", "The server hung up.", "Try again; if it stays, check host, port and encryption, and the server's log.", errHungUp)
	}
	return nil
}
