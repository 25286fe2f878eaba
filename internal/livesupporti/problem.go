package livesupporti

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Problem words an error of Client for people: what happened, in a clause that
// can stand after "Not shown:", without an address, a name or a secret. It
// returns "" for nil.
func Problem(err error) string {
	if err == nil {
		return ""
	}
	for _, known := range problems {
		if known.is(err) {
			return known.text
		}
	}
	return "LiveSupporti could not be reached"
}

// problems goes from the particular to the general; the first that fits wins.
var problems = []struct {
	text string
	is   func(error) bool
}{
	{"LiveSupporti answered something else than a list of agents", target(ErrNotAgents)},
	{"the visitor's id cannot be part of a URL", target(errVisitorID)},
	{"the request was cancelled", target(context.Canceled)},
	{"LiveSupporti did not answer in time", timedOut},
	{"TLS certificate has expired or is not yet valid", certificateOutdated},
	{"TLS certificate belongs to another name", kind[x509.HostnameError]},
	{"TLS certificate is not trusted", untrusted},
	{"TLS could not be agreed on", noTLS},
	{"the name of LiveSupporti's server was not found", kind[*net.DNSError]},
	{"connection refused", target(syscall.ECONNREFUSED)},
	{"connection was reset", anyOf(target(syscall.ECONNRESET), target(syscall.EPIPE))},
	{"connection was closed before an answer came", anyOf(target(io.EOF), target(io.ErrUnexpectedEOF), target(net.ErrClosed))},
	{"no route to LiveSupporti's server", anyOf(target(syscall.EHOSTUNREACH), target(syscall.ENETUNREACH))},
}

func target(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func kind[E error](err error) bool {
	var want E
	return errors.As(err, &want)
}

func anyOf(tests ...func(error) bool) func(error) bool {
	return func(err error) bool {
		for _, is := range tests {
			if is(err) {
				return true
			}
		}
		return false
	}
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var wait net.Error
	return errors.As(err, &wait) && wait.Timeout()
}

func certificateOutdated(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

func untrusted(err error) bool {
	return kind[x509.UnknownAuthorityError](err) || kind[x509.CertificateInvalidError](err) ||
		kind[*tls.CertificateVerificationError](err)
}

func noTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || kind[tls.RecordHeaderError](err) || kind[tls.AlertError](err) || kind[*tls.ECHRejectionError](err)
}
