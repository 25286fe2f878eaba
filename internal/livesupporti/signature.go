package livesupporti

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
)

// SignatureHeader names the header that carries a notification's signature:
// "sha256=" and the HMAC-SHA256 of the raw body in hexadecimal, keyed with the
// WebHook's secret as UTF-8. ASP.NET's sender writes the digits in upper case.
const SignatureHeader = "ms-signature"

const signaturePrefix = "sha256="

// What Verify returns. Only ErrUnsigned leaves room for a policy; the other
// three always mean that the request must be refused.
var (
	ErrUnsigned           = errors.New("the notification has no signature")
	ErrManySignatures     = errors.New("the notification has more than one signature header")
	ErrMalformedSignature = errors.New(`the signature is not "sha256=" and 64 hexadecimal digits`)
	ErrWrongSignature     = errors.New("the signature was not made with this secret over this body")
)

// Verify checks all values of one request's ms-signature header over its raw
// body, which must not have been decoded or written anew. The body may be
// signed with any of the secrets, so that a rotated one can stay valid for a
// while; an empty secret matches nothing. The hexadecimal digits and the prefix
// may be in either letter case. The comparison takes the same time whichever
// secret matches, and when none does.
func Verify(header []string, body []byte, secrets ...[]byte) error {
	if len(header) == 0 {
		return ErrUnsigned
	}
	if len(header) > 1 {
		return ErrManySignatures
	}
	given, ok := parseSignature(header[0])
	if !ok {
		return ErrMalformedSignature
	}
	matches := 0
	for _, secret := range secrets {
		if len(secret) == 0 {
			continue
		}
		matches |= subtle.ConstantTimeCompare(given, digest(body, secret))
	}
	if matches == 0 {
		return ErrWrongSignature
	}
	return nil
}

// Sign returns the ms-signature header value of a body as ASP.NET's sender
// writes it, with upper-case digits.
func Sign(body, secret []byte) string {
	return signaturePrefix + strings.ToUpper(hex.EncodeToString(digest(body, secret)))
}

func parseSignature(value string) ([]byte, bool) {
	if len(value) != len(signaturePrefix)+hex.EncodedLen(sha256.Size) {
		return nil, false
	}
	prefix, digits := value[:len(signaturePrefix)], value[len(signaturePrefix):]
	if !strings.EqualFold(prefix, signaturePrefix) {
		return nil, false
	}
	sum, err := hex.DecodeString(digits)
	return sum, err == nil
}

func digest(body, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}
