package store_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"sidecard/internal/hub"
	"sidecard/internal/store/storetest"
)

func TestCardsAreVersions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		ctx, a := t.Context(), signUp(t, db.Store)
		if c, err := a.Card(ctx); err != nil || c.Version != 0 || c.Lines != nil {
			t.Errorf("Card before the first = %+v (%v), want the zero card", c, err)
		}
		at := time.Now().UTC().Truncate(time.Microsecond)
		first := hub.Card{
			Version: 1, PublishedAt: at, PublishedBy: a.user.ID, ByName: a.user.Name,
			Lines: []hub.Line{{Label: "Plan", Connection: hub.NewID(), Field: "plan", Format: hub.FormatDate, HideIfEmpty: true, Fallback: "none"}},
		}
		second := first
		second.Version, second.Lines = 2, []hub.Line{}
		for basedOn, c := range []hub.Card{first, second} {
			draft := c
			draft.Version, draft.ByName = 0, ""
			if got, err := a.PublishCard(ctx, draft, basedOn); err != nil || !reflect.DeepEqual(got, c) {
				t.Errorf("PublishCard = %+v (%v)\nwant %+v", got, err, c)
			}
		}
		if got, err := a.Card(ctx); err != nil || !reflect.DeepEqual(got, second) {
			t.Errorf("Card = %+v (%v)\nwant %+v", got, err, second)
		}
		if got, err := a.Cards(ctx); err != nil || !reflect.DeepEqual(got, []hub.Card{second, first}) {
			t.Errorf("Cards = %+v (%v)", got, err)
		}
		if _, err := a.PublishCard(ctx, first, 1); hub.CodeOf(err) != hub.CodeConflict {
			t.Errorf("publishing over an old version = %v, want a conflict", err)
		}
		if c, err := a.PublishCard(ctx, first, -1); err != nil || c.Version != 3 {
			t.Errorf("publishing without a base = version %d (%v), want 3", c.Version, err)
		}
	})
}

func TestOneOfManyWhoPublishAtOnceSucceeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		a := signUp(t, db.Store)
		var mu sync.Mutex
		var versions []int
		var callers sync.WaitGroup
		for range 16 {
			callers.Go(func() {
				c, err := a.PublishCard(t.Context(), hub.Card{PublishedBy: a.user.ID}, 0)
				if err != nil && hub.CodeOf(err) != hub.CodeConflict {
					t.Errorf("PublishCard: %v", err)
				}
				if err == nil {
					mu.Lock()
					versions = append(versions, c.Version)
					mu.Unlock()
				}
			})
		}
		callers.Wait()
		if !reflect.DeepEqual(versions, []int{1}) {
			t.Errorf("versions published = %v, want one", versions)
		}
	})
}
