package livesupporti

import (
	"fmt"
	"log/slog"
)

// Credentials are what LiveSupporti's API takes as HTTP Basic credentials: the
// e-mail address of a user and the API key from that user's profile page. They
// never print: every verb of fmt, slog and encoding/json see a placeholder.
type Credentials struct {
	Email  string
	APIKey string
}

const redacted = "[livesupporti credentials]"

var (
	_ fmt.Formatter  = Credentials{}
	_ slog.LogValuer = Credentials{}
)

// String returns a placeholder.
func (Credentials) String() string { return redacted }

// GoString returns a placeholder.
func (Credentials) GoString() string { return redacted }

// Format writes a placeholder whatever the verb.
func (Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue returns a placeholder.
func (Credentials) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
