package livesupportitest

import (
	"net/http"
	"time"
)

// Options say how a Server plays. The zero value is a faithful LiveSupporti
// without accounts.
type Options struct {
	// Accounts exist from the start; see Server.AddAccount.
	Accounts []Account

	// Speed divides the time that LiveSupporti waits before it repeats a
	// notification, 1 minute and then 4 minutes. 0 means 1.
	Speed float64

	// Clock replaces the system's clock. Nil means the system's.
	Clock Clock

	// HTTP sends notifications and handshakes. Nil means a client that gives
	// up after 100 seconds, as .NET's does.
	HTTP *http.Client

	// Senders is how many notifications may be under way at once. 0 means 64.
	Senders int

	// KeepChats is how many chats the server remembers, 0 means 10,000. The
	// oldest is forgotten first; details for it are then answered 404.
	KeepChats int

	// KeepPosts is how many details requests Server.Posts remembers. 0 means
	// 10,000.
	KeepPosts int

	// KeepWire is for how many of the newest chats the bytes of both
	// directions are kept. 0 means 200, a negative number means none.
	KeepWire int

	// OnPost is told of each details request once it has been judged, from
	// the goroutine that answers it. It must be quick.
	OnPost func(Post)

	// StateFile lets ListenAndServe remember accounts, WebHooks and chats over
	// a restart; see Server.Remember. "" means not at all.
	StateFile string

	// SampleEmails are suggested on the page to whoever starts a chat.
	SampleEmails []string

	// PortalURL is where the page's link back to the portal leads. "" means
	// no link.
	PortalURL string
}

func (o Options) withDefaults() Options {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Senders <= 0 {
		o.Senders = 64
	}
	if o.KeepChats <= 0 {
		o.KeepChats = 10_000
	}
	if o.KeepPosts <= 0 {
		o.KeepPosts = 10_000
	}
	if o.KeepWire == 0 {
		o.KeepWire = 200
	}
	if o.HTTP == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = o.Senders
		transport.DisableCompression = true
		transport.Proxy = nil
		o.HTTP = &http.Client{Transport: transport, Timeout: 100 * time.Second}
	}
	return o
}

// Clock is the time that a Server lives by.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine, or from within whatever moves
	// the clock, once d has passed.
	AfterFunc(d time.Duration, f func())
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) { time.AfterFunc(d, f) }

// milliseconds is how this package writes a duration in JSON.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
