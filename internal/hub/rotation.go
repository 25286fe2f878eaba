package hub

import (
	"context"
	"errors"
	"fmt"

	"sidecard/internal/vault"
)

const (
	// tenantsPage and valuesPage are how many tenants or sealed values are read at once.
	tenantsPage = 200
	valuesPage  = 500
	// rotatePasses bounds how often a rotation looks again for what was sealed meanwhile.
	rotatePasses = 5
)

// Rotation is how far a rotation of the master key or of data keys is.
type Rotation struct {
	Tenants  int // visited in this pass
	DataKeys int // wrapped with the first master key, or made
	Values   int // sealed anew
	Waiting  int // data keys that another master key wraps still; of the whole installation
	Stuck    int // values that cannot be moved: no key opens them
	// Problem says of the last stuck value where it is and why; nil = there is none.
	Problem error
}

// Done reports whether nothing needs an old master key any more.
func (r Rotation) Done() bool { return r.Waiting == 0 && r.Stuck == 0 }

// rotation is one that is under way.
type rotation struct {
	Rotation
	keys *Keyring
	tell func(Rotation)
}

// RotateMaster seals anew with the first master key all that others sealed: the data keys of all tenants, what
// belongs to the whole installation, and values of tenants that a master key sealed itself, which get a data key. It
// works page by page, tells after each, and may be broken off and begun again at any time, while Sidecard runs. It
// passes over everything until nothing is left to do.
func (k *Keyring) RotateMaster(ctx context.Context, tell func(Rotation)) (Rotation, error) {
	w := &rotation{keys: k, tell: tell}
	for range rotatePasses {
		before := w.DataKeys + w.Values
		w.Tenants, w.Stuck, w.Problem = 0, 0, nil
		if err := w.pass(ctx); err != nil {
			return w.Rotation, err
		}
		if w.DataKeys+w.Values == before {
			break
		}
	}
	return w.Rotation, nil
}

func (w *rotation) pass(ctx context.Context) error {
	for _, c := range w.keys.store.SealedColumns() {
		if c.Owner != "" {
			continue
		}
		others := SealedQuery{Prefix: w.keys.vault.Mark(), Other: true}
		if err := w.resealColumn(ctx, w.keys.store, "", c, others); err != nil {
			return err
		}
	}
	if err := w.report(ctx); err != nil {
		return err
	}
	return w.keys.eachTenant(ctx, func(tenants []ID) error {
		for _, t := range tenants {
			if err := w.tenant(ctx, t); err != nil {
				return err
			}
			w.Tenants++
		}
		return w.report(ctx)
	})
}

func (w *rotation) report(ctx context.Context) (err error) {
	if w.Waiting, err = w.keys.store.DataKeysNotOf(ctx, w.keys.vault.KeyName()); err != nil {
		return err
	}
	w.tell(w.Rotation)
	return nil
}

// eachTenant visits all tenants, a page at a time.
func (k *Keyring) eachTenant(ctx context.Context, visit func([]ID) error) error {
	var after ID
	for {
		page, err := k.store.TenantsAfter(ctx, after, tenantsPage)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := visit(page); err != nil {
			return err
		}
		after = page[len(page)-1]
	}
}

// tenant wraps a tenant's data keys with the first master key, and gives to its newest data key what a master key
// sealed itself.
func (w *rotation) tenant(ctx context.Context, id ID) error {
	t, master := w.keys.store.Tenant(id), w.keys.vault
	keys, err := t.DataKeys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.MasterKey == master.KeyName() {
			continue
		}
		was := key.Wrapped
		key.MasterKey = master.KeyName()
		if key.Wrapped, err = master.Rewrap(id.String(), key.Version, was); err != nil {
			w.Stuck, w.Problem = w.Stuck+1, fmt.Errorf("data key %d of tenant %s: %w", key.Version, id, err)
			continue
		}
		if err := t.RewrapDataKey(ctx, was, key); err != nil {
			return err
		}
		w.DataKeys++
	}
	for _, c := range w.keys.store.SealedColumns() {
		if c.Owner == "" {
			continue
		}
		if err := w.resealColumn(ctx, t, id.String(), c, SealedQuery{Prefix: vault.MasterFormat()}); err != nil {
			return err
		}
	}
	return nil
}

// resealColumn seals anew the values of a column that q asks for, a page at a time. The tenant is empty for a column
// without an owner.
func (w *rotation) resealColumn(ctx context.Context, in SealedValues, tenant string, c SealedColumn, q SealedQuery) error {
	q.Limit = valuesPage
	for {
		page, err := in.SealedValues(ctx, c, q)
		if err != nil || len(page) == 0 {
			return err
		}
		q.After = page[len(page)-1].Key
		anew := page[:0]
		for _, v := range page {
			ref := vault.Ref{Tenant: tenant, Table: c.PlaceTable, Column: c.PlaceColumn, Row: v.Row}
			if v.Anew, err = w.keys.reseal(ctx, ref, v.Sealed); err != nil {
				w.Stuck, w.Problem = w.Stuck+1, fmt.Errorf("%s, row %s: %w", c, v.Row, err)
				continue
			}
			anew = append(anew, v)
		}
		n, err := in.ReplaceSealed(ctx, c, anew)
		if err != nil {
			return err
		}
		w.Values += n
		if err := w.report(ctx); err != nil {
			return err
		}
	}
}

func (k *Keyring) reseal(ctx context.Context, ref vault.Ref, sealed []byte) ([]byte, error) {
	plain, err := k.Open(ctx, ref, sealed)
	if err != nil {
		return nil, err
	}
	return k.Seal(ctx, ref, plain)
}

// RotateData gives every tenant a new version of its data key, which seals from now on; processes that hold the one
// before go on sealing with it for five minutes at most. What older versions sealed stays as it is.
func (k *Keyring) RotateData(ctx context.Context, tell func(Rotation)) (Rotation, error) {
	w := &rotation{keys: k, tell: tell}
	err := k.eachTenant(ctx, func(tenants []ID) error {
		for _, t := range tenants {
			keys, err := k.store.Tenant(t).DataKeys(ctx)
			if err != nil {
				return err
			}
			next := uint32(1)
			if len(keys) > 0 {
				next = keys[len(keys)-1].Version + 1
			}
			err = k.addKey(ctx, t, next)
			if errors.Is(err, ErrNotFound) { // deleted since the page was read
				continue
			}
			if err != nil {
				return err
			}
			w.Tenants++
			w.DataKeys++
		}
		return w.report(ctx)
	})
	return w.Rotation, err
}
