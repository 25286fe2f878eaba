package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sidecard/connectors"
)

// envelope is how HubSpot says no. Every member may lack, or be of another form [doc].
type envelope struct {
	message, category, errorType, policy, correlation string
	context                                           []facts // its own, and those of its errors
}

// facts are what a refusal adds to its message, by name.
type facts map[string]json.RawMessage

// readEnvelope reads what it can of a refusal. What is no JSON gives an empty one.
func readEnvelope(body []byte) envelope {
	var members, none map[string]json.RawMessage
	if decode(body, &members) != nil {
		members = none
	}
	word := func(name string) string {
		var t text
		if raw, ok := members[name]; !ok || json.Unmarshal(raw, &t) != nil {
			return ""
		}
		return t.value
	}
	e := envelope{
		message: word("message"), category: word("category"), errorType: word("errorType"), policy: word("policyName"),
		correlation: word("correlationId"),
	}
	var own facts
	if json.Unmarshal(members["context"], &own) == nil {
		e.context = append(e.context, own)
	}
	var errs []struct {
		Context facts `json:"context"`
	}
	if json.Unmarshal(members["errors"], &errs) == nil {
		for _, one := range errs {
			e.context = append(e.context, one.Context)
		}
	}
	return e
}

var (
	referenceForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	scopeForm     = regexp.MustCompile(`[a-z][a-z0-9_.-]{2,79}`)
)

// reference gives an id of HubSpot's for its support, or nothing if it is not formed like one.
func reference(id string) string {
	if !referenceForm.MatchString(id) {
		return ""
	}
	return id
}

