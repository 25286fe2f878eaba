package hub

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"sidecard/internal/vault"
)

const (
	// keysRemembered is how many tenants' data keys are held open, and keysAge how long.
	keysRemembered = 1000
	keysAge        = 5 * time.Minute
	// keysTime bounds one reading of data keys, which may go on for others when who asked has left.
	keysTime = 5 * time.Second
)

// DataKey is a key that a tenant's values are sealed with, wrapped: sealed with a master key.
type DataKey struct {
	Version   uint32 // 1 is the first; the highest seals, all open
	Wrapped   []byte
	MasterKey string // name of the master key
	CreatedAt time.Time
}

// SealedColumn is a column of the database that holds sealed values, see the list in internal/store.
type SealedColumn struct {
	Table, Column string
	Keys          []string // columns that together name a row
	Owner         string   // column with the tenant; empty: the values belong to the whole installation
	// The place that the values are sealed for: what vault.Ref calls table and column, and an SQL expression for
	// its row, empty when that is Keys with slashes between them.
	PlaceTable, PlaceColumn, PlaceRow string
}

func (c SealedColumn) String() string { return c.Table + "." + c.Column }

// SealedValue is one value of a sealed column.
type SealedValue struct {
	Row    string // of the place
	Sealed []byte
	Anew   []byte // what it shall become
	Key    []any  // values of SealedColumn.Keys
}

// SealedQuery asks for a page of a sealed column's values, in the order of their keys.
type SealedQuery struct {
	After []any // SealedValue.Key of the last one known; nil = from the beginning
	Limit int
	// Only values that begin with these bytes, or with Other those that do not.
	Prefix []byte
	Other  bool
}

// KeyStore keeps what belongs to the whole installation's keys.
type KeyStore interface {
	// AddSigningKey stores a key as the newest; those before it are good for nothing from ends on, or from an
	// earlier end that they have.
	AddSigningKey(ctx context.Context, k SigningKey, ends time.Time) error
	// TenantsAfter gives ids of tenants in their order, for chores that visit all.
	TenantsAfter(ctx context.Context, after ID, limit int) ([]ID, error)
	// DataKeysNotOf counts the data keys of all tenants that another master key wraps.
	DataKeysNotOf(ctx context.Context, masterKey string) (int, error)
	// SealedColumns lists all columns that hold sealed values.
	SealedColumns() []SealedColumn
	SealedValues // of columns without an owner
}

// SealedValues reads and changes the values of sealed columns.
type SealedValues interface {
	SealedValues(ctx context.Context, c SealedColumn, q SealedQuery) ([]SealedValue, error)
	// ReplaceSealed makes each value what it shall become, unless it is another by now, and counts those changed.
	ReplaceSealed(ctx context.Context, c SealedColumn, values []SealedValue) (int, error)
}

// TenantKeys keeps a tenant's data keys.
type TenantKeys interface {
	DataKeys(ctx context.Context) ([]DataKey, error) // lowest version first
	// AddDataKey stores a version unless it is there already; ErrNotFound when the tenant is gone.
	AddDataKey(ctx context.Context, k DataKey) error
	// RewrapDataKey changes the wrapping of a version unless it is not wrapped as was any more.
	RewrapDataKey(ctx context.Context, was []byte, k DataKey) error
	SealedValues // of columns with an owner
}

// Keyring seals and opens values: a tenant's with its data keys, the installation's with the master key. It is
// safe for concurrent use.
type Keyring struct {
	store   Store
	vault   *vault.Vault
	now     func() time.Time
	entries *lru.Cache[string, *dataKeys] // by tenant
	flight  singleflight.Group
}

// dataKeys are one tenant's keys, unwrapped. They never change.
type dataKeys struct {
	newest   *vault.DataKey // nil when there is none
	versions map[uint32]*vault.DataKey
	readAt   time.Time
}

// NewKeyring makes one. A nil now means time.Now.
func NewKeyring(s Store, v *vault.Vault, now func() time.Time) *Keyring {
	if now == nil {
		now = time.Now
	}
	entries, _ := lru.New[string, *dataKeys](keysRemembered) // fails only for a size below one
	return &Keyring{store: s, vault: v, now: now, entries: entries}
}

// Seal seals a value for its place. The tenant gets its first data key when it has none.
func (k *Keyring) Seal(ctx context.Context, ref vault.Ref, plain []byte) ([]byte, error) {
	if ref.Tenant == "" {
		return k.vault.Seal(ref, plain)
	}
	keys, err := k.held(ctx, ref.Tenant)
	if err == nil && keys.newest == nil {
		keys, err = k.makeFirst(ctx, ref.Tenant)
	}
	if err != nil {
		return nil, err
	}
	return keys.newest.Seal(ref, plain)
}

