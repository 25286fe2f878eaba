package http_test

import (
	"errors"
	"strings"
	"testing"

	"sidecard/connectors"
	source "sidecard/connectors/http"
)

// TestWrongSettingsAreRefusedWithAFix tries what a person can type and no schema sees.
func TestWrongSettingsAreRefusedWithAFix(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	type set = map[string]any
	post := func(body string) set { return set{"method": "POST", "body": body} }
	oauth := func(name string, v any) set {
		return with(set{"auth": "oauth2", "user": "id", "oauth_url": "https://login.example.com/token"}, name, v)
	}
	for _, c := range []struct {
		settings    set
		code, field string
	}{
		{set{"url": ""}, "http.url.empty", "url"},
		{set{"url": "api.example.com/{{email}}"}, "http.url.scheme", "url"},
		{set{"url": "ftp://api.example.com/{{email}}"}, "http.url.scheme", "url"},
		{set{"url": "file:///etc/passwd?{{email}}"}, "http.url.scheme", "url"},
		{set{"url": "{{email}}://api.example.com/"}, "http.url.scheme", "url"},
		{set{"url": "{{email}}"}, "http.url.scheme", "url"},
		{set{"url": "https:{{email}}"}, "http.url.scheme", "url"},
		{set{"url": "https://{{email}}/customers"}, "http.url.host", "url"},
		{set{"url": "https://{{ email }}.example.com"}, "http.url.host", "url"},
		{set{"url": "https://api.example.com:{{email}}/"}, "http.url.host", "url"},
		{set{"url": "https://{{email}}@api.example.com/"}, "http.url.host", "url"},
		{set{"url": "https://user:{{email}}@api.example.com/"}, "http.url.host", "url"},
		{set{"url": "https://user:password@api.example.com/{{email}}"}, "http.url.user", "url"},
		{set{"url": "https://api.example.com/#{{email}}"}, "http.url.fragment", "url"},
		{set{"url": "https://api.example.com/{{email}}#top"}, "http.url.fragment", "url"},
		{set{"url": "https:///{{email}}"}, "http.url.host", "url"},
		{set{"url": "https://api example.com/{{email}}"}, "http.url.host", "url"},
		{set{"url": "https://api.example.com\\@evil.example/{{email}}"}, "http.url.form", "url"},
		{set{"url": "https://api.example.com\r\nHost: x/{{email}}"}, "http.url.host", "url"},
		{set{"url": "https://[::1/{{email}}"}, "http.url.host", "url"},
		{set{"url": "https://[fe80::1%25lo]/{{email}}"}, "http.url.host", "url"},
		{set{"url": "https://api.example.com:22/{{email}}"}, "http.url.port", "url"},
		{set{"url": "https://api.example.com:6/{{email}}"}, "http.url.port", "url"},
		{set{"url": "https://api.example.com:0/{{email}}"}, "http.url.port", "url"},
		{set{"url": "https://api.example.com:65536/{{email}}"}, "http.url.port", "url"},
		{set{"url": "https://api.example.com/100%/{{email}}"}, "http.url.percent", "url"},
		{set{"url": "https://api.example.com/?q=%zz&e={{email}}"}, "http.url.percent", "url"},
		{set{"url": "https://api.example.com/%{{email}}"}, "http.url.percent", "url"},
		{set{"url": "https://api.example.com/%4{{email}}"}, "http.url.percent", "url"},
		{set{"url": "https://api.example.com/{{name}}"}, "http.placeholder", "url"},
		{set{"url": "https://api.example.com/{{Email}}"}, "http.placeholder", "url"},
		{set{"url": "https://api.example.com/customers"}, "http.no_email", "url"},
		{set{"url": "https://api.example.com/{email}"}, "http.no_email", "url"},
		{set{"url": "https://api.example.com/?api_key=12345&e={{email}}"}, "http.open_secret", "url"},
		{set{"url": "https://api.example.com/?access%5Ftoken=12345&e={{email}}"}, "http.open_secret", "url"},
		{set{"method": "DELETE"}, "http.method", "method"},
		{set{"body": `{"email": "{{email}}"}`}, "http.get_body", "body"},
		{post(`{"email": {{email}}}`), "http.body.unquoted", "body"},
		{post(`{{email}}`), "http.body.unquoted", "body"},
		{post(`{"email": "{{email}}",}`), "http.body.json", "body"},
		{post(`{"email": "{{email}}`), "http.body.json", "body"},
		{post(`{"email": "\{{email}}"}`), "http.body.json", "body"},
		{post(`{"email": "\u00{{email}}"}`), "http.body.json", "body"},
		{post(`email={{email}}`), "http.body.unquoted", "body"},
		{post(`{"email": "{{mail}}"}`), "http.placeholder", "body"},
		{with(post("token=abc\nemail={{email}}"), "body_format", "form"), "http.open_secret", "body"},
		{with(post("rate=5%\nemail={{email}}"), "body_format", "form"), "http.url.percent", "body"},
		{set{"headers": []string{"X-Region"}}, "http.header.form", "headers"},
		{set{"headers": []string{": eu"}}, "http.header.name", "headers"},
		{set{"headers": []string{"X Region: eu"}}, "http.header.name", "headers"},
		{set{"headers": []string{"X-{{email}}: eu"}}, "http.header.name", "headers"},
		{set{"headers": []string{"X-Region: eu\r\nX-Other: 1"}}, "http.header.value", "headers"},
		{set{"headers": []string{"X-Region: {{region}}"}}, "http.placeholder", "headers"},
		{set{"headers": []string{"host: evil.example"}}, "http.header.own", "headers"},
		{set{"headers": []string{"Transfer-Encoding: chunked"}}, "http.header.own", "headers"},
		{set{"headers": []string{"Content-Length: 0"}}, "http.header.own", "headers"},
		{set{"headers": []string{"Accept-Encoding: gzip"}}, "http.header.own", "headers"},
		{set{"headers": []string{"User-Agent: curl"}}, "http.header.own", "headers"},
		{set{"headers": []string{"Proxy-Authorization: x"}}, "http.header.own", "headers"},
		{set{"headers": []string{"authorization: Bearer x"}}, "http.header.open_secret", "headers"},
		{set{"headers": []string{"X-Auth-Token: x"}}, "http.header.open_secret", "headers"},
		{set{"headers": []string{"Cookie: x"}}, "http.header.open_secret", "headers"},
		{set{"auth": "magic"}, "http.auth", "auth"},
		{set{"key_name": nil}, "http.no_key_name", "key_name"},
		{set{"key_name": "X Key"}, "http.key_name", "key_name"},
		{set{"key_name": "Host"}, "http.key_name", "key_name"},
		{set{"key_name": "X-Region", "headers": []string{"X-Region: eu"}}, "http.key_name", "key_name"},
		{set{"auth": "key_query", "key_name": ""}, "http.no_key_name", "key_name"},
		{set{"auth": "key_query", "key_name": "a\nb"}, "http.key_name", "key_name"},
		{set{"secret": nil}, "http.no_secret", "secret"},
		{set{"secret": "  "}, "http.no_secret", "secret"},
		{set{"secret": "two\nlines-of-key"}, "http.secret_form", "secret"},
		{set{"secret": "schlüssel-lang"}, "http.secret_form", "secret"},
		{set{"auth": "basic", "user": ""}, "http.user", "user"},
		{set{"auth": "basic", "user": "a:b"}, "http.user", "user"},
		{set{"auth": "bearer", "secret": ""}, "http.no_secret", "secret"},
		{oauth("oauth_url", ""), "http.no_token_url", "oauth_url"},
		{oauth("oauth_url", "https://{{email}}.example.com/"), "http.url.placeholder", "oauth_url"},
		{oauth("oauth_url", "login.example.com"), "http.url.scheme", "oauth_url"},
		{oauth("oauth_url", "https://login.example.com:25/"), "http.url.port", "oauth_url"},
		{oauth("user", ""), "http.no_client_id", "user"},
		{oauth("secret", nil), "http.no_secret", "secret"},
		{set{"record_path": "$.data"}, "http.path", "record_path"},
		{set{"record_path": "data..items"}, "http.path", "record_path"},
		{set{"record_path": "data[*]"}, "http.path", "record_path"},
		{set{"record_path": "data[-1]"}, "http.path", "record_path"},
		{set{"record_path": "data[0"}, "http.path", "record_path"},
		{set{"record_path": "data[0]items"}, "http.path", "record_path"},
		{set{"record_path": `data["items"]`}, "http.path", "record_path"},
		{set{"record_path": "data.[0]"}, "http.path", "record_path"},
		{set{"record_path": "."}, "http.path", "record_path"},
		{set{"record_path": strings.Repeat("a.", 40) + "a"}, "http.path", "record_path"},
		{set{"email_field": "emails[*].value"}, "http.path", "email_field"},
		{set{"sample_email": "ana"}, "http.sample_form", "sample_email"},
		{set{"sample_email": "ana\x00@example.com"}, "http.sample_form", "sample_email"},
		{set{"not_found": []string{"200"}}, "http.not_found", "not_found"},
	} {
		in := openHost()
		in.Settings = a.settings(c.settings)
		_, err := source.New().Open(t.Context(), in)
		var e *connectors.Error
		if !errors.As(err, &e) {
			t.Errorf("%v: taken", c.settings)
			continue
		}
		if e.Class != connectors.Misconfigured || e.Code != c.code || e.Field != c.field || e.Message == "" || e.Fix == "" {
			t.Errorf("%v: %s at %q (%s %s), want %s at %q", c.settings, e.Code, e.Field, e.Message, e.Fix, c.code, c.field)
		}
		if s := in.Settings.String("secret", ""); len(strings.TrimSpace(s)) > 8 && strings.Contains(e.Error()+e.Message+e.Fix, s) {
			t.Errorf("%s tells the secret", e.Code)
		}
	}
	if n := len(a.got()); n != 0 {
		t.Errorf("Open asked %d times", n)
	}
}

