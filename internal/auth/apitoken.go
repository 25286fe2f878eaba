package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// typAPI is the type of an API token.
	typAPI = "pat+jwt"
	// apiPrefix lets secret scanners, and the server, recognise an API token.
	apiPrefix = "sct_"
)

// APIClaims are what an API token says. ID (jti) names its row, in which the rest stands: what it may do and whether
// it was revoked is looked up there at each use. Times have whole seconds.
type APIClaims struct {
	ID, Tenant          string
	Scopes              []string
	IssuedAt, ExpiresAt time.Time
}

// IsAPIToken reports whether a text is meant to be an API token.
func IsAPIToken(raw string) bool { return strings.HasPrefix(raw, apiPrefix) }

// IssueAPI writes an API token, "sct_" and a JSON Web Token of type pat+jwt, that is valid from now until
// c.ExpiresAt; c.IssuedAt is not read. ID, tenant and a scope are required.
func (t *Tokens) IssueAPI(c APIClaims) (string, error) {
	if c.ID == "" || c.Tenant == "" || len(c.Scopes) == 0 {
		return "", errors.New("issue API token: id, tenant and scopes are required")
	}
	now := t.now()
	if c.ExpiresAt.Sub(now) < time.Second {
		return "", errors.New("issue API token: it would be over at once")
	}
	raw, err := t.sign(typAPI, jwt.MapClaims{
		"iss": t.issuer, "aud": t.audience, "sub": c.ID, "jti": c.ID, "tid": c.Tenant, "scp": c.Scopes,
		"iat": now.Unix(), "exp": c.ExpiresAt.Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("issue API token: %w", err)
	}
	return apiPrefix + raw, nil
}

// VerifyAPI returns what an API token says, under the conditions of [Tokens.VerifyAccess] and with its errors.
func (t *Tokens) VerifyAPI(raw string) (APIClaims, error) {
	bare, ok := strings.CutPrefix(raw, apiPrefix)
	if !ok {
		return APIClaims{}, ErrTokenInvalid
	}
	said, expired, err := t.parse(typAPI, bare)
	if err != nil {
		return APIClaims{}, err
	}
	claims, ok := readAPIClaims(said)
	if !ok {
		return APIClaims{}, fmt.Errorf("%w: incomplete claims", ErrTokenInvalid)
	}
	if expired {
		return APIClaims{}, ErrTokenExpired
	}
	return claims, nil
}

func readAPIClaims(said jwt.MapClaims) (APIClaims, bool) {
	c := APIClaims{}
	c.ID, _ = said["jti"].(string)
	c.Tenant, _ = said["tid"].(string)
	scopes, _ := said["scp"].([]any)
	for _, s := range scopes {
		text, ok := s.(string)
		if !ok {
			return APIClaims{}, false
		}
		c.Scopes = append(c.Scopes, text)
	}
	var ok bool
	c.IssuedAt, c.ExpiresAt, ok = readTimes(said)
	return c, ok && c.ID != "" && c.Tenant != "" && len(c.Scopes) > 0
}
