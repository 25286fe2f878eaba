package hub

import (
	"context"
	"time"

	"sidecard/internal/livesupporti"
)

// Store keeps everything. A tenant's data is reached only through Tenant; the queue's verbs take their
// tenant from the desk's or the work's own row. Methods return ErrNotFound, ErrEmailTaken, ErrUnavailable
// or another *Error where people can act on it; everything else is a bug or a broken database.
// Every []byte that the hub hands over sealed stays opaque to the store.
type Store interface {
	Accounts
	Links
	Factors
	Sessions
	Invited
	Desks
	Queue
	KeyStore
	Mails
	// Tenant is the gate to one tenant's data.
	Tenant(id ID) TenantStore
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
}

// Accounts keeps users, who belong to no tenant, and the keys that sign their tokens.
type Accounts interface {
	UserByEmail(ctx context.Context, email string) (User, error) // address folded
	User(ctx context.Context, id ID) (User, error)
	RenameUser(ctx context.Context, id ID, name string) error
	// SetPassword ends all of the user's sessions but one, and removes the user's links.
	SetPassword(ctx context.Context, id ID, passwordHash string, but ID, now time.Time, m SealedMail) error
	// Memberships lists the tenants of a user, oldest first.
	Memberships(ctx context.Context, userID ID) ([]Membership, error)

	// SigningKeys lists the sealed keys for access tokens, newest first.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// AddFirstSigningKey stores a key unless there is one already. Safe when several processes start at once.
	AddFirstSigningKey(ctx context.Context, k SigningKey) error
}

// Desks finds desks by the token in the callback URL, before a tenant is known.
type Desks interface {
	DeskByToken(ctx context.Context, tokenHash [32]byte) (Desk, error)
}

// Mails is the outbox. Beside AddMail, methods of the store that change something take the mails that speak of it
// and add them in the same transaction.
type Mails interface {
	AddMail(ctx context.Context, m SealedMail) error
	// ClaimMails leases mails that are due, at most limit, the longest due first, and counts a try of each. One
	// that is neither sent nor failed when the lease ran out, by the database's clock, is due again.
	ClaimMails(ctx context.Context, limit int, lease time.Duration) ([]ClaimedMail, error)
	// MailSent removes a mail, also one that is given up. Not finding it is no error.
	MailSent(ctx context.Context, id ID) error
	// MailFailed gives a mail of this try back, to be claimed again after delay. Nothing happens when it was
	// claimed again since.
	MailFailed(ctx context.Context, id ID, try int, delay time.Duration) error
}

