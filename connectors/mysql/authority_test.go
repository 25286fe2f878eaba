package mysql_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// signer signs certificates for tests.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// identity is a certificate with its key.
type identity struct {
	certificate []byte
	key         *ecdsa.PrivateKey
}

func newAuthority() *signer {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	raw := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return &signer{cert: must(x509.ParseCertificate(raw)), key: key}
}

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// must is for what only fails when the machine has no randomness.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s *signer) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}))
}

// server makes a certificate for the names or addresses.
func (s *signer) server(until time.Duration, names ...string) identity {
	return s.sign(x509.ExtKeyUsageServerAuth, until, names...)
}

// client makes a certificate for us.
func (s *signer) client() identity { return s.sign(x509.ExtKeyUsageClientAuth, time.Hour) }

func (s *signer) sign(use x509.ExtKeyUsage, until time.Duration, names ...string) identity {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(until), ExtKeyUsage: []x509.ExtKeyUsage{use},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := newKey()
	return identity{certificate: must(x509.CreateCertificate(rand.Reader, template, s.cert, &key.PublicKey, s.key)), key: key}
}

func (i identity) pem() (certificate, key []byte) {
	raw := must(x509.MarshalPKCS8PrivateKey(i.key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (i identity) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{i.certificate}, PrivateKey: i.key}}}
}
