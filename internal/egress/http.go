package egress

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"
)

const (
	defaultTimeout     = 10 * time.Second
	defaultMaxBody     = 1 << 20
	defaultIdlePerHost = 64
	maxIdle            = 512
	maxHeaderBytes     = 32 << 10
	idleTimeout        = 60 * time.Second
	handshakeTimeout   = 5 * time.Second
	pingAfter          = 15 * time.Second
	pingTimeout        = 5 * time.Second
)

// ErrTooLarge says that a response body is longer than [HTTPOptions.MaxBody].
var ErrTooLarge = errors.New("the answer is too large")

// HTTPOptions bound one HTTP exchange. A zero field means its default.
type HTTPOptions struct {
	// Timeout is for the whole exchange, from resolving the name to the last
	// byte of the body. Default 10 s.
	Timeout time.Duration
	// MaxBody is the longest body in bytes, before and after decompression;
	// reading past it is [ErrTooLarge]. Default 1 MiB.
	MaxBody int64
	// MaxIdlePerHost is the number of connections kept for reuse per host.
	// Default 64.
	MaxIdlePerHost int
}

// HTTP makes a client that leaves through the door. Each client has its own
// pool of connections, so make one and keep it. A connection carries nothing of
// one request to the next, but its server may: what it sends too much after one
// answer can be taken for the next one. Tenants who ask a server that isn't
// trusted with that need clients of their own.
//
// The client speaks http and https alone, TLS 1.2 or newer, HTTP/1.1 or HTTP/2.
// It ignores proxy settings of the environment and never follows a redirect:
// the 3xx answer is returned as it came, without its Location if that is no URL,
// and no credential and no body goes to a second address. Headers of more than
// 32 KiB are an error.
//
// Errors of the client are [*net/url.Error], whose text holds the URL: a caller
// that puts a visitor's value into the URL unwraps them before logging.
func (d *Door) HTTP(o HTTPOptions) *http.Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.MaxIdlePerHost <= 0 {
		o.MaxIdlePerHost = defaultIdlePerHost
	}
	return &http.Client{
		Transport:     &transport{base: d.newTransport(o), maxBody: o.MaxBody},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       o.Timeout,
	}
}

func (d *Door) newTransport(o HTTPOptions) *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            d.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           max(maxIdle, o.MaxIdlePerHost),
		MaxIdleConnsPerHost:    o.MaxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // done by [transport], which bounds what is read for it
		// Without pings a dead HTTP/2 connection is reused until TCP gives up,
		// a quarter of an hour in which every request times out.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}
