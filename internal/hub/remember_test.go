package hub

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sidecard/connectors"
)

func TestAnAnswerIsFreshForAMomentAndOldForAWhile(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := newAnswers(func() time.Time { return now })
	c := Connection{ID: NewID(), Revision: 3}
	k := keyOf(c, connectors.Query{Email: "Ana@Example.com", Fields: []string{"b", "a"}})
	a.keep(k, connectors.Result{Match: connectors.Found, Records: []connectors.Record{{"a": {Kind: connectors.Text, Text: "x"}}}})
	same := keyOf(c, connectors.Query{Email: "ana@example.com", Fields: []string{"a", "b"}})
	late := &connectors.Error{Class: connectors.Transient}

	for _, tt := range []struct {
		after      time.Duration
		fresh, old bool
	}{{0, true, true}, {15 * time.Second, true, true}, {16 * time.Second, false, true}, {oldest, false, true}, {oldest + time.Second, false, false}} {
		began := now
		now = now.Add(tt.after)
		got, fresh := a.fresh(same, 15*time.Second)
		if fresh != tt.fresh || fresh && got.Age != tt.after {
			t.Errorf("after %v: fresh %v of age %v", tt.after, fresh, got.Age)
		}
		stand, old := a.old(same, late)
		if old != tt.old || old && (stand.Age != tt.after || !errors.Is(stand.Instead, late)) {
			t.Errorf("after %v: old %v, %+v", tt.after, old, stand)
		}
		now = began
	}
	if _, ok := a.fresh(same, 0); ok {
		t.Error("a kind that is asked every time got a remembered answer")
	}
	if _, ok := a.old(same, &connectors.Error{Class: connectors.AuthRevoked}); ok {
		t.Error("an old answer hides that the tenant has to connect again")
	}
	for name, other := range map[string]answerKey{
		"another version":  keyOf(Connection{ID: c.ID, Revision: 4}, connectors.Query{Email: "ana@example.com", Fields: []string{"a", "b"}}),
		"other fields":     keyOf(c, connectors.Query{Email: "ana@example.com", Fields: []string{"a"}}),
		"another visitor":  keyOf(c, connectors.Query{Email: "ana@example.org", Fields: []string{"a", "b"}}),
		"another's source": keyOf(Connection{ID: NewID(), Revision: 3}, connectors.Query{Email: "ana@example.com", Fields: []string{"a", "b"}}),
	} {
		if _, ok := a.old(other, late); ok {
			t.Errorf("%s got the answer", name)
		}
	}
}

func TestWhatIsNotWorthRememberingIsForgotten(t *testing.T) {
	t.Parallel()
	a := newAnswers(time.Now)
	late := &connectors.Error{Class: connectors.Transient}
	for name, tt := range map[string]struct {
		result     connectors.Result
		fresh, old bool
	}{
		"nobody":  {connectors.Result{Match: connectors.None}, true, false},
		"several": {connectors.Result{Match: connectors.Ambiguous}, false, false},
		"in part": {connectors.Result{Match: connectors.Found, Partial: []*connectors.Error{{}}}, false, true},
		"huge":    {connectors.Result{Match: connectors.Found, Records: []connectors.Record{{"a": {Text: strings.Repeat("x", answerSize)}}}}, false, false},
	} {
		k := keyOf(Connection{ID: NewID()}, connectors.Query{})
		a.keep(k, tt.result)
		if _, ok := a.fresh(k, time.Minute); ok != tt.fresh {
			t.Errorf("%s: fresh %v", name, ok)
		}
		if _, ok := a.old(k, late); ok != tt.old {
			t.Errorf("%s: old %v", name, ok)
		}
	}
}
