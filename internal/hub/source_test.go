package hub

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"sidecard/connectors"
)

// renamer is a kind whose setting was called server in version 1 and name in version 2; version 3 says host.
type renamer struct{ broken bool }

func (renamer) Spec() connectors.Spec { return connectors.Spec{Kind: "renamer", Version: 3} }

func (renamer) Open(context.Context, connectors.OpenInput) (connectors.Source, error) {
	return nil, errors.New("not opened in these tests")
}

func (r renamer) Upgrade(from int, s connectors.Settings) (connectors.Settings, error) {
	if r.broken {
		return nil, errors.New("broken")
	}
	names := []string{"", "server", "name", "host"}
	next := maps.Clone(s)
	next[names[from+1]] = s[names[from]]
	delete(next, names[from])
	return next, nil
}

func TestOldSettingsAreUpgradedStepByStep(t *testing.T) {
	t.Parallel()
	for from, name := range []string{1: "server", 2: "name", 3: "host"} {
		if from == 0 {
			continue
		}
		old := connectors.Settings{name: json.RawMessage(`"db"`)}
		got, err := upgrade(renamer{}, from, old)
		if err != nil || got.String("host", "") != "db" || len(got) != 1 {
			t.Errorf("from version %d: %v, %v", from, got, err)
		}
		if old.String(name, "") != "db" {
			t.Errorf("from version %d: the stored settings were changed", from)
		}
	}
}

func TestSettingsOfANewerProgramAreNotGuessedAt(t *testing.T) {
	t.Parallel()
	_, err := upgrade(renamer{}, 4, connectors.Settings{})
	if class, _ := classOf(err); class != connectors.Misconfigured {
		t.Errorf("refused with %v", err)
	}
	if _, err := upgrade(renamer{broken: true}, 1, connectors.Settings{}); err == nil {
		t.Error("settings that could not be upgraded were taken")
	}
}

// batchSource answers a batch by what answer says about each address, and counts its calls.
type batchSource struct {
	connectors.Source
	calls  int
	answer func(call int, q connectors.Query) connectors.Answer
}

func (b *batchSource) LookupBatch(_ context.Context, queries []connectors.Query) []connectors.Answer {
	b.calls++
	answers := make([]connectors.Answer, 0, len(queries))
	for _, q := range queries {
		if a := b.answer(b.calls, q); a.Result.Match == connectors.Ambiguous { // stands for one that is left out
			continue
		} else if answers = append(answers, a); a.Result.MatchedOn == "panic" {
			panic(q.Email)
		}
	}
	return answers
}

func newBatchSource(t *testing.T, answer func(call int, q connectors.Query) connectors.Answer) (*source, *batchSource) {
	t.Helper()
	b := &batchSource{answer: answer}
	return &source{
		Source: b, calls: newCalls(testMeter(t), NewID(), connectors.Spec{}, time.Now), gather: &gatherer{},
	}, b
}

func TestABrokenBatchFailsForAllOfItsQuestions(t *testing.T) {
	t.Parallel()
	two := []connectors.Query{{Email: "a"}, {Email: "b"}}
	for name, bad := range map[string]connectors.Result{"panic": {MatchedOn: "panic"}, "an answer too few": {Match: connectors.Ambiguous}} {
		s, _ := newBatchSource(t, func(_ int, q connectors.Query) (a connectors.Answer) {
			if q.Email == "b" {
				a.Result = bad
			}
			return a
		})
		for i, a := range s.ask(t.Context(), two) {
			if connectors.AsError(a.Err).Class != connectors.Bug {
				t.Errorf("%s: question %d got %+v", name, i, a)
			}
		}
	}
}

func TestASourceThatAskedForItIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, b := newBatchSource(t, func(int, connectors.Query) connectors.Answer {
		return connectors.Answer{Err: &connectors.Error{Class: connectors.RateLimited, RetryAfter: time.Minute}}
	})
	for range 3 {
		if class, _ := classOf(s.ask(t.Context(), []connectors.Query{{}})[0].Err); class != connectors.RateLimited {
			t.Errorf("class %q", class)
		}
	}
	if b.calls != 1 {
		t.Errorf("it was called %d times", b.calls)
	}
}
