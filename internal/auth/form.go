package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// checkForm refuses what the JWT library lets pass: tokens that are too long,
// line breaks inside base64, headers with anything but alg, kid and typ (jku,
// jwk, x5u, crit ... all lead elsewhere), and a name that is given twice, which
// two readers may read differently. It looks at form alone, not at signatures.
func checkForm(raw string) error {
	if len(raw) > maxTokenBytes {
		return fmt.Errorf("%w: too long", ErrTokenInvalid)
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return !isTokenRune(r) }) {
		return fmt.Errorf("%w: not base64url", ErrTokenInvalid)
	}
	header, rest, _ := strings.Cut(raw, ".")
	claims, _, _ := strings.Cut(rest, ".")
	names, err := objectNames(header)
	if err != nil {
		return fmt.Errorf("%w: bad header", ErrTokenInvalid)
	}
	if len(names) != 3 || !names["alg"] || !names["kid"] || !names["typ"] {
		return fmt.Errorf("%w: other header than alg, kid and typ", ErrTokenInvalid)
	}
	if _, err := objectNames(claims); err != nil {
		return fmt.Errorf("%w: bad claims", ErrTokenInvalid)
	}
	return nil
}

func isTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.'
}

// objectNames decodes a segment that holds one JSON object and returns the names
// in it. A name that is given twice is an error.
func objectNames(segment string) (map[string]bool, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("not an object")
	}
	names := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok || names[name] {
			return nil, fmt.Errorf("a name is given twice")
		}
		names[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return names, nil
}
