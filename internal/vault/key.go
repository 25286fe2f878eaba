package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	keyLen = 32
	// minDistinct is how many different bytes a key must hold. A random one has
	// about thirty; less than sixteen means that a person or a broken generator
	// wrote it.
	minDistinct = 16
)

var (
	errNoKey   = errors.New("MASTER_KEY is empty: make one with `sidecard keys new`")
	errForeign = errors.New("MASTER_KEY is not a Sidecard key: make one with `sidecard keys new`")
	errWeak    = errors.New("MASTER_KEY is too easy to guess: make one with `sidecard keys new`")
	errTwice   = errors.New("MASTER_KEY holds this key twice: keep one of them, or make another with `sidecard keys new`")
)

// NewKey makes a master key: one line of base64, a Tink keyset with one
// AES-256-GCM key, fit for an environment variable or a file.
func NewKey() (string, error) {
	return withNewPrimary(keyset.NewManager())
}

func withNewPrimary(m *keyset.Manager) (string, error) {
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	handle, err := m.Handle()
	if err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&text)); err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(text.Bytes()), nil
}

// parseKeyset reads and checks a master key. The causes are left out of the
// errors: the libraries below might quote what they could not read.
func parseKeyset(text string) (*keyset.Handle, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errNoKey
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errForeign
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errForeign
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errForeign
		}
		if err := checkKey(entry); err != nil {
			return nil, err
		}
	}
	return handle, nil
}

// checkKey accepts the one kind of key that NewKey makes.
func checkKey(entry *keyset.Entry) error {
	key, ok := entry.Key().(*aesgcm.Key)
	if !ok {
		return errForeign
	}
	p, ok := key.Parameters().(*aesgcm.Parameters)
	if !ok || p.KeySizeInBytes() != keyLen || p.IVSizeInBytes() != nonceLen || p.TagSizeInBytes() != tagLen ||
		p.Variant() != aesgcm.VariantTink {
		return errForeign
	}
	distinct := map[byte]bool{}
	for _, b := range key.KeyBytes().Data(insecuresecretdataaccess.Token{}) {
		distinct[b] = true
	}
	if len(distinct) < minDistinct {
		return errWeak
	}
	return nil
}

// add takes in one more text's keys; the first text's primary key becomes the one that seals.
func (v *Vault) add(text string) error {
	handle, err := parseKeyset(text)
	if err != nil {
		return err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return errForeign
	}
	primary, err := handle.Primary()
	if err != nil {
		return errForeign
	}
	if len(v.known) == 0 {
		v.primary = primary.KeyID()
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return errForeign
		}
		if entry.KeyStatus() != keyset.Enabled {
			continue
		}
		if _, twice := v.known[entry.KeyID()]; twice {
			return errTwice
		}
		v.known[entry.KeyID()] = primitive
	}
	return nil
}
