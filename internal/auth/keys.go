package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// keySet is the keys that are in use at one moment. It never changes.
type keySet struct {
	signing   Key
	verifying map[string]ed25519.PublicKey // by key id
	jwks      []byte
}

// Use takes other keys from now on, at once and for all callers: the first signs and
// all of them verify. On an error the keys stay as they were.
func (t *Tokens) Use(keys ...Key) error {
	if len(keys) == 0 {
		return errors.New("tokens: a signing key is required")
	}
	set := &keySet{signing: keys[0], verifying: map[string]ed25519.PublicKey{}}
	document := jwks{Keys: []jwk{}}
	for _, k := range keys {
		if len(k.Private) != ed25519.PrivateKeySize || k.ID != thumbprint(public(k.Private)) {
			return fmt.Errorf("tokens: key %q is not made by this package", k.ID)
		}
		if _, twice := set.verifying[k.ID]; twice {
			continue
		}
		set.verifying[k.ID] = public(k.Private)
		document.Keys = append(document.Keys, jwk{
			Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(public(k.Private)), ID: k.ID, Use: "sig", Algorithm: "EdDSA",
		})
	}
	var err error
	if set.jwks, err = json.Marshal(document); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	t.keys.Store(set)
	return nil
}

// JWKS gives the public halves of all keys that verify as a JSON Web Key Set (RFC 7517,
// for OKP keys RFC 8037), the one that signs first.
func (t *Tokens) JWKS() []byte { return t.keys.Load().jwks }

type jwks struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}
