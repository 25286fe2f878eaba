package hubspottest

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// credential is a service key or an access token.
type credential struct {
	scopes  []string
	ends    time.Time // zero = never
	grant   *grant    // of an access token; nil = a service key
	counter *counter  // shared by all tokens of a grant
}

// burst is what the credential may call in ten seconds.
func (c *credential) burst(o Options) int {
	switch {
	case o.Burst > 0:
		return o.Burst
	case c.grant != nil:
		return oauthBurst
	}
	return keyBurst
}

// lacks gives the scopes of which one is needed and none is there.
func (c *credential) lacks(anyOf []string) []string {
	if len(anyOf) == 0 || slices.ContainsFunc(anyOf, func(s string) bool { return slices.Contains(c.scopes, s) }) {
		return nil
	}
	return anyOf
}

// The scopes [doc]; the one of tickets has had several names, all of which are taken.
const (
	scopeAccount  = "oauth"
	scopeContacts = "crm.objects.contacts.read"
	scopeSchemas  = "crm.schemas.contacts.read"
	scopeOwners   = "crm.objects.owners.read"
)

var typeScopes = map[string][]string{
	Contacts: {scopeContacts}, Companies: {"crm.objects.companies.read"}, Deals: {"crm.objects.deals.read"},
	Tickets: {"tickets", "crm.objects.tickets.read"},
}

// AllScopes are all that the emulator knows.
var AllScopes = []string{
	scopeAccount, scopeContacts, scopeSchemas, scopeOwners, "crm.objects.companies.read", "crm.objects.deals.read", "tickets",
}

func scopeOfType(r *http.Request) []string {
	kind := r.PathValue("type")
	if named, ok := typeNumbers[kind]; ok {
		kind = named
	}
	return typeScopes[kind]
}

// scopeOfSchema is that of the schema or of the records themselves [spec].
func scopeOfSchema(r *http.Request) []string {
	if of := scopeOfType(r); of != nil {
		return append([]string{scopeSchemas}, of...)
	}
	return nil
}

func ownersScope(*http.Request) []string { return []string{scopeOwners} }

// accountScope: whether a service key may ask about the account is not documented; here it needs the scope, too.
func accountScope(*http.Request) []string { return []string{scopeAccount} }

// decodable is what HubSpot's tokens look like [obs].
var decodable = regexp.MustCompile(`^(pat-(na|eu|ap)[0-9]-[0-9a-f-]{36}|CK[A-Za-z0-9_-]{20,})$`)

// ServiceKey makes a key with the scopes, with all of them when none is named.
func (s *Server) ServiceKey(scopes ...string) string {
	if len(scopes) == 0 {
		scopes = AllScopes
	}
	key := "pat-na1-" + uuid()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.creds[key] = &credential{scopes: scopes, counter: &counter{}}
	return key
}

// Forget makes the emulator refuse a key or an access token from now on.
func (s *Server) Forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.creds, token)
}

// bearer finds who asks, or refuses. The caller holds mu.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) *credential {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	c := s.creds[token]
	switch {
	case !ok || token == "" || c == nil && decodable.MatchString(token):
		unknownToken(w)
		return nil
	case c == nil:
		undecodableToken(w, s.now())
		return nil
	case !c.ends.IsZero() && !s.now().Before(c.ends):
		expiredToken(w, s.now(), c.ends)
		return nil
	}
	return c
}

// uuid draws an id in the form of RFC 9562.
func uuid() string {
	id := random(16)
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// random gives so many random bytes in hexadecimal.
func random(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
