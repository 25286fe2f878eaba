// Package hub is the product: what a chat, a desk, a card are and what happens to them. A chat is
// received (chat.go), looked up (lookup.go), delivered (delivery.go), and swept when somebody died on
// the way (sweep.go); the other files hold the nouns.
//
// It knows no HTTP framework, no database and no queue: those are the ports in ports.go.
package hub

import (
	"encoding/binary"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"sidecard/connectors"
	"sidecard/internal/auth"
	"sidecard/internal/vault"
)

// ID identifies every row of ours. New ones are UUIDv7, so they sort by age.
type ID = uuid.UUID

// NewID draws an id.
func NewID() ID { return uuid.Must(uuid.NewV7()) }

// FirstID is the lowest id that can be drawn at a time: ids sort by when they were drawn, to the millisecond.
func FirstID(at time.Time) (id ID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(at.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	return id
}

// Config is what a Hub is made of. Everything is required unless it says otherwise.
type Config struct {
	Store        Store
	Ringer       Ringer
	LiveSupporti LiveSupporti
	Connectors   *connectors.Registry
	Meter        Meter
	Mailer       Mailer
	Way          Way
	OAuth        map[string]OAuthClient // by kind; kinds that are not here cannot be connected by OAuth
	Vault        *vault.Vault
	Passwords    *auth.Passwords
	Tokens       *auth.Tokens
	PublicURL    string           // without a slash at the end; callback URLs start with it
	Limits       Limits           // zero values become the defaults
	DefaultPlan  string           // of new tenants; empty = Unlimited
	Now          func() time.Time // nil = time.Now
	Log          *slog.Logger     // nil = slog.Default()
}

// Way is the guarded way out that connectors are given.
type Way struct {
	// HTTP makes a client for answers of so many bytes at most, 0 = 1 MiB: a new one for each source, since tenants
	// never share a connection. nil = there is none.
	HTTP    func(maxBody int64) *http.Client
	Dial    connectors.DialFunc
	Resolve connectors.ResolveFunc
}

// Limits are the product's times and bounds. The zero value means the default in brackets.
type Limits struct {
	Goal           time.Duration // an agent should see the card within this time [1 s]
	ChatDeadline   time.Duration // a chat older than this is not delivered any more [10 min]
	LookupDeadline time.Duration // all sources of one chat together [3 s]
	ReceiveTimeout time.Duration // a notification is kept within this, or its sender is told to come again [1.8 s]
	PostTimeout    time.Duration // one attempt to deliver [10 s]
	PauseWait      time.Duration // chats of a paused desk are looked at again after this, later ever less often [5 s]
	ProbeEvery     time.Duration // a paused desk is tried with one post after this [5 min]
	Lease          time.Duration // a worker's hold on a chat; a dead worker's chats run again after it [6 s]
	AccessTTL      time.Duration // access token [10 min]
	RefreshTTL     time.Duration // refresh token, from its last use [30 days]
	MaxBody        int64         // bytes of a notification [64 KiB]
	KeepRejections int           // rejected requests kept for each tenant [100]
	CheckTimeout   time.Duration // a connection check or a credentials test [5 s]
	AddressTries   int           // tries to sign in, reset and the like from one address (IPv4 /24, IPv6 /64) in 10 min [100]
	SignUps        int           // sign-ups from one address in an hour [20]
	CallsPerMinute int           // of the API, by one tenant [6,000]
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&l.Goal, time.Second)
	set(&l.ChatDeadline, 10*time.Minute)
	set(&l.LookupDeadline, 3*time.Second)
	set(&l.ReceiveTimeout, 1800*time.Millisecond)
	set(&l.PostTimeout, 10*time.Second)
	set(&l.PauseWait, 5*time.Second)
	set(&l.ProbeEvery, 5*time.Minute)
	set(&l.Lease, 6*time.Second)
	set(&l.AccessTTL, 10*time.Minute)
	set(&l.RefreshTTL, 30*24*time.Hour)
	set(&l.CheckTimeout, 15*time.Second)
	if l.MaxBody == 0 {
		l.MaxBody = 64 << 10
	}
	for _, n := range []struct {
		to *int
		is int
	}{{&l.AddressTries, 100}, {&l.SignUps, 20}, {&l.CallsPerMinute, 6000}} {
		if *n.to == 0 {
			*n.to = n.is
		}
	}
	if l.KeepRejections == 0 {
		l.KeepRejections = 100
	}
	return l
}

// Hub is the product. It is safe for concurrent use.
type Hub struct {
	Config
	keys      *Keyring
	desks     *deskCache
	setups    *setupCache
	refused   *refusedLimit
	answers   *answers
	standings *standings
	quotas    *quotas
	usages    *usages
	mailed    chan struct{} // wakes the courier
}

// New makes a Hub.
func New(c Config) *Hub {
	c.Limits = c.Limits.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	h := &Hub{Config: c, mailed: make(chan struct{}, 1)}
	h.keys = NewKeyring(c.Store, c.Vault, c.Now)
	h.desks = newDeskCache()
	h.setups = newSetupCache()
	h.refused = newRefusedLimit()
	h.answers = newAnswers(c.Now)
	h.standings = newStandings()
	h.quotas = newQuotas()
	h.usages = newUsages()
	return h
}

// Close closes the sources that are open.
func (h *Hub) Close() { h.setups.close() }
