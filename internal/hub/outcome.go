package hub

// Outcome is the one way in which a chat ended. Its numbers are stored: never reuse one.
type Outcome int16

// The outcomes.
const (
	Waiting        Outcome = 0  // not ended yet; never stored
	Shown          Outcome = 1  // every source answered and the details were accepted
	ShownInPart    Outcome = 2  // accepted, but a source failed or knew several records
	NoMatch        Outcome = 3  // no source knows the address
	SeveralMatches Outcome = 4  // a source knows several records and nothing says which one
	NoEmail        Outcome = 5  // the visitor gave no address
	NothingToShow  Outcome = 6  // found, but every line of the card was empty
	NoCard         Outcome = 7  // no card is published
	NoCredentials  Outcome = 8  // no LiveSupporti credentials are stored
	Refused        Outcome = 9  // LiveSupporti refused the details or the credentials
	LookupFailed   Outcome = 10 // no source could answer
	Expired        Outcome = 11 // the chat's deadline passed first
	Superseded     Outcome = 12 // a newer chat of the same visitor took its place
	NotAChat       Outcome = 13 // a notification about something else
	Erased         Outcome = 14 // the visitor's data was erased before the chat ended
	OverQuota      Outcome = 15 // the day's chats of the tenant's plan were used up
)

var outcomeNames = [...]string{
	"waiting", "shown", "shown_in_part", "no_match", "several_matches", "no_email", "nothing_to_show",
	"no_card", "no_credentials", "refused", "lookup_failed", "expired", "superseded", "not_a_chat",
	"erased", "over_quota",
}

// String gives the name used in the API.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeNames) {
		return "unknown"
	}
	return outcomeNames[o]
}

// ParseOutcome finds the outcome with a name.
func ParseOutcome(name string) (Outcome, bool) {
	for i, n := range outcomeNames {
		if n == name {
			return Outcome(i), true
		}
	}
	return 0, false
}
