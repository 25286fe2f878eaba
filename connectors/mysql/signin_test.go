package mysql_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the method is made of it
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"sidecard/connectors"
)

// TestMySQLSignsInByItsOwnMethod plays caching_sha2_password, which MySQL uses since version 8 and MariaDB lacks. Its
// password is sent as it is inside TLS, and sealed with the server's RSA key without; a server that remembers the user
// needs neither. See "Caching SHA-2 Pluggable Authentication" in MySQL's manual.
func TestMySQLSignsInByItsOwnMethod(t *testing.T) {
	t.Parallel()
	ca := newAuthority()
	shown := ca.server(time.Hour, "127.0.0.1")
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&key.PublicKey))})
	const method = "caching_sha2_password"
	for name, c := range map[string]struct {
		tls    string
		prove  func(f *fake) (password string)
		begin  string // the method that the server begins with
		secure *identity
	}{
		"TLS":            {"verify_full", inTLS, method, &shown},
		"TLS, unproven":  {"encrypt", inTLS, method, &shown},
		"RSA":            {"off", sealed(key, public), method, nil},
		"known, TLS":     {"verify_full", known, method, &shown},
		"known":          {"off", known, method, nil},
		"switched, TLS":  {"verify_full", switched(method, inTLS), "mysql_native_password", &shown},
		"switched":       {"off", switched(method, sealed(key, public)), "mysql_native_password", nil},
		"oldest, in TLS": {"verify_full", switched("sha256_password", func(*fake) string { return "" }), "mysql_native_password", &shown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1)
			port := newFake(t, func(f *fake) {
				if !f.meet(c.begin, c.secure) {
					return
				}
				got <- c.prove(f)
				f.send(okPacket...)
				for command := f.receive(); len(command) > 0; command = f.receive() {
					if command[0] == 0x16 {
						f.send(errorPacket(1142, "")...)
						return
					}
					f.send(okPacket...)
				}
			})
			src := open(t, fakeSettings(t, port, map[string]any{"tls": c.tls, "ca_pem": ca.pem()}))
			_, err := src.Lookup(within(t), connectors.Query{Email: "ana@toy.example"})
			mustFail(t, err, connectors.Misconfigured, "mysql.1142") // it is signed in, and asks
			if password := <-got; password != "" && password != "long secret\x00" {
				t.Errorf("the server was given %q", password)
			}
		})
	}
}

// inTLS asks for the password as it is.
func inTLS(f *fake) string {
	f.send(1, 4)
	return string(f.receive())
}

// known needs no more than the first answer.
func known(f *fake) string {
	f.send(1, 3)
	return ""
}

// sealed gives its key, when asked, and opens what was sealed with it.
func sealed(key *rsa.PrivateKey, public []byte) func(*fake) string {
	return func(f *fake) string {
		f.send(1, 4)
		if asked := f.receive(); len(asked) != 1 || asked[0] != 2 {
			return "no question for the key"
		}
		f.send(append([]byte{1}, public...)...)
		password, err := rsa.DecryptOAEP(sha1.New(), nil, key, f.receive(), nil) //nolint:gosec // the method is made of it
		if err != nil {
			return err.Error()
		}
		const challenge = "12345678123456789012"
		for i := range password {
			password[i] ^= challenge[i%len(challenge)]
		}
		return string(password)
	}
}

// switched begins with another method and goes over to this one.
func switched(method string, prove func(*fake) string) func(*fake) string {
	return func(f *fake) string {
		f.send([]byte("\xfe" + method + "\x0012345678123456789012\x00")...)
		f.receive()
		return prove(f)
	}
}
