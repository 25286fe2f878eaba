package hub

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"sidecard/internal/livesupporti"
)

// OutcomeText is an outcome for people: a heading, and why and what to do.
type OutcomeText struct {
	Outcome Outcome
	Title   string
	Message string
}

// story is what is known of a chat's way, to be put into words.
type story struct {
	Outcome Outcome
	MS      float64
	Trail   Trail
	Late    time.Duration // how long after its start LiveSupporti told us
	// Of an unfinished chat:
	Stage  Stage
	Lane   Lane
	Claims int
}

// words says where a chat is or how it ended, why, and what to do.
func (s story) words() OutcomeText {
	t := OutcomeText{Outcome: s.Outcome}
	sources, problem := s.Trail.Sources, s.Trail.Problem
	shownAfter := strconv.FormatFloat(max(s.MS, 1), 'f', 0, 64) + "\u00a0ms"
	switch s.Outcome {
	case Waiting:
		t.Title, t.Message = s.waiting()
	case Shown:
		t.Title = "Details shown to the agent in " + shownAfter
		t.Message = "Found in " + join(sources, "found") + "."
	case ShownInPart:
		t.Title = "Shown in part after " + shownAfter
		t.Message = missing(sources)
	case NoMatch:
		t.Title, t.Message = "No customer with this e-mail", "Asked "+join(sources, "none")+". Nothing was sent."
	case SeveralMatches:
		t.Title = "Several customers have this e-mail"
		t.Message = join(sources, "ambiguous") + " knows more than one record and nothing says which is meant. Nothing was sent. Choose a column to order by in the connection's settings."
	case NoEmail:
		t.Title, t.Message = "The visitor gave no e-mail", "Ask for it in the pre-chat form of LiveSupporti."
	case NothingToShow:
		t.Title, t.Message = "Found, but every line was empty", "Add a line to the card that this customer has a value for. "+missing(sources)
	case NoCard:
		t.Title, t.Message = "No card was published yet", "Choose what the agent shall see and publish the card."
	case NoCredentials:
		t.Title, t.Message = "The details were ready, but could not be sent", "Store your LiveSupporti sign-in e-mail and API key."
	case Refused:
		t.Title, t.Message = "Not shown: LiveSupporti refused the details", problem
		if s.Trail.Unauthorized {
			t.Title = "Not shown: LiveSupporti refused the credentials"
			t.Message = "It refused the e-mail or the API key, and the chat's deadline passed before better ones were stored. Store the right ones, then replay the chat."
		}
	case LookupFailed:
		t.Title, t.Message = "Not shown: no source could answer", failures(sources)
		if problem != "" { // a lookup has none with LiveSupporti: it was given up
			t.Title, t.Message = "Not shown: Sidecard could not handle it", problem
		}
	case Expired:
		t.Title, t.Message = "Not shown: it became too late", "The chat's deadline passed first. "+s.waitedFor()
	case Superseded:
		t.Title, t.Message = "A newer chat took its place", "The same visitor started a newer chat, and its details count."
	case NotAChat:
		t.Title, t.Message = "Not the start of a chat", "LiveSupporti told us about something else. Nothing to do."
	case Erased:
		t.Title, t.Message = "The visitor's data was erased", "Somebody in your team had it erased before the chat was over. Nothing more was looked up or sent."
	case OverQuota:
		t.Title, t.Message = "Not looked up: the day's chats were used up", "Your plan's chats of that day were used up. You can replay the chat on another day, or ask for a larger plan."
	}
	t.Message = strings.TrimSpace(t.Message)
	return t
}

// waiting puts the state of an unfinished chat into words.
func (s story) waiting() (title, message string) {
	switch {
	case s.Stage == StageNone:
		return "A newer chat is taking its place", "The same visitor started a newer chat, and its details count."
	case s.Stage == StageClaimed && s.Claims == 0:
		return "Waiting for a worker", "An earlier chat of the same visitor is just being finished. This one comes next."
	case s.Stage == StageClaimed && s.Lane == LaneLookup:
		return "Being looked up", "The sources are being asked, and what they know is sent at once."
	case s.Stage == StageClaimed:
		return "Being sent", "The details are ready and are being sent to LiveSupporti again."
	case s.Stage == StageLater && s.Trail.Unauthorized:
		return "Waiting, because the desk is paused", "LiveSupporti refused the e-mail or the API key. Store the right ones and the details go out."
	case s.Stage == StageLater:
		return "Waiting to try again", s.why()
	case s.Claims > 0:
		return "Waiting for a worker", "It was begun before and goes on as soon as a worker is free."
	}
	return "Waiting for a worker", "Nothing has been done yet. It begins as soon as a worker is free."
}

