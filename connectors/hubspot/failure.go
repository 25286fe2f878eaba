package hubspot

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"

	"sidecard/connectors"
)

const (
	again       = "Try again in a moment; status.hubspot.com tells of longer trouble."
	tellUs      = "Try again; if it stays, tell us the reference."
	copyKey     = "Copy the whole key from HubSpot (Development, Keys, Service keys) and enter it again."
	connectAnew = "Press Connect and log in to HubSpot again."
)

// errNoDoor is what a host without a client answers.
var errNoDoor = errors.New("the host gives no HTTP client")

func transient(code, message, fix string, cause error) *connectors.Error {
	return &connectors.Error{Class: connectors.Transient, Code: "hubspot." + code, Message: message, Fix: fix, Err: cause}
}

// unexpected is for answers and states that should not exist. The cause holds nothing of an answer.
func unexpected(cause error) *connectors.Error {
	return &connectors.Error{
		Class: connectors.Bug, Code: "hubspot.unexpected", Message: "HubSpot answered in a way Sidecard does not understand.",
		Fix: tellUs, Err: cause,
	}
}

// notConnected is for a connection whose login was never made.
func notConnected() *connectors.Error {
	return &connectors.Error{
		Class: connectors.AuthRevoked, Code: "hubspot.not_connected", Field: settingAuth,
		Message: "Sidecard is not connected with HubSpot yet.", Fix: "Press Connect and log in to HubSpot, or enter a service key.",
	}
}

// networkFailure is for calls without an answer. Texts of the client are left out: they hold addresses.
func networkFailure(ctx context.Context, err error) *connectors.Error {
	var certificate *tls.CertificateVerificationError
	var dns *net.DNSError
	var timeout net.Error
	cause := fmt.Errorf("no answer: %T", err)
	switch {
	case connectors.IsForbidden(err):
		return connectors.ForbiddenError(errors.New("the guarded way out refused the address"))
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	case errors.Is(err, errNoDoor):
		return unexpected(errNoDoor)
	case errors.As(err, &certificate):
		return transient("certificate", "What answers in HubSpot's place cannot prove that it is HubSpot.",
			"Ask the operator of Sidecard whether something reads the traffic on its way to HubSpot.", cause)
	case errors.As(err, &dns):
		return transient("dns", "The name of HubSpot's server cannot be resolved right now.", again, cause)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return transient("no_answer", "HubSpot does not answer in time.", again, cause)
	}
	return transient("unreachable", "HubSpot cannot be reached.", again, cause)
}

// undecoded says why an answer that should have been good was not understood.
func undecoded(resp *http.Response, body []byte, reason error) *connectors.Error {
	e := unexpected(reason)
	switch {
	case errors.Is(reason, errTooDeep):
		e.Code = "hubspot.too_deep"
	case isWebPage(resp, body):
		return transient("web_page", "A web page came in place of HubSpot's answer.", again, reason)
	case errors.Is(reason, errTruncated), errors.Is(reason, errEmpty):
		return transient("truncated", "The answer of HubSpot breaks off in the middle.", again, reason)
	}
	e.Reference = reference(resp.Header.Get("X-HubSpot-Correlation-Id"))
	return e
}

// isWebPage reports whether a page for people came, as it does from servers in front of the API.
func isWebPage(resp *http.Response, body []byte) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && strings.HasSuffix(kind, "html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}
