// Package flaw breaks Sidecard on purpose, to show that the fault matrix (bench/chaos) notices. A program built with
// the tag "flaws" has the one flaw that SIDECARD_FLAW names, and a wall clock that is SIDECARD_CLOCK_AHEAD ahead.
//
// Without the tag, which is how Sidecard is built, On is the constant false: the compiler drops every hook, and
// nothing of this package is in the program. It refuses to know what it breaks: a hook is one line where the promise
// is kept, and what PostgreSQL's functions promise is broken by the harness, in its own database.
package flaw

// Flaw names one deliberate breakage.
type Flaw string

// Flaws of the programs.
const (
	AckBeforeCommit    Flaw = "ack-before-commit"
	NoLeaseCheck       Flaw = "no-lease-check"
	BareTaskID         Flaw = "bare-task-id"
	NoTenantSetting    Flaw = "no-tenant-setting"
	RedirectFollowed   Flaw = "redirect-followed"
	NoJitter           Flaw = "no-jitter"
	LeaseOnWorkerClock Flaw = "lease-on-worker-clock"
	SweepOff           Flaw = "sweep-off"
	DetailsRewritten   Flaw = "details-rewritten"
	NoDedupe           Flaw = "no-dedupe"
	RetryPastDeadline  Flaw = "retry-past-deadline"
	RingInRequest      Flaw = "ring-in-request"
	IgnoresRetryAfter  Flaw = "ignores-retry-after"
	RetriesRefused     Flaw = "retries-refused"
	NoPause            Flaw = "no-pause"
	LogsVisitor        Flaw = "logs-visitor"
	CountsLie          Flaw = "counts-lie"
)

// Flaws of the database's functions.
const (
	NoFence        Flaw = "no-fence"
	UnsortedAccept Flaw = "unsorted-accept"
	OldestWins     Flaw = "oldest-wins"
	AsyncFinish    Flaw = "async-finish"
)

// Entry says of a flaw what it breaks, and the promise that this is against.
type Entry struct {
	Flaw    Flaw
	Breaks  string
	Promise string
}

// List is every flaw.
var List = []Entry{
	{AckBeforeCommit, "A notification is answered 200 before the database has its chats.", "What was answered 2xx is kept."},
	{NoFence, "A worker may end and give back chats that are another's by now.", "Only who holds a chat writes its result."},
	{NoLeaseCheck, "A worker posts under a lease that ran out, and does not stop when it is lost.", "A post is made only under a young lease."},
	{BareTaskID, "Every ring is the same task, so that one stuck in Redis silences all.", "Whatever happens to rings changes latency alone, and only while it happens."},
	{NoTenantSetting, "A tenant's transactions do not say whose they are.", "Every query carries its tenant twice, and every tenant's chats are carried."},
	{RedirectFollowed, "A redirect of LiveSupporti is followed, with the credentials and the visitor's data.", "Nothing goes to where a redirect points."},
	{NoJitter, "Waits after a failure are equal for all.", "What failed together does not come back together."},
	{LeaseOnWorkerClock, "The end of a lease is taken from the worker's clock.", "No clock but the database's decides on leases."},
	{SweepOff, "Nobody makes chats ready whose worker died or whose next try is due.", "A dead worker's chats begin again within 7 s."},
	{DetailsRewritten, "The details of a second try are written anew, as a JSON column would.", "All posts of a chat are the same to the byte."},
	{UnsortedAccept, "Chats are stored in no order, so that two apis wait for each other.", "Two accepts never deadlock."},
	{NoDedupe, "A repeated notification becomes a new chat.", "A repetition changes nothing."},
	{OldestWins, "A newer chat does not take its visitor's place over from an older one.", "What an agent sees last of a visitor is of the newest chat."},
	{RetryPastDeadline, "A chat is tried again when its time is over.", "A chat that is too old expires instead of being shown late."},
	{RingInRequest, "A notification is answered when Redis has heard the ring.", "Accepting does not need Redis."},
	{IgnoresRetryAfter, "A Retry-After is not obeyed.", "A desk is left alone for as long as LiveSupporti asks."},
	{RetriesRefused, "Details that were refused for good are posted again.", "What is refused is posted once."},
	{NoPause, "Details are posted on and on with credentials that were refused.", "Refused credentials pause the desk."},
	{LogsVisitor, "A visitor's e-mail address is in a line of the log.", "No log holds a visitor's data."},
	{AsyncFinish, "The commit of a result is not waited for.", "A result that was written outlives a crash of the database."},
	{CountsLie, "A tenant's list of chats leaves the newest one out.", "A tenant is told what happened, chat by chat."},
}
