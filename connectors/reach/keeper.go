package reach

import (
	"container/list"
	"sync"
	"time"
)

// Holder keeps connections open for its next use.
type Holder interface {
	// LetGo gives them back soon, without waiting. The next use opens new ones.
	LetGo()
}

// Keeper knows which sources of a process hold connections. With one too many, and when one was not used for long,
// it is told to let go: thousands of tenants share a process, and few of them have a chat at the same time.
type Keeper struct {
	most int
	idle time.Duration
	now  func() time.Time

	mu     sync.Mutex
	recent list.List // of *held; the first was used last
	places map[Holder]*list.Element
}

type held struct {
	holder Holder
	used   time.Time
}

// Bounds of a process.
const (
	MostHolders = 256
	IdleTime    = 10 * time.Minute
)

// NewKeeper makes a keeper for so many holders.
func NewKeeper(most int, idle time.Duration) *Keeper {
	return &Keeper{most: most, idle: idle, now: time.Now, places: make(map[Holder]*list.Element)}
}

// Used notes that a holder is being used.
func (k *Keeper) Used(h Holder) {
	k.mu.Lock()
	now := k.now()
	if place, ok := k.places[h]; ok {
		k.recent.MoveToFront(place)
		place.Value.(*held).used = now //nolint:forcetypeassert // nothing else is put in
	} else {
		k.places[h] = k.recent.PushFront(&held{h, now})
	}
	var over []Holder
	for last := k.recent.Back(); last != nil; last = k.recent.Back() {
		oldest := last.Value.(*held) //nolint:forcetypeassert // nothing else is put in
		if k.recent.Len() <= k.most && now.Sub(oldest.used) < k.idle {
			break
		}
		k.remove(oldest.holder)
		over = append(over, oldest.holder)
	}
	k.mu.Unlock()
	for _, h := range over {
		h.LetGo()
	}
}

// Forget notes that a holder holds nothing any more.
func (k *Keeper) Forget(h Holder) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.remove(h)
}

func (k *Keeper) remove(h Holder) {
	if place, ok := k.places[h]; ok {
		k.recent.Remove(place)
		delete(k.places, h)
	}
}
