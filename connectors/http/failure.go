package http

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"sidecard/connectors"
)

// misconfigured makes an error that the tenant mends in the settings or at the API.
func misconfigured(code, field, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: code, Field: field, Message: message, Fix: fix}
}

func transient(code, field, message, fix string, cause error) *connectors.Error {
	return &connectors.Error{Class: connectors.Transient, Code: code, Field: field, Message: message, Fix: fix, Err: cause}
}

const (
	again       = "Try again in a moment."
	readManual  = "Compare method, URL, headers and body with the API's documentation."
	enterSample = "Enter the address of somebody the API knows as the sample address, and try again."
)

// failure gives every error a class, a sentence and a way out. What the package itself says has one already.
func failure(ctx context.Context, err error) *connectors.Error {
	var own *connectors.Error
	switch {
	case errors.As(err, &own):
		return own
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return connectors.AsError(err)
	}
	return &connectors.Error{
		Class: connectors.Bug, Code: "http.unexpected", Message: "The API answered in a way Sidecard does not understand.",
		Fix: "Try again; if it stays, tell us.", Err: fmt.Errorf("unexpected %T", err),
	}
}

// unreadable is for bodies that are not read to their end. None of its errors holds a part of the body.
func unreadable(ctx context.Context, err error) *connectors.Error {
	switch {
	case errors.Is(err, errTooLarge):
		e := misconfigured("http.too_large", "url", "The answer is larger than 512 KB.", "Ask for fewer records or fields: many APIs take a limit, or a list of fields, in the URL.")
		e.Err = err
		return e
	case errors.Is(err, errPacked):
		e := misconfigured("http.encoding", "url", "The answer is compressed in a way that Sidecard did not ask for.", "Have the API, or the proxy before it, compress answers with gzip or not at all.")
		e.Err = err
		return e
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	}
	if e := ofNetwork(err); e != nil && errors.Is(e.Err, errSilence) {
		return e
	}
	return transient("http.broken_off", "", "The answer broke off, or arrived damaged.", "Try again; if it stays, look at the API's own log.", errCut)
}

// networkFailure is for requests without an answer. The client's own text holds the URL, and so may texts of the
// libraries below; only causes that cannot hold a visitor's address are kept.
func networkFailure(ctx context.Context, err error) *connectors.Error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	switch {
	case connectors.IsForbidden(err):
		return connectors.ForbiddenError(errRefused)
	case ctx.Err() != nil:
		return connectors.AsError(ctx.Err())
	}
	for _, known := range []func(error) *connectors.Error{ofTLS, ofNetwork} {
		if e := known(err); e != nil {
			return e
		}
	}
	e := misconfigured("http.protocol", "url", "What answers there does not speak HTTP as Sidecard does.", "Check the server and the port in the URL.")
	if errors.Is(err, errNoDoor) {
		e = &connectors.Error{Class: connectors.Bug, Code: "http.no_client", Message: "Sidecard cannot reach the internet for this connection.", Fix: "Try again; if it stays, tell us."}
	}
	e.Err = fmt.Errorf("no answer: %T", err)
	return e
}

var (
	errRefused   = errors.New("the guarded way out refused the address")
	errNoDoor    = errors.New("the host gives no HTTP client")
	errWrongName = errors.New("the certificate is for another name")
	errHandshake = errors.New("the TLS handshake failed")
	errSilence   = errors.New("no answer in time")
	errHungUp    = errors.New("the connection was closed")
)

// ofTLS is for what goes wrong between TCP and HTTP.
func ofTLS(err error) *connectors.Error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var proof *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	say := func(code, message, fix string, cause error) *connectors.Error {
		e := misconfigured("http.tls."+code, "url", message, fix)
		e.Err = cause
		return e
	}
	switch {
	case errors.As(err, &unknown):
		return say("unknown_authority", "The server's certificate is signed by an authority that Sidecard does not know.",
			"Install a certificate of a public authority, together with the authority's intermediate certificates.", errors.New("unknown authority"))
	case errors.As(err, &name):
		return say("name", "The server's certificate is for another name than the one in the URL.", "Use the name that the certificate is for, or install one for this name.", errWrongName)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return say("expired", "The server's certificate is not valid today: it is for "+invalid.Cert.NotBefore.Format(time.DateOnly)+" to "+
			invalid.Cert.NotAfter.Format(time.DateOnly)+".", "Renew the certificate on the server.", errHandshake)
	case errors.As(err, &invalid), errors.As(err, &proof):
		return say("invalid", "The server's certificate cannot prove who the server is.", "Install a certificate of a public authority for this name.", errHandshake)
	case errors.Is(err, http.ErrSchemeMismatch):
		return say("none", "The server does not encrypt on this port.", "Use the URL of the encrypted server; write http:// only inside a private network.", errHandshake)
	case errors.As(err, &record), isAlert(err), isHandshakeTimeout(err):
		return say("handshake", "The server and Sidecard found no common way to encrypt.", "Update the server: it must offer TLS 1.2 or newer. Check the port, too.", errHandshake)
	}
	return nil
}

