// Package livesupporti speaks LiveSupporti's dialect in both directions: it
// verifies and reads the notifications that LiveSupporti's WebHooks send,
// answers the handshake that creates a WebHook, writes the details that an
// agent shall see, and posts them.
//
// Everything except Client is a pure function over bytes. The package keeps
// nothing, logs nothing, retries nothing and decides nothing about tenants: it
// says what the bytes are and how LiveSupporti answered, and its callers act on
// that. No error and no text made here contains a secret, an e-mail address, a
// field value or a part of a request body.
//
// Protocol facts come from LiveSupporti's page "Display custom visitor
// information during the chat" and its REST API page. What those leave open is
// taken from Microsoft's ASP.NET WebHooks sender, whose message format the
// documented one is.
package livesupporti

// DefaultBaseURL is where LiveSupporti documents the details resource. Its REST
// API page names https://app.livesupporti.com/api for the other resources.
const DefaultBaseURL = "https://livesupporti.com/api"

// ContentType is the documented Content-Type of notifications and of details.
const ContentType = "application/json; charset=utf-8"

// MaxID is the greatest length in bytes of an id that Parse accepts: of a
// firing, of an account, of an agent or of a visitor. LiveSupporti's own ids
// have at most 36.
const MaxID = 256
