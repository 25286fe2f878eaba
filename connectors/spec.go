package connectors

import (
	"encoding/json"
	"strconv"
	"time"
)

// Spec describes a kind of source as data. The portal draws its form from it, the host validates and
// seals settings by it, and the documentation is generated from it.
type Spec struct {
	Kind    string // stored in the database, never reused: "postgres"
	Name    string // for people: "PostgreSQL"
	Summary string // one sentence: what it connects to
	Version int    // of the settings; grows when their meaning changes
	// Settings is a JSON Schema 2020-12 object with "additionalProperties": false. Hints the host and
	// portal understand on a property: "x-secret": true (sealed, write-only), "x-order": n,
	// "x-group": "heading", "x-advanced": true, "x-placeholder": "…", "x-widget": "password" | "textarea"
	// | "lines", "x-help": "…", "x-fix": "what to type instead, when the pattern does not fit", "x-when":
	// {"other": ["value", …]} (only of use, and only shown, while the other property has one of the values),
	// "x-binds-secrets": true (says who is shown the secrets: when it changes, they are asked for again).
	// Every property has a title and a description; a choice is an enum, or a oneOf of const, title and
	// description.
	Settings json.RawMessage
	Guide    string // Markdown: what the tenant does on the other side, step by step
	Imports  bool   // the data comes as a file; the connector implements Importer

	OAuth  *OAuth        // nil when tenants cannot connect by OAuth
	Limits []Limit       // what the vendor allows, until its answers say otherwise
	Batch  int           // visitors that one lookup can ask about; above 1 sources implement BatchLooker
	Fresh  time.Duration // an answer is good for so long, where calls are dear; 0 = ask every time
	Answer int64         // bytes of the longest answer over HTTP that makes sense; 0 = 1 MiB
	Sunset time.Time     // when the vendor ends the version of its API that is used; zero = unknown
}

// OAuth describes a vendor's OAuth 2.0 authorization code flow. The client's id and secret are the
// operator's.
type OAuth struct {
	AuthorizeURL string // where the tenant's browser goes
	TokenURL     string
	RevokeURL    string // RFC 7009; empty = the vendor has none
	Scopes       []string
	Optional     []string // scopes asked for in optional_scope, which the tenant's plan may lack
	PKCE         bool
	Account      []string // members of the token answer that name the tenant's account there, the best first
	// Setting and Value say when the login is used: the setting has this value.
	Setting, Value string
}

// Limit is a number of calls in a time.
type Limit struct {
	Bucket string // "" for vendors with one limit
	Calls  int
	Per    time.Duration
}

// Settings are a connection's settings by property name, secrets included, as JSON values.
type Settings map[string]json.RawMessage

// String returns a text setting, or fallback when it is absent or not a text.
func (s Settings) String(name, fallback string) string {
	var v string
	if raw, ok := s[name]; !ok || json.Unmarshal(raw, &v) != nil {
		return fallback
	}
	return v
}

// Int returns a whole-number setting, or fallback when it is absent or not one.
func (s Settings) Int(name string, fallback int) int {
	v, err := strconv.Atoi(string(s[name]))
	if err != nil {
		return fallback
	}
	return v
}

// Bool returns a true/false setting, or fallback when it is absent or not one.
func (s Settings) Bool(name string, fallback bool) bool {
	v, err := strconv.ParseBool(string(s[name]))
	if err != nil {
		return fallback
	}
	return v
}

// Strings returns a list-of-texts setting, or nil when it is absent or not one.
func (s Settings) Strings(name string) []string {
	var v []string
	if json.Unmarshal(s[name], &v) != nil {
		return nil
	}
	return v
}
