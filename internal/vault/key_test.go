package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

func TestKeyIsOneSafeLine(t *testing.T) {
	t.Parallel()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
		t.Errorf("the key holds more than base64 characters")
	}
	v := openVault(t, "\n "+key+"\r\n")
	if v.KeyID() != openVault(t, key).KeyID() {
		t.Error("white space around the key changes it")
	}
	if other := newVault(t); other.KeyID() == v.KeyID() {
		t.Error("two keys have one id")
	}
}

func TestFirstKeySealsAndAllOpen(t *testing.T) {
	t.Parallel()
	old, next := newKey(t), newKey(t)
	sealed := seal(t, openVault(t, old), place, "hunter2")
	for name, both := range map[string]string{
		"comma": next + "," + old, "comma and space": next + ", " + old, "lines": next + "\n" + old + "\n",
		"one keyset, as once made": addKey(t, old),
	} {
		v := openVault(t, both)
		if got, err := v.Open(place, sealed); err != nil || string(got) != "hunter2" {
			t.Errorf("%s: the old key's value: %v", name, err)
		}
		if v.KeyID() == openVault(t, old).KeyID() {
			t.Errorf("%s: the old key still seals", name)
		}
		if _, err := openVault(t, old).Open(place, seal(t, v, place, "x")); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: the new key's value with the old key: %v, want ErrWrongKey", name, err)
		}
	}
	if name := openVault(t, next).KeyName(); name != openVault(t, next+","+old).KeyName() || len(name) != 8 {
		t.Errorf("the first key's name is %q", name)
	}
}

func newKey(t *testing.T) string {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// addKey makes one text of several keys, which earlier builds did and which stays valid.
func addKey(t *testing.T, text string) string {
	t.Helper()
	handle, err := parseKeyset(text)
	if err != nil {
		t.Fatal(err)
	}
	text, err = withNewPrimary(keyset.NewManagerFromHandle(handle))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The value was sealed by an earlier build: what is stored must open for ever.
// The key was made for this test and guards nothing else.
func TestStoredFormatStillOpens(t *testing.T) {
	t.Parallel()
	v := openVault(t, goldenKey)
	sealed, err := base64.StdEncoding.DecodeString(goldenSealed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Open(place, sealed); err != nil || string(got) != "hunter2" {
		t.Errorf("opened %q, %v", got, err)
	}
}

const (
	goldenKey    = "CPDI6IcNEmQKWAowdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUuY3J5cHRvLnRpbmsuQWVzR2NtS2V5EiIaIOqT5B2Elb6/8Fo0TCTQxk3pzQDc+9NhCqIAKIo9K55PGAEQARjwyOiHDSAB"
	goldenSealed = "AdD6JHAys7flYlJtdv2p/WzD66KwvNqnqduajrBiycky0viR5ziChw=="
)

func TestForeignKeysAreRefused(t *testing.T) {
	t.Parallel()
	good, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		key  string
		want error
	}{
		"empty":                   {"", errNoKey},
		"white space":             {" \n", errNoKey},
		"a password":              {"correct horse battery staple", errForeign},
		"hex":                     {strings.Repeat("0123456789abcdef", 4), errForeign},
		"bare AES key":            {base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), errForeign},
		"cut short":               {good[:len(good)/4*2], errForeign},
		"one group less":          {good[:len(good)-4], errForeign},
		"quoted":                  {`"` + good + `"`, errForeign},
		"twice":                   {good + good, errForeign},
		"JSON keyset":             {`{"primaryKeyId":1,"key":[]}`, errForeign},
		"AES-128":                 {keysetText(t, aead.AES128GCMKeyTemplate()), errForeign},
		"no key id":               {keysetText(t, aead.AES256GCMNoPrefixKeyTemplate()), errForeign},
		"ChaCha20":                {keysetText(t, aead.ChaCha20Poly1305KeyTemplate()), errForeign},
		"AES-GCM-SIV":             {keysetText(t, aead.AES256GCMSIVKeyTemplate()), errForeign},
		"HMAC":                    {keysetText(t, mac.HMACSHA256Tag256KeyTemplate()), errForeign},
		"zero key":                {fixedKeyText(t, make([]byte, 32)), errWeak},
		"one byte":                {fixedKeyText(t, bytes.Repeat([]byte{0xa5}, 32)), errWeak},
		"a repeated word":         {fixedKeyText(t, bytes.Repeat([]byte("changeme"), 4)), errWeak},
		"a second one twice":      {good + "," + good, errTwice},
		"a second that is no key": {good + " hunter2", errForeign},
		"a second that is weak":   {good + "," + fixedKeyText(t, make([]byte, 32)), errWeak},
		"only commas":             {" , ,", errNoKey},
		"a second foreign":        {withSecond(t, good, aead.AES128GCMKeyTemplate()), errForeign},
	}
	for name, c := range cases {
		v, err := New(c.key)
		if !errors.Is(err, c.want) || v != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), "`sidecard keys new`") {
			t.Errorf("%s: %q does not say what to do", name, err)
		}
		if err != nil && len(c.key) > 8 && strings.Contains(err.Error(), c.key[:8]) {
			t.Errorf("%s: the error quotes the key", name)
		}
	}
}

func TestDisabledKeyNoLongerOpens(t *testing.T) {
	t.Parallel()
	first, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	old := openVault(t, first)
	sealed := seal(t, old, place, "x")
	handle, err := parseKeyset(addKey(t, first))
	if err != nil {
		t.Fatal(err)
	}
	m := keyset.NewManagerFromHandle(handle)
	if err := m.Disable(old.KeyID()); err != nil {
		t.Fatal(err)
	}
	v := openVault(t, textOf(t, m))
	if _, err := v.Open(place, sealed); !errors.Is(err, ErrWrongKey) {
		t.Errorf("%v, want ErrWrongKey", err)
	}
}

func keysetText(t *testing.T, template *tinkpb.KeyTemplate) string {
	t.Helper()
	m := keyset.NewManager()
	id, err := m.Add(template)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	return textOf(t, m)
}

func withSecond(t *testing.T, text string, template *tinkpb.KeyTemplate) string {
	t.Helper()
	handle, err := parseKeyset(text)
	if err != nil {
		t.Fatal(err)
	}
	m := keyset.NewManagerFromHandle(handle)
	if _, err := m.Add(template); err != nil {
		t.Fatal(err)
	}
	return textOf(t, m)
}

func fixedKeyText(t *testing.T, raw []byte) string {
	t.Helper()
	params, err := aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: keyLen, IVSizeInBytes: nonceLen, TagSizeInBytes: tagLen, Variant: aesgcm.VariantTink,
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := aesgcm.NewKey(secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{}), 7, params)
	if err != nil {
		t.Fatal(err)
	}
	m := keyset.NewManager()
	id, err := m.AddKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	return textOf(t, m)
}

func textOf(t *testing.T, m *keyset.Manager) string {
	t.Helper()
	handle, err := m.Handle()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&text)); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text.Bytes())
}