// missingScopes gives the scopes that HubSpot names, else the one that is known to be needed.
func (e envelope) missingScopes(needed string) []string {
	var named []string
	for _, f := range e.context {
		for _, key := range []string{"requiredScopes", "requiredGranularScopes", "missingScopes"} { // all three [obs]
			named = append(named, scopeForm.FindAllString(string(f[key]), 10)...)
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	if len(named) == 0 && needed != "" {
		named = []string{needed}
	}
	return named[:min(len(named), 10)]
}

// undecodable reports whether an expired token is really none: HubSpot then says that it expired in 1970 [obs].
func (e envelope) undecodable() bool {
	for _, f := range e.context {
		if strings.Contains(string(f["expire time"]), "1970-01-01") {
			return true
		}
	}
	return false
}

// statusError stands for an answer in logs. Its text is left out: it may quote the visitor's address.
type statusError int

func (e statusError) Error() string { return "answered status " + strconv.Itoa(int(e)) }

// codeScopes is the code of a refusal for want of a scope.
const codeScopes = "hubspot.missing_scopes"

// refusal gives an answer that is no success a class, a sentence and a way out.
func (s *source) refusal(q question, resp *http.Response, body []byte) *connectors.Error {
	said := readEnvelope(body)
	e := s.judge(q, resp, said)
	e.Reference = reference(said.correlation)
	if e.Reference == "" {
		e.Reference = reference(resp.Header.Get("X-HubSpot-Correlation-Id"))
	}
	e.Err = statusError(resp.StatusCode)
	return e
}

// own statuses of HubSpot.
const (
	statusMoving   = 477 // the account moves to another data centre [doc]
	statusEdgeFrom = 520 // to 526: the network in front of HubSpot has trouble [doc]
	statusEdgeTo   = 526
)

func (s *source) judge(q question, resp *http.Response, said envelope) *connectors.Error {
	wait := retryAfter(resp.Header.Get("Retry-After"), s.now())
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized:
		return s.unauthorized(said)
	case status == http.StatusForbidden:
		return s.forbidden(q, said)
	case status == http.StatusTooManyRequests:
		return s.tooMany(said, wait)
	case status == http.StatusLocked: // for at least two seconds [doc]
		e := transient("locked", "HubSpot has locked the account for a moment, while many records are changed.", again, nil)
		e.RetryAfter = max(wait, 2*time.Second)
		return e
	case status == statusMoving:
		e := transient("moving", "HubSpot moves the account to another data centre.", "Wait; this can take hours.", nil)
		e.RetryAfter = wait
		return e
	case status >= 500 && status <= 504, status >= statusEdgeFrom && status <= statusEdgeTo, status == http.StatusRequestTimeout:
		e := transient(strconv.Itoa(status), fmt.Sprintf("HubSpot has trouble of its own (status %d).", status), again, nil)
		e.RetryAfter = wait
		return e
	case status == http.StatusNotFound:
		return &connectors.Error{
			Class: connectors.Bug, Code: "hubspot.404", Message: "HubSpot does not have what Sidecard asks it for.",
			Fix: "Tell us the reference: HubSpot may have changed its API.",
		}
	default:
		return &connectors.Error{
			Class: connectors.Bug, Code: "hubspot." + strconv.Itoa(status), Fix: tellUs,
			Message: fmt.Sprintf("HubSpot does not take Sidecard's question (status %d).", status),
		}
	}
}

// unauthorized tells an expired login from one that is gone.
func (s *source) unauthorized(said envelope) *connectors.Error {
	e := &connectors.Error{Class: connectors.AuthRevoked, Field: settingAuth, Fix: connectAnew}
	if s.byKey {
		e.Field, e.Fix = settingKey, copyKey
	}
	expired := said.category == "EXPIRED_AUTHENTICATION"
	switch {
	case expired && said.undecodable() && s.byKey:
		e.Code, e.Message = "hubspot.not_a_key", "This is not a HubSpot service key."
	case expired && said.undecodable():
		e.Code, e.Message = "hubspot.not_a_token", "HubSpot does not recognise its own login any more."
	case expired && s.byKey:
		e.Code, e.Message = "hubspot.expired", "HubSpot says that the key has expired."
		e.Fix = "Make a new service key in HubSpot (Development, Keys, Service keys) and enter it. A token of an app lasts only 30 minutes."
	case expired:
		e.Class, e.Code, e.Message = connectors.AuthExpired, "hubspot.expired", "HubSpot's login has expired."
	case s.byKey:
		e.Code, e.Message = "hubspot.revoked", "HubSpot does not accept the service key: it was deleted, or replaced by a new one."
		e.Fix = "Copy the current key, or make a new one, in HubSpot (Development, Keys, Service keys) and enter it."
	default:
		e.Code, e.Message = "hubspot.revoked", "HubSpot does not accept the login any more: Sidecard was disconnected there."
	}
	return e
}

// forbidden names what the key or the login may not read. It stays good for the rest.
func (s *source) forbidden(q question, said envelope) *connectors.Error {
	names := strings.Join(said.missingScopes(q.scope), ", ")
	e := &connectors.Error{
		Class: connectors.Misconfigured, Code: codeScopes, Field: settingAuth,
		Message: "HubSpot does not let Sidecard read " + q.what + ".",
	}
	switch {
	case said.message == "" && said.category == "":
		e.Fix = "Look in HubSpot whether the account allows only certain addresses; if not, tell us the reference."
		e.Code = "hubspot.403"
	case s.byKey:
		e.Field, e.Fix = settingKey, "In HubSpot (Development, Keys, Service keys), add this scope to the key: "+names+"."
	default:
		e.Fix = "Connect with HubSpot again, as a user who may give this scope: " + names + "."
	}
	return e
}

// tooMany says how long to wait: as HubSpot says, else by the limit that was hit [doc].
func (s *source) tooMany(said envelope, wait time.Duration) *connectors.Error {
	e := &connectors.Error{
		Class: connectors.RateLimited, Code: "hubspot.limit", Bucket: burst.Bucket, RetryAfter: wait,
		Message: "HubSpot says that it is asked too often.",
		Fix:     "Nothing, if this is rare. Otherwise show fewer fields, or look which other programs use the account.",
	}
	message := strings.ToLower(said.message)
	fallback := 10 * time.Second
	switch {
	case said.policy == "DAILY" || strings.Contains(message, "daily limit"):
		e.Code, e.Message = "hubspot.daily_limit", "The HubSpot account has used up its calls for today."
		e.Fix = "Wait until midnight, look which programs use the account, or raise its limit at HubSpot."
		fallback = s.untilMidnight()
	case said.policy == "SECONDLY" || strings.Contains(message, "your secondly limit"):
		fallback = time.Second
	}
	if wait == 0 {
		e.RetryAfter = fallback
	}
	return e
}

// untilMidnight is how long the account's day lasts, where its clock is known.
func (s *source) untilMidnight() time.Duration {
	a, _ := s.account.peek()
	zone, err := time.Parse("-07:00", a.Offset)
	if err != nil {
		return time.Hour
	}
	now := s.now().In(zone.Location())
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, zone.Location()).Sub(now)
}

// maxWait is the longest wait that HubSpot may ask for; the host decides what it makes of it.
const maxWait = 24 * time.Hour

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3). What is neither, or has passed, is unknown: 0.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header != "" && strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.Atoi(header)
		if err != nil || seconds > int(maxWait/time.Second) {
			return maxWait // the number is beyond all bounds
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil || !at.After(now) {
		return 0
	}
	return min(at.Sub(now), maxWait)
}
