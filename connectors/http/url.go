package http

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// target is the URL of the question.
type target struct {
	template
	host     string // without the port
	secure   bool
	hasQuery bool
}

// newTarget reads a URL with places for the address in its path and its query.
func newTarget(field, text string) (target, error) {
	text, err := marked(field, text)
	if err != nil {
		return target{}, err
	}
	refuse := func(code, message, fix string) (target, error) {
		return target{}, misconfigured("http.url."+code, field, message, fix)
	}
	if text == "" {
		return refuse("empty", "The URL is missing.", "Enter it as the API's documentation gives it, beginning with https://.")
	}
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return refuse("scheme", "The URL does not begin with https://.", "Write the whole URL, such as https://api.example.com/customers/{{email}}.")
	}
	if strings.Contains(rest, "#") {
		return refuse("fragment", "The URL has a #. What follows it never reaches a server.", "Remove the # and what follows; write %23 if the API means the character.")
	}
	end := strings.IndexAny(rest+"/", "/?\\")
	authority, rest := rest[:end], rest[end:]
	host, err := hostOf(field, scheme, authority)
	if err != nil {
		return target{}, err
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	all := literal(scheme + "://" + authority)
	segments, err := chunks(field, path, "/", inPath)
	if err != nil {
		return target{}, err
	}
	all = all.join(segments)
	if hasQuery {
		params, err := newParams(field, query)
		if err != nil {
			return target{}, err
		}
		all = all.join(literal("?")).join(params)
	}
	if u, err := url.Parse(all.fill("ana@example.com")); err != nil || u.Host != authority || u.User != nil {
		return refuse("form", "This is no URL that Sidecard can use.", "Copy it from the API's documentation, and put {{email}} where the address belongs.")
	}
	return target{template: all, host: host, secure: scheme == "https", hasQuery: hasQuery}, nil
}

// plainHost is what a server's name is made of; an address of IPv6 stands in brackets. Letters of other scripts are
// left to the client, which translates them for the DNS.
var plainHost = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[\pL\pM\pN._-]+)(:[0-9]{1,5})?$`)

// hostOf reads the server's name. It holds nothing of the visitor's, and no password.
func hostOf(field, scheme, authority string) (string, error) {
	refuse := func(code, message, fix string) (string, error) {
		return "", misconfigured("http.url."+code, field, message, fix)
	}
	switch {
	case strings.Contains(authority, mark):
		return refuse("host", "{{email}} is in the name of the server, where a visitor could choose who is asked.", "Put it into the path or after the question mark.")
	case strings.Contains(authority, "@"):
		return refuse("user", "The URL holds a user or a password, which everybody who sees the settings could read.", "Remove what stands before the @, and choose “User and password” under Sign-in.")
	case !plainHost.MatchString(authority):
		return refuse("host", "The URL has no name of a server that Sidecard can use.", "Write it like https://api.example.com/customers.")
	}
	u, err := url.Parse(scheme + "://" + authority)
	if err != nil || u.Hostname() == "" {
		return refuse("host", "The URL has no name of a server that Sidecard can use.", "Write it like https://api.example.com/customers.")
	}
	if !isWebPort(u.Port()) {
		return refuse("port", "APIs are not served on that port.", "Leave the port out, or use 80, 443 or one from 1024 to 65535.")
	}
	return u.Hostname(), nil
}

// isWebPort keeps Sidecard from talking to mail servers and the like.
func isWebPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && (n == 80 || n == 443 || 1024 <= n && n <= 65535)
}

// secretParam are names of parameters whose values are keys.
var secretParam = regexp.MustCompile(`(?i)(api[_-]?key|secret|passw(or)?d|(access|auth|bearer)[_-]?token|^token$)`)

// newParams reads name=value pairs, as a URL's query and a form hold them.
func newParams(field, text string) (template, error) {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if secretParam.MatchString(unescaped(name)) && value != "" && !strings.Contains(value, mark) {
			return template{}, misconfigured("http.open_secret", field, "The parameter “"+unescaped(name)+"” looks like a secret, which everybody who sees the settings could read.",
				"Remove it here, choose “API key in the URL” under Sign-in, and enter it there. It is stored sealed.")
		}
	}
	return chunks(field, text, "&", inQuery)
}

// chunks reads text whose parts are encoded each for itself, and encodes of the tenant's own text what has to be.
func chunks(field, text, separator string, at place) (template, error) {
	var all template
	for i, part := range strings.Split(text, separator) {
		if !escapesAreWhole(strings.ReplaceAll(part, mark, "x")) {
			return template{}, misconfigured("http.url.percent", field, "There is a % that encodes nothing.", "Write %25 for the character itself.")
		}
		if i > 0 {
			all = all.join(literal(separator))
		}
		t := newTemplate(part, at.within(unescaped(strings.ReplaceAll(part, mark, "x"))))
		for j, text := range t.texts {
			t.texts[j] = percent(text, "%!$&'()*+,;=:@/?")
		}
		all = all.join(t)
	}
	return all, nil
}

func escapesAreWhole(text string) bool {
	_, err := url.PathUnescape(text)
	return err == nil
}
