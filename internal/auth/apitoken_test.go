package auth

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var program = APIClaims{ID: "j1", Tenant: "t1", Scopes: []string{"chats:read"}, ExpiresAt: noon.Add(time.Hour)}

func issueAPI(t *testing.T, tokens *Tokens, c APIClaims) string {
	t.Helper()
	raw, err := tokens.IssueAPI(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAPITokenSaysWhatWasPutInUntilItsEnd(t *testing.T) {
	t.Parallel()
	raw := issueAPI(t, tokensAt(t, noon), program)
	want := program
	want.IssuedAt = noon
	if got, err := tokensAt(t, noon.Add(time.Hour)).VerifyAPI(raw); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("said %+v, %v, want %+v", got, err, want)
	}
	if _, err := tokensAt(t, noon.Add(time.Hour+leeway+time.Second)).VerifyAPI(raw); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("%v after its end, want expired", err)
	}
	if !strings.HasPrefix(raw, "sct_ey") || !IsAPIToken(raw) || IsAPIToken(raw[1:]) {
		t.Errorf("%q cannot be recognised", raw)
	}
}

func TestTokensOfOneTypeAreNotOfTheOther(t *testing.T) {
	t.Parallel()
	tokens := tokensAt(t, noon)
	access, api := issue(t, tokens, someone, time.Minute), issueAPI(t, tokens, program)
	for _, raw := range []string{api, strings.TrimPrefix(api, apiPrefix)} {
		if _, err := tokens.VerifyAccess(raw); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("an API token passed for an access token: %v", err)
		}
	}
	for _, raw := range []string{access, apiPrefix + access, strings.TrimPrefix(api, apiPrefix), apiPrefix + api} {
		if _, err := tokens.VerifyAPI(raw); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("%.20q… passed for an API token: %v", raw, err)
		}
	}
}

func TestForgedAPITokensAreRefused(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	f.head["typ"], f.said["scp"] = `"pat+jwt"`, `["chats:read"]`
	f.issuedByHand = f.sign(object(f.head), object(f.said))
	tokens := tokensAt(t, noon)
	if _, err := tokens.VerifyAPI(apiPrefix + f.issuedByHand); err != nil {
		t.Fatalf("the unchanged token: %v", err)
	}
	bad := f.forgeries(t)
	for _, unused := range []string{"sub missing", "sub empty", "sub number", "role missing", "session missing", "typ of API token"} {
		delete(bad, unused)
	}
	bad["typ of access token"] = f.header("typ", `"at+jwt"`)
	for name, scopes := range map[string]string{
		"missing": "", "null": "null", "empty": "[]", "text": `"chats:read"`, "numbers": "[1]", "nested": `[["chats:read"]]`, "object": `{"a":"chats:read"}`,
	} {
		bad["scopes "+name] = f.claims("scp", scopes)
	}
	if len(bad) < 100 {
		t.Fatalf("%d forgeries, want at least 100", len(bad))
	}
	for name, raw := range bad {
		got, err := tokens.VerifyAPI(apiPrefix + raw)
		want := ErrTokenInvalid
		if name == "exp past" || name == "exp negative" {
			want = ErrTokenExpired
		}
		if !errors.Is(err, want) || got.ID != "" || len(err.Error()) > 80 {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, want)
		}
	}
}

func TestIncompleteAPITokensAreNotIssued(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*APIClaims){
		"no id": func(c *APIClaims) { c.ID = "" }, "no tenant": func(c *APIClaims) { c.Tenant = "" },
		"no scope": func(c *APIClaims) { c.Scopes = nil }, "over": func(c *APIClaims) { c.ExpiresAt = noon },
		"too many scopes": func(c *APIClaims) { c.Scopes = []string{strings.Repeat("x", maxTokenBytes)} },
	} {
		c := program
		change(&c)
		if raw, err := tokensAt(t, noon).IssueAPI(c); err == nil {
			t.Errorf("%s: issued %q", name, raw)
		}
	}
}
