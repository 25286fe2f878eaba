package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Random bytes hardly ever have a good signature, so this target signs what it is given. With the real key, a token is
// let through only if everything it says is right, told here a second time; with any other key, never.
func FuzzVerifySigned(f *testing.F) {
	genuine := newForger(f)
	f.Add(object(genuine.head), object(genuine.said))
	f.Add(changed(genuine.head, "alg", `"none"`), object(genuine.said))
	f.Add(changed(genuine.head, "jku", `"https://evil.example"`), object(genuine.said))
	f.Add(changed(genuine.head, "typ", `"JWT"`), changed(genuine.said, "role", `"admin"`))
	for _, said := range [][2]string{
		{"exp", unix(-time.Minute)},
		{"exp", "1e999"},
		{"iat", unix(time.Hour)},
		{"nbf", unix(time.Hour)},
		{"aud", `["x","sidecard-api"]`},
		{"aud", `"other"`},
		{"iss", `["` + testIssuer + `"]`},
		{"iss", `"https://other.example"`},
		{"tid", `""`},
		{"sid", `7`},
		{"jti", `null`},
	} {
		f.Add(object(genuine.head), changed(genuine.said, said[0], said[1]))
	}
	f.Add(object(genuine.head), strings.Replace(object(genuine.said), "{", `{"tid":"t2",`, 1))
	tokens := tokensAt(f, noon)
	stranger := strangerKey(f)
	secret := []byte(public(genuine.key.Private))
	f.Fuzz(func(t *testing.T, header, claims string) {
		text := segment(header) + "." + segment(claims)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		for name, raw := range map[string]string{
			"a stranger's key": genuine.signWith(stranger, header, claims),
			"the public key":   text + "." + segment(string(mac.Sum(nil))),
			"no signature":     text + ".",
			"another's claims": segment(header) + "." + segment(claims+" ") + strings.TrimPrefix(genuine.sign(header, claims), text),
		} {
			if got, err := tokens.VerifyAccess(raw); !errors.Is(err, ErrTokenInvalid) || got != (Claims{}) {
				t.Errorf("with %s, %s %s gives %+v, %v", name, header, claims, got, err)
			}
		}
		got, err := tokens.VerifyAccess(genuine.sign(header, claims))
		switch {
		case errors.Is(err, ErrTokenInvalid) && got == (Claims{}):
			return
		case err != nil && (!errors.Is(err, ErrTokenExpired) || got != (Claims{})):
			t.Errorf("%+v, %v", got, err)
			return
		}
		c, alive, ok := rightfully(genuine.key.ID, typAccess, header, claims)
		want := Claims{Subject: c.text("sub"), Tenant: c.text("tid"), Role: c.text("role"), Session: c.text("sid"), ID: c.text("jti"), IssuedAt: c.moment("iat"), ExpiresAt: c.moment("exp")}
		if whole := want.Subject != "" && want.Tenant != "" && want.Role != "" && want.Session != "" && want.ID != ""; !whole || !ok || alive != (err == nil) {
			t.Errorf("%s %s gives %+v, %v", header, claims, got, err)
		}
		if err == nil && got != want {
			t.Errorf("%s gives %+v, want %+v", claims, got, want)
		}
	})
}

// The same for API tokens, which are never taken for access tokens, nor the other way round.
func FuzzVerifyAPISigned(f *testing.F) {
	genuine := newForger(f)
	head := changed(genuine.head, "typ", `"pat+jwt"`)
	said := changed(genuine.said, "scp", `["chats:read"]`)
	f.Add(head, said)
	f.Add(object(genuine.head), said)
	f.Add(head, changed(genuine.said, "scp", `["chats:read",7]`))
	f.Add(head, changed(genuine.said, "scp", `"chats:read"`))
	f.Add(head, object(genuine.said))
	f.Add(head, strings.Replace(said, `"jti":"j1"`, `"jti":""`, 1))
	f.Add(head, strings.Replace(said, `"exp":`, `"exp":1,"nbf":`, 1))
	f.Add(head, strings.Replace(said, `"aud":"`, `"aud":"not-`, 1))
	tokens := tokensAt(f, noon)
	stranger := strangerKey(f)
	f.Fuzz(func(t *testing.T, header, claims string) {
		good := genuine.sign(header, claims)
		for name, raw := range map[string]string{
			"a stranger's key": apiPrefix + genuine.signWith(stranger, header, claims), "no prefix": good, "two prefixes": apiPrefix + apiPrefix + good,
		} {
			if got, err := tokens.VerifyAPI(raw); !errors.Is(err, ErrTokenInvalid) || got.ID != "" {
				t.Errorf("with %s, %s %s gives %+v, %v", name, header, claims, got, err)
			}
		}
		got, err := tokens.VerifyAPI(apiPrefix + good)
		if errors.Is(err, ErrTokenInvalid) && got.ID == "" {
			return
		}
		c, alive, ok := rightfully(genuine.key.ID, typAPI, header, claims)
		scopes, isList := c["scp"].([]any)
		if !ok || alive != (err == nil) || c.text("jti") == "" || c.text("tid") == "" || !isList || len(scopes) == 0 {
			t.Errorf("%s %s gives %+v, %v", header, claims, got, err)
		}
		if err != nil {
			return
		}
		want := APIClaims{ID: c.text("jti"), Tenant: c.text("tid"), IssuedAt: c.moment("iat"), ExpiresAt: c.moment("exp")}
		for _, scope := range scopes {
			text, _ := scope.(string)
			want.Scopes = append(want.Scopes, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives %+v, want %+v", claims, got, want)
		}
		if got, err := tokens.VerifyAccess(good); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("an API token gives access: %+v, %v", got, err)
		}
	})
}

// said is what a token says.
type said map[string]any

func (c said) text(name string) string {
	s, _ := c[name].(string)
	return s
}

func (c said) moment(name string) time.Time {
	seconds, _ := c[name].(float64)
	return time.Unix(int64(seconds), 0).UTC()
}

// rightfully reads a token's two texts as their contract has them, and says whether it is young enough and whether all
// else is right that every token says.
func rightfully(keyID, typ, header, claims string) (c said, alive, ok bool) {
	var head map[string]string
	if json.Unmarshal([]byte(header), &head) != nil || len(head) != 3 || head["alg"] != "EdDSA" || head["kid"] != keyID || head["typ"] != typ {
		return nil, false, false
	}
	if json.Unmarshal([]byte(claims), &c) != nil {
		return nil, false, false
	}
	meant := c["aud"] == testAudience
	if several, isList := c["aud"].([]any); isList {
		meant = slices.Contains(several, any(testAudience))
	}
	_, issued := c["iat"].(float64)
	_, ends := c["exp"].(float64)
	begun := true
	if since, given := c["nbf"]; given {
		_, begun = since.(float64)
		begun = begun && !c.moment("nbf").After(noon.Add(leeway))
	}
	ok = c["iss"] == testIssuer && meant && issued && !c.moment("iat").After(noon.Add(leeway)) && ends && begun
	return c, noon.Before(c.moment("exp").Add(leeway)), ok
}
