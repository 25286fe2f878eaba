package reach_test

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// mustRefuse demands that a setting is refused, by its name.
func mustRefuse(t *testing.T, err error, field string) {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) || e.Class != connectors.Misconfigured || e.Code != "toy.setting" || e.Field != field {
		t.Fatalf("got %+v (%v), want a refusal of %s", e, err, field)
	}
	if e.Message == "" || e.Fix == "" || e.Err != nil {
		t.Errorf("the refusal of %s has no words, or more than words: %+v", field, *e)
	}
}

func TestWrongAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for field, values := range map[string][]any{
		"host": {
			"", " ", "/run/toy", "@abstract", "toy://db.example.com", "user@db.example.com", "db.example.com/shop", "db.example.com:5432", "a,b", "[::1]", "::1%lo",
			"db\x00", "db\n", "%2Frun", "ḋb.example", "~", strings.Repeat("a", 254), 7, nil,
			[]string{"db.example.com"},
		},
		"port": {0, -1, 22, 1023, 65536, 1 << 40},
	} {
		for _, v := range values {
			_, _, err := kind.Address(asSettings(t, map[string]any{"host": "db.example.com", "port": 5432, field: v}))
			mustRefuse(t, err, field)
		}
	}
}

func TestAddressesAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"db.example.com", "DB-1.internal_zone", "192.0.2.1", "2001:db8::1"} {
		host, port, err := kind.Address(asSettings(t, map[string]any{"host": want}))
		if err != nil || host != want || port != 5432 {
			t.Errorf("%s: got %s, %d, %v", want, host, port, err)
		}
	}
}

func TestWrongTunnelSettingsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBastion(t)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(b.userKey, "", []byte("passphrase"))
	if err != nil {
		t.Fatal(err)
	}
	locked := string(pem.EncodeToMemory(block))
	for field, values := range map[string][]any{
		"tunnel":      {"", "SSH", "vpn", "straight"},
		"tunnel_host": {"", "ssh://bastion.example.com", "sidecard@bastion.example.com", "bastion.example.com:22", "/run/ssh", "a b", "[::1]", strings.Repeat("a", 254)},
		"tunnel_port": {0, -1, 21, 23, 80, 1023, 65536, 1 << 40},
		"tunnel_user": {""},
		"tunnel_key":  {"", "key", locked, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", strings.TrimSpace(keyPEM(t, b.userKey))[:100], "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
	} {
		for _, v := range values {
			_, err := kind.Way(connectors.OpenInput{Settings: b.settings(map[string]any{field: v})})
			mustRefuse(t, err, field)
		}
	}
}

func TestPastedKeysMayHaveSpaceAround(t *testing.T) {
	t.Parallel()
	b := newBastion(t)
	key := keyPEM(t, b.userKey)
	for _, key := range []string{key, strings.TrimSpace(key), "\n\n " + key + "\n\n", strings.ReplaceAll(key, "\n", "\r\n")} {
		w, err := kind.Way(connectors.OpenInput{Settings: b.settings(map[string]any{"tunnel_key": key})})
		if err != nil || !w.Tunnelled() {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestWithoutATunnelItsOtherSettingsDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, none := range []map[string]any{{"tunnel": "none"}, {}} {
		none["tunnel_host"], none["tunnel_port"], none["tunnel_key"] = "a b", 23, "key"
		w, err := kind.Way(connectors.OpenInput{Settings: asSettings(t, none)})
		if err != nil || w.Tunnelled() {
			t.Errorf("%v: %v", none, err)
		}
	}
}

func TestWrongTLSSettingsAreRefused(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(clientAuth)
	_, otherKey := other.issue(clientAuth)
	good := map[string]any{"tls": "pin", "pin": strings.Repeat("ab", 32), "ca_pem": ca.pem(), "client_cert_pem": cert, "client_key_pem": key}
	for field, values := range map[string][]any{
		"tls":    {"", "prefer", "disable", "VERIFY_FULL"},
		"pin":    {"x", "ab", strings.Repeat("ab", 31), strings.Repeat("ab", 33), strings.Repeat("g", 64), strings.Repeat("ab", 31) + "a"},
		"ca_pem": {"x", "/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", key},
	} {
		for _, v := range values {
			s := asSettings(t, good)
			s[field] = asSettings(t, map[string]any{field: v})[field]
			_, err := kind.TLS(s, "db.example.com")
			mustRefuse(t, err, field)
		}
	}
	for _, pair := range [][2]string{{cert, ""}, {"", key}, {cert, otherKey}, {key, cert}, {"x", "y"}} {
		s := asSettings(t, map[string]any{"client_cert_pem": pair[0], "client_key_pem": pair[1]})
		_, err := kind.TLS(s, "db.example.com")
		mustRefuse(t, err, "client_cert_pem")
	}
}

func TestOnlySomeTLSProvesTheServer(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]bool{"verify_full": true, "verify_ca": true, "pin": true, "encrypt": false, "off": false} {
		c, err := kind.TLS(asSettings(t, map[string]any{"tls": mode}), "db.example.com")
		if err != nil || reach.Proves(c) != want || (c == nil) != (mode == "off") {
			t.Errorf("%s: %v, proves %v", mode, err, reach.Proves(c))
		}
	}
}

// FuzzPin holds the fingerprint to what it says: 32 bytes, however they are grouped, or a refusal.
func FuzzPin(f *testing.F) {
	for _, seed := range []string{"", "ab", strings.Repeat("AB:", 31) + "ab", strings.Repeat("ab cd ", 16), strings.Repeat("0", 64), ":", "\x00", strings.Repeat("é", 32)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pin string) {
		c, err := kind.TLS(asSettings(t, map[string]any{"tls": "pin", "pin": pin}), "db.example.com")
		if err != nil {
			mustRefuse(t, err, "pin")
			return
		}
		if c.VerifyConnection == nil || c.ServerName != "db.example.com" {
			t.Error("the certificate is not looked at")
		}
		plain := strings.NewReplacer(":", "", " ", "").Replace(pin)
		if raw, err := hex.DecodeString(plain); err != nil || len(raw) != 32 && len(raw) != 0 {
			t.Errorf("%q was taken", pin)
		}
	})
}

// FuzzTunnelSettings tries whatever people paste. It is taken, or refused by the name of its field.
func FuzzTunnelSettings(f *testing.F) {
	f.Add("bastion.example.com", 22, "sidecard", keyPEM(f, newKey(f)), "", "")
	f.Add("2001:db8::1", 2222, "sidecard", "", "password", "SHA256:x")
	f.Add("a:b", 23, "", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "", "")
	f.Fuzz(func(t *testing.T, host string, port int, user, key, password, hostKey string) {
		w, err := kind.Way(connectors.OpenInput{Settings: asSettings(t, map[string]any{
			"tunnel": "ssh", "tunnel_host": host, "tunnel_port": port, "tunnel_user": user,
			"tunnel_key": key, "tunnel_password": password, "tunnel_host_key": hostKey,
		})})
		if err == nil {
			if !w.Tunnelled() || host == "" || user == "" || strings.ContainsAny(host, "/@ %,\x00\n") {
				t.Errorf("host %q, user %q were taken", host, user)
			}
			return
		}
		var e *connectors.Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Field, "tunnel_") {
			t.Fatalf("%v", err)
		}
		mustRefuse(t, err, e.Field)
	})
}
