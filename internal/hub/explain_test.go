package hub

import (
	"strings"
	"testing"
	"time"
)

var away = []SourceTime{{Name: "CRM", Match: matchFailed, Problem: &SourceProblem{Message: "It is away.", Fix: "Start it."}}}

func TestAChatSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		story          story
		title, message string
	}{
		"nothing done":   {story{Stage: StageReady}, "Waiting for a worker", "Nothing has been done yet."},
		"behind another": {story{Stage: StageClaimed}, "Waiting for a worker", "An earlier chat of the same visitor"},
		"taken":          {story{Stage: StageClaimed, Claims: 1}, "Being looked up", "The sources are being asked"},
		"posted again":   {story{Stage: StageClaimed, Claims: 2, Lane: LaneDelivery}, "Being sent", "again"},
		"its worker died": {
			story{Stage: StageReady, Claims: 1}, "Waiting for a worker", "It was begun before",
		},
		"sources away": {
			story{Stage: StageLater, Claims: 1, Trail: Trail{Sources: away}}, "Waiting to try again", "CRM: It is away. Start it.",
		},
		"LiveSupporti in trouble": {
			story{Stage: StageLater, Claims: 1, Lane: LaneDelivery, Trail: Trail{Problem: "500."}}, "Waiting to try again", "500.",
		},
		"desk paused": {
			story{Stage: StageLater, Claims: 1, Lane: LaneDelivery, Trail: Trail{Unauthorized: true, Problem: "401."}},
			"Waiting, because the desk is paused", "Store the right ones",
		},
		"overtaken": {story{}, "A newer chat is taking its place", "newer chat"},
		"refused details": {
			story{Outcome: Refused, Trail: Trail{Problem: "404: unknown visitor."}}, "LiveSupporti refused the details", "404: unknown visitor.",
		},
		"refused credentials": {
			story{Outcome: Refused, Trail: Trail{Unauthorized: true, Problem: "401."}}, "refused the credentials", "then replay the chat",
		},
		"expired in the queue":   {story{Outcome: Expired}, "too late", "No worker could finish it in time."},
		"expired before it came": {story{Outcome: Expired, Late: 5 * time.Minute}, "too late", "only 5 minutes after"},
		"expired while tried":    {story{Outcome: Expired, Trail: Trail{Problem: "500."}}, "too late", "It waited to try again: 500."},
		"expired, sources away":  {story{Outcome: Expired, Trail: Trail{Sources: away}}, "too late", "CRM: It is away."},
		"expired in the lookup":  {story{Outcome: Expired, Trail: Trail{CardMS: 9}}, "too late", "The lookup took"},
		"given up":               {story{Outcome: LookupFailed, Trail: Trail{Problem: "Our fault."}}, "Sidecard could not handle it", "Our fault."},
		"found, source away": {
			story{Outcome: NothingToShow, Trail: Trail{Sources: away}}, "every line was empty", "CRM: It is away.",
		},
	} {
		got := tt.story.words()
		if got.Outcome != tt.story.Outcome || !strings.Contains(got.Title, tt.title) || !strings.Contains(got.Message, tt.message) {
			t.Errorf("%s: %+v, want %q and %q", name, got, tt.title, tt.message)
		}
	}
}

func TestARehearsalNeverSaysThatSomethingWasShownOrSent(t *testing.T) {
	t.Parallel()
	for _, o := range []Outcome{Shown, ShownInPart, NoMatch, SeveralMatches, NoEmail, NothingToShow, NoCard, NoCredentials, LookupFailed, NotAChat} {
		got := wouldBe(o, away, true)
		if got.Outcome != o || got.Title == "" || got.Message == "" {
			t.Errorf("%s has no words: %+v", o, got)
		}
		for _, lie := range []string{"shown to", "Shown in", "Not shown", "was sent"} {
			if strings.Contains(got.Title+got.Message, lie) {
				t.Errorf("%s says %q of what only would be: %+v", o, lie, got)
			}
		}
	}
}

func TestTimesInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10 minutes", time.Minute: "1 minute", 90 * time.Second: "90 seconds", time.Second: "1 second", 2 * time.Hour: "2 hours",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%v in words = %q, want %q", d, got, want)
		}
	}
}
