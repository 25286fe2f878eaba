// Package vault seals secrets before they are stored and opens them again. A
// sealed value is bound to the place it belongs to: copied to another tenant,
// table, column or row it does not open.
//
// It refuses keys that it did not make, and it never puts a key, a secret or a
// sealed value into an error. It stores nothing itself. Passwords don't belong
// here, they are hashed (see package auth).
//
// Each tenant's values are sealed with a data key of its own ([DataKey]), which is
// stored wrapped: sealed with the master key, as is what belongs to no tenant.
//
// What the master key seals is what Tink's AES-256-GCM writes: the byte 0x01, the
// key's id (4 bytes, big endian), a random nonce (12), the ciphertext and a tag
// (16). A data key writes 0x02 and its version instead. Other first bytes are free
// for later formats.
package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tink-crypto/tink-go/v2/tink"
)

const (
	formatTink = 0x01
	prefixLen  = 5
	nonceLen   = 12
	tagLen     = 16
)

var (
	// ErrWrongKey says that a value was sealed with a key that is not in the
	// master keyset: it belongs to another installation, or the key was removed.
	ErrWrongKey = errors.New("sealed with a key that is not in MASTER_KEY")
	// ErrDamaged says that a value is not what was sealed for this place: it was
	// changed, cut short, or moved from another place.
	ErrDamaged = errors.New("sealed value is damaged or belongs elsewhere")
)

// Ref names the place that a sealed value belongs to. Table, Column and Row are
// required; Row is the row's primary key as text. Tenant is empty for what
// belongs to the whole installation, such as its signing keys.
type Ref struct{ Tenant, Table, Column, Row string }

// Vault seals with one master key and opens with several. It is safe for concurrent
// use.
type Vault struct {
	primary uint32
	known   map[uint32]tink.AEAD // by key id
}

// New makes a vault from the texts that [NewKey] printed, with commas or white space
// between them: the first key seals, all of them open. Its errors are sentences for
// the operator.
func New(masterKeys string) (*Vault, error) {
	texts := strings.FieldsFunc(masterKeys, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(texts) == 0 {
		return nil, errNoKey
	}
	v := &Vault{known: map[uint32]tink.AEAD{}}
	for i, text := range texts {
		if err := v.add(text); err != nil && len(texts) > 1 {
			return nil, fmt.Errorf("key %d of %d: %w", i+1, len(texts), err)
		} else if err != nil {
			return nil, err
		}
	}
	return v, nil
}

// KeyID is the id of the key that seals. It is no secret: it stands at the front
// of each sealed value, and may be stored to find the values of an old key.
func (v *Vault) KeyID() uint32 { return v.primary }

// KeyName is that id as it is stored and shown.
func (v *Vault) KeyName() string { return fmt.Sprintf("%08x", v.primary) }

// Seal encrypts plain for the place ref; the result is 33 bytes longer.
func (v *Vault) Seal(ref Ref, plain []byte) ([]byte, error) {
	bound, err := ref.bind()
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	sealed, err := v.known[v.primary].Encrypt(plain, bound)
	if err != nil {
		return nil, fmt.Errorf("seal for %s.%s: %w", ref.Table, ref.Column, err)
	}
	return sealed, nil
}

// Open decrypts what [Vault.Seal] made for the same ref, with any key of
// the vault. It returns [ErrWrongKey] or [ErrDamaged].
func (v *Vault) Open(ref Ref, sealed []byte) ([]byte, error) {
	bound, err := ref.bind()
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	id, ok := MasterKeyOf(sealed)
	if !ok {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrDamaged)
	}
	key, ok := v.known[id]
	if !ok {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrWrongKey)
	}
	plain, err := key.Decrypt(sealed, bound)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", ref.Table, ref.Column, ErrDamaged)
	}
	return plain, nil
}

// bindLabel keeps the bytes that bind a value apart from those of any other use
// of the same key.
const bindLabel = "sidecard/vault/1"

// bind writes the ref as associated data. Each part follows its length, so that
// no two refs give the same bytes.
func (r Ref) bind() ([]byte, error) {
	if r.Table == "" || r.Column == "" || r.Row == "" {
		return nil, errors.New("a ref needs a table, a column and a row")
	}
	b := make([]byte, 0, 192)
	b = append(b, bindLabel...)
	for _, part := range [...]string{r.Tenant, r.Table, r.Column, r.Row} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b, nil
}
