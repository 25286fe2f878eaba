// Package connectors says what a connector is: the contract between Sidecard and a kind of source
// (Postgres, HubSpot, CSV …), its spec, its errors and the registry of kinds.
//
// It is standard library only and does no I/O. The host, not the connector, owns secrets, the guarded
// way out, deadlines, retries, caching and logging; a connector that needs one of these is handed it in
// OpenInput. Connectors never retry, never log a visitor's value, and never reach the network or the
// disk by a way of their own.
package connectors

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Connector is one kind of source. It is stateless and safe for concurrent use.
type Connector interface {
	// Spec describes the kind. It is static: same answer every time, no I/O.
	Spec() Spec
	// Open makes a Source from settings that already satisfy Spec. It is cheap and needs no network:
	// what can fail outside is found by Check and Lookup.
	Open(ctx context.Context, in OpenInput) (Source, error)
}

// Source is one tenant's configured connector. It is safe for concurrent use; the context's deadline is
// the only authority on time; no goroutine outlives Close.
type Source interface {
	// Lookup asks for one visitor. Not knowing the visitor is a Result, never an error; errors are
	// *Error so that the host can tell what to do about them.
	Lookup(ctx context.Context, q Query) (Result, error)
	// Check tries the connection step by step and says what to do about the first step that fails.
	// Its error is reserved for a cancelled context.
	Check(ctx context.Context) (Report, error)
	// Close releases what Open and Lookup took. It may be called twice and during a Lookup.
	// A lookup under way may finish or be cancelled; one that starts later is an *Error of class Canceled.
	Close() error
}

// Discoverer is implemented by sources that can list the fields a card may use.
type Discoverer interface {
	Discover(ctx context.Context) (Catalog, error)
}

// BatchLooker is implemented by sources that answer several questions with the calls of one; their Spec
// says how many. The host gathers questions that wait at the same time.
type BatchLooker interface {
	// LookupBatch gives one answer for each query, in their order. Queries may ask for different fields and
	// may repeat an address.
	LookupBatch(ctx context.Context, queries []Query) []Answer
}

// Upgrader is implemented by connectors whose settings changed their meaning since version 1.
type Upgrader interface {
	// Upgrade turns settings of one version into those of the next. It is pure and leaves s as it is.
	Upgrade(from int, s Settings) (Settings, error)
}

// Importer is implemented by connectors whose data is a file the tenant uploads.
type Importer interface {
	// Import reads the file to its end and hands each good row to the sink, in file order. Bad rows are
	// counted and named in the report. It returns an *Error of class Misconfigured, with the line, when
	// the file as a whole is unusable; the host then keeps the previous data.
	Import(ctx context.Context, file io.Reader, o ImportOptions, sink RowSink) (ImportReport, error)
}

// OpenInput is everything a source may use.
type OpenInput struct {
	Settings Settings     // non-secret settings and secrets, validated against Spec
	HTTP     *http.Client // the guarded client: no redirects, bounded answers, no private addresses
	Dial     DialFunc     // the guarded dialer, for protocols other than HTTP
	Resolve  ResolveFunc  // the guarded resolver, to be used before Dial where a library asks for one
	Rows     RowFinder    // the rows imported for this connection; nil for kinds that import nothing
	Token    TokenFunc    // the tenant's OAuth login; nil for kinds without one
	Calls    Limiter      // holds the source to its vendor's limits; never nil
	Now      func() time.Time
	Log      *slog.Logger
}

// DialFunc has the shape of net.Dialer.DialContext.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// ResolveFunc has the shape of net.Resolver.LookupHost.
type ResolveFunc func(ctx context.Context, host string) ([]string, error)

// TokenFunc gives an access token that is good for a while, or an *Error: AuthRevoked when the tenant has
// to connect (again). The host renews tokens before they expire, and once more after a lookup that ended
// with AuthExpired.
type TokenFunc func(ctx context.Context) (string, error)

// Limiter holds the calls of one connection to the vendor's limits, counted over all workers. Buckets are
// those of Spec.Limits.
type Limiter interface {
	// Wait returns when one more call may be made. If that would be after the context's deadline, it answers
	// an *Error of class RateLimited at once.
	Wait(ctx context.Context, bucket string) error
	// Learn replaces what Spec says about a bucket by what the vendor says.
	Learn(l Limit)
}

// Query is one question about one visitor.
type Query struct {
	// Email is the visitor's address as given, trimmed. It is data from a stranger: never syntax.
	Email string
	// Fields are the ids that the card uses. A source may return more; it need not.
	Fields []string
}

// Match says how well the question was answered.
type Match int

// The three answers to a lookup. None of them is an error.
const (
	None      Match = iota // the source knows nobody with this address
	Found                  // Records[0] is the visitor
	Ambiguous              // several records fit and nothing says which one is meant
)

// String gives the word used in the API: none, found, ambiguous.
func (m Match) String() string {
	if m < None || m > Ambiguous {
		return "unknown"
	}
	return [...]string{"none", "found", "ambiguous"}[m]
}

// Result answers a Query.
type Result struct {
	Match     Match
	Records   []Record // best first; one when Found, at least two when Ambiguous, none otherwise
	MatchedOn string   // the field that held the address, as the vendor names it; empty when None
	// Partial says what could not be had beside the records, such as names of owners. The fields concerned
	// are absent or less readable; the rest is good.
	Partial []*Error
}

// Answer is what a batch says about one query: a result, or an *Error.
type Answer struct {
	Result Result
	Err    error
}

// Record is one visitor as one source knows it, by field id. A field that the source does not have is
// absent; a field without a value is present with Kind Null.
type Record map[string]Value

// Kind is the type of a value, for formatting.
type Kind string

// The kinds of value.
const (
	Null     Kind = "null"
	Text     Kind = "text"
	Number   Kind = "number"   // Text holds a decimal without exponent or grouping, e.g. -1234.50
	Bool     Kind = "bool"     // Text holds true or false
	Date     Kind = "date"     // Text holds 2006-01-02
	DateTime Kind = "datetime" // Text holds RFC 3339
	List     Kind = "list"     // Text holds the entries, joined by ", "
	JSON     Kind = "json"     // Text holds compact JSON
)

// Value is one field's value. Text is canonical for its kind; numbers never pass through a float.
type Value struct {
	Kind Kind
	Text string
}

// Empty reports whether there is nothing to show.
func (v Value) Empty() bool { return v.Kind == Null || v.Kind == "" || v.Text == "" }

// Catalog lists what a source can say about a visitor.
type Catalog struct {
	Fields []Field
}

// Field is one thing a card line can show.
type Field struct {
	ID     string // stable; what a card refers to
	Label  string // for people
	Kind   Kind
	Group  string // optional heading, e.g. the table
	Sample string // an example value for the portal, at most 80 characters; may be empty
	Minor  bool   // rarely wanted: offered when people search for it
}
