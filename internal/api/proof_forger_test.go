package api_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sidecard/internal/auth"
)

// forger writes tokens by hand. It has the server's own key, so that what it changes is the only thing wrong with a
// token.
type forger struct {
	stage      *stage
	stranger   auth.Key
	prefix     string            // of the token's text
	head, said map[string]string // names to JSON values
}

func newForger(s *stage, typ, prefix string, said map[string]string) *forger {
	s.Helper()
	stranger, err := auth.NewSigningKey()
	must(s.T, err)
	f := &forger{
		stage: s, stranger: stranger, prefix: prefix,
		head: map[string]string{"alg": `"EdDSA"`, "kid": strconv.Quote(s.key.ID), "typ": strconv.Quote(typ)},
		said: map[string]string{"iss": strconv.Quote(s.url), "aud": strconv.Quote(s.url)},
	}
	f.said["iat"], f.said["exp"] = f.at(0), f.at(5*time.Minute)
	maps.Copy(f.said, said)
	return f
}

// at writes a time from now.
func (f *forger) at(after time.Duration) string {
	return strconv.FormatInt(f.stage.now().Add(after).Unix(), 10)
}

// object writes members as JSON, and with them more that may stand there already.
func object(members map[string]string, more ...string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, strconv.Quote(name)+":"+members[name])
	}
	return "{" + strings.Join(append(parts, more...), ",") + "}"
}

// with is an object with one member changed, or left out when the value is empty.
func with(members map[string]string, name, value string) string {
	members = maps.Clone(members)
	if members[name] = value; value == "" {
		delete(members, name)
	}
	return object(members)
}

func (f *forger) header(name, value string) string {
	return f.sign(with(f.head, name, value), object(f.said))
}

func (f *forger) claim(name, value string) string {
	return f.sign(object(f.head), with(f.said, name, value))
}

func (f *forger) good() string { return f.sign(object(f.head), object(f.said)) }

func (f *forger) sign(header, claims string) string { return f.signWith(f.stage.key, header, claims) }

func (f *forger) signWith(key auth.Key, header, claims string) string {
	text := segment(header) + "." + segment(claims)
	return f.prefix + text + "." + segment(string(ed25519.Sign(key.Private, []byte(text))))
}

// hmac signs with a secret that everybody can know, as a server would that lets the token choose its algorithm.
func (f *forger) hmac(alg string, sum func() hash.Hash, secret []byte) string {
	text := segment(with(f.head, "alg", strconv.Quote(alg))) + "." + segment(object(f.said))
	mac := hmac.New(sum, secret)
	mac.Write([]byte(text))
	return f.prefix + text + "." + segment(string(mac.Sum(nil)))
}

