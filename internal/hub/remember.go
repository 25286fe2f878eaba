package hub

import (
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"sidecard/connectors"
)

// answers remembers what sources said, in this process only: for a moment where calls are dear, and for longer
// to have something to show while a source is in trouble. Nothing of it is ever written down.
type answers struct {
	entries *lru.Cache[answerKey, rememberedAnswer]
	now     func() time.Time
}

const (
	answersRemembered = 4096
	answerSize        = 8 << 10 // bytes; larger ones are not remembered
	// oldest is how old an answer may be that stands in for a source in trouble. Beyond that the agent is
	// better off knowing that nothing is known.
	oldest = time.Hour
)

// answerKey says what was asked of which version of a connection.
type answerKey struct {
	connection ID
	revision   int64
	fields     string
	email      string // folded
}

type rememberedAnswer struct {
	result connectors.Result
	at     time.Time
}

func newAnswers(now func() time.Time) *answers {
	c, err := lru.New[answerKey, rememberedAnswer](answersRemembered)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &answers{entries: c, now: now}
}

func keyOf(c Connection, q connectors.Query) answerKey {
	return answerKey{
		connection: c.ID, revision: c.Revision,
		fields: strings.Join(slices.Sorted(slices.Values(q.Fields)), "\x00"), email: strings.ToLower(q.Email),
	}
}

// keep remembers an answer.
func (a *answers) keep(k answerKey, r connectors.Result) {
	if r.Match != connectors.Ambiguous && size(r) <= answerSize {
		a.entries.Add(k, rememberedAnswer{r, a.now()})
	}
}

// fresh gives an answer that is as good as a new one.
func (a *answers) fresh(k answerKey, fresh time.Duration) (Answer, bool) {
	if fresh <= 0 {
		return Answer{}, false
	}
	kept, ok := a.entries.Get(k)
	age := a.now().Sub(kept.at)
	if !ok || age > fresh || len(kept.result.Partial) > 0 {
		return Answer{}, false
	}
	return Answer{Result: kept.result, Age: age}, true
}

// old gives an answer that stands in for the one that failed with err, if that is the source's trouble and may pass:
// our own is soon over. That nobody was known then says little about now.
func (a *answers) old(k answerKey, err error) (Answer, bool) {
	if saysNothing(err) || !connectors.AsError(err).Retryable() {
		return Answer{}, false
	}
	kept, ok := a.entries.Get(k)
	age := a.now().Sub(kept.at)
	if !ok || age > oldest || kept.result.Match != connectors.Found {
		return Answer{}, false
	}
	return Answer{Result: kept.result, Age: age, Instead: err}, true
}

func size(r connectors.Result) (n int) {
	for _, record := range r.Records {
		for id, v := range record {
			n += len(id) + len(v.Text)
		}
	}
	return n
}