// Open opens a value at its place: what a data key of the tenant sealed, or the master key itself. It returns
// vault.ErrNoDataKey when the tenant's keys are gone, and the errors of vault.Vault.
func (k *Keyring) Open(ctx context.Context, ref vault.Ref, sealed []byte) ([]byte, error) {
	version, ok := vault.DataKeyOf(sealed)
	if !ok || ref.Tenant == "" {
		return k.vault.Open(ref, sealed)
	}
	keys, err := k.held(ctx, ref.Tenant)
	// A version that is not known was made since. A reading that others had begun may be older, so read twice.
	for again := 0; err == nil && keys.versions[version] == nil && again < 2; again++ {
		keys, err = k.read(ctx, ref.Tenant)
	}
	if err != nil {
		return nil, err
	}
	key := keys.versions[version]
	if key == nil {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, vault.ErrNoDataKey)
	}
	return key.Open(ref, sealed)
}

// Hold makes sure that a tenant's keys are there and held, so that sealing inside a transaction does not need
// another one.
func (k *Keyring) Hold(ctx context.Context, tenant ID) error {
	keys, err := k.held(ctx, tenant.String())
	if err == nil && keys.newest == nil {
		_, err = k.makeFirst(ctx, tenant.String())
	}
	return err
}

// First makes the first data key of a tenant that is about to sign up, and holds it, so that its values can be
// sealed before it is stored.
func (k *Keyring) First(tenant ID) (DataKey, error) {
	key, wrapped, err := k.vault.NewDataKey(tenant.String(), 1)
	if err != nil {
		return DataKey{}, err
	}
	k.entries.Add(tenant.String(), &dataKeys{newest: key, versions: map[uint32]*vault.DataKey{1: key}, readAt: k.now()})
	return DataKey{Version: 1, Wrapped: wrapped, MasterKey: k.vault.KeyName(), CreatedAt: k.now()}, nil
}

// held gives the keys that are held, or reads them.
func (k *Keyring) held(ctx context.Context, tenant string) (*dataKeys, error) {
	if keys, ok := k.entries.Get(tenant); ok && k.now().Sub(keys.readAt) < keysAge {
		return keys, nil
	}
	return k.read(ctx, tenant)
}

// read reads a tenant's keys, once for all who ask at the same time.
func (k *Keyring) read(ctx context.Context, tenant string) (*dataKeys, error) {
	done := k.flight.DoChan(tenant, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTime)
		defer cancel()
		return k.load(ctx, tenant)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*dataKeys), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("read data keys: %w: %w", ErrUnavailable, ctx.Err())
	}
}

func (k *Keyring) load(ctx context.Context, tenant string) (*dataKeys, error) {
	var id ID
	if err := id.UnmarshalText([]byte(tenant)); err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	keys := &dataKeys{versions: map[uint32]*vault.DataKey{}, readAt: k.now()}
	stored, err := k.store.Tenant(id).DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		key, err := k.vault.Unwrap(tenant, s.Version, s.Wrapped)
		if err != nil {
			return nil, fmt.Errorf("data key %d of tenant %s: %w", s.Version, tenant, err)
		}
		keys.versions[s.Version], keys.newest = key, key
	}
	if keys.newest == nil {
		k.entries.Remove(tenant)
		return keys, nil
	}
	k.entries.Add(tenant, keys)
	return keys, nil
}

// makeFirst gives a tenant from before there were data keys its first one. Of several processes the first wins.
func (k *Keyring) makeFirst(ctx context.Context, tenant string) (*dataKeys, error) {
	var id ID
	if err := id.UnmarshalText([]byte(tenant)); err != nil {
		return nil, fmt.Errorf("data keys: %w", err)
	}
	if err := k.addKey(ctx, id, 1); err != nil {
		return nil, err
	}
	keys, err := k.load(ctx, tenant)
	if err == nil && keys.newest == nil {
		err = fmt.Errorf("data keys of tenant %s: %w", tenant, vault.ErrNoDataKey)
	}
	return keys, err
}

func (k *Keyring) addKey(ctx context.Context, tenant ID, version uint32) error {
	_, wrapped, err := k.vault.NewDataKey(tenant.String(), version)
	if err != nil {
		return err
	}
	return k.store.Tenant(tenant).AddDataKey(ctx, DataKey{
		Version: version, Wrapped: wrapped, MasterKey: k.vault.KeyName(), CreatedAt: k.now(),
	})
}
