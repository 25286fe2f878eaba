// Package housetest holds the house of docs/architecture.md upright: which package may import which, which room alone
// knows a technology, what the production programs never carry, and how long a file may grow.
//
// Its tests fail on a package that has no place in the house. They look at what packages import, not at what their
// tests do: a test may stand in any room.
package housetest

// floor is the height of a package. A package imports only what stands lower; rooms of one floor do not know each
// other.
type floor float64

// forTests marks what only tests, benchmarks and the simulator use. It may import what stands below the rooms, others
// of its kind, and the package whose folder it lies in.
const forTests floor = -1

// floors places every package of the house. A name ending in "/*" places the packages directly below that folder.
// An entry may stand for a package that nobody has built yet.
var floors = map[string]floor{
	"cmd/api":      3,
	"cmd/worker":   3,
	"cmd/sidecard": 3,
	"bench":        3,
	"bench/chaos":  3,

	"bench/stack":       2.5, // Sidecard as it is deployed, for the programs of bench
	"internal/embedded": 2.5,
	"internal/app":      2,

	"internal/store/sqlite": 1.5, // opens a store; apart, so that SQLite is linked only where it is used

	"internal/api":   1,
	"internal/store": 1,
	"internal/queue": 1,
	"internal/mail":  1,
	"internal/meter": 1,
	"internal/tour":  1, // a client of the public API, for the demonstration and the benchmark
	"connectors/*":   1,

	"internal/hub":     0.5,
	"connectors/reach": 0.5,

	"connectors":            0,
	"connectors/address":    0,
	"internal/api/contract": 0,
	"internal/auth":         0,
	"internal/egress":       0,
	"internal/flaw":         0, // deliberate breakages; nothing of it is in what runs at customers
	"internal/livesupporti": 0, // the dialect alone: the standard library, no ports and no policy
	"internal/vault":        0,
	"migrations":            0,
	"web":                   0,

	"connectors/connectortest":               forTests,
	"connectors/*/*":                         forTests, // a vendor's emulator, such as connectors/hubspot/hubspottest
	"internal/housetest":                     forTests,
	"internal/livesupporti/livesupportitest": forTests,
	"internal/mail/mailtest":                 forTests,
	"internal/servertest":                    forTests,
	"internal/store/storetest":               forTests,
	"internal/servertest/withservers":        forTests,
}

// guests are imports that the floors forbid and that are meant all the same.
var guests = map[string][]string{
	"bench":                    {"internal/livesupporti/livesupportitest"},
	"bench/chaos":              {"internal/livesupporti/livesupportitest"},
	"bench/stack":              {"internal/livesupporti/livesupportitest", "internal/mail/mailtest", "internal/servertest"},
	"cmd/sidecard":             {"internal/livesupporti/livesupportitest", "connectors/hubspot/hubspottest"}, // sidecard simulate, sidecard run
	"internal/livesupporti":    {"internal/flaw"},                                                            // one hook, which the compiler drops
	"internal/store/storetest": {"internal/store/sqlite"},                                                    // the suite runs on both databases
}

// fence says that only these packages import a module or a package of ours, named by the start of its path.
type fence struct {
	path    string
	inside  []string
	because string
}

var fences = []fence{
	{"github.com/gin-gonic/gin", []string{"internal/api", "internal/api/contract"}, "internal/api is the only place that knows Gin"},
	{"gorm.io", []string{"internal/store", "internal/store/sqlite", "internal/app", "internal/embedded"}, "every query lives in internal/store"},
	{"github.com/hibiken/asynq", []string{"internal/queue", "internal/app", "internal/embedded"}, "internal/queue is the only place that knows Asynq"},
	{"github.com/wneessen/go-mail", []string{"internal/mail"}, "internal/mail is the only place that knows SMTP"},
	{"github.com/golang-jwt/jwt", []string{"internal/auth"}, "internal/auth is the only place that knows JWT"},
	{"sidecard/internal/api/contract", []string{"internal/api", "internal/tour", "cmd/sidecard", "bench/stack", "bench/chaos"}, "the contract's structs are neither the domain nor the rows"},
	{"sidecard/internal/tour", []string{"cmd/sidecard", "bench", "bench/stack"}, "it walks the public API from outside"},
	{"sidecard/internal/embedded", []string{"cmd/sidecard"}, "production runs on PostgreSQL and Redis"},
}

// standardOnly are the packages that import the standard library alone, so that anybody can build on them.
var standardOnly = []string{"connectors", "internal/flaw", "internal/livesupporti"}

// production are the programs that run at customers, and unwanted is what must not be linked into them.
var (
	production = []string{"cmd/api", "cmd/worker"}
	unwanted   = []string{
		"modernc.org/sqlite", "gorm.io/driver/sqlite", "github.com/mattn/go-sqlite3", "github.com/alicebob/miniredis",
		"sidecard/internal/embedded",
	}
)
