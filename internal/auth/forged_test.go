package auth

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// forger writes tokens by hand. It has the real key, so that what it changes is
// the only thing wrong with a token.
type forger struct {
	key          Key
	head, said   map[string]string // names to JSON values
	issuedByHand string
}

func newForger(t testing.TB) *forger {
	t.Helper()
	key := rfcKey(t)
	f := &forger{
		key:  key,
		head: map[string]string{"alg": `"EdDSA"`, "kid": strconv.Quote(key.ID), "typ": `"at+jwt"`},
		said: map[string]string{
			"iss": strconv.Quote(testIssuer), "aud": strconv.Quote(testAudience), "sub": `"u1"`, "tid": `"t1"`, "role": `"owner"`,
			"sid": `"s1"`, "jti": `"j1"`, "iat": unix(0), "exp": unix(10 * time.Minute),
		},
	}
	f.issuedByHand = f.sign(object(f.head), object(f.said))
	return f
}

func unix(after time.Duration) string { return strconv.FormatInt(noon.Add(after).Unix(), 10) }

func object(members map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, strconv.Quote(name)+":"+members[name])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// header is the good token with one header changed, or left out when empty.
func (f *forger) header(name, value string) string {
	return f.sign(changed(f.head, name, value), object(f.said))
}

// claims is the good token with one claim changed, or left out when empty.
func (f *forger) claims(name, value string) string {
	return f.sign(object(f.head), changed(f.said, name, value))
}

func changed(members map[string]string, name, value string) string {
	members = maps.Clone(members)
	if members[name] = value; value == "" {
		delete(members, name)
	}
	return object(members)
}

func (f *forger) sign(header, claims string) string { return f.signWith(f.key, header, claims) }

func (f *forger) signWith(key Key, header, claims string) string {
	text := segment(header) + "." + segment(claims)
	return text + "." + segment(string(ed25519.Sign(key.Private, []byte(text))))
}

func (f *forger) signHMAC(alg string, h func() hash.Hash, secret []byte) string {
	text := segment(changed(f.head, "alg", strconv.Quote(alg))) + "." + segment(object(f.said))
	mac := hmac.New(h, secret)
	mac.Write([]byte(text))
	return text + "." + segment(string(mac.Sum(nil)))
}

