package api_test

import (
	"context"
	"sync/atomic"

	"sidecard/internal/hub"
)

// away is a store that can be out of reach, or broken.
type away struct {
	hub.Store
	why atomic.Pointer[error] // nil while all is well
}

func (s *away) trouble() error {
	if why := s.why.Load(); why != nil {
		return *why
	}
	return nil
}

// leave makes every call fail like this; nil ends it.
func (s *away) leave(why error) {
	if why == nil {
		s.why.Store(nil)
		return
	}
	s.why.Store(&why)
}

func (s *away) Ping(ctx context.Context) error {
	if err := s.trouble(); err != nil {
		return err
	}
	return s.Store.Ping(ctx)
}

func (s *away) UserByEmail(ctx context.Context, email string) (hub.User, error) {
	if err := s.trouble(); err != nil {
		return hub.User{}, err
	}
	return s.Store.UserByEmail(ctx, email)
}

func (s *away) DeskByToken(ctx context.Context, token [32]byte) (hub.Desk, error) {
	if err := s.trouble(); err != nil {
		return hub.Desk{}, err
	}
	return s.Store.DeskByToken(ctx, token)
}

func (s *away) Accept(ctx context.Context, chats []hub.Arrival) (int, error) {
	if err := s.trouble(); err != nil {
		return 0, err
	}
	return s.Store.Accept(ctx, chats)
}

func (s *away) Tenant(id hub.ID) hub.TenantStore { return awayTenant{s.Store.Tenant(id), s} }

type awayTenant struct {
	hub.TenantStore
	store *away
}

func (t awayTenant) Desk(ctx context.Context) (hub.Desk, error) {
	if err := t.store.trouble(); err != nil {
		return hub.Desk{}, err
	}
	return t.TenantStore.Desk(ctx)
}
