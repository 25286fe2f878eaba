package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// formatData is the first byte of what a data key sealed. The key's version (4 bytes, big endian), a random nonce
// (12), the ciphertext and a tag (16) follow.
const formatData = 0x02

// ErrNoDataKey says that a value was sealed with a data key that is not there: the key was deleted with its tenant,
// or was made a moment ago and has yet to be read.
var ErrNoDataKey = errors.New("sealed with a data key that is not there")

// DataKey seals and opens the values of one tenant with AES-256-GCM. It is safe for concurrent use.
type DataKey struct {
	tenant  string
	version uint32
	aead    cipher.AEAD
}

// NewDataKey makes a tenant's data key of a version, from 1 on, and gives it wrapped as well: sealed with the master
// key, fit to be stored.
func (v *Vault) NewDataKey(tenant string, version uint32) (key *DataKey, wrapped []byte, err error) {
	raw := make([]byte, keyLen)
	if _, err := rand.Read(raw); err != nil {
		return nil, nil, fmt.Errorf("new data key: %w", err)
	}
	if wrapped, err = v.Seal(wrapRef(tenant, version), raw); err != nil {
		return nil, nil, err
	}
	key, err = newDataKey(tenant, version, raw)
	return key, wrapped, err
}

// Unwrap opens a wrapped data key. It returns [ErrWrongKey] or [ErrDamaged], also for the key of another tenant or
// version.
func (v *Vault) Unwrap(tenant string, version uint32, wrapped []byte) (*DataKey, error) {
	raw, err := v.Open(wrapRef(tenant, version), wrapped)
	if err != nil {
		return nil, err
	}
	return newDataKey(tenant, version, raw)
}

// Rewrap wraps a wrapped data key with the master key that seals now. What the data key sealed stays as it is.
func (v *Vault) Rewrap(tenant string, version uint32, wrapped []byte) ([]byte, error) {
	ref := wrapRef(tenant, version)
	raw, err := v.Open(ref, wrapped)
	if err != nil {
		return nil, err
	}
	return v.Seal(ref, raw)
}

func wrapRef(tenant string, version uint32) Ref {
	return Ref{Tenant: tenant, Table: "tenant_keys", Column: "wrapped", Row: strconv.FormatUint(uint64(version), 10)}
}

func newDataKey(tenant string, version uint32, raw []byte) (*DataKey, error) {
	if tenant == "" || version == 0 || len(raw) != keyLen {
		return nil, errors.New("a data key needs a tenant, a version and 32 bytes")
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	return &DataKey{tenant: tenant, version: version, aead: aead}, nil
}

// Version is the number that stands in what the key seals.
func (k *DataKey) Version() uint32 { return k.version }

// Seal encrypts plain for a place of the key's tenant; the result is 33 bytes longer.
func (k *DataKey) Seal(ref Ref, plain []byte) ([]byte, error) {
	bound, err := k.bind(ref)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	sealed := make([]byte, prefixLen+nonceLen, prefixLen+nonceLen+len(plain)+tagLen)
	sealed[0] = formatData
	binary.BigEndian.PutUint32(sealed[1:prefixLen], k.version)
	nonce := sealed[prefixLen:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("seal for %s.%s: %w", ref.Table, ref.Column, err)
	}
	return k.aead.Seal(sealed, nonce, plain, bound), nil
}

// Open decrypts what [DataKey.Seal] made for the same ref. It returns [ErrNoDataKey] for another version's value,
// and [ErrDamaged].
func (k *DataKey) Open(ref Ref, sealed []byte) ([]byte, error) {
	bound, err := k.bind(ref)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	version, ok := DataKeyOf(sealed)
	if !ok {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrDamaged)
	}
	if version != k.version {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrNoDataKey)
	}
	nonce, text := sealed[prefixLen:prefixLen+nonceLen], sealed[prefixLen+nonceLen:]
	plain, err := k.aead.Open(make([]byte, 0, len(text)-tagLen), nonce, text, bound)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrDamaged)
	}
	return plain, nil
}

func (k *DataKey) bind(ref Ref) ([]byte, error) {
	if ref.Tenant != k.tenant {
		return nil, errors.New("a data key is its tenant's alone")
	}
	return ref.bind()
}

// DataKeyOf gives the version of the data key that sealed a value; ok is false when none did.
func DataKeyOf(sealed []byte) (version uint32, ok bool) {
	if len(sealed) < prefixLen+nonceLen+tagLen || sealed[0] != formatData {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:prefixLen]), true
}

// MasterKeyOf gives the id of the master key that sealed a value; ok is false when none did.
func MasterKeyOf(sealed []byte) (id uint32, ok bool) {
	if len(sealed) < prefixLen+nonceLen+tagLen || sealed[0] != formatTink {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:prefixLen]), true
}

// MasterFormat gives the bytes that all values begin with that a master key sealed.
func MasterFormat() []byte { return []byte{formatTink} }

// Mark gives the bytes that all values begin with that the master key that seals now has sealed.
func (v *Vault) Mark() []byte { return binary.BigEndian.AppendUint32(MasterFormat(), v.primary) }