func segment(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forgeries is every kind of access token that must be refused.
func forgeries(t testing.TB) map[string]string {
	t.Helper()
	return newForger(t).forgeries(t)
}

func (f *forger) forgeries(t testing.TB) map[string]string {
	t.Helper()
	good := f.issuedByHand
	parts := strings.Split(good, ".")
	public := []byte(public(f.key.Private))
	stranger := strangerKey(t)
	doubled := func(members map[string]string, extra string) string {
		return strings.TrimSuffix(object(members), "}") + "," + extra + "}"
	}
	bad := map[string]string{
		"empty": "", "a dot": ".", "two dots": "..", "three dots": "...", "words": "not a token",
		"no signature":         parts[0] + "." + parts[1] + ".",
		"two parts":            parts[0] + "." + parts[1],
		"four parts":           good + ".x",
		"encrypted (5 parts)":  good + "." + parts[0] + "." + parts[1],
		"bearer":               "Bearer " + good,
		"space before":         " " + good,
		"space after":          good + " ",
		"newline after":        good + "\n",
		"newline in signature": good[:len(good)-5] + "\n" + good[len(good)-5:],
		"return in header":     good[:5] + "\r\n" + good[5:],
		"padded":               good + "==",
		"standard base64":      strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
		"NUL":                  good + "\x00",
		"JSON serialisation":   `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"too long":             f.claims("note", strconv.Quote(strings.Repeat("x", 4096))),
		"a megabyte":           strings.Repeat("a", 1<<20),
		"a megabyte of dots":   strings.Repeat(".", 1<<20),

		"alg none":            segment(changed(f.head, "alg", `"none"`)) + "." + parts[1] + ".",
		"alg None":            segment(changed(f.head, "alg", `"None"`)) + "." + parts[1] + ".",
		"alg NONE, signature": segment(changed(f.head, "alg", `"NONE"`)) + "." + parts[1] + "." + parts[2],
		"alg missing":         f.header("alg", ""),
		"alg empty":           f.header("alg", `""`),
		"alg null":            f.header("alg", `null`),
		"alg number":          f.header("alg", `1`),
		"alg list":            f.header("alg", `["EdDSA"]`),
		"alg eddsa":           f.header("alg", `"eddsa"`),
		"alg Ed25519":         f.header("alg", `"Ed25519"`),
		"alg RS256":           f.header("alg", `"RS256"`),
		"alg ES256":           f.header("alg", `"ES256"`),
		"HS256, public key":   f.signHMAC("HS256", sha256.New, public),
		"HS512, public key":   f.signHMAC("HS512", sha512.New, public),
		"HS256, kid":          f.signHMAC("HS256", sha256.New, []byte(f.key.ID)),
		"HS256, empty key":    f.signHMAC("HS256", sha256.New, nil),

		"kid missing":    f.header("kid", ""),
		"kid empty":      f.header("kid", `""`),
		"kid null":       f.header("kid", `null`),
		"kid number":     f.header("kid", `0`),
		"kid list":       f.header("kid", `["`+f.key.ID+`"]`),
		"kid of another": f.header("kid", strconv.Quote(stranger.ID)),
		"kid path":       f.header("kid", `"../../../dev/null"`),
		"kid SQL":        f.header("kid", `"x' UNION SELECT 'key"`),
		"kid longer":     f.header("kid", strconv.Quote(f.key.ID+"x")),
		"another's key":  f.signWith(stranger, object(f.head), object(f.said)),

		"typ missing":      f.header("typ", ""),
		"typ JWT":          f.header("typ", `"JWT"`),
		"typ upper case":   f.header("typ", `"AT+JWT"`),
		"typ with media":   f.header("typ", `"application/at+jwt"`),
		"typ of API token": f.header("typ", `"pat+jwt"`),
		"typ of refresh":   f.header("typ", `"rt+jwt"`),
		"typ null":         f.header("typ", `null`),

		"jku":             f.header("jku", `"https://evil.example/jwks.json"`),
		"jwk":             f.header("jwk", `{"kty":"OKP","crv":"Ed25519","x":"`+segment(string(public))+`"}`),
		"x5u":             f.header("x5u", `"https://evil.example/cert.pem"`),
		"x5c":             f.header("x5c", `["MIIB"]`),
		"crit":            f.header("crit", `["exp"]`),
		"b64":             f.header("b64", `false`),
		"zip":             f.header("zip", `"DEF"`),
		"cty":             f.header("cty", `"JWT"`),
		"nested header":   f.header("x", strings.Repeat("[", 500)+strings.Repeat("]", 500)),
		"header doubled":  f.sign(doubled(f.head, `"alg":"EdDSA"`), object(f.said)),
		"kid doubled":     f.sign(doubled(f.head, `"kid":"x"`), object(f.said)),
		"kid escaped":     f.sign(doubled(f.head, `"\u006bid":"x"`), object(f.said)),
		"header in case":  f.sign(doubled(f.head, `"KID":"x"`), object(f.said)),
		"header list":     f.sign(`["EdDSA"]`, object(f.said)),
		"header text":     f.sign(`"EdDSA"`, object(f.said)),
		"header null":     f.sign(`null`, object(f.said)),
		"header empty":    f.sign(`{}`, object(f.said)),
		"header cut":      f.sign(strings.TrimSuffix(object(f.head), "}"), object(f.said)),
		"header and more": f.sign(object(f.head)+"{}", object(f.said)),

		"signature changed":    good[:len(good)-10] + flip(good[len(good)-10:]),
		"signature respelled":  respell(t, good),
		"signature cut":        good[:len(good)-4],
		"signature longer":     good + "AAAA",
		"signature of nothing": parts[0] + "." + parts[1] + "." + segment(strings.Repeat("\x00", 64)),
		"claims swapped":       parts[0] + "." + segment(changed(f.said, "role", `"admin"`)) + "." + parts[2],
		"header swapped":       segment(doubled(f.head, `"x":1`)) + "." + parts[1] + "." + parts[2],
		"signature of claims":  parts[0] + "." + parts[1] + "." + strings.Split(f.claims("sub", `"u2"`), ".")[2],

		"exp missing":     f.claims("exp", ""),
		"exp null":        f.claims("exp", `null`),
		"exp zero":        f.claims("exp", `0`),
		"exp text":        f.claims("exp", `"`+unix(time.Minute)+`"`),
		"exp list":        f.claims("exp", `[`+unix(time.Minute)+`]`),
		"exp negative":    f.claims("exp", `-1`),
		"exp past":        f.claims("exp", unix(-31*time.Second)),
		"nbf future":      f.claims("nbf", unix(31*time.Second)),
		"nbf text":        f.claims("nbf", `"now"`),
		"iat missing":     f.claims("iat", ""),
		"iat future":      f.claims("iat", unix(31*time.Second)),
		"iat text":        f.claims("iat", `"now"`),
		"aud missing":     f.claims("aud", ""),
		"aud other":       f.claims("aud", `"other"`),
		"aud empty":       f.claims("aud", `""`),
		"aud empty list":  f.claims("aud", `[]`),
		"aud in part":     f.claims("aud", `"sidecard"`),
		"aud in case":     f.claims("aud", `"Sidecard-API"`),
		"aud object":      f.claims("aud", `{"0":"sidecard-api"}`),
		"aud mixed":       f.claims("aud", `["sidecard-api",1]`),
		"iss missing":     f.claims("iss", ""),
		"iss other":       f.claims("iss", `"https://evil.example"`),
		"iss slash":       f.claims("iss", strconv.Quote(testIssuer+"/")),
		"iss list":        f.claims("iss", `[`+strconv.Quote(testIssuer)+`]`),
		"sub missing":     f.claims("sub", ""),
		"sub empty":       f.claims("sub", `""`),
		"sub number":      f.claims("sub", `1`),
		"tenant missing":  f.claims("tid", ""),
		"tenant empty":    f.claims("tid", `""`),
		"tenant list":     f.claims("tid", `["t1","t2"]`),
		"role missing":    f.claims("role", ""),
		"session missing": f.claims("sid", ""),
		"id missing":      f.claims("jti", ""),
		"tenant doubled":  f.sign(object(f.head), doubled(f.said, `"tid":"t2"`)),
		"exp doubled":     f.sign(object(f.head), doubled(f.said, `"exp":9999999999`)),
		"role escaped":    f.sign(object(f.head), doubled(f.said, `"r\u006fle":"admin"`)),
		"claims list":     f.sign(object(f.head), `[]`),
		"claims null":     f.sign(object(f.head), `null`),
		"claims empty":    f.sign(object(f.head), `{}`),
		"claims cut":      f.sign(object(f.head), object(f.said)[:20]),
		"claims and more": f.sign(object(f.head), object(f.said)+" {}"),
		"claims nested":   f.sign(object(f.head), segment(object(f.said))),
	}
	return bad
}

func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// respell changes the bits of the last character that no byte uses: the decoded
// signature stays the same.
func respell(t testing.TB, token string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	other := token[:len(token)-1] + string(alphabet[last^1])
	if string(decoded(t, token)) != string(decoded(t, other)) {
		t.Fatal("the signature is another one")
	}
	return other
}

func decoded(t testing.TB, token string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	tokens := tokensAt(t, noon)
	if _, err := tokens.VerifyAccess(newForger(t).issuedByHand); err != nil {
		t.Fatalf("the unchanged token: %v", err)
	}
	bad := forgeries(t)
	if len(bad) < 60 {
		t.Fatalf("%d forgeries, want at least 60", len(bad))
	}
	for name, raw := range bad {
		got, err := tokens.VerifyAccess(raw)
		want := ErrTokenInvalid
		if name == "exp past" || name == "exp negative" {
			want = ErrTokenExpired
		}
		if !errors.Is(err, want) || got != (Claims{}) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, want)
		}
		if err != nil && len(err.Error()) > 80 {
			t.Errorf("%s: the error quotes the token", name)
		}
	}
}

// Claims that this version does not know are left alone, so that a later one may
// add some while both run.
func TestUnknownClaimsAreIgnored(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	for _, raw := range []string{
		f.claims("scp", `"chats:read"`), f.claims("Tid", `"t2"`), f.claims("nbf", unix(0)),
		f.claims("aud", `["other","sidecard-api"]`), f.claims("exp", unix(time.Minute)+".5"),
	} {
		if got, err := tokensAt(t, noon).VerifyAccess(raw); err != nil || got.Tenant != "t1" {
			t.Errorf("%+v, %v, want tenant t1", got, err)
		}
	}
}

// Whatever comes in, only the very text that was issued is let through.
func FuzzVerifyAccess(f *testing.F) {
	good := newForger(f).issuedByHand
	f.Add(good)
	for _, raw := range forgeries(f) {
		f.Add(raw)
	}
	tokens := tokensAt(f, noon)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := tokens.VerifyAccess(raw)
		switch {
		case err == nil && raw != good:
			t.Errorf("%q was let through", raw)
		case err != nil && !errors.Is(err, ErrTokenInvalid) && !errors.Is(err, ErrTokenExpired):
			t.Errorf("%v is neither invalid nor expired", err)
		case err != nil && got != (Claims{}):
			t.Errorf("claims %+v with an error", got)
		}
	})
}