// TenantStore is one tenant's data. A change of desk, connections, card or plan grows the tenant's revision in
// the same transaction; Claimed.Revision carries it, so that a worker knows when what it remembers is old.
type TenantStore interface {
	TenantKeys
	Standings
	APITokens
	Audit
	Team
	Invitations
	Usages
	Privacy
	Tenant(ctx context.Context) (Tenant, error)
	Setup(ctx context.Context) (Setup, error) // everything a worker needs, read in one transaction

	Desk(ctx context.Context) (Desk, error)
	// UpdateDesk reads the desk under a lock, lets change edit it and stores it unless change fails.
	UpdateDesk(ctx context.Context, change func(*Desk) error) (Desk, error)
	// AddRejection stores one and removes the oldest beyond keep.
	AddRejection(ctx context.Context, r Rejection, keep int) error
	Rejections(ctx context.Context) ([]Rejection, error) // newest first

	Connections(ctx context.Context) ([]Connection, error) // oldest first
	Connection(ctx context.Context, id ID) (Connection, error)
	CreateConnection(ctx context.Context, c Connection) error
	UpdateConnection(ctx context.Context, id ID, change func(*Connection) error) (Connection, error)
	DeleteConnection(ctx context.Context, id ID) error // with its rows

	// Logins lists the logins there are. Login gives one; ErrNotFound when there is none.
	Logins(ctx context.Context) ([]Login, error)
	Login(ctx context.Context, connection ID) (Login, error)
	// BeginLogin notes an attempt to connect, in place of an earlier one of the connection. A login that is
	// there already stays.
	BeginLogin(ctx context.Context, a LoginAttempt) error
	// TakeLoginAttempt removes and gives the attempt with this state, user and an end after now; ErrNotFound
	// when there is none.
	TakeLoginAttempt(ctx context.Context, state [32]byte, user ID, now time.Time) (LoginAttempt, error)
	// ReplaceLogin stores a login after an attempt, with the next generation, and DeleteLogin forgets it. Both
	// grow the connection's revision.
	ReplaceLogin(ctx context.Context, l Login) error
	DeleteLogin(ctx context.Context, connection ID) error
	// LeaseLogin gives the right to renew a login of this generation to one caller, for so long by the
	// database's clock. False: somebody else has it or had it.
	LeaseLogin(ctx context.Context, connection ID, generation int64, lease time.Duration) (bool, error)
	// RenewLogin stores renewed tokens as the next generation and ends the lease; nil tokens only end it.
	// RevokeLogin notes that the vendor refused. Both do nothing when the generation is another by now, and
	// neither grows a revision.
	RenewLogin(ctx context.Context, connection ID, generation int64, tokens []byte) error
	RevokeLogin(ctx context.Context, connection ID, generation int64, at time.Time) error

	// Card gives the newest version; the zero Card (version 0) when there is none.
	Card(ctx context.Context) (Card, error)
	Cards(ctx context.Context) ([]Card, error) // newest first
	// PublishCard stores c as the next version. basedOn >= 0 must be the newest version, else CodeConflict.
	PublishCard(ctx context.Context, c Card, basedOn int) (Card, error)

	// ReplaceRows hands a writer to load and, when load succeeds, makes the rows written through it the
	// connection's only rows, all at once, and applies change to the connection in the same transaction.
	ReplaceRows(ctx context.Context, connection ID, load func(RowWriter) error, change func(*Connection)) (Connection, error)
	// FindRows gives the rows with this index, highest line first, at most limit.
	FindRows(ctx context.Context, connection ID, index []byte, limit int) ([]Row, error)
	// Rows lists the connection's rows in the order of their indexes and lines.
	Rows(ctx context.Context, connection ID, q RowQuery) ([]Row, error)

	// Hasten makes chats that wait for a later try ready now, at most 1,000, the earliest first.
	Hasten(ctx context.Context) (int, error)

	Chats(ctx context.Context, q ChatQuery) ([]ChatRecord, error) // newest first
	Chat(ctx context.Context, id ID) (ChatRecord, error)          // with its attempts
	// OriginalsOf gives for each id the chat that LiveSupporti sent: itself, or the one that it replays. What
	// is missing is not the tenant's.
	OriginalsOf(ctx context.Context, ids []ID) (map[ID]ID, error)
	// Originals gives chats that LiveSupporti sent, newest first, with what decides about replaying them.
	Originals(ctx context.Context, q OriginalQuery) ([]Original, error)
}

// RowQuery selects rows.
type RowQuery struct {
	After *Row // the last one of the page before; nil = from the first
	Limit int
}

// RowWriter takes the rows of an import; it batches by itself.
type RowWriter interface {
	WriteRow(Row) error
}

// Queue is the six verbs of accepting and working off chats, see docs/architecture.md. Implementations
// group concurrent calls of Accept, Finish and Retry into few transactions.
type Queue interface {
	// Accept stores the chats of one request; when it returns nil they cannot be lost. A chat that is
	// already there (same desk, same external id) is left alone; fresh says how many were new.
	// The group's transaction may hold other callers' chats; an error means: send it again.
	Accept(ctx context.Context, chats []Arrival) (fresh int, err error)
	// Claim takes the next fair batch of one lane: round robin over tenants after the cursor.
	Claim(ctx context.Context, c ClaimRequest) ([]Claimed, error)
	// Finish ends a chat. Lost: somebody else ends it.
	Finish(ctx context.Context, f Finish) (Grip, error)
	// Retry gives a chat back for later. An overtaken one is not given back, it ends as superseded.
	Retry(ctx context.Context, r Retry) (Grip, error)
	// Extend renews leases and returns the chats that are still ours and not overtaken.
	Extend(ctx context.Context, holds []Hold, lease time.Duration) (kept []ID, err error)
	// LetGo of a chat that Extend did not return, once nothing more will be done for it: if it was
	// overtaken, the newer one need not wait for the lease. Otherwise nothing changes.
	LetGo(ctx context.Context, h Hold) (Grip, error)
	// Sweep makes leases that ran out and tries that are due ready again, at most 1,000 a call.
	Sweep(ctx context.Context, s SweepRequest) (Swept, error)
}

// Ringer tells workers that rows of a lane wait. It never blocks and may lose a ring: workers poll too.
type Ringer interface {
	Ring(Lane)
}

// LiveSupporti is the service that shows details to agents; *livesupporti.Client is it.
type LiveSupporti interface {
	PostDetails(ctx context.Context, cred livesupporti.Credentials, visitorID string, body []byte) (livesupporti.Answer, error)
	Agents(ctx context.Context, cred livesupporti.Credentials) (count int, a livesupporti.Answer, err error)
}

