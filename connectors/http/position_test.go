package http_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sidecard/connectors"
)

// hostile are addresses that would be syntax somewhere if they were not encoded. Each is somebody's possible address.
func hostile() []string {
	var all []string
	for c := byte('!'); c <= '~'; c++ { // every visible character of ASCII
		all = append(all, "x"+string(c)+"y@visitor.example", string(c)+"@visitor.example")
	}
	return append(all,
		"o'brien@visitor.example", `"quoted"@visitor.example`, `back\slash@visitor.example`, `\"@visitor.example`, `\u0022@visitor.example`,
		"100%@visitor.example", "%2e%2e%2f@visitor.example", "%0d%0aX-Injected:1@visitor.example", "%00@visitor.example", "%@visitor.example",
		"a&admin=true@visitor.example", "a;b=c@visitor.example", "a=b@visitor.example", "a?b@visitor.example", "a#b@visitor.example", "a+b@visitor.example",
		`"}],"admin":true,"x":["@visitor.example`, `","email":"boss@visitor.example`, "{{email}}@visitor.example", "{{7*7}}@visitor.example", "${jndi}@visitor.example",
		"jürgen.öst@bücher.example", "юрий@почта.example", "李@例え.example", "e\u0301@visitor.example", "😀@visitor.example", "\u202egnp@visitor.example",
		"<script>@visitor.example", "'||pg_sleep(9)||'@visitor.example", "*@*", "//evil.example/@visitor.example", `\\evil.example\@visitor.example`,
		"http://evil.example/@visitor.example", "@evil.example:80/@visitor.example", strings.Repeat("a", 300)+"@visitor.example",
	)
}

// never are what nobody's address is. It is not sent at all: an API may take it for "all", or fail on it.
var never = []string{
	"", " ", "%", "*", "not an address", "' OR 1=1 --", ".", "..", "../..", "/", "@", "a@", "@b", "x\r\nX-Injected: 1@visitor.example", "x\n@visitor.example",
	"nul\x00byte@visitor.example", "\x7f@visitor.example", "tab\t@visitor.example", "white space@visitor.example", "nbsp\u00a0@visitor.example",
	"line\u2028@visitor.example", "\u0085@visitor.example", "broken\xff\xfeutf8@visitor.example", "\xc0\xaf@visitor.example", strings.Repeat("a", 10<<10) + "@visitor.example",
}

// position is a place for the address, and how the API's framework finds it there.
type position struct {
	name     string
	settings map[string]any
	read     func(request) (string, error)
	refuses  func(email string) bool // addresses that this place cannot hold as data
}

