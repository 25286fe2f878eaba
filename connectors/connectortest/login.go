package connectortest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sidecard/connectors"
)

// session is a tenant's login as a host keeps it: it is renewed after a lookup that ended with AuthExpired or
// AuthRevoked, and by one of the lookups only.
type session struct {
	renew func() string

	mu       sync.Mutex
	token    string
	renewals int
}

func newSession(l Login) *session { return &session{renew: l.Renew, token: l.Renew()} }

func (s *session) give(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, ctx.Err()
}

// lookup asks, and once more when the login was not taken.
func (s *session) lookup(ctx context.Context, src connectors.Source, q connectors.Query) (connectors.Result, error) {
	before, err := s.give(ctx)
	if err != nil {
		return connectors.Result{}, err
	}
	res, err := src.Lookup(ctx, q)
	if err == nil {
		return res, nil
	}
	if class := connectors.AsError(err).Class; class != connectors.AuthExpired && class != connectors.AuthRevoked {
		return res, err
	}
	s.mu.Lock()
	if s.token == before {
		s.token = s.renew()
		s.renewals++
	}
	s.mu.Unlock()
	return src.Lookup(ctx, q)
}

// openLogin opens a source that uses the login.
func (h Harness) openLogin(ctx context.Context, token connectors.TokenFunc) (connectors.Source, *host, error) {
	settings := h.Login.Settings
	if settings == nil {
		settings = h.Good
	}
	return h.open(ctx, settings, func(in *connectors.OpenInput) { in.Token = token })
}

// loginIsRenewedOnce lets the login expire under one lookup and under fifty.
func loginIsRenewedOnce(ctx context.Context, h Harness) error {
	if h.Connector.Spec().OAuth == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := newSession(h.Login)
	src, on, err := h.openLogin(ctx, s.give)
	if err != nil {
		return err
	}
	defer src.Close()
	known := connectors.Query{Email: h.Known.Email}
	if _, err := find(ctx, src, known, connectors.Found); err != nil {
		return fmt.Errorf("with a fresh login: %w", err)
	}
	on.made()
	h.Login.Expire()
	_, err = src.Lookup(ctx, known)
	if err := errors.Join(isError(err, connectors.AuthExpired), asksOnce(on.made())); err != nil {
		return fmt.Errorf("with an expired login: %w", err)
	}
	broken := make([]error, 50)
	var all sync.WaitGroup
	for i := range broken {
		all.Go(func() {
			res, err := s.lookup(ctx, src, known)
			if err == nil && res.Match != connectors.Found {
				err = fmt.Errorf("somebody known is %s", res.Match)
			}
			broken[i] = err
		})
	}
	all.Wait()
	if s.renewals != 1 {
		broken = append(broken, fmt.Errorf("fifty lookups with an expired login lead to %d renewals", s.renewals))
	}
	return errors.Join(broken...)
}

// revokedLoginEndsTheMatter has the host say that the tenant must connect again: nobody else is asked then.
func revokedLoginEndsTheMatter(ctx context.Context, h Harness) error {
	if h.Connector.Spec().OAuth == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	gone := &connectors.Error{Class: connectors.AuthRevoked, Code: "host.login", Message: "The login was withdrawn.", Fix: "Connect again."}
	src, on, err := h.openLogin(ctx, func(context.Context) (string, error) { return "", gone })
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = src.Lookup(ctx, connectors.Query{Email: h.Known.Email})
	if err := isError(err, connectors.AuthRevoked); err != nil {
		return err
	}
	report, err := src.Check(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("check: %w", err)
	case report.OK():
		return errors.New("check passes without a login")
	case len(on.made()) > 0:
		return errors.New("the vendor was asked without a login")
	}
	return stepsAreInWords(report)
}
