package hub

import (
	"context"
	"crypto/rand"
	"fmt"

	"sidecard/internal/vault"
)

// The places that hold sealed values. A value opens only in the place it was sealed for, so these are
// part of the stored data: never change one.
func tenantRef(tenant ID, column string) vault.Ref {
	return vault.Ref{Tenant: tenant.String(), Table: "tenants", Column: column, Row: tenant.String()}
}

func deskRef(d Desk, column string) vault.Ref {
	return vault.Ref{Tenant: d.TenantID.String(), Table: "desks", Column: column, Row: d.ID.String()}
}

func connectionRef(tenant, connection ID) vault.Ref {
	return vault.Ref{Tenant: tenant.String(), Table: "connections", Column: "secrets", Row: connection.String()}
}

func rowRef(tenant, connection ID, line int) vault.Ref {
	return vault.Ref{Tenant: tenant.String(), Table: "rows", Column: "data", Row: fmt.Sprintf("%s/%d", connection, line)}
}

func chatRef(tenant, chat ID, column string) vault.Ref {
	return vault.Ref{Tenant: tenant.String(), Table: "chats", Column: column, Row: chat.String()}
}

// SigningKeyRef is the place of a signing key, for the composition that reads them at start.
func SigningKeyRef(keyID string) vault.Ref {
	return vault.Ref{Table: "signing_keys", Column: "sealed", Row: keyID}
}

// seal seals a value for its place.
func (h *Hub) seal(ctx context.Context, ref vault.Ref, plain []byte) ([]byte, error) {
	sealed, err := h.keys.Seal(ctx, ref, plain)
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", ref.Table, ref.Column, err)
	}
	return sealed, nil
}

// open opens a sealed value; nothing sealed is nothing.
func (h *Hub) open(ctx context.Context, ref vault.Ref, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	plain, err := h.keys.Open(ctx, ref, sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, err)
	}
	return plain, nil
}

// newKeys gives a tenant that is about to sign up its data key, and the sealed key of its index.
func (h *Hub) newKeys(ctx context.Context, t *Tenant) (err error) {
	if t.DataKey, err = h.keys.First(t.ID); err != nil {
		return err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	t.IndexKey, err = h.seal(ctx, tenantRef(t.ID, "index_key"), key)
	return err
}
