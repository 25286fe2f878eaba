package http

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sidecard/connectors"
)

// maxWait is the longest wait that an API may ask for; the host decides what it makes of it.
const maxWait = time.Hour

// told is what the tenant is told about a status.
type told struct {
	class        connectors.Class
	field        string
	message, fix string
}

// statuses are the answers that have a meaning of their own (RFC 9110, section 15, and RFC 6585).
var statuses = map[int]told{
	400: {connectors.Misconfigured, "url", "The API does not understand the question.", readManual},
	402: {connectors.Misconfigured, "", "The API wants to be paid first.", "Look at your plan or your bill at the API's owner."},
	403: {connectors.Misconfigured, "secret", "The API knows Sidecard, but does not let it read this.", "Give the key, user or client the right to read customers, and allow Sidecard's address if the API has such a list."},
	404: {connectors.Misconfigured, "url", "The API has nothing at this path.", "Check the path of the URL. If the API says so of somebody it does not know, add 404 to the statuses that mean “not known”."},
	405: {connectors.Misconfigured, "method", "The API does not take questions by this method.", "Choose the other method, as the API's documentation says."},
	406: {connectors.Misconfigured, "headers", "The API does not answer in JSON.", "Ask for JSON as the API's documentation says, with an Accept header of its own if need be."},
	408: {connectors.Transient, "", "The API has waited too long for the question.", again},
	410: {connectors.Misconfigured, "url", "This path of the API was given up.", "Use the newer one that the API's documentation names. If the API says so of somebody it does not know, add 410 to the statuses that mean “not known”."},
	411: {connectors.Misconfigured, "method", "The API wants a body.", "Choose POST and enter a body."},
	413: {connectors.Misconfigured, "body", "The question is too large for the API.", "Shorten the body."},
	414: {connectors.Misconfigured, "url", "The URL is too long for the API.", "Shorten the URL, or ask by POST."},
	415: {connectors.Misconfigured, "body_format", "The API does not take a body of this form.", "Choose the other form of the body, or add a Content-Type header as the API's documentation says."},
	421: {connectors.Misconfigured, "url", "The server is not responsible for this name.", "Check the name in the URL."},
	422: {connectors.Misconfigured, "url", "The API understands the question, but not its values.", readManual},
	423: {connectors.Transient, "", "The API has locked the record for a moment.", again},
	425: {connectors.Transient, "", "The API wants to be asked later.", again},
	426: {connectors.Misconfigured, "url", "The API wants a newer protocol.", "Write https:// in the URL."},
	451: {connectors.Misconfigured, "", "The API may not answer for legal reasons.", "Ask the API's owner."},
	501: {connectors.Misconfigured, "method", "The API does not take questions by this method.", "Choose the other method, as the API's documentation says."},
	505: {connectors.Misconfigured, "url", "The server does not speak this version of HTTP.", "Update the server."},
}

// statusError stands for an answer in logs. Its text is left out: it may quote the visitor's address.
type statusError int

func (e statusError) Error() string { return "answered status " + strconv.Itoa(int(e)) }

// statusFailure gives an answer that is no success a class, a sentence and a way out.
func (s *source) statusFailure(resp *http.Response) *connectors.Error {
	code := resp.StatusCode
	t, ok := statuses[code]
	number := strconv.Itoa(code)
	switch {
	case code == http.StatusUnauthorized:
		t = s.signIn.refused()
	case code == http.StatusForbidden && s.signIn.kind == authNone:
		t.field, t.fix = "auth", "Choose the sign-in that the API's documentation names, and allow Sidecard's address if the API has such a list."
	case code == http.StatusTooManyRequests:
		t = told{connectors.RateLimited, "", "The API says that it is asked too often.", "Wait a little. If it happens often, raise the limit at the API's owner."}
	case code >= 300 && code < 400:
		t = told{connectors.Misconfigured, "url", "The API sends Sidecard to another URL, and Sidecard does not follow.", redirectFix(resp)}
	case ok:
	case code >= 400 && code < 500:
		t = told{connectors.Misconfigured, "url", "The API refuses the question with status " + number + ".", readManual}
	case code >= 500 && code < 600:
		t = told{connectors.Transient, "", "The API has trouble of its own (status " + number + ").", "Try again; if it stays, look at the API's own log or its status page."}
	default:
		t = told{connectors.Bug, "url", "The API answers with status " + number + ", which says nothing.", "Check the URL with the API's documentation."}
	}
	e := &connectors.Error{Class: t.class, Code: fmt.Sprintf("http.%d", code), Field: t.field, Message: t.message, Fix: t.fix, Err: statusError(code)}
	if t.class == connectors.RateLimited {
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), s.now())
	}
	return e
}

// refused is what is told when the API does not accept the proof.
func (in signIn) refused() told {
	switch in.kind {
	case authNone:
		return told{connectors.Misconfigured, "auth", "The API wants to know who asks.", "Choose the sign-in that the API's documentation names."}
	case authBasic:
		return told{connectors.AuthRevoked, "secret", "User or password is wrong.", "Enter user and password again. Some APIs want a key in place of the password."}
	case authBearer:
		return told{connectors.AuthRevoked, "secret", "The token is wrong, or was revoked.", "Enter it again, without the word Bearer, or make a new one at the API's owner."}
	case authOAuth2:
		return told{connectors.AuthRevoked, "secret", "The API refuses even a fresh token.", "Check the scope, and that token URL and API belong together; then enter client ID and client secret again."}
	default:
		return told{connectors.AuthRevoked, "secret", "The API key is wrong, or was revoked.", "Enter it again, and check under which name the API wants it and whether in a header or in the URL."}
	}
}

func isUnauthorized(err error) bool {
	var status statusError
	return errors.As(err, &status) && status == http.StatusUnauthorized
}

// redirectFix says what to write, where that can be told without the new URL: it may hold the visitor's address.
func redirectFix(resp *http.Response) string {
	const final = "Enter the final URL. Another program, such as curl -i, shows it after “location:”. If it is a page to sign in, the sign-in is missing or wrong."
	old := resp.Request.URL
	to, err := old.Parse(resp.Header.Get("Location"))
	switch {
	case err != nil || resp.Header.Get("Location") == "":
		return final
	case old.Scheme == "http" && to.Scheme == "https" && to.Hostname() == old.Hostname():
		return "Write https:// in the URL, not http://."
	case to.Host == old.Host && samePath(old, to, "/"):
		return "End the path of the URL with a slash."
	case to.Host == old.Host && samePath(to, old, "/"):
		return "Remove the slash at the end of the URL's path."
	case "www."+old.Host == to.Host:
		return "Write www. before the name of the server."
	default:
		return final
	}
}

func samePath(short, long *url.URL, suffix string) bool {
	return strings.TrimSuffix(long.EscapedPath(), suffix) == short.EscapedPath() && long.EscapedPath() != short.EscapedPath()
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3). What is neither, or has passed, is unknown: 0. Nobody
// has to wait longer than maxWait.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds > int(maxWait/time.Second) {
			return maxWait // the number is beyond all bounds
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil || !at.After(now) {
		return 0
	}
	return min(at.Sub(now), maxWait)
}
