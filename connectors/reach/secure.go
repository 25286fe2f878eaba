package reach

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"strings"

	"sidecard/connectors"
)

// TLS builds the protection of a connection to host; nil is none. The settings are tls (verify_full, verify_ca, pin,
// encrypt or off; verify_full when absent), ca_pem, pin, client_cert_pem and client_key_pem.
func (k Kind) TLS(s connectors.Settings, host string) (*tls.Config, error) {
	var roots *x509.CertPool // nil: those of the system
	if text := strings.TrimSpace(s.String("ca_pem", "")); text != "" {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(text)) {
			return nil, k.BadSetting("ca_pem", "The certificate authority holds no certificate in PEM form.",
				"Paste the whole file, with its lines BEGIN CERTIFICATE and END CERTIFICATE.")
		}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	switch s.String("tls", "verify_full") {
	case "verify_full":
	case "verify_ca":
		c.InsecureSkipVerify = true // VerifyConnection does all but compare the name
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, roots) }
	case "pin":
		trusted := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s.String("pin", "")))
		if raw, err := hex.DecodeString(trusted); trusted != "" && (err != nil || len(raw) != sha256.Size) {
			return nil, k.BadSetting("pin", "The fingerprint is not a SHA-256 of 64 hexadecimal digits.",
				"Leave it empty and check: the check shows the certificate's fingerprint and offers to trust it.")
		}
		c.InsecureSkipVerify = true // VerifyConnection compares the certificate itself
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyPin(state, trusted) }
	case "encrypt":
		c.InsecureSkipVerify = true
	case "off":
		return nil, nil
	default:
		return nil, k.BadSetting("tls", "There is no such encryption.", "Choose one of the list.")
	}
	own, key := s.String("client_cert_pem", ""), s.String("client_key_pem", "")
	if own == "" && key == "" {
		return c, nil
	}
	pair, err := tls.X509KeyPair([]byte(own), []byte(key))
	if err != nil {
		return nil, k.BadSetting("client_cert_pem", "Client certificate and key do not belong together, or are not in PEM form.",
			"Paste both whole, with their lines BEGIN and END. The key must have no passphrase.")
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}

// pinError tells that the server showed another certificate than the trusted one.
type pinError struct{ trusted, shown string }

func (*pinError) Error() string { return "the server's certificate is not the trusted one" }

func verifyPin(state tls.ConnectionState, trusted string) error {
	if shown := Fingerprint(&state); shown != trusted {
		return &pinError{trusted: trusted, shown: shown}
	}
	return nil
}

// Fingerprint names the server's certificate by its SHA-256, in hexadecimal digits.
func Fingerprint(state *tls.ConnectionState) string {
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}

// Trust suggests to trust the certificate with the fingerprint from now on, and no other.
func Trust(fingerprint string) []connectors.Suggestion {
	return []connectors.Suggestion{{Setting: "pin", Value: fingerprint, Label: "Trust exactly this certificate"}}
}

// Proves reports whether the server has to prove who it is.
func Proves(c *tls.Config) bool {
	return c != nil && (!c.InsecureSkipVerify || c.VerifyConnection != nil)
}
