package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

const (
	tenantA = "0198c0de-0000-7000-8000-00000000000a"
	tenantB = "0198c0de-0000-7000-8000-00000000000b"
)

func TestDataKeyOpensOnlyWhereItSealed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	key, _ := newDataKeyOf(t, v, tenantA, 1)
	other, _ := newDataKeyOf(t, v, tenantB, 1)
	at := Ref{Tenant: tenantA, Table: "desks", Column: "secret", Row: "7"}
	sealed, err := key.Seal(at, []byte("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Open(at, sealed); err != nil || string(got) != "hunter2" {
		t.Fatalf("opened %q, %v", got, err)
	}
	for name, elsewhere := range map[string]Ref{
		"table":  {Tenant: tenantA, Table: "connections", Column: "secret", Row: "7"},
		"column": {Tenant: tenantA, Table: "desks", Column: "api_key", Row: "7"},
		"row":    {Tenant: tenantA, Table: "desks", Column: "secret", Row: "8"},
	} {
		if _, err := key.Open(elsewhere, sealed); !errors.Is(err, ErrDamaged) {
			t.Errorf("another %s: %v, want ErrDamaged", name, err)
		}
	}
	moved := at
	moved.Tenant = tenantB
	if _, err := other.Open(moved, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("another tenant's key: %v, want ErrDamaged", err)
	}
	if _, err := key.Open(moved, sealed); err == nil {
		t.Error("a data key opened for another tenant")
	}
	if _, err := key.Seal(moved, nil); err == nil {
		t.Error("a data key sealed for another tenant")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := key.Open(at, changed); err == nil {
			t.Fatalf("opened with byte %d changed", i)
		}
		if _, err := key.Open(at, sealed[:i]); err == nil {
			t.Fatalf("opened when cut to %d bytes", i)
		}
	}
}

func TestDataKeyIsWrappedForItsTenantAndVersion(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	key, wrapped := newDataKeyOf(t, v, tenantA, 3)
	at := Ref{Tenant: tenantA, Table: "desks", Column: "secret", Row: "7"}
	sealed, err := key.Seal(at, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if version, ok := DataKeyOf(sealed); !ok || version != 3 {
		t.Errorf("the value names version %d", version)
	}
	again, err := v.Unwrap(tenantA, 3, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Open(at, sealed); err != nil {
		t.Errorf("the unwrapped key: %v", err)
	}
	if _, err := v.Unwrap(tenantB, 3, wrapped); !errors.Is(err, ErrDamaged) {
		t.Errorf("as another tenant's: %v", err)
	}
	if _, err := v.Unwrap(tenantA, 4, wrapped); !errors.Is(err, ErrDamaged) {
		t.Errorf("as another version: %v", err)
	}
	if _, err := newVault(t).Unwrap(tenantA, 3, wrapped); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with another master key: %v", err)
	}
	next, _ := newDataKeyOf(t, v, tenantA, 4)
	if _, err := next.Open(at, sealed); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("with another version: %v, want ErrNoDataKey", err)
	}
}

func TestRewrappedDataKeyOpensWithTheNewMasterKeyAlone(t *testing.T) {
	t.Parallel()
	old, next := newKey(t), newKey(t)
	key, wrapped := newDataKeyOf(t, openVault(t, old), tenantA, 1)
	at := Ref{Tenant: tenantA, Table: "desks", Column: "secret", Row: "7"}
	sealed, err := key.Seal(at, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	rewrapped, err := openVault(t, next+","+old).Rewrap(tenantA, 1, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openVault(t, next).Unwrap(tenantA, 1, rewrapped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Open(at, sealed); err != nil {
		t.Error(err)
	}
}

// The value was sealed by an earlier build: what is stored must open for ever.
func TestDataKeyFormatStillOpens(t *testing.T) {
	t.Parallel()
	wrapped, err := base64.StdEncoding.DecodeString(goldenWrapped)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(goldenData)
	if err != nil {
		t.Fatal(err)
	}
	key, err := openVault(t, goldenKey).Unwrap(tenantA, 2, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	got, err := key.Open(Ref{Tenant: tenantA, Table: "desks", Column: "secret", Row: "7"}, sealed)
	if err != nil || string(got) != "hunter2" {
		t.Errorf("opened %q, %v", got, err)
	}
}

const (
	goldenWrapped = "AdD6JHBjdvAbYePzfSmyI9JhbqLqvZm049+3d1vIdeira6k7sb29ulCFuCqDapBrpKOHYMsI08e7yE7awj20G1M="
	goldenData    = "AgAAAAK18o2A3aprqyt/WAvejUXjerr+H1Ms98XoNKpQ7emKN4SMVA=="
)

func newDataKeyOf(t *testing.T, v *Vault, tenant string, version uint32) (*DataKey, []byte) {
	t.Helper()
	key, wrapped, err := v.NewDataKey(tenant, version)
	if err != nil {
		t.Fatal(err)
	}
	return key, wrapped
}
