package reach

import (
	"context"
	"errors"
	"net"

	"sidecard/connectors"
)

// maxAddresses is how many addresses of one host are tried.
const maxAddresses = 4

// errNoDoor says that the connector was opened without a way out.
var errNoDoor = errors.New("the host gives no way out")

// notTCP is the refusal of sockets that are no network connection.
type notTCP struct{}

func (notTCP) Error() string   { return "only TCP leads out" }
func (notTCP) Forbidden() bool { return true }

// Way leads to one server: straight, or through a tunnel. It is safe for concurrent use.
type Way struct {
	dial    connectors.DialFunc
	resolve connectors.ResolveFunc
	tunnel  *tunnel // nil = straight
}

// Way makes the way that the settings describe. It needs no network.
func (k Kind) Way(in connectors.OpenInput) (*Way, error) {
	w := &Way{dial: in.Dial, resolve: in.Resolve}
	var err error
	w.tunnel, err = k.tunnel(in.Settings, w)
	return w, err
}

// Tunnelled reports whether the way leads through a tunnel.
func (w *Way) Tunnelled() bool { return w.tunnel != nil }

// Open opens the tunnel, if there is one. Dial does so by itself.
func (w *Way) Open(ctx context.Context) error {
	if w.tunnel == nil {
		return nil
	}
	_, err := w.tunnel.client(ctx)
	return err
}

// Resolve gives the first addresses of a host: each may cost a connection attempt. In a tunnel it is the host itself,
// since its other end knows what the name means.
func (w *Way) Resolve(ctx context.Context, host string) ([]string, error) {
	if w.tunnel != nil {
		return []string{host}, nil
	}
	return w.lookUp(ctx, host)
}

func (w *Way) lookUp(ctx context.Context, host string) ([]string, error) {
	if w.resolve == nil {
		return nil, errNoDoor
	}
	addresses, err := w.resolve(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return addresses[:min(len(addresses), maxAddresses)], err
}

// Dial connects to an address that Resolve gave, with its port, over TCP.
func (w *Way) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch {
	case network != "tcp":
		return nil, notTCP{}
	case w.tunnel != nil:
		return w.tunnel.dial(ctx, address)
	case w.dial == nil:
		return nil, errNoDoor
	}
	return w.dial(ctx, network, address)
}

// Close closes the tunnel, with all connections through it.
func (w *Way) Close() {
	if w.tunnel != nil {
		w.tunnel.close()
	}
}