// why says what kept a chat from being shown so far: LiveSupporti, or the sources; empty when nothing is known.
func (s story) why() string {
	if s.Trail.Problem != "" {
		return s.Trail.Problem
	}
	return failures(s.Trail.Sources)
}

// waitedFor says what an expired chat waited for.
func (s story) waitedFor() string {
	why := s.why()
	switch {
	case why != "":
		return "It waited to try again: " + why
	case s.Trail.CardMS > 0:
		return "The lookup took the time that was left."
	case s.Late > 0:
		return "LiveSupporti told us about it only " + inWords(s.Late) + " after it had started."
	}
	return "No worker could finish it in time."
}

// wouldBe puts the outcome of a rehearsal into words, in which nothing is sent.
func wouldBe(o Outcome, sources []SourceTime, paused bool) OutcomeText {
	t := story{Outcome: o, Trail: Trail{Sources: sources}}.words()
	switch o {
	case Shown:
		t.Title = "The agent would see these details"
	case ShownInPart:
		t.Title = "The agent would see a part of the details"
	case NoMatch:
		t.Message = "Asked " + join(sources, "none") + ". Nothing would be sent."
	case SeveralMatches:
		t.Message = strings.Replace(t.Message, "Nothing was sent.", "Nothing would be sent.", 1)
	case NoCredentials:
		t.Title = "The details are ready, but could not be sent"
	case LookupFailed:
		t.Title = "Nothing would be shown: no source could answer"
	}
	if paused && (o == Shown || o == ShownInPart) {
		t.Message += " The desk is paused, because LiveSupporti refused the e-mail or the API key: a replay would wait for the right ones."
	}
	return t
}

// join names the sources with a match, as "Postgres and HubSpot".
func join(sources []SourceTime, match string) string {
	var names []string
	for _, s := range sources {
		if s.Match == match {
			names = append(names, s.Name)
		}
	}
	switch len(names) {
	case 0:
		return "no source"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func missing(sources []SourceTime) string {
	var all []string
	for _, s := range sources {
		switch {
		case s.Match == matchFailed || s.AgeMS == 0 && s.Problem != nil:
			all = append(all, s.Name+": "+s.Problem.Message)
		case s.Problem != nil:
			was := time.Duration(s.AgeMS * float64(time.Millisecond))
			all = append(all, s.Name+" did not answer; shown is what it said "+ago(was)+". "+s.Problem.Message)
		case s.Match == "ambiguous":
			all = append(all, s.Name+" knows several records.")
		}
	}
	return strings.Join(all, " ")
}

func failures(sources []SourceTime) string {
	var all []string
	for _, s := range sources {
		if s.Problem != nil {
			all = append(all, s.Name+": "+strings.TrimSpace(s.Problem.Message+" "+s.Problem.Fix))
		}
	}
	return strings.Join(all, " ")
}

// describeAnswer puts LiveSupporti's answer into words, with what to do.
func describeAnswer(a livesupporti.Answer) string {
	said := itoa(a.Status) + " " + http.StatusText(a.Status)
	switch {
	case a.Verdict() == livesupporti.Accepted:
		return said
	case a.Verdict() == livesupporti.Unauthorized:
		return said + ": LiveSupporti refused the e-mail or the API key. Store the right ones and the details go out."
	case a.Status == http.StatusNotFound:
		return said + ": LiveSupporti does not know this visitor. The API key seems to belong to another LiveSupporti account; use the key of the account that has the WebHook."
	case a.Status == http.StatusBadRequest:
		return said + ": LiveSupporti did not take the details. The API key may belong to another account than the WebHook."
	case a.Verdict() == livesupporti.Throttled:
		return said + ": LiveSupporti asked us to slow down."
	case a.Status >= 300 && a.Status < 400:
		return said + ": LiveSupporti pointed to another address, which we never follow with your credentials."
	case a.Status >= 500:
		return said + ": LiveSupporti has trouble of its own."
	}
	return said
}

// inWords writes a length of time in its greatest fitting unit: 10 minutes, 90 seconds.
func inWords(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return count(int(d/time.Hour), "hour", "hours")
	case d >= time.Minute && d%time.Minute == 0:
		return count(int(d/time.Minute), "minute", "minutes")
	}
	return count(int(d.Round(time.Second)/time.Second), "second", "seconds")
}

// ago writes how long something is past, roughly: 40 seconds ago, 12 minutes ago.
func ago(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		d = d.Round(time.Second)
	case d < 100*time.Minute:
		d = d.Round(time.Minute)
	default:
		d = d.Round(time.Hour)
	}
	return inWords(d) + " ago"
}

func itoa(n int) string { return strconv.Itoa(n) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}
