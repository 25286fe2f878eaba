package auth

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const (
	// typAccess is the type of an access token (RFC 9068). Another kind of token
	// has another type, so that one can't be used as the other.
	typAccess = "at+jwt"
	// maxTokenBytes is longer than any token this package writes.
	maxTokenBytes = 4 << 10
	// leeway is how far the clocks of two machines may be apart.
	leeway = 30 * time.Second
)

var (
	// ErrTokenExpired says that a token was good and is too old. All else that
	// is wrong with a token is ErrTokenInvalid.
	ErrTokenExpired = errors.New("token has expired")
	// ErrTokenInvalid says that a token is none of ours. Its text does not quote
	// the token.
	ErrTokenInvalid = errors.New("token is not valid")
)

// Claims are what an access token says. Subject is the user's id, Session the
// id of the session that it belongs to, ID (jti) its own. Times have whole
// seconds.
type Claims struct {
	Subject, Tenant, Role, Session string
	ID                             string
	IssuedAt, ExpiresAt            time.Time
}

// Tokens issues and verifies access tokens: JSON Web Tokens of type at+jwt,
// signed with Ed25519. It is safe for concurrent use.
type Tokens struct {
	issuer, audience string
	now              func() time.Time
	keys             atomic.Pointer[keySet]
	parser           *jwt.Parser
}

// NewTokens makes one. The first key signs and all of them verify, so that a new
// key can be known everywhere before it signs; [Tokens.Use] changes them. A nil now means time.Now.
func NewTokens(issuer, audience string, now func() time.Time, keys ...Key) (*Tokens, error) {
	if issuer == "" || audience == "" {
		return nil, errors.New("tokens: issuer and audience are required")
	}
	if now == nil {
		now = time.Now
	}
	t := &Tokens{issuer: issuer, audience: audience, now: now}
	if err := t.Use(keys...); err != nil {
		return nil, err
	}
	t.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(now),
	)
	return t, nil
}

// IssueAccess writes a token that says c and is valid from now for ttl. The
// times of c are not read; an empty c.ID becomes a random UUID. Subject, tenant,
// role and session are required.
func (t *Tokens) IssueAccess(c Claims, ttl time.Duration) (string, error) {
	if c.Subject == "" || c.Tenant == "" || c.Role == "" || c.Session == "" {
		return "", errors.New("issue token: subject, tenant, role and session are required")
	}
	if ttl < time.Second {
		return "", fmt.Errorf("issue token: %v is too short a life", ttl)
	}
	if c.ID == "" {
		id, err := uuid.NewRandom()
		if err != nil {
			return "", fmt.Errorf("issue token: %w", err)
		}
		c.ID = id.String()
	}
	now := t.now()
	raw, err := t.sign(typAccess, jwt.MapClaims{
		"iss": t.issuer, "aud": t.audience, "sub": c.Subject, "tid": c.Tenant, "role": c.Role, "sid": c.Session,
		"jti": c.ID, "iat": now.Unix(), "exp": now.Add(ttl).Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	return raw, nil
}

func (t *Tokens) sign(typ string, claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["typ"] = typ
	signing := t.keys.Load().signing
	token.Header["kid"] = signing.ID
	raw, err := token.SignedString(signing.Private)
	if err != nil {
		return "", err
	}
	if len(raw) > maxTokenBytes {
		return "", fmt.Errorf("%d bytes are more than %d", len(raw), maxTokenBytes)
	}
	return raw, nil
}

// VerifyAccess returns what a token says if one of the keys signed it, it is of
// type at+jwt, for this issuer and audience, and of this time, give or take
// thirty seconds. It returns [ErrTokenExpired] if age is all that is wrong, and
// [ErrTokenInvalid] otherwise. Whether the session still exists is not its to say.
func (t *Tokens) VerifyAccess(raw string) (Claims, error) {
	said, expired, err := t.parse(typAccess, raw)
	if err != nil {
		return Claims{}, err
	}
	claims, ok := readClaims(said)
	if !ok {
		return Claims{}, fmt.Errorf("%w: incomplete claims", ErrTokenInvalid)
	}
	if expired {
		return Claims{}, ErrTokenExpired
	}
	return claims, nil
}

// parse reads a token of one type. Expired means that only its age is wrong.
func (t *Tokens) parse(typ, raw string) (said jwt.MapClaims, expired bool, err error) {
	if err := checkForm(raw); err != nil {
		return nil, false, err
	}
	said = jwt.MapClaims{}
	_, err = t.parser.ParseWithClaims(raw, said, t.keyOf(typ))
	if err != nil && !onlyExpired(err) {
		return nil, false, ErrTokenInvalid
	}
	return said, err != nil, nil
}

// keyOf finds the key that a token of a type names. The header holds nothing but alg, kid and typ by now, and keys
// come from memory alone.
func (t *Tokens) keyOf(typ string) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		if token.Header["typ"] != typ {
			return nil, errors.New("other type")
		}
		id, _ := token.Header["kid"].(string)
		key, ok := t.keys.Load().verifying[id]
		if !ok {
			return nil, errors.New("unknown key")
		}
		return key, nil
	}
}

// onlyExpired reports whether the signature was good and of the claims only exp
// has failed.
func onlyExpired(err error) bool {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return false
	}
	for _, other := range []error{
		jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued,
		jwt.ErrTokenRequiredClaimMissing, jwt.ErrInvalidType,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}

func readClaims(said jwt.MapClaims) (Claims, bool) {
	text := func(name string) string {
		s, _ := said[name].(string)
		return s
	}
	c := Claims{Subject: text("sub"), Tenant: text("tid"), Role: text("role"), Session: text("sid"), ID: text("jti")}
	var ok bool
	c.IssuedAt, c.ExpiresAt, ok = readTimes(said)
	ok = ok && c.Subject != "" && c.Tenant != "" && c.Role != "" && c.Session != "" && c.ID != ""
	return c, ok
}

func readTimes(said jwt.MapClaims) (issued, expires time.Time, ok bool) {
	i, err := said.GetIssuedAt()
	if err != nil || i == nil {
		return issued, expires, false
	}
	e, err := said.GetExpirationTime()
	if err != nil || e == nil {
		return issued, expires, false
	}
	return i.UTC(), e.UTC(), true
}