// Meter counts calls against limits over all processes, as well as it can.
type Meter interface {
	// Take counts one call of so many that are allowed in any stretch of time as long as per, and says after
	// which time it may be made. When that would be longer than most, ok is false and nothing was counted.
	Take(ctx context.Context, key string, calls int, per, most time.Duration) (wait time.Duration, ok bool)
	// Pause makes every Take of the key wait for at least d from now on.
	Pause(ctx context.Context, key string, d time.Duration)
	// Forget makes the limit of a key full again.
	Forget(ctx context.Context, key string)
}

// Mailer sends mails. A nil error means that a mail server has taken the mail over. An error that wraps
// ErrMailRefused is final; any other may pass, and the mail is sent again later. A mail may have arrived in spite of
// an error. No error holds a password, an address of a person or a word of the mail.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Lane is one of the two queues that chats wait in.
type Lane int16

// The lanes.
const (
	LaneLookup   Lane = 0 // to be looked up and then delivered at once
	LaneDelivery Lane = 1 // details are ready; an attempt failed or waits for the desk
)

// Arrival is one chat to accept.
type Arrival struct {
	DeskID     ID            // the tenant is taken from the desk's row
	ChatID     ID            // UUIDv7
	ExternalID string        // unique in the tenant: the notification's Id and the element's index
	VisitorID  string        // text; empty for what is not a chat
	Body       []byte        // sealed
	Ago        time.Duration // how long before now the chat really started (a repeated attempt)
	NotAChat   bool          // ends at once with that outcome
	ReplayOf   ID            // the chat that this one replays; the zero ID = none
}

// ClaimRequest asks for work.
type ClaimRequest struct {
	Lane     Lane
	After    ID            // cursor: the tenant after which to begin; the zero ID begins at the lowest
	Limit    int           // chats at most
	Share    int           // chats of one tenant at most
	Excluded []ID          // tenants that have enough in flight
	Slow     []ID          // tenants that get one chat at most
	Lease    time.Duration // by the database's clock
	Fence    int64         // random, drawn for this call
}

// Hold names a claimed chat: only who holds the fence may end it.
type Hold struct {
	TenantID  ID
	VisitorID string
	ChatID    ID
	Fence     int64
}

// Claimed is one chat in a worker's hands.
type Claimed struct {
	Hold
	Lane       Lane
	Claims     int           // how often it was claimed, this time included
	Tries      int           // attempts to deliver so far
	ReceivedAt time.Time     // by the database's clock
	Age        time.Duration // since ReceivedAt, by the database's clock, when it was claimed
	Ago        time.Duration // how long before ReceivedAt the chat really started
	Revision   int64         // of the tenant's setup
	Body       []byte        // sealed
	Details    []byte        // sealed exact bytes to post; nil before the first attempt
	Trail      []byte        // JSON of Trail so far; nil at first
}

// Finish ends a chat with its outcome. Trail and Details replace what was kept so far.
type Finish struct {
	Hold
	Outcome     Outcome
	MS          float64 // from the notification's first byte until ended
	CardVersion int     // 0 = none was used
	Trail       []byte
	Details     []byte   // sealed; nil when nothing was made
	Attempt     *Attempt // the last attempt to deliver; nil when there was none in this round
}

// Retry gives a chat back, to be claimed again in Lane after Delay.
type Retry struct {
	Hold
	Lane    Lane
	Delay   time.Duration
	Trail   []byte
	Details []byte
	Attempt *Attempt // counted in Tries; nil when nothing was posted
}

// Attempt is one try to deliver.
type Attempt struct {
	Number  int     // 1 is the first
	StartMS float64 // after the notification's first byte
	MS      float64
	Status  int    // HTTP status; 0 = no answer
	Verdict string // accepted, refused, unauthorized, throttled, retry
	Message string // in words
	Excerpt []byte // sealed beginning of the answer; nil = none
}

// Grip is what was left of the hold on a chat when it was ended or given back.
type Grip int8

// The grips.
const (
	Lost      Grip = iota // the lease ran out and somebody else came since: nothing was written
	Kept                  // it was still ours
	Overtaken             // a newer chat of the visitor took its place meanwhile, and is ready now
)

// SweepRequest says what a sweep shall tell besides.
type SweepRequest struct {
	Lease time.Duration // of the claims, for counting them
	Cap   int           // tell the tenants with so many chats in hand, over all workers; 0 = do not
	// Disowned are fences of claims that failed: if the database made one all the same, nobody knows of its
	// chats, and they are made ready at once.
	Disowned []int64
}

// Swept is what a sweep did.
type Swept struct {
	Ready int           // chats made ready again
	Next  time.Duration // until the next lease or try is due; negative = none waits
	Busy  []ID          // tenants with SweepRequest.Cap chats in hand or more
}
