package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sidecard/internal/auth"
	"sidecard/internal/vault"
)

const (
	// signsAfter is how long a new key for access tokens only verifies, so that all processes know it when it signs.
	signsAfter = 10 * time.Minute
	// verifiesFor is how long the key before verifies after that; longer than any token lives.
	verifiesFor = 24 * time.Hour
)

// SigningKeys gives the keys for access tokens that are in use now, the one that signs first. It makes one when
// there is none yet. The error is a sentence for the operator when the master key is another one's.
func (k *Keyring) SigningKeys(ctx context.Context) ([]auth.Key, error) {
	stored, err := k.store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	if len(stored) == 0 {
		first, err := k.newSigningKey(time.Time{})
		if err != nil {
			return nil, err
		}
		if err := k.store.AddFirstSigningKey(ctx, first); err != nil {
			return nil, err
		}
		if stored, err = k.store.SigningKeys(ctx); err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
	}
	inUse := signingKeysInUse(stored, k.now())
	keys := make([]auth.Key, len(inUse))
	for i, s := range inUse {
		seed, err := k.vault.Open(SigningKeyRef(s.KeyID), s.Sealed)
		if errors.Is(err, vault.ErrWrongKey) || errors.Is(err, vault.ErrDamaged) {
			return nil, fmt.Errorf("MASTER_KEY does not open this database; use the key the database was set up with: %w", err)
		}
		if err != nil {
			return nil, err
		}
		if keys[i], err = auth.ParseKey(seed); err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.KeyID, err)
		}
	}
	return keys, nil
}

// signingKeysInUse picks from all keys, newest first, those that verify now, and puts the one that signs in front.
func signingKeysInUse(all []SigningKey, now time.Time) []SigningKey {
	var inUse []SigningKey
	signs := -1
	for _, k := range all {
		if !k.EndsAt.IsZero() && !now.Before(k.EndsAt) {
			continue
		}
		if signs < 0 && !now.Before(k.SignsAt) {
			signs = len(inUse)
		}
		inUse = append(inUse, k)
	}
	if signs > 0 {
		inUse[0], inUse[signs] = inUse[signs], inUse[0]
	}
	return inUse
}

// RotateSigning adds a key for access tokens. It signs after ten minutes, when all processes have read it, and the
// keys before verify until their last token has ended. With atOnce it signs from now on and no other key is good for
// anything, as after a leak: everybody exchanges their refresh token.
func (k *Keyring) RotateSigning(ctx context.Context, atOnce bool) (SigningKey, error) {
	signs, ends := k.now().Add(signsAfter), k.now().Add(signsAfter+verifiesFor)
	if atOnce {
		signs, ends = k.now(), k.now()
	}
	key, err := k.newSigningKey(signs)
	if err != nil {
		return SigningKey{}, err
	}
	return key, k.store.AddSigningKey(ctx, key, ends)
}

func (k *Keyring) newSigningKey(signs time.Time) (SigningKey, error) {
	key, err := auth.NewSigningKey()
	if err != nil {
		return SigningKey{}, err
	}
	sealed, err := k.vault.Seal(SigningKeyRef(key.ID), key.Seed())
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{KeyID: key.ID, Sealed: sealed, CreatedAt: k.now(), SignsAt: signs}, nil
}