func segment(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forgeries are tokens that must be refused, of whatever kind. They fit into a header line; those that do not are in
// the tests of internal/auth.
func (f *forger) forgeries() map[string]string {
	all := map[string]string{}
	for _, part := range []map[string]string{f.misshapen(), f.misheaded(), f.missigned(), f.misclaimed()} {
		maps.Copy(all, part)
	}
	return all
}

func (f *forger) misshapen() map[string]string {
	good := f.good()
	parts := strings.Split(good, ".")
	return map[string]string{
		"a dot": ".", "two dots": "..", "three dots": "...", "words": "not a token", "only the prefix": f.prefix + ".",
		"no signature":        parts[0] + "." + parts[1] + ".",
		"two parts":           parts[0] + "." + parts[1],
		"no claims":           parts[0] + ".." + parts[2],
		"no header":           f.prefix + "." + parts[1] + "." + parts[2],
		"four parts":          good + ".x",
		"encrypted (5 parts)": good + "." + parts[0] + "." + parts[1],
		"a bearer in it":      "Bearer " + good,
		"two of them":         good + " " + good,
		"two, with a comma":   good + "," + good,
		"quoted":              `"` + good + `"`,
		"padded":              good + "==",
		"with other letters":  good + "+/",
		"a tab in it":         good[:20] + "\t" + good[20:],
		"letters of UTF-8":    good + "é",
		"JSON serialisation":  `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"too long":            f.claim("note", strconv.Quote(strings.Repeat("x", 3<<10))),
		"very long":           strings.Repeat("a", 8000),
		"dots alone":          strings.Repeat(".", 4000),
		"upper case":          strings.ToUpper(good),
		"lower case":          strings.ToLower(good),
		"escaped":             strings.ReplaceAll(good, ".", "%2e"),
	}
}

func (f *forger) misheaded() map[string]string {
	bad := map[string]string{
		"alg missing": f.header("alg", ""), "kid missing": f.header("kid", ""), "typ missing": f.header("typ", ""),
		"kid of another":  f.header("kid", strconv.Quote(f.stranger.ID)),
		"kid longer":      f.header("kid", strconv.Quote(f.stage.key.ID+"x")),
		"kid list":        f.header("kid", `["`+f.stage.key.ID+`"]`),
		"nested header":   f.header("x", strings.Repeat("[", 300)+strings.Repeat("]", 300)),
		"alg doubled":     f.sign(object(f.head, `"alg":"EdDSA"`), object(f.said)),
		"kid doubled":     f.sign(object(f.head, `"kid":"x"`), object(f.said)),
		"kid escaped":     f.sign(object(f.head, `"\u006bid":"x"`), object(f.said)),
		"header in case":  f.sign(object(f.head, `"KID":"x"`), object(f.said)),
		"header list":     f.sign(`["EdDSA"]`, object(f.said)),
		"header text":     f.sign(`"EdDSA"`, object(f.said)),
		"header null":     f.sign(`null`, object(f.said)),
		"header empty":    f.sign(`{}`, object(f.said)),
		"header cut":      f.sign(strings.TrimSuffix(object(f.head), "}"), object(f.said)),
		"header and more": f.sign(object(f.head)+"{}", object(f.said)),
	}
	for name, values := range map[string][]string{
		"alg": {`""`, `null`, `1`, `["EdDSA"]`, `"eddsa"`, `"Ed25519"`, `"RS256"`, `"ES256"`, `"PS512"`, `"none"`, `"nOnE"`},
		"kid": {`""`, `null`, `0`, `{}`, `"../../../dev/null"`, `"x' UNION SELECT 'key"`, `"https://evil.example/key"`},
		"typ": {`"JWT"`, `"AT+JWT"`, `"application/at+jwt"`, `"rt+jwt"`, `"logout+jwt"`, `null`, `""`, `1`},
		"jku": {`"https://evil.example/jwks.json"`}, "x5u": {`"https://evil.example/cert.pem"`}, "x5c": {`["MIIB"]`},
		"jwk":  {`{"kty":"OKP","crv":"Ed25519","x":"` + segment(string(f.stranger.Private.Public().(ed25519.PublicKey))) + `"}`},
		"crit": {`["exp"]`, `[]`}, "b64": {`false`}, "zip": {`"DEF"`}, "cty": {`"JWT"`}, "enc": {`"A256GCM"`},
	} {
		for _, value := range values {
			bad[name+" "+value] = f.header(name, value)
		}
	}
	return bad
}

func (f *forger) missigned() map[string]string {
	good := f.good()
	parts := strings.Split(good, ".")
	public := []byte(f.stage.key.Private.Public().(ed25519.PublicKey))
	unsigned := func(alg string) string {
		return f.prefix + segment(with(f.head, "alg", strconv.Quote(alg))) + "." + parts[1] + "."
	}
	return map[string]string{
		"alg none, unsigned":    unsigned("none"),
		"alg None, unsigned":    unsigned("None"),
		"alg NONE, unsigned":    unsigned("NONE"),
		"alg none, signed":      unsigned("none") + parts[2],
		"HS256, public key":     f.hmac("HS256", sha256.New, public),
		"HS512, public key":     f.hmac("HS512", sha512.New, public),
		"HS256, kid":            f.hmac("HS256", sha256.New, []byte(f.stage.key.ID)),
		"HS256, empty key":      f.hmac("HS256", sha256.New, nil),
		"HMAC called EdDSA":     f.hmac("EdDSA", sha512.New, public),
		"another's key":         f.signWith(f.stranger, object(f.head), object(f.said)),
		"another's key and kid": f.signWith(f.stranger, with(f.head, "kid", strconv.Quote(f.stranger.ID)), object(f.said)),
		"signature changed":     changed(good),
		"signature respelled":   respelled(good),
		"signature cut":         good[:len(good)-4],
		"signature longer":      good + "AAAA",
		"signature of nothing":  parts[0] + "." + parts[1] + "." + segment(strings.Repeat("\x00", 64)),
		"claims swapped":        parts[0] + "." + segment(with(f.said, "note", `1`)) + "." + parts[2],
		"header swapped":        f.prefix + segment(object(f.head, `"x":1`)) + "." + parts[1] + "." + parts[2],
		"signature of others":   parts[0] + "." + parts[1] + "." + strings.Split(f.claim("note", `2`), ".")[2],
	}
}

// misclaimed are claims that no token of any kind may make, each under a good signature.
func (f *forger) misclaimed() map[string]string {
	id := f.said["tid"]
	bad := map[string]string{
		"claims list":     f.sign(object(f.head), `[]`),
		"claims null":     f.sign(object(f.head), `null`),
		"claims empty":    f.sign(object(f.head), `{}`),
		"claims text":     f.sign(object(f.head), `"x"`),
		"claims cut":      f.sign(object(f.head), object(f.said)[:20]),
		"claims and more": f.sign(object(f.head), object(f.said)+" {}"),
		"claims nested":   f.sign(object(f.head), segment(object(f.said))),
		"tid doubled":     f.sign(object(f.head), object(f.said, `"tid":"x"`)),
		"exp doubled":     f.sign(object(f.head), object(f.said, `"exp":9999999999`)),
		"tid escaped":     f.sign(object(f.head), object(f.said, `"t\u0069d":"x"`)),
		"aud in part":     f.claim("aud", strconv.Quote(f.stage.url[:len(f.stage.url)-1])),
		"aud in case":     f.claim("aud", strconv.Quote(strings.ToUpper(f.stage.url))),
		"aud mixed":       f.claim("aud", `[`+strconv.Quote(f.stage.url)+`,1]`),
		"iss slash":       f.claim("iss", strconv.Quote(f.stage.url+"/")),
		"iss list":        f.claim("iss", `[`+strconv.Quote(f.stage.url)+`]`),
		"exp past":        f.claim("exp", f.at(-time.Minute)),
		"exp text":        f.claim("exp", `"`+f.at(time.Minute)+`"`),
		"exp list":        f.claim("exp", `[`+f.at(time.Minute)+`]`),
		"nbf future":      f.claim("nbf", f.at(time.Minute)),
		"iat future":      f.claim("iat", f.at(time.Minute)),
		"tid list":        f.claim("tid", `[`+id+`,`+id+`]`),
	}
	for name, values := range map[string][]string{
		"exp": {"", `null`, `0`, `-1`, `true`, `{}`}, "nbf": {`"now"`, `[]`}, "iat": {"", `"now"`, `null`},
		"aud": {"", `"other"`, `""`, `[]`, `null`, `{"0":"x"}`}, "iss": {"", `"https://evil.example"`, `""`, `null`},
		"tid": {"", `""`, `null`, `1`, `"x"`, `"00000000-0000-0000-0000-000000000000"`}, "jti": {"", `""`, `null`, `1`},
	} {
		for _, value := range values {
			bad[name+" "+value] = f.claim(name, value)
		}
	}
	return bad
}

// respelled changes the bits of the last letter that no byte uses: the decoded signature stays the same.
func respelled(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}