// isAlert recognises how crypto/tls tells of alerts, whose own type is not exported.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

// isHandshakeTimeout tells by its text an error that net/http has no exported type for.
func isHandshakeTimeout(err error) bool {
	return strings.Contains(err.Error(), "TLS handshake timeout")
}

// ofNetwork is for names that are not found, and servers that are not reached or hang up.
func ofNetwork(err error) *connectors.Error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return transient("http.host_not_found", "url", "There is no server of this name.", "Check the name in the URL letter by letter.", errors.New("no such host"))
	case errors.As(err, &dns):
		return transient("http.dns", "url", "The name of the server cannot be resolved right now.", "Try again; if it stays, check the name and its DNS.", errors.New("the name was not resolved"))
	case errors.Is(err, syscall.ECONNREFUSED):
		return transient("http.refused", "url", "The server is there, but nothing answers on this port.", "Check the port in the URL, and that the API is running.", syscall.ECONNREFUSED)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return transient("http.no_answer", "url", "The API does not answer in time.", "Try again; if it stays, look at the API's load, and allow Sidecard's address in its firewall.", errSilence)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return transient("http.unreachable", "url", "There is no way to the server's address.", "Check the address, and whether the server is on the internet at all.", syscall.EHOSTUNREACH)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, net.ErrClosed):
		return transient("http.connection_lost", "url", "The server hung up.", "Try again; if it stays, check the URL and the API's own log.", errHungUp)
	}
	return nil
}

// undecoded says why an answer was not understood.
type undecoded struct{ code, message, fix string }

var undecodable = map[error]undecoded{
	errEmpty:      {"empty", "The answer is empty.", "Check the URL. If this is how the API says that it does not know somebody, have it answer with status 404 or 204."},
	errTooDeep:    {"too_deep", "The answer's JSON is nested deeper than 64 levels.", "Ask for fewer details, or use another path of the API."},
	errTooMany:    {"too_many", "The answer has more than 50,000 values.", "Ask for fewer records or fields: many APIs take a limit, or a list of fields, in the URL."},
	errNamedTwice: {"named_twice", "The answer names two values alike within one object, so that nobody knows which is meant.", "Have the API write each name once; show its makers an answer."},
	errEncoding:   {"not_utf8", "The answer's text is not in UTF-8, as JSON has to be.", "Have the API answer in UTF-8."},
}

var mediaTypeForm = regexp.MustCompile(`^[a-z]{1,20}/[a-z0-9.+-]{1,60}$`)

// notJSON says what came in place of JSON.
func notJSON(resp *http.Response, body []byte, reason error) *connectors.Error {
	kind := mediaType(resp)
	t, ok := undecodable[reason]
	start := bytes.ToLower(body[:min(len(body), 512)])
	switch {
	case errors.Is(reason, errTruncated) && !isWebPage(resp):
		return transient("http.truncated", "", "The answer's JSON breaks off in the middle.", "Try again; if it stays, look at the API's own log.", reason)
	case errors.Is(reason, errEmpty):
	case isWebPage(resp), bytes.Contains(start, []byte("<html")), bytes.Contains(start, []byte("<!doctype html")):
		t = undecoded{"html", "The API answers with a web page, not with JSON.", "Use the URL of the API, not that of its website or its documentation. A page to sign in means that the sign-in is missing or wrong."}
	case strings.HasSuffix(kind, "/xml"), strings.HasSuffix(kind, "+xml"), bytes.HasPrefix(start, []byte("<?xml")):
		t = undecoded{"xml", "The API answers in XML, not in JSON.", "Ask for JSON as the API's documentation says, often by .json or format=json in the URL."}
	case !ok && mediaTypeForm.MatchString(kind) && !strings.Contains(kind, "json"):
		t = undecoded{"content_type", "The API answers with " + kind + ", not with JSON.", "Ask for JSON as the API's documentation says, often by format=json in the URL."}
	case !ok:
		t = undecoded{"json", "The answer is no valid JSON.", "Try the URL with another program and look at the answer; have its makers correct it."}
	}
	e := misconfigured("http."+t.code, "url", t.message, t.fix)
	e.Err = reason
	return e
}