func TestUsualSettingsAreTaken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	type set = map[string]any
	for _, s := range []set{
		{"url": "  HTTPS://api.example.com/v1/customers/{{ email }}  "},
		{"url": "https://api.example.com:8443/a b/ü?q=ü&e={{email}}"},
		{"url": "https://[2001:db8::1]:8443/{{email}}"},
		{"url": "https://bücher.example/{{email}}"},
		{"url": "https://api.example.com?{{email}}"},
		{"url": "https://api.example.com/users?filter[email][$eq]={{email}}&page[size]=2&key="},
		{"url": "https://api.example.com/x?token={{email}}"},
		{"method": "POST", "body": `{"a": {"b": {}}, "query": "query($e: String!) { customer(email: $e) { name }}", "variables": {"e": "{{email}}"}}`},
		{"method": "POST", "body": `["{{email}}", "{{email}}", "\\", "\"", "{{ email }}"]`},
		{"method": "POST", "body": "email={{email}}\r\n\r\nlimit=1\n", "body_format": "form"},
		{"key_name": "Authorization", "secret": "Token 0123456789"},
		{"auth": "basic", "user": "key-as-user", "secret": ""},
		{"record_path": " data.items[0][1].x-y z "},
		{"record_path": "[0]"},
		{"record_path": "[0].a"},
		{"email_field": "contact.e-mail"},
		{"headers": []string{"X-Visitor:{{email}}", "X-Empty:"}},
	} {
		in := openHost()
		in.Settings = a.settings(s)
		src, err := source.New().Open(t.Context(), in)
		if err != nil {
			t.Errorf("%v: %v", s, err)
			continue
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}
