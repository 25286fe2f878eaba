package reach

import (
	"fmt"
	"testing"
	"time"
)

type noted struct {
	name string
	gone *[]string
}

func (n noted) LetGo() { *n.gone = append(*n.gone, n.name) }

func TestWhoWasUsedLongestAgoLetsGo(t *testing.T) {
	t.Parallel()
	now := time.Now()
	k := NewKeeper(2, time.Minute)
	k.now = func() time.Time { return now }
	var gone []string
	use := func(names ...string) {
		for _, name := range names {
			k.Used(noted{name, &gone})
		}
	}
	use("a", "b", "a", "c") // b was used longest ago
	k.Forget(noted{"c", &gone})
	use("d")
	if fmt.Sprint(gone) != "[b]" {
		t.Errorf("%v let go", gone)
	}
	now = now.Add(time.Minute)
	use("e")
	if fmt.Sprint(gone) != "[b a d]" {
		t.Errorf("after a minute %v let go", gone)
	}
	if len(k.places) != 1 || k.recent.Len() != 1 {
		t.Errorf("%d places and %d in order are left", len(k.places), k.recent.Len())
	}
}