func positions(base string) []position {
	post := func(format, body string) map[string]any {
		return map[string]any{"method": "POST", "url": base + "/p?fixed=a%26b", "body_format": format, "body": body}
	}
	jsonAt := func(r request) (string, error) {
		var v struct {
			Outer []struct {
				Email string
				After string
			}
		}
		if json.Unmarshal([]byte(r.body), &v) != nil || len(v.Outer) != 1 || v.Outer[0].After != "z" || strings.Count(r.body, `"after"`) != 1 {
			return "", errors.New("the body is another one")
		}
		return v.Outer[0].Email, nil
	}
	formAt := func(r request) (string, error) {
		v, err := url.ParseQuery(r.body)
		if err != nil || len(v) != 2 || v.Get("limit") != "1 2" || len(v["email"]) != 1 {
			return "", errors.New("the form is another one")
		}
		return v.Get("email"), nil
	}
	hasQuote := func(quotes string) func(string) bool {
		return func(email string) bool { return strings.ContainsAny(email, quotes+`\`) }
	}
	none := func(string) bool { return false }
	between := func(text, before, after string) (string, error) {
		inner, ok := strings.CutPrefix(text, before)
		inner, ends := strings.CutSuffix(inner, after)
		if !ok || !ends {
			return "", fmt.Errorf("%q is not around the address", text)
		}
		return inner, nil
	}
	return []position{
		{"path", map[string]any{"url": base + "/p/{{email}}/orders?fixed=a%26b"}, func(r request) (string, error) {
			if r.method != http.MethodGet || len(r.query) != 1 || strings.Count(strings.SplitN(r.target, "?", 2)[0], "/") != 3 {
				return "", fmt.Errorf("the path is another one: %s", r.target)
			}
			return between(r.path, "/p/", "/orders")
		}, none},
		{"quoted in a path", map[string]any{"url": base + "/p('{{email}}')"}, func(r request) (string, error) {
			return between(r.path, "/p('", "')")
		}, hasQuote("'")},
		{"query", map[string]any{"url": base + "/p?a=1&email={{email}}&b=2&fixed=a%26b"}, func(r request) (string, error) {
			if len(r.query) != 4 || r.path != "/p" || r.query["b"][0] != "2" || len(r.query["email"]) != 1 {
				return "", fmt.Errorf("the query is another one: %s", r.target)
			}
			return r.query["email"][0], nil
		}, none},
		{"quoted in a query", map[string]any{"url": base + `/p?$filter=mail eq '{{email}}'`}, func(r request) (string, error) {
			if len(r.query) != 1 || len(r.query["$filter"]) != 1 {
				return "", fmt.Errorf("the query is another one: %s", r.target)
			}
			return between(r.query["$filter"][0], "mail eq '", "'")
		}, hasQuote("'")},
		{"quoted in a query, encoded", map[string]any{"url": base + `/p?q=mail:%22{{email}}%22`}, func(r request) (string, error) {
			return between(r.query["q"][0], `mail:"`, `"`)
		}, hasQuote(`"`)},
		{"JSON", post("json", `{"outer": [{"email": "{{email}}", "after": "z"}]}`), jsonAt, none},
		{"quoted in JSON", post("json", `{"q": "find(\"{{email}}\")"}`), func(r request) (string, error) {
			var v map[string]string
			if json.Unmarshal([]byte(r.body), &v) != nil || len(v) != 1 {
				return "", errors.New("the body is another one")
			}
			return between(v["q"], `find("`, `")`)
		}, hasQuote(`"`)},
		{"form", post("form", "email={{email}}\nlimit=1 2"), formAt, none},
		{"form in one line", post("form", "email={{email}}&limit=1+2"), formAt, none},
		{"header", map[string]any{"url": base + "/p", "headers": []string{"X-Visitor: mail {{email}}; q=1"}}, func(r request) (string, error) {
			if len(r.header["X-Visitor"]) != 1 || r.header["X-Injected"] != nil {
				return "", fmt.Errorf("the headers are others: %v", r.header)
			}
			return between(r.header["X-Visitor"][0], "mail ", "; q=1")
		}, none},
	}
}

// TestHostileAddressesAreData generates addresses for every place and looks at what the API has received.
func TestHostileAddressesAreData(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.say(http.StatusOK, "application/json", `{"data": {"items": []}}`)
	for _, p := range positions(a.URL) {
		src := open(t, a.settings(with(p.settings, "lower_case", false)), keepAlive)
		for _, email := range hostile() {
			if res := lookup(t, src, email); res.Match != connectors.None {
				t.Errorf("%s: %q is %s", p.name, email, res.Match)
			}
			got := a.got()
			switch {
			case p.refuses(email) && len(got) == 0:
			case p.refuses(email):
				t.Errorf("%s: %q was sent", p.name, email)
			case len(got) != 1:
				t.Errorf("%s: %q was asked for %d times", p.name, email, len(got))
			default:
				if read, err := p.read(got[0]); err != nil || read != email {
					t.Errorf("%s: %q arrived as %q, %v", p.name, email, read, err)
				}
			}
		}
		for _, email := range never {
			if res := lookup(t, src, email); res.Match != connectors.None {
				t.Errorf("%s: %q is %s", p.name, email, res.Match)
			}
			if got := a.got(); len(got) != 0 {
				t.Errorf("%s: %.40q was sent: %+v", p.name, email, got)
			}
		}
	}
}

// TestNoAddressLeadsUpAPath sends nothing that web servers which decode first would resolve to another path.
func TestNoAddressLeadsUpAPath(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.say(http.StatusOK, "application/json", `{"data": {"items": [{"email": "../admin@visitor.example"}]}}`)
	climbing := []string{"../admin@visitor.example", "a/../b@visitor.example", "./a@visitor.example", `a\..\b@visitor.example`, "x@visitor.example/..", "x@visitor.example/../.."}
	inPath := open(t, a.settings(map[string]any{"url": a.URL + "/p/{{email}}"}))
	inQuery := open(t, a.settings(map[string]any{"url": a.URL + "/p?email={{email}}"}))
	for _, email := range climbing {
		if res := lookup(t, inPath, email); res.Match != connectors.None || len(a.got()) != 0 {
			t.Errorf("%q was sent in a path", email)
		}
		lookup(t, inQuery, email)
		if got := a.got(); len(got) != 1 || !slices.Equal(got[0].query["email"], []string{email}) {
			t.Errorf("%q was not sent as it is: %+v", email, got)
		}
	}
}

// keepAlive reuses connections, for tests that ask often.
func keepAlive(in *connectors.OpenInput) { in.HTTP = sharedClient }

var sharedClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
