package http

import (
	"encoding/base64"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"sidecard/connectors"
)

// The ways to sign in.
const (
	authNone      = "none"
	authKeyHeader = "key_header"
	authKeyQuery  = "key_query"
	authBasic     = "basic"
	authBearer    = "bearer"
	authOAuth2    = "oauth2"
)

// signIn is how Sidecard proves who it is.
type signIn struct {
	kind   string
	name   string // of the header or parameter with the key
	user   string
	secret string
	oauth  oauth
}

func newSignIn(s connectors.Settings, q *question) (signIn, error) {
	in := signIn{kind: s.String("auth", authNone), name: strings.TrimSpace(s.String("key_name", "")), user: s.String("user", ""), secret: s.String("secret", "")}
	if in.kind != authBasic { // keys are copied with the line's end; a password may begin or end with a space
		in.user, in.secret = strings.TrimSpace(in.user), strings.TrimSpace(in.secret)
	}
	var err error
	switch in.kind {
	case authNone:
		return in, nil
	case authKeyHeader:
		in.name, err = keyHeader(in.name, q)
	case authKeyQuery:
		err = keyParam(in.name)
	case authBasic:
		if in.user == "" || strings.Contains(in.user, ":") {
			err = misconfigured("http.user", "user", "The user is missing, or has a colon, which this way to sign in does not allow.", "Enter the user as the API's documentation says.")
		}
	case authBearer:
	case authOAuth2:
		in.oauth, err = newOAuth(s, in)
	default:
		err = misconfigured("http.auth", "auth", "There is no such way to sign in.", "Choose one of those that are offered.")
	}
	if err != nil {
		return in, err
	}
	if in.secret == "" && in.kind != authBasic {
		return in, misconfigured("http.no_secret", "secret", "The key, password or token is missing.", "Enter it, or choose None under Sign-in.")
	}
	if strings.ContainsFunc(in.secret, unicode.IsControl) || in.kind != authBasic && strings.ContainsFunc(in.secret, func(r rune) bool { return r > unicode.MaxASCII }) {
		return in, misconfigured("http.secret_form", "secret", "The key, password or token has characters that cannot be in one.", "Copy it again, in one line and without what stands around it.")
	}
	return in, nil
}

func keyHeader(name string, q *question) (string, error) {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	taken := slices.ContainsFunc(q.headers, func(h header) bool { return h.name == canonical })
	switch {
	case name == "":
		return "", misconfigured("http.no_key_name", "key_name", "The name of the header with the API key is missing.", "Enter the name that the API's documentation gives, such as X-API-Key.")
	case !headerName.MatchString(name):
		return "", misconfigured("http.key_name", "key_name", "A header cannot have that name.", "Use letters, digits and hyphens, such as X-API-Key.")
	case isOwnHeader(canonical) || taken:
		return "", misconfigured("http.key_name", "key_name", "The header "+canonical+" is set already.", "Enter the name of the header that the API reads the key from.")
	}
	return canonical, nil
}

func keyParam(name string) error {
	switch {
	case name == "":
		return misconfigured("http.no_key_name", "key_name", "The name of the parameter with the API key is missing.", "Enter the name that the API's documentation gives, such as api_key.")
	case strings.ContainsFunc(name, unicode.IsControl):
		return misconfigured("http.key_name", "key_name", "A parameter cannot have that name.", "Enter the name alone, without ? and =.")
	}
	return nil
}

// sign puts the proof on a request. The token is that of OAuth2.
func (in signIn) sign(r *http.Request, token string) {
	switch in.kind {
	case authKeyHeader:
		r.Header.Set(in.name, in.secret)
	case authKeyQuery:
		pair := percent(in.name, "") + "=" + percent(in.secret, "")
		if r.URL.RawQuery != "" {
			pair = r.URL.RawQuery + "&" + pair
		}
		r.URL.RawQuery = pair
	case authBasic:
		r.Header.Set("Authorization", basic(in.user, in.secret))
	case authBearer:
		r.Header.Set("Authorization", "Bearer "+in.secret)
	case authOAuth2:
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// words names what was shown to the API.
func (in signIn) words() string {
	switch in.kind {
	case authKeyHeader, authKeyQuery:
		return "API key"
	case authBasic:
		return "user and password"
	default:
		return "token"
	}
}

// oauth is what the client credentials grant needs (RFC 6749, section 4.4).
type oauth struct {
	url    string
	scope  string
	inBody bool // client ID and secret are form fields, else HTTP basic authentication
}

func newOAuth(s connectors.Settings, in signIn) (oauth, error) {
	const field = "oauth_url"
	o := oauth{scope: strings.TrimSpace(s.String("scope", "")), inBody: s.String("client_auth", "basic") == "body"}
	text := strings.TrimSpace(s.String(field, ""))
	switch {
	case text == "":
		return o, misconfigured("http.no_token_url", field, "The token URL is missing.", "Enter the URL from which the API's documentation says to get tokens.")
	case placeholder.MatchString(text):
		return o, misconfigured("http.url.placeholder", field, "The token URL cannot hold {{email}}: the token is the same for all visitors.", "Remove the placeholder.")
	case in.user == "":
		return o, misconfigured("http.no_client_id", "user", "The client ID is missing.", "Enter the client ID that the API's owner gave you.")
	}
	target, err := newTarget(field, text)
	if err != nil {
		return o, err
	}
	o.url = target.fill("")
	return o, nil
}

// form is the body of a token request, and whether the credentials are in it.
func (in signIn) tokenForm() url.Values {
	form := url.Values{"grant_type": {"client_credentials"}}
	if in.oauth.scope != "" {
		form.Set("scope", in.oauth.scope)
	}
	if in.oauth.inBody {
		form.Set("client_id", in.user)
		form.Set("client_secret", in.secret)
	}
	return form
}
