package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sidecard/internal/livesupporti"
	"sidecard/internal/livesupporti/livesupportitest"
)

// ledger is what LiveSupporti's side saw during one row, kept apart from what Sidecard says of itself: which chats
// began, how their notifications were answered, and which details came.
type ledger struct {
	mu      sync.Mutex
	chats   []chat
	notices []notice
	posts   []post
	answers map[string]notice // by notification, the latest attempt
}

// chat is one chat that the row began.
type chat struct {
	External string // the id under which Sidecard keeps it: the notification's, with the element's index from the second on
	Firing   string // the notification's id
	Tenant   int    // its number
	Account  string
	Visitor  string
	Agent    string // unique in the row: details carry it, so they name their chat
	Began    time.Time
}

// notice is one attempt to announce chats.
type notice struct {
	Firing  string
	Attempt int
	At      time.Time
	Took    time.Duration
	Status  int // 0 = no answer
}

func (n notice) accepted() bool { return n.Status >= 200 && n.Status <= 299 }

// final reports whether LiveSupporti will not send this notification again.
func (n notice) final() bool { return n.accepted() || n.Attempt >= 3 || n.Status == http.StatusGone }

// post is one details request.
type post struct {
	At       time.Time
	Account  string // of the credentials
	Visitor  string
	Agent    string
	Status   int
	Accepted bool
	Hash     [sha256.Size]byte
	Markers  []string // of the tenants whose data it holds
}

// key names the chat that the details are for.
func (p post) key() string { return p.Visitor + " " + p.Agent }

func (c chat) key() string { return c.Visitor + " " + c.Agent }

func newLedger() *ledger { return &ledger{answers: map[string]notice{}} }

// began notes a chat. Its notification may have been noted before.
func (l *ledger) began(tenant int, c livesupportitest.Chat, index int) {
	external := c.FiringID
	if index > 0 {
		external += "#" + strconv.Itoa(index)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chats = append(l.chats, chat{
		External: external, Firing: c.FiringID, Tenant: tenant, Account: c.AccountID,
		Visitor: c.Visitor.ID, Agent: c.AgentID, Began: c.StartedAt,
	})
}

func (l *ledger) notified(n notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices = append(l.notices, n)
	// A notification that was accepted once is accepted, whatever its double was answered.
	if last, ok := l.answers[n.Firing]; !ok || !last.accepted() {
		l.answers[n.Firing] = n
	}
}

var marker = regexp.MustCompile(`shop-\d{4}`)

func (l *ledger) posted(p livesupportitest.Post) {
	kept := post{
		At: p.At, Account: p.AccountID, Visitor: p.VisitorID, Status: p.Status, Accepted: p.Accepted,
		Hash: sha256.Sum256(p.Body),
	}
	if posted, err := livesupporti.ParseDetails(p.Body); err == nil {
		kept.Agent = posted.AgentID.String()
	}
	for _, m := range marker.FindAllString(string(p.Body), -1) {
		if !slices.Contains(kept.Markers, m) {
			kept.Markers = append(kept.Markers, m)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.posts = append(l.posts, kept)
}

// pending is how many chats will be announced again or are being announced.
func (l *ledger) pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.chats {
		if answer, ok := l.answers[c.Firing]; !ok || !answer.final() {
			n++
		}
	}
	return n
}

// counts are of the chats so far: how many began, and of how many a notification was accepted.
func (l *ledger) counts() (sent, acked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.chats {
		if l.answers[c.Firing].accepted() {
			acked++
		}
	}
	return len(l.chats), acked
}

// history gives what is in the ledger.
func (l *ledger) history() history {
	l.mu.Lock()
	defer l.mu.Unlock()
	return history{Chats: slices.Clone(l.chats), Notices: slices.Clone(l.notices), Posts: slices.Clone(l.posts)}
}

// book passes what happens on to the ledger of the row that runs.
type book struct {
	current atomic.Pointer[ledger]
	sent    atomic.Int64
	through http.RoundTripper
}

func newBook() *book {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	b := &book{through: transport}
	b.open(newLedger())
	return b
}

func (b *book) open(l *ledger) { b.current.Store(l) }

func (b *book) posted(p livesupportitest.Post) { b.current.Load().posted(p) }

// RoundTrip sends a notification and notes how it was answered.
func (b *book) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.Body == nil {
		return b.through.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	// So that the connections keep spreading over the apis, also over one that was started again.
	r.Close = b.sent.Add(1)%4 == 0

	var envelope struct {
		ID      string `json:"Id"`
		Attempt int    `json:"Attempt"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	l := b.current.Load()
	n := notice{Firing: envelope.ID, Attempt: envelope.Attempt, At: time.Now()}
	resp, err := b.through.RoundTrip(r)
	n.Took = time.Since(n.At)
	if err == nil {
		n.Status = resp.StatusCode
	}
	l.notified(n)
	return resp, err
}
