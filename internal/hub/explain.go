package hub

import (
	"net/http"
	"strconv"
	"strings"

	"sidecard/internal/livesupporti"
)

// OutcomeText is an outcome for people: a heading, and why and what to do.
type OutcomeText struct {
	Outcome Outcome
	Title   string
	Message string
}

// explain puts an outcome into words. problem is the last one with LiveSupporti.
func explain(o Outcome, ms float64, sources []SourceTime, problem string) OutcomeText {
	t := OutcomeText{Outcome: o}
	shownAfter := strconv.FormatFloat(max(ms, 1), 'f', 0, 64) + "\u00a0ms"
	switch o {
	case Waiting:
		t.Title, t.Message = "Looking up", "The details are on their way."
		if problem != "" {
			t.Title, t.Message = "Waiting to try again", problem
		}
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
		t.Title, t.Message = "Found, but every line was empty", "Add a line to the card that this customer has a value for."
	case NoCard:
		t.Title, t.Message = "No card was published yet", "Choose what the agent shall see and publish the card."
	case NoCredentials:
		t.Title, t.Message = "The details were ready, but could not be sent", "Store your LiveSupporti sign-in e-mail and API key."
	case Refused:
		t.Title, t.Message = "Not shown: LiveSupporti refused the details", problem
	case LookupFailed:
		t.Title, t.Message = "Not shown: no source could answer", failures(sources, problem)
	case Expired:
		t.Title, t.Message = "Not shown: it became too late", "The chat's deadline passed first. "+problem
	case Superseded:
		t.Title, t.Message = "A newer chat took its place", "The same visitor started another chat before this one was shown."
	case NotAChat:
		t.Title, t.Message = "Not the start of a chat", "LiveSupporti told us about something else. Nothing to do."
	}
	t.Message = strings.TrimSpace(t.Message)
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
		switch s.Match {
		case matchFailed:
			all = append(all, s.Name+": "+s.Problem.Message)
		case "ambiguous":
			all = append(all, s.Name+" knows several records.")
		}
	}
	return strings.Join(all, " ")
}

func failures(sources []SourceTime, problem string) string {
	var all []string
	for _, s := range sources {
		if s.Problem != nil {
			all = append(all, s.Name+": "+strings.TrimSpace(s.Problem.Message+" "+s.Problem.Fix))
		}
	}
	if len(all) == 0 {
		return problem
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

func itoa(n int) string { return strconv.Itoa(n) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}
